//! Which keys are repeated over base and delta together. Of the rows with one key, the row with the lowest
//! fid has the key itself as its id; the others are repeats. Only the keys that a change touches are looked
//! at.

use super::state::Delta;
use crate::{
    Row, ValueRef,
    columns::{
        bits::Bits,
        block::Block,
        keys::compare,
        spans::{NO_ROW, RowMap},
    },
};

/// The keys of all features that a change touches.
pub(crate) struct TouchedKeys<'a> {
    field: usize,
    keys: Vec<ValueRef<'a>>,
}

impl<'a> TouchedKeys<'a> {
    pub(crate) fn new(field: usize) -> Self {
        Self { field, keys: Vec::new() }
    }

    pub(crate) fn with(mut self, block: &'a Block, rows: impl IntoIterator<Item = Row>) -> Self {
        let column = block.column(self.field);
        self.keys.extend(rows.into_iter().map(|row| column.get(row)).filter(|key| !key.is_null()));
        self
    }
}

/// The row that has a key without a suffix: the one with the lowest fid.
#[derive(Clone, Copy, PartialEq, Eq)]
enum KeyHolder {
    Base(Row),
    Delta(Row),
}

/// The rows with one key, and the one that has it without a suffix.
struct SameKey<'a> {
    base: &'a [Row],
    delta: &'a [Row],
    holder: Option<KeyHolder>,
}

impl<'a> SameKey<'a> {
    fn find(field: usize, key: ValueRef<'_>, base: &'a Block, hidden: &Bits, delta: &'a Block) -> Self {
        let [in_base, in_delta] = [base, delta].map(|block| block.keys.rows(block.column(field), key));
        let shown = in_base.iter().copied().find(|&row| !hidden.contains(row));
        let holder = match (shown, in_delta.first().copied()) {
            (Some(a), Some(b)) if delta.fid(b) < base.fid(a) => Some(KeyHolder::Delta(b)),
            (Some(a), _) => Some(KeyHolder::Base(a)),
            (None, b) => b.map(KeyHolder::Delta),
        };
        Self { base: in_base, delta: in_delta, holder }
    }

    /// The visible base rows whose mark differs from that in the base alone: the first row of the base, if it
    /// no longer holds the key without a suffix, and another base row that holds it now.
    fn flipped(&self, hidden: &Bits) -> impl Iterator<Item = Row> {
        let first = self.base.first().copied();
        let same = first.map(KeyHolder::Base) == self.holder;
        let no_longer = first.filter(|&row| !same && !hidden.contains(row));
        let now = match self.holder {
            Some(KeyHolder::Base(row)) if !same => Some(row),
            _ => None,
        };
        no_longer.into_iter().chain(now)
    }
}

/// Everything that [`RepeatUpdate::apply`] reads: a base, the delta before a change, and how the change moved
/// its rows.
pub(crate) struct RepeatUpdate<'a> {
    pub(crate) base: &'a Block,
    pub(crate) old: &'a Delta,
    /// The base rows that are hidden after the change.
    pub(crate) hidden: &'a Bits,
    /// Where the rows of the old delta's block (source 0) went.
    pub(crate) map: &'a RowMap,
}

impl RepeatUpdate<'_> {
    /// Marks the repeated rows in `block`, the delta's block after the change. Returns the base rows that are
    /// [flipped](Delta::flipped) now.
    pub(crate) fn apply(&self, touched: &TouchedKeys<'_>, block: &mut Block) -> Vec<Row> {
        let Self { base, old, hidden, map } = *self;
        let field = touched.field;
        let mut keys = touched.keys.clone();
        keys.sort_unstable_by(|a, b| compare(*a, *b));
        keys.dedup_by(|a, b| compare(*a, *b).is_eq());
        let mut repeated = Bits::default();
        let kept = old.block.keys.repeated.iter().map(|row| map.rows[0][row as usize]);
        kept.filter(|&row| row != NO_ROW).for_each(|row| {
            repeated.insert(row);
        });
        let (mut before, mut after) = (Vec::new(), Vec::new());
        for key in keys {
            before.extend(SameKey::find(field, key, base, &old.hidden, &old.block).flipped(&old.hidden));
            let now = SameKey::find(field, key, base, hidden, block);
            after.extend(now.flipped(hidden));
            for &row in now.delta {
                if now.holder == Some(KeyHolder::Delta(row)) {
                    repeated.remove(row);
                } else {
                    repeated.insert(row);
                }
            }
        }
        before.sort_unstable();
        let kept = old.flipped.iter().copied().filter(|row| before.binary_search(row).is_err());
        let mut flipped: Vec<Row> = kept.chain(after).collect();
        flipped.sort_unstable();
        block.keys.repeated = repeated;
        flipped
    }
}
