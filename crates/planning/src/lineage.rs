//! What became of parcels between two states of the record, and where they came from: splits, merges and
//! changes of boundaries, found by what parcels of both states share.
//!
//! # Method
//!
//! A parcel of the earlier state and one of the later state are *related* if they share more area than noise
//! of surveys explains: a strip of [`NOISE_WIDTH`] along half of the smaller one's boundary. Parcels that are
//! related, directly or through others, are one event. Its kind follows from their numbers: one to one is the
//! same parcel, or a change of its boundary; one to several a split; several to one a merge; several to
//! several a reallocation. A key that both states have and that no area connects is no relation: keys are
//! given again.

use std::collections::{BTreeSet, VecDeque};

use citymap_engine::{Cancel, EngineError, LayerSnapshot, LocalPlane, Operand, Overlay, Row};
use geo::{Area, Euclidean, Length};
use serde::Serialize;
use serde_json::Value;

use crate::rounded;

/// Width in m of the strip that two surveys of one boundary can differ by: 2 cm at each of both ends.
pub const NOISE_WIDTH: f64 = 0.04;
/// Maximum number of parcels of one event.
const PARCELS_MAX: usize = 1_000;

/// What happened to parcels between two states.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum LineageKind {
    /// The parcel is the same, within the noise of surveys.
    Same,
    /// The boundary of a parcel changed.
    BoundaryChange,
    /// One parcel became several.
    Split,
    /// Several parcels became one.
    Merge,
    /// Several parcels became several others.
    Reallocation,
    /// Land became a parcel that was none.
    Created,
    /// A parcel went without a successor.
    Removed,
}

/// A parcel of one of the states.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LineageParcel {
    /// Public id of the parcel.
    pub id: Value,
    /// Name of the parcel.
    pub label: String,
    /// Area in m² on the home grid.
    pub area: f64,
}

/// What a parcel of the earlier state and one of the later state share.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LineageShare {
    /// Position of the earlier parcel in [`Lineage::before`].
    pub before: usize,
    /// Position of the later parcel in [`Lineage::after`].
    pub after: usize,
    /// Area in m² that they share.
    pub area: f64,
}

/// One event: the parcels before it, the parcels after it, and what they share.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Lineage {
    /// What happened to the parcels.
    pub kind: LineageKind,
    /// Parcels of the earlier state, by number.
    pub before: Vec<LineageParcel>,
    /// Parcels of the later state, by number.
    pub after: Vec<LineageParcel>,
    /// What they share, in this order.
    pub shares: Vec<LineageShare>,
    /// Whether the event has more parcels than are named.
    pub truncated: bool,
}

/// Finds events between two states of a layer of parcels.
#[derive(Debug)]
pub struct LineageFinder<'a> {
    before: &'a LayerSnapshot,
    after: &'a LayerSnapshot,
    forward: Overlay<'a>,
    backward: Overlay<'a>,
}

/// A parcel with its measures on the home grid.
struct Measured {
    area: f64,
    perimeter: f64,
}

impl<'a> LineageFinder<'a> {
    /// Prepares the search between two states of one layer.
    ///
    /// # Errors
    /// [`EngineError::NoPolygons`] if the layer has none.
    pub fn new(before: &'a LayerSnapshot, after: &'a LayerSnapshot) -> Result<Self, EngineError> {
        let forward = Overlay::new(Operand::new(before), Operand::new(after))?;
        let backward = Overlay::new(Operand::new(after), Operand::new(before))?;
        Ok(Self { before, after, forward, backward })
    }

    /// The event that a parcel takes part in: of the later state if it is there, else of the earlier one.
    /// `None` if neither state has a parcel with this id, or if it has no polygon on the home grid.
    ///
    /// # Errors
    /// [`EngineError::Cancelled`] soon after `cancel` is set.
    pub fn of(&self, id: &str, cancel: &Cancel) -> Result<Option<Lineage>, EngineError> {
        let start = match (self.after.row_of_id(id), self.before.row_of_id(id)) {
            (Some(row), _) => Side::After(row),
            (None, Some(row)) => Side::Before(row),
            (None, None) => return Ok(None),
        };
        self.event(start, cancel)
    }

    /// Every event but those of parcels that are the same, in the order of the earlier parcels, then of those
    /// that are created.
    ///
    /// # Errors
    /// [`EngineError::Cancelled`] soon after `cancel` is set.
    ///
    /// # Performance
    /// Parcels whose shape is stored with the same digits under the same number are skipped.
    pub fn all(&self, cancel: &Cancel) -> Result<Vec<Lineage>, EngineError> {
        let mut seen: [BTreeSet<Row>; 2] = [BTreeSet::new(), BTreeSet::new()];
        let mut events = Vec::new();
        let unchanged = |fid, own: &LayerSnapshot, other: &LayerSnapshot, row| {
            other.row_of_fid(fid).is_some_and(|twin| own.shape(row).coords() == other.shape(twin).coords())
        };
        let former = self.before.rows().map(Side::Before);
        for start in former.chain(self.after.rows().map(Side::After)) {
            let (own, other, row, side) = match start {
                Side::Before(row) => (self.before, self.after, row, 0),
                Side::After(row) => (self.after, self.before, row, 1),
            };
            if seen[side].contains(&row) || unchanged(own.fid(row), own, other, row) {
                continue;
            }
            let Some((event, rows)) = self.event_with_rows(start, cancel)? else { continue };
            for (seen, rows) in seen.iter_mut().zip(rows) {
                seen.extend(rows);
            }
            if event.kind != LineageKind::Same {
                events.push(event);
            }
        }
        Ok(events)
    }

    fn event(&self, start: Side, cancel: &Cancel) -> Result<Option<Lineage>, EngineError> {
        Ok(self.event_with_rows(start, cancel)?.map(|(event, _)| event))
    }

    /// The event with the rows of both states that take part.
    #[expect(clippy::type_complexity, reason = "it is taken apart at once")]
    fn event_with_rows(
        &self,
        start: Side,
        cancel: &Cancel,
    ) -> Result<Option<(Lineage, [BTreeSet<Row>; 2])>, EngineError> {
        let mut rows: [BTreeSet<Row>; 2] = [BTreeSet::new(), BTreeSet::new()];
        let mut shares: BTreeSet<(Row, Row, u64)> = BTreeSet::new();
        let mut queue = VecDeque::from([start]);
        let mut truncated = false;
        while let Some(at) = queue.pop_front() {
            cancel.check()?;
            let (side, row) = match at {
                Side::Before(row) => (0, row),
                Side::After(row) => (1, row),
            };
            if !rows[side].insert(row) {
                continue;
            }
            if rows[0].len() + rows[1].len() > PARCELS_MAX {
                rows[side].remove(&row);
                truncated = true;
                break;
            }
            let overlay = if side == 0 { &self.forward } else { &self.backward };
            let (own, other) = if side == 0 { (self.before, self.after) } else { (self.after, self.before) };
            let Some(measured) = measured(own, row)? else { continue };
            for piece in overlay.of_until(row, cancel)?.0 {
                let Some(theirs) = self::measured(other, piece.row_b)? else { continue };
                if piece.area <= measured.noise().min(theirs.noise()) {
                    continue;
                }
                let (from, to) = if side == 0 { (row, piece.row_b) } else { (piece.row_b, row) };
                // Both directions find the share; it counts once, with the area that the first one found.
                if !shares.iter().any(|(a, b, _)| (*a, *b) == (from, to)) {
                    shares.insert((from, to, piece.area.to_bits()));
                }
                queue.push_back(if side == 0 { Side::After(piece.row_b) } else { Side::Before(piece.row_b) });
            }
        }
        if rows.iter().all(BTreeSet::is_empty) {
            return Ok(None);
        }
        let lineage = self.written(&rows, &shares, truncated)?;
        Ok(Some((lineage, rows)))
    }

    fn written(
        &self,
        rows: &[BTreeSet<Row>; 2],
        shares: &BTreeSet<(Row, Row, u64)>,
        truncated: bool,
    ) -> Result<Lineage, EngineError> {
        let mut orders = [self.before, self.after].map(|_| Vec::<Row>::new());
        for ((order, rows), layer) in orders.iter_mut().zip(rows).zip([self.before, self.after]) {
            order.extend(rows);
            layer.sort(order);
        }
        let parcels = |layer: &LayerSnapshot, rows: &[Row]| -> Result<Vec<LineageParcel>, EngineError> {
            let parcel = |row: &Row| {
                let area = measured(layer, *row)?.map_or(0.0, |own| own.area);
                Ok(LineageParcel {
                    id: layer.id(*row).to_json(),
                    label: layer.label(*row),
                    area: rounded(area),
                })
            };
            rows.iter().map(parcel).collect()
        };
        let place = |order: &[Row], row: Row| order.iter().position(|own| *own == row);
        let mut found: Vec<LineageShare> = shares
            .iter()
            .filter_map(|&(before, after, area)| {
                let (before, after) = (place(&orders[0], before)?, place(&orders[1], after)?);
                Some(LineageShare { before, after, area: rounded(f64::from_bits(area)) })
            })
            .collect();
        found.sort_by_key(|share| (share.before, share.after));
        let kind = match (&orders[0][..], &orders[1][..]) {
            ([_], []) => LineageKind::Removed,
            ([], _) => LineageKind::Created,
            ([before], [after]) => self.of_one((*before, *after), found.first())?,
            ([_], _) => LineageKind::Split,
            (_, [_]) => LineageKind::Merge,
            _ => LineageKind::Reallocation,
        };
        Ok(Lineage {
            kind,
            before: parcels(self.before, &orders[0])?,
            after: parcels(self.after, &orders[1])?,
            shares: found,
            truncated,
        })
    }

    /// Whether one parcel that became one changed its boundary.
    fn of_one(
        &self,
        (before, after): (Row, Row),
        share: Option<&LineageShare>,
    ) -> Result<LineageKind, EngineError> {
        let (Some(before), Some(after)) = (measured(self.before, before)?, measured(self.after, after)?)
        else {
            return Ok(LineageKind::BoundaryChange);
        };
        let shared = share.map_or(0.0, |share| share.area);
        let differs = before.area + after.area - 2.0 * shared;
        // Noise moves each side by at most the width, outwards or inwards.
        let noise = before.perimeter.min(after.perimeter) * NOISE_WIDTH;
        Ok(if differs > noise { LineageKind::BoundaryChange } else { LineageKind::Same })
    }
}

/// A parcel of one of the states.
#[derive(Clone, Copy, Debug)]
enum Side {
    Before(Row),
    After(Row),
}

impl Measured {
    /// The area in m² that neighbours of this parcel may share with it by noise alone.
    fn noise(&self) -> f64 {
        NOISE_WIDTH * self.perimeter / 2.0
    }
}

fn measured(layer: &LayerSnapshot, row: Row) -> Result<Option<Measured>, EngineError> {
    let Some(plane) = LocalPlane::around(layer, row, 1.0)? else { return Ok(None) };
    let polygons = plane.polygons(layer, row)?;
    if polygons.0.is_empty() {
        return Ok(None);
    }
    let perimeter = polygons.iter().map(|polygon| Euclidean.length(polygon.exterior())).sum();
    Ok(Some(Measured { area: polygons.unsigned_area(), perimeter }))
}
