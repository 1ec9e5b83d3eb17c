//! The events of the newest revisions, kept in memory for readers that follow the city.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, PoisonError},
};

use citymap_model::RevisionNumber;

use crate::RevisionEvent;

/// Maximum number of revisions kept.
const REVISIONS_MAX: usize = 512;
/// Maximum number of features in the revisions kept.
const FEATURES_MAX: usize = 50_000;

/// The newest revisions, without a gap. It must be cleared when the store turns out to hold another record.
#[derive(Debug, Default)]
pub(crate) struct RecentEvents(Mutex<Queue>);

#[derive(Debug, Default)]
struct Queue {
    events: VecDeque<Arc<RevisionEvent>>,
    /// The number of features in all events.
    features: usize,
}

impl RecentEvents {
    /// The revisions above `after` up to `newest`, at most `limit`; `None` if the first of them is not kept.
    pub(crate) fn after(
        &self,
        after: RevisionNumber,
        limit: usize,
        newest: RevisionNumber,
    ) -> Option<Vec<Arc<RevisionEvent>>> {
        let queue = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let first = queue.events.front()?.revision.number;
        let skipped = usize::try_from((after + 1).checked_sub(first)?).ok()?;
        let found: Vec<_> = queue
            .events
            .iter()
            .skip(skipped)
            .take_while(|event| event.revision.number <= newest)
            .take(limit)
            .cloned()
            .collect();
        (!found.is_empty()).then_some(found)
    }

    /// Removes all revisions from memory.
    pub(crate) fn clear(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Queue::default();
    }

    /// Keeps a revision if it is newer than those that are kept. If there would be a gap, the older ones are
    /// dropped.
    pub(crate) fn keep(&self, event: &Arc<RevisionEvent>) {
        let mut queue = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Queue { events, features } = &mut *queue;
        let number = event.revision.number;
        match events.back().map(|last| last.revision.number) {
            Some(last) if number <= last => return,
            Some(last) if number > last + 1 => {
                events.clear();
                *features = 0;
            }
            _ => {}
        }
        *features += weight(event);
        events.push_back(Arc::clone(event));
        while events.len() > REVISIONS_MAX || (*features > FEATURES_MAX && events.len() > 1) {
            *features -= events.pop_front().map_or(0, |oldest| weight(&oldest));
        }
    }
}

/// The number of features that an event lists.
fn weight(event: &RevisionEvent) -> usize {
    event.layers.iter().map(|layer| layer.features.len()).sum()
}

#[cfg(test)]
mod tests {
    use citymap_model::{CommitMeta, Revision};

    use super::*;

    fn event(number: RevisionNumber) -> Arc<RevisionEvent> {
        let meta = CommitMeta::default();
        let revision = Revision { number, time: chrono::DateTime::UNIX_EPOCH, meta, changes: Vec::new() };
        Arc::new(RevisionEvent { revision, layers: Vec::new() })
    }

    fn numbers(recent: &RecentEvents, after: u64, limit: usize, newest: u64) -> Option<Vec<u64>> {
        let events = recent.after(after, limit, newest)?;
        Some(events.iter().map(|event| event.revision.number).collect())
    }

    #[test]
    fn what_is_kept_has_no_gap() {
        let recent = RecentEvents::default();
        assert_eq!(numbers(&recent, 0, 10, 9), None);
        for number in [3, 4, 5, 4, 3] {
            recent.keep(&event(number));
        }
        assert_eq!(numbers(&recent, 2, 10, 9), Some(vec![3, 4, 5]));
        assert_eq!(numbers(&recent, 3, 1, 9), Some(vec![4]));
        assert_eq!(numbers(&recent, 2, 10, 4), Some(vec![3, 4]), "no more than is shown");
        assert_eq!(numbers(&recent, 1, 10, 9), None, "revision 2 is not kept");
        assert_eq!(numbers(&recent, 5, 10, 9), None, "revision 6 is not kept yet");
        recent.keep(&event(9));
        assert_eq!(numbers(&recent, 4, 10, 9), None, "what lies before the gap is gone");
        assert_eq!(numbers(&recent, 8, 10, 9), Some(vec![9]));
    }

    #[test]
    fn the_number_of_revisions_is_bounded() {
        let recent = RecentEvents::default();
        let many = REVISIONS_MAX as u64 + 10;
        (1..=many).for_each(|number| recent.keep(&event(number)));
        assert_eq!(numbers(&recent, 9, 1, many), None);
        assert_eq!(numbers(&recent, 10, many as usize, many).map(|found| found.len()), Some(REVISIONS_MAX));
    }
}
