//! Which keys are repeated, over base and overlay together: of the rows with one key the one with the lowest fid has it
//! bare. Only the keys that a change touches are looked at.

use crate::{
    Block, Row, ValueRef,
    bits::Bits,
    changed::Overlay,
    gather::{GONE, Moved},
    keys::compare,
};

/// The keys that a change touches.
pub(crate) struct Keys<'a> {
    field: usize,
    keys: Vec<ValueRef<'a>>,
}

impl<'a> Keys<'a> {
    pub(crate) fn new(field: usize) -> Self {
        Self { field, keys: Vec::new() }
    }

    pub(crate) fn with(mut self, block: &'a Block, rows: impl IntoIterator<Item = Row>) -> Self {
        let column = block.column(self.field);
        self.keys.extend(rows.into_iter().map(|row| column.get(row)).filter(|key| !key.is_null()));
        self
    }
}

/// The row that has a key bare.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Bare {
    Base(Row),
    Overlay(Row),
}

/// The rows of one key.
struct Same<'a> {
    base: &'a [Row],
    overlay: &'a [Row],
    bare: Option<Bare>,
}

impl<'a> Same<'a> {
    fn find(field: usize, key: ValueRef<'_>, base: &'a Block, hidden: &Bits, overlay: &'a Block) -> Self {
        let [own, over] = [base, overlay].map(|block| block.keys.rows(block.column(field), key));
        let shown = own.iter().copied().find(|&row| !hidden.contains(row));
        let bare = match (shown, over.first().copied()) {
            (Some(a), Some(b)) if overlay.fid(b) < base.fid(a) => Some(Bare::Overlay(b)),
            (Some(a), _) => Some(Bare::Base(a)),
            (None, b) => b.map(Bare::Overlay),
        };
        Self { base: own, overlay: over, bare }
    }

    /// The base rows to be seen that are repeated where they are not in the base alone, or the other way round: the
    /// base's first, where it no longer has the bare key, and another base row that has it now.
    fn flipped(&self, hidden: &Bits) -> impl Iterator<Item = Row> {
        let first = self.base.first().copied();
        let same = first.map(Bare::Base) == self.bare;
        let no_longer = first.filter(|&row| !same && !hidden.contains(row));
        let now = match self.bare {
            Some(Bare::Base(row)) if !same => Some(row),
            _ => None,
        };
        no_longer.into_iter().chain(now)
    }
}

/// Marks the repeated rows in `block`, which takes the place of `old`'s; the base rows that are
/// [flipped](Overlay::flipped) now.
pub(crate) fn set_repeats(
    keys: &Keys<'_>,
    base: &Block,
    old: &Overlay,
    hidden: &Bits,
    moved: &Moved,
    block: &mut Block,
) -> Vec<Row> {
    let Keys { field, keys } = keys;
    let mut keys = keys.clone();
    keys.sort_unstable_by(|a, b| compare(*a, *b));
    keys.dedup_by(|a, b| compare(*a, *b).is_eq());
    let mut repeated = Bits::default();
    let kept = old.block.keys.repeated.iter().map(|row| moved.rows[0][row as usize]);
    kept.filter(|&row| row != GONE).for_each(|row| {
        repeated.insert(row);
    });
    let (mut were, mut are) = (Vec::new(), Vec::new());
    for key in keys {
        were.extend(Same::find(*field, key, base, &old.hidden, &old.block).flipped(&old.hidden));
        let now = Same::find(*field, key, base, hidden, block);
        are.extend(now.flipped(hidden));
        for &row in now.overlay {
            if now.bare == Some(Bare::Overlay(row)) {
                repeated.remove(row);
            } else {
                repeated.insert(row);
            }
        }
    }
    were.sort_unstable();
    let kept = old.flipped.iter().copied().filter(|row| were.binary_search(row).is_err());
    let mut flipped: Vec<Row> = kept.chain(are).collect();
    flipped.sort_unstable();
    block.keys.repeated = repeated;
    flipped
}
