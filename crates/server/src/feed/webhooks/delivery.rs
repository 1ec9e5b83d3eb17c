//! What one subscriber gets: a thread that sends revision after revision, and does not go on before one is taken or given up.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use chrono::{DateTime, TimeDelta, Utc};
use citymap_live::LiveError;
use citymap_model::RevisionNumber;
use ureq::Agent;

use super::{
    DeadLetter, Failing, WebhookError, WebhookOptions,
    documents::{Dead, LIST, List, Position, Stored, dead_name, position_name, read, update, write},
    manager::Shared,
    post::{Outcome, agent, post},
    secret::Secret,
};

/// How long to wait when the store does not answer.
const AGAIN: Duration = Duration::from_secs(1);

/// Why a step could not be made.
#[derive(Debug, thiserror::Error)]
enum Trouble {
    #[error(transparent)]
    Live(#[from] LiveError),
    #[error(transparent)]
    Kept(#[from] WebhookError),
}

/// One subscriber's thread.
pub(super) struct Delivery {
    shared: Arc<Shared>,
    own: Stored,
    secret: Secret,
    agent: Agent,
    stop: Arc<AtomicBool>,
    /// Where we are, and the version of the document that says so.
    place: Option<(Position, u64)>,
    /// What could not be written down, and in place of which version: it was delivered, and need not be again.
    unsaved: Option<(Position, u64)>,
    /// When the dead letters were looked at.
    looked: Option<Instant>,
}

impl Delivery {
    pub(super) fn new(shared: Arc<Shared>, own: Stored, stop: Arc<AtomicBool>) -> Result<Self, WebhookError> {
        let secret = Secret::parse(&own.secret).ok_or(WebhookError::Secret)?;
        let agent = agent(shared.options.timeout);
        Ok(Self { shared, own, secret, agent, stop, place: None, unsaved: None, looked: None })
    }

    /// Delivers until somebody says stop, or another server does it.
    pub(super) fn run(mut self) {
        let mut failing = false;
        while self.goes_on() {
            let seen = self.shared.bell.now();
            let pause = match self.step() {
                Ok(pause) => {
                    failing = false;
                    pause
                }
                Err(error) => {
                    if !failing {
                        tracing::warn!(subscription = self.own.name, %error, "webhooks wait for the store");
                    }
                    failing = true;
                    self.place = None;
                    AGAIN
                }
            };
            if !pause.is_zero() {
                self.shared.bell.wait(seen, pause);
            }
        }
    }

    fn goes_on(&self) -> bool {
        !self.stop.load(Ordering::Relaxed) && self.shared.goes_on() && self.shared.lease.held()
    }

    /// Does what there is to do; how long nothing will be, unless something new comes.
    fn step(&mut self) -> Result<Duration, Trouble> {
        let options = &self.shared.options;
        let poll = options.poll;
        if self.looked.is_none_or(|looked| looked.elapsed() >= poll) {
            self.looked = Some(Instant::now());
            self.once_more()?;
        }
        self.write_down()?;
        let store = self.shared.live.store();
        if self.place.is_none() {
            let (position, version) = read::<Position>(store, &position_name(&self.own.id))?;
            if version == 0 {
                // Removed meanwhile.
                self.stop.store(true, Ordering::Relaxed);
                return Ok(Duration::ZERO);
            }
            self.place = Some((position, version));
        }
        let Some((position, _)) = &self.place else { return Ok(poll) };
        if let Some(failing) = &position.failing
            && let Ok(rest) = (failing.next - Utc::now()).to_std()
            && !rest.is_zero()
        {
            return Ok(rest.min(poll));
        }
        let start = position.revision;
        let revisions = self.shared.hub.after(&self.shared.live, start)?;
        if revisions.is_empty() {
            return Ok(poll);
        }
        let mut skipped = None;
        for revision in revisions {
            if !self.goes_on() {
                return Ok(Duration::ZERO);
            }
            match revision.json(self.own.layers.as_deref(), false) {
                None => skipped = Some(revision.number),
                Some(body) => {
                    if !self.deliver(revision.number, &body)? {
                        return Ok(Duration::ZERO);
                    }
                    skipped = None;
                }
            }
        }
        if let Some(number) = skipped {
            self.save(Position { revision: number, failing: None })?;
        }
        Ok(Duration::ZERO)
    }

    /// Tries to deliver one revision; whether to go on with the next.
    fn deliver(&mut self, number: RevisionNumber, body: &str) -> Result<bool, Trouble> {
        let (reason, asked) = match self.send(number, body) {
            Outcome::Taken => {
                tracing::debug!(subscription = self.own.name, revision = number, "webhook delivered");
                return Ok(self.save(Position { revision: number, failing: None })?);
            }
            Outcome::Gone => {
                self.end()?;
                return Ok(false);
            }
            Outcome::Failed(reason, asked) => (reason, asked),
        };
        let Some((position, _)) = &self.place else { return Ok(false) };
        let now = Utc::now();
        let before = position.failing.as_ref().map_or((now, 0), |failing| (failing.since, failing.attempts));
        let (since, attempts) = (before.0, before.1 + 1);
        let options = &self.shared.options;
        if (now - since).to_std().is_ok_and(|spent| spent >= options.give_up) {
            tracing::warn!(
                subscription = self.own.name,
                revision = number,
                attempts,
                reason,
                "webhook given up"
            );
            let letter =
                DeadLetter { revision: number, attempts, first: since, last: now, reason, again: false };
            update(self.shared.live.store(), &dead_name(&self.own.id), |dead: &mut Dead| {
                dead.add(letter.clone());
                Ok(())
            })?;
            return Ok(self.save(Position { revision: number, failing: None })?);
        }
        let pause =
            back_off(options, attempts, &self.own.id).max(asked.unwrap_or_default().min(options.retry_max));
        tracing::info!(
            subscription = self.own.name,
            revision = number,
            attempts,
            ?pause,
            reason,
            "webhook failed"
        );
        let failing = Failing { since, attempts, next: later(now, pause), reason };
        let revision = position.revision;
        self.save(Position { revision, failing: Some(failing) })?;
        Ok(false)
    }

    fn send(&self, number: RevisionNumber, body: &str) -> Outcome {
        let id = format!("rev-{number}-{}", self.own.id);
        post(&self.agent, &self.own.url, &self.secret, &id, body)
    }

    /// Remembers where we are; false where somebody else has written it, and then it is read anew.
    fn save(&mut self, position: Position) -> Result<bool, WebhookError> {
        let Some((_, version)) = self.place.take() else { return Ok(false) };
        self.unsaved = Some((position, version));
        self.write_down()
    }

    /// Writes what is not written yet; while that fails, it stays so.
    fn write_down(&mut self) -> Result<bool, WebhookError> {
        let Some((position, version)) = &self.unsaved else { return Ok(true) };
        let written = write(self.shared.live.store(), &position_name(&self.own.id), *version, position)?;
        // Each writing adds one; where that is not so, the next one will find out.
        self.place =
            self.unsaved.take().filter(|_| written).map(|(position, version)| (position, version + 1));
        Ok(written)
    }

    /// The receiver has said that it wants no more.
    fn end(&mut self) -> Result<(), WebhookError> {
        tracing::warn!(subscription = self.own.name, "the receiver answered 410: the subscription has ended");
        self.stop.store(true, Ordering::Relaxed);
        update(self.shared.live.store(), LIST, |list: &mut List| {
            list.find(&self.own.id)?.ended = Some("the receiver answered 410 Gone".to_owned());
            Ok(())
        })
    }

    /// Dead letters that somebody has asked to try once more.
    fn once_more(&mut self) -> Result<(), Trouble> {
        let name = dead_name(&self.own.id);
        let (dead, _) = read::<Dead>(self.shared.live.store(), &name)?;
        for letter in dead.letters.into_iter().filter(|letter| letter.again) {
            if !self.goes_on() {
                return Ok(());
            }
            let number = letter.revision;
            let found = self.shared.hub.after(&self.shared.live, number.saturating_sub(1))?;
            let body = found
                .first()
                .filter(|own| own.number == number)
                .and_then(|own| own.json(self.own.layers.as_deref(), false));
            let outcome = body.map_or(Outcome::Taken, |body| self.send(number, &body));
            if outcome == Outcome::Gone {
                return Ok(self.end()?);
            }
            update(self.shared.live.store(), &name, |dead: &mut Dead| {
                match &outcome {
                    Outcome::Failed(reason, _) => {
                        if let Some(own) = dead.letters.iter_mut().find(|own| own.revision == number) {
                            own.again = false;
                            own.attempts += 1;
                            own.last = Utc::now();
                            own.reason.clone_from(reason);
                        }
                    }
                    _ => dead.letters.retain(|own| own.revision != number),
                }
                Ok(())
            })?;
        }
        Ok(())
    }
}

/// How long to wait after so many attempts: doubled each time, up to a bound, a quarter more or less so that receivers
/// that failed together are not asked together.
fn back_off(options: &WebhookOptions, attempts: u32, id: &str) -> Duration {
    let doubled = options.first_retry.saturating_mul(1 << attempts.saturating_sub(1).min(20));
    let dice = crate::hash::hash_of(&(std::time::SystemTime::now(), id)) % 1_000;
    doubled.min(options.retry_max).mul_f64(0.75 + 0.5 * dice as f64 / 1_000.0)
}

fn later(now: DateTime<Utc>, pause: Duration) -> DateTime<Utc> {
    TimeDelta::from_std(pause).ok().and_then(|pause| now.checked_add_signed(pause)).unwrap_or(now)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_up_to_a_bound() {
        let options = WebhookOptions::default();
        let mut spent = Duration::ZERO;
        for (attempts, seconds) in
            [(1, 2.0), (2, 4.0), (5, 32.0), (11, 2_048.0), (12, 3_600.0), (1_000, 3_600.0)]
        {
            let pause = back_off(&options, attempts, "wh_1").as_secs_f64();
            assert!((seconds * 0.75..=seconds * 1.25).contains(&pause), "{attempts}: {pause}");
        }
        // A day of failures is some tens of attempts, not thousands.
        let attempts = (1..).take_while(|&attempts| {
            spent += back_off(&options, attempts, "wh_1");
            spent < options.give_up
        });
        assert!((25..60).contains(&attempts.count()));
    }
}
