//! The delivery to one subscriber: a thread that sends one revision after the other. It goes on to the next
//! revision only when the receiver has taken the last one, or when that has been given up.

use std::{
    hash::{DefaultHasher, Hash, Hasher},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant, SystemTime},
};

use chrono::{DateTime, TimeDelta, Utc};
use citymap_live::LiveError;
use citymap_model::RevisionNumber;
use ureq::Agent;

use super::{
    DeadLetter, Failing, WebhookError, WebhookOptions,
    documents::{
        DeadLetters, LIST, List, Position, Stored, dead_letters_name, position_name, read, update, write,
    },
    post::{Outcome, agent, post},
    secret::Secret,
    shared::Shared,
};

/// How long to wait after a failure of the store.
const STORE_RETRY: Duration = Duration::from_secs(1);

/// Why a step failed for a reason that is not the receiver's.
#[derive(Debug, thiserror::Error)]
enum StepError {
    #[error(transparent)]
    Live(#[from] LiveError),
    #[error(transparent)]
    Webhook(#[from] WebhookError),
}

/// The state of the thread that delivers to one subscriber.
pub(super) struct Delivery {
    shared: Arc<Shared>,
    subscription: Stored,
    secret: Secret,
    agent: Agent,
    stop: Arc<AtomicBool>,
    /// How far the delivery is, and the version of the document that says so.
    position: Option<(Position, u64)>,
    /// A position that is not yet written, and the version that it replaces. What it says was delivered must
    /// not be sent again.
    unsaved: Option<(Position, u64)>,
    /// When the dead letters were read last.
    dead_letters_read: Option<Instant>,
}

impl Delivery {
    pub(super) fn new(
        shared: Arc<Shared>,
        subscription: Stored,
        stop: Arc<AtomicBool>,
    ) -> Result<Self, WebhookError> {
        let secret = Secret::parse(&subscription.secret).ok_or(WebhookError::Secret)?;
        let agent = agent(shared.options.timeout);
        Ok(Self {
            shared,
            subscription,
            secret,
            agent,
            stop,
            position: None,
            unsaved: None,
            dead_letters_read: None,
        })
    }

    /// Delivers until it is told to stop, or this server no longer holds the lease.
    pub(super) fn run(mut self) {
        let mut failing = false;
        while self.may_go_on() {
            let seen = self.shared.bell.count();
            let pause = match self.step() {
                Ok(pause) => {
                    failing = false;
                    pause
                }
                Err(error) => {
                    if !failing {
                        let subscription = &self.subscription.name;
                        tracing::warn!(subscription, %error, "webhooks wait for the store");
                    }
                    failing = true;
                    self.position = None;
                    STORE_RETRY
                }
            };
            if !pause.is_zero() {
                self.shared.bell.wait(seen, pause);
            }
        }
    }

    fn may_go_on(&self) -> bool {
        !self.stop.load(Ordering::Relaxed) && self.shared.is_running() && self.shared.lease.held()
    }

    /// Does what is due. Returns how long to wait for something new before the next step.
    fn step(&mut self) -> Result<Duration, StepError> {
        let options = &self.shared.options;
        let poll = options.poll;
        if self.dead_letters_read.is_none_or(|read| read.elapsed() >= poll) {
            self.dead_letters_read = Some(Instant::now());
            self.retry_dead_letters()?;
        }
        self.write_unsaved()?;
        let store = self.shared.live.store();
        if self.position.is_none() {
            let (position, version) = read::<Position>(store, &position_name(&self.subscription.id))?;
            if version == 0 {
                // The subscription has been removed.
                self.stop.store(true, Ordering::Relaxed);
                return Ok(Duration::ZERO);
            }
            self.position = Some((position, version));
        }
        let Some((position, _)) = &self.position else { return Ok(poll) };
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
            if !self.may_go_on() {
                return Ok(Duration::ZERO);
            }
            match revision.json(self.subscription.layers.as_deref(), false) {
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

    /// Tries to deliver one revision. Returns whether to go on with the next one.
    fn deliver(&mut self, number: RevisionNumber, body: &str) -> Result<bool, StepError> {
        let (reason, retry_after) = match self.send(number, body) {
            Outcome::Taken => {
                tracing::debug!(
                    subscription = self.subscription.name,
                    revision = number,
                    "webhook delivered"
                );
                return Ok(self.save(Position { revision: number, failing: None })?);
            }
            Outcome::Gone => {
                self.end_subscription()?;
                return Ok(false);
            }
            Outcome::Failed { reason, retry_after } => (reason, retry_after),
        };
        let Some((position, _)) = &self.position else { return Ok(false) };
        let now = Utc::now();
        let before = position.failing.as_ref().map_or((now, 0), |failing| (failing.since, failing.attempts));
        let (since, attempts) = (before.0, before.1 + 1);
        let options = &self.shared.options;
        if (now - since).to_std().is_ok_and(|spent| spent >= options.give_up) {
            tracing::warn!(
                subscription = self.subscription.name,
                revision = number,
                attempts,
                reason,
                "webhook given up"
            );
            let letter =
                DeadLetter { revision: number, attempts, first: since, last: now, reason, again: false };
            update(
                self.shared.live.store(),
                &dead_letters_name(&self.subscription.id),
                |dead: &mut DeadLetters| {
                    dead.add(letter.clone());
                    Ok(())
                },
            )?;
            return Ok(self.save(Position { revision: number, failing: None })?);
        }
        let pause = back_off(options, attempts, &self.subscription.id)
            .max(retry_after.unwrap_or_default().min(options.retry_max));
        tracing::info!(
            subscription = self.subscription.name,
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
        let id = format!("rev-{number}-{}", self.subscription.id);
        post(&self.agent, &self.subscription.url, &self.secret, &id, body)
    }

    /// Writes how far the delivery is. Returns false if another program has written it; then it is read
    /// again.
    fn save(&mut self, position: Position) -> Result<bool, WebhookError> {
        let Some((_, version)) = self.position.take() else { return Ok(false) };
        self.unsaved = Some((position, version));
        self.write_unsaved()
    }

    /// Writes the position that is not yet written, if there is one; it stays unsaved while that fails.
    fn write_unsaved(&mut self) -> Result<bool, WebhookError> {
        let Some((position, version)) = &self.unsaved else { return Ok(true) };
        let written =
            write(self.shared.live.store(), &position_name(&self.subscription.id), *version, position)?;
        // Each write adds one to the version. If that does not hold, the next write finds out.
        self.position =
            self.unsaved.take().filter(|_| written).map(|(position, version)| (position, version + 1));
        Ok(written)
    }

    /// Ends the subscription, because the receiver has answered 410.
    fn end_subscription(&mut self) -> Result<(), WebhookError> {
        tracing::warn!(
            subscription = self.subscription.name,
            "the receiver answered 410: the subscription has ended"
        );
        self.stop.store(true, Ordering::Relaxed);
        update(self.shared.live.store(), LIST, |list: &mut List| {
            list.find(&self.subscription.id)?.ended = Some("the receiver answered 410 Gone".to_owned());
            Ok(())
        })
    }

    /// Sends the dead letters for which one more attempt was asked.
    fn retry_dead_letters(&mut self) -> Result<(), StepError> {
        let name = dead_letters_name(&self.subscription.id);
        let (dead, _) = read::<DeadLetters>(self.shared.live.store(), &name)?;
        for letter in dead.letters.into_iter().filter(|letter| letter.again) {
            if !self.may_go_on() {
                return Ok(());
            }
            let number = letter.revision;
            let found = self.shared.hub.after(&self.shared.live, number.saturating_sub(1))?;
            let body = found
                .first()
                .filter(|revision| revision.number == number)
                .and_then(|revision| revision.json(self.subscription.layers.as_deref(), false));
            let outcome = body.map_or(Outcome::Taken, |body| self.send(number, &body));
            if outcome == Outcome::Gone {
                return Ok(self.end_subscription()?);
            }
            update(self.shared.live.store(), &name, |dead: &mut DeadLetters| {
                match &outcome {
                    Outcome::Failed { reason, .. } => {
                        let letter = dead.letters.iter_mut().find(|letter| letter.revision == number);
                        if let Some(letter) = letter {
                            letter.again = false;
                            letter.attempts += 1;
                            letter.last = Utc::now();
                            letter.reason.clone_from(reason);
                        }
                    }
                    _ => dead.letters.retain(|letter| letter.revision != number),
                }
                Ok(())
            })?;
        }
        Ok(())
    }
}

/// How long to wait after this many attempts: the first wait doubled with each further attempt, up to a
/// maximum, and then changed by up to a quarter, so that receivers that failed together are not called
/// together.
fn back_off(options: &WebhookOptions, attempts: u32, id: &str) -> Duration {
    let doubled = options.first_retry.saturating_mul(1 << attempts.saturating_sub(1).min(20));
    let mut hasher = DefaultHasher::new();
    (SystemTime::now(), id).hash(&mut hasher);
    let fraction = (hasher.finish() % 1_000) as f64 / 1_000.0;
    doubled.min(options.retry_max).mul_f64(0.75 + 0.5 * fraction)
}

fn later(now: DateTime<Utc>, pause: Duration) -> DateTime<Utc> {
    TimeDelta::from_std(pause).ok().and_then(|pause| now.checked_add_signed(pause)).unwrap_or(now)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_up_to_a_maximum() {
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
