//! What differs between two revisions of a layer, from the history, without reading features that are the
//! same.

use citymap_geometry::wkb;
use citymap_model::{Feature, Fid, LayerId, RevisionNumber, Value};
use sqlx::Row as _;

use super::{
    added::Added,
    connect::Database,
    read::{Shape, same},
    reading::{self, Known, Question, Reading, Stop, signed, unreadable},
    state::{SORT_MEMORY, State},
};
use crate::{Change, StoreError, Touched, fit::same_fields};

/// How much a layer differs between revisions `from` and `at`.
pub(super) fn touched(
    database: &Database,
    layer: &LayerId,
    from: RevisionNumber,
    at: RevisionNumber,
) -> Result<Touched, StoreError> {
    backwards(from, at)?;
    let mut answer = Touched::Features(0);
    reading::read(database, layer, |reading, _| {
        let known = reading.known(from, at)?;
        answer = match (&known.from, &known.at) {
            (None, None) => return Err(Stop::Store(StoreError::NoLayer(layer.clone()))),
            (Some(before), Some(after))
                if before.layer.geometry == after.layer.geometry
                    && same_fields(&before.layer, &after.layer) =>
            {
                Touched::Features(reading.counted(from, at)?)
            }
            _ => Touched::Whole,
        };
        Ok(())
    })?;
    Ok(answer)
}

/// Refuses to look back from a revision to a later one.
fn backwards(from: RevisionNumber, at: RevisionNumber) -> Result<(), StoreError> {
    if from > at { Err(StoreError::NoRevision { asked: from, newest: at }) } else { Ok(()) }
}

/// Hands each feature that differs between revisions `from` and `at` to `sink`, ordered by number.
pub(super) fn changes(
    database: &Database,
    layer: &LayerId,
    from: RevisionNumber,
    at: RevisionNumber,
    sink: &mut dyn FnMut(Change) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    backwards(from, at)?;
    let mut last = Fid::MIN;
    reading::read(database, layer, |reading, progress| {
        let known = reading.known(from, at)?;
        let begun = last;
        let mut hand_on = |change: Change| {
            last = change.fid;
            *progress += 1;
            sink(change)
        };
        let (before, after) = match (&known.from, &known.at) {
            (None, None) => return Err(Stop::Store(StoreError::NoLayer(layer.clone()))),
            (Some(before), Some(after)) if before.generation == after.generation => {
                let span = Span { from, at, after: begun };
                return few(reading, &known, after, span, &mut hand_on);
            }
            both => both,
        };
        let comparable =
            before.as_ref().zip(after.as_ref()).is_some_and(|(a, b)| same_fields(&a.layer, &b.layer));
        // The two readings begin at different times; both read as of their revisions.
        let mut other = reading.beside()?;
        let others = other.known(from, at)?;
        let former = others.from.as_ref();
        let mut former =
            former.map(|shape| State::query(&mut other, &others, shape, from, begun)).transpose()?;
        let mut later =
            after.as_ref().map(|shape| State::query(reading, &known, shape, at, begun)).transpose()?;
        let (mut one, mut two) = (next(&mut former)?, next(&mut later)?);
        loop {
            let (before, after) = match (one, two) {
                (None, None) => return Ok(()),
                (Some(a), Some(b)) if a.fid == b.fid => {
                    (one, two) = (next(&mut former)?, next(&mut later)?);
                    (Some(a), Some(b))
                }
                (Some(a), b) if b.as_ref().is_none_or(|b| a.fid < b.fid) => {
                    (one, two) = (next(&mut former)?, b);
                    (Some(a), None)
                }
                (a, b) => {
                    (one, two) = (a, next(&mut later)?);
                    (None, b)
                }
            };
            let Some(fid) = before.as_ref().or(after.as_ref()).map(|feature| feature.fid) else { continue };
            let same = comparable && before.as_ref().zip(after.as_ref()).is_some_and(|(a, b)| equal(a, b));
            if !same {
                hand_on(Change { fid, before, after })?;
            }
        }
    })
}

fn next(state: &mut Option<State<'_>>) -> Result<Option<Feature>, Stop> {
    state.as_mut().map_or(Ok(None), State::next)
}

/// Two revisions, and the number up to which their differences were already handed over.
#[derive(Clone, Copy)]
struct Span {
    from: RevisionNumber,
    at: RevisionNumber,
    after: Fid,
}

/// What differs within one generation: only features with an event between the two revisions are read.
fn few(
    reading: &mut Reading<'_>,
    known: &Known,
    shape: &Shape,
    span: Span,
    hand_on: &mut dyn FnMut(Change) -> Result<(), StoreError>,
) -> Result<(), Stop> {
    let since = reading.added(shape.generation, span.from)?;
    let later = reading.added(shape.generation, span.at)?;
    let lives = known.lives(shape);
    let database = reading.database;
    let width = shape.width();
    reading.set(SORT_MEMORY)?;
    let mut rows = reading.rows(events_query(shape, lives, &since, span));
    while let Some(row) = rows.next()? {
        let fid: Fid = row.try_get(0)?;
        let spoiled = |problem| unreadable(database, &shape.layer.id, fid, problem);
        // As in a state: a former row counts unless the number was given to a new feature before it.
        let was: Option<i64> = row.try_get(1)?;
        let before = was.is_some_and(|was| since.earliest(fid).is_none_or(|added| was <= added));
        let will: Option<i64> = row.try_get(2)?;
        let added = later.earliest(fid);
        let after = match will {
            Some(will) => added.is_none_or(|added| will <= added),
            None => added.is_none() && row.try_get(3)?,
        };
        let (one, other) = (4, 4 + width);
        if before && after && same(&row, one, other, width).map_err(spoiled)? {
            continue;
        }
        let feature = |wanted: bool, column| -> Result<Option<Feature>, Stop> {
            if wanted { shape.feature(&row, fid, column).map(Some).map_err(spoiled) } else { Ok(None) }
        };
        let (before, after) = (feature(before, one)?, feature(after, other)?);
        let unchanged = match (&before, &after) {
            (None, None) => true,
            (Some(before), Some(after)) => equal(before, after),
            _ => false,
        };
        if !unchanged {
            hand_on(Change { fid, before, after })?;
        }
    }
    Ok(())
}

/// The query for the features with an event in the span: number, the revision that changed the feature first
/// (null where none did), the revision above the span that changed it next, whether it is in the layer's
/// table, columns before, columns after. `lives` says whether that table holds the generation.
fn events_query(shape: &Shape, lives: bool, since: &Added, span: Span) -> Question {
    let (live, past, bare) = (shape.live(), shape.past(), shape.bare());
    let before = shape.list(|column| format!("b.{column}"));
    let after = if lives {
        shape.list(|column| format!("CASE WHEN a.fid IS NULL THEN l.{column} ELSE a.{column} END"))
    } else {
        shape.list(|column| format!("a.{column}"))
    };
    let (stands, join) = if lives {
        ("l.fid IS NOT NULL", format!(" LEFT JOIN {live} l ON l.fid = c.fid"))
    } else {
        ("false", String::new())
    };
    let sql = format!(
        "SELECT c.fid, b.revision, a.revision, {stands}, {before}, {after} FROM (SELECT fid FROM {past} \
         WHERE revision > $2 AND revision <= $3 AND fid > $1 UNION SELECT n FROM unnest($4::bigint[], \
         $5::bigint[]) r (first, last), generate_series(r.first, r.last) n WHERE n > $1) c LEFT JOIN (SELECT \
         DISTINCT ON (fid) fid, revision{bare} FROM {past} WHERE revision > $2 AND revision <= $3 AND fid > \
         $1 ORDER BY fid, revision) b ON b.fid = c.fid LEFT JOIN (SELECT DISTINCT ON (fid) fid, \
         revision{bare} FROM {past} WHERE revision > $3 AND fid > $1 ORDER BY fid, revision) a ON a.fid = \
         c.fid{join} ORDER BY c.fid"
    );
    Question {
        sql,
        numbers: vec![span.after, signed(span.from), signed(span.at)],
        lists: Some(since.until(signed(span.at))),
    }
}

/// Whether two features are the same to the last bit (`-0.0` is not `0.0`).
fn equal(one: &Feature, other: &Feature) -> bool {
    let bytes = |feature: &Feature| {
        let mut out = Vec::new();
        if let Some(geometry) = &feature.geometry {
            wkb::write(&mut out, geometry);
        }
        out
    };
    let same_value = |(a, b): (&Value, &Value)| match (a, b) {
        (Value::Real(a), Value::Real(b)) => a.to_bits() == b.to_bits(),
        (a, b) => a == b,
    };
    one.geometry.is_some() == other.geometry.is_some()
        && one.values.iter().zip(&other.values).all(same_value)
        && bytes(one) == bytes(other)
}
