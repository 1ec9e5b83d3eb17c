//! The numbers of the features that a turn adds, as the history keeps them.

use citymap_model::Fid;
use sqlx::Row as _;

use crate::{
    StoreError,
    postgis::{entry::Entry, session::Session},
};

/// Numbers as ranges, first and last included, in the order in which they were given.
#[derive(Debug, Default)]
pub(super) struct NewFids(Vec<(Fid, Fid)>);

impl NewFids {
    /// Adds a number that was given to a new feature.
    pub(super) fn note(&mut self, fid: Fid) {
        match self.0.last_mut() {
            Some((_, last)) if last.checked_add(1) == Some(fid) => *last = fid,
            _ => self.0.push((fid, fid)),
        }
    }

    /// Writes them to the history. `again` says that an earlier turn of the same revision may have written
    /// some, which are merged with these.
    pub(super) fn save(
        self,
        session: &mut Session<'_>,
        entry: &Entry,
        again: bool,
    ) -> Result<(), StoreError> {
        let id = entry.layer.id.as_str();
        let (generation, revision) = (entry.generation, entry.revision);
        let mut ranges = self.0;
        session.ask(async |conn| {
            if again {
                let before = sqlx::query(
                    "DELETE FROM citymap.added WHERE layer = $1 AND generation = $2 AND revision = $3 \
                     RETURNING first, last",
                )
                .bind(id)
                .bind(generation)
                .bind(revision)
                .fetch_all(&mut *conn)
                .await?;
                for row in before {
                    ranges.push((row.try_get(0)?, row.try_get(1)?));
                }
            }
            let (firsts, lasts): (Vec<i64>, Vec<i64>) = merged(ranges).into_iter().unzip();
            sqlx::query(
                "INSERT INTO citymap.added SELECT $1, $2, $3, first, last \
                 FROM unnest($4::bigint[], $5::bigint[]) AS range (first, last)",
            )
            .bind(id)
            .bind(generation)
            .bind(revision)
            .bind(&firsts)
            .bind(&lasts)
            .execute(conn)
            .await
            .map(|_| ())
        })
    }
}

/// The same numbers as ascending ranges with gaps between them.
fn merged(mut ranges: Vec<(Fid, Fid)>) -> Vec<(Fid, Fid)> {
    ranges.sort_unstable();
    let mut apart: Vec<(Fid, Fid)> = Vec::with_capacity(ranges.len());
    for (first, last) in ranges {
        match apart.last_mut() {
            Some((_, end)) if end.saturating_add(1) >= first => *end = last.max(*end),
            _ => apart.push((first, last)),
        }
    }
    apart
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_that_touch_become_one() {
        assert_eq!(merged(vec![(5, 7), (1, 2), (6, 6), (8, 9), (3, 3)]), [(1, 3), (5, 9)]);
        assert_eq!(merged(vec![(1, Fid::MAX), (7, 8)]), [(1, Fid::MAX)]);
    }
}
