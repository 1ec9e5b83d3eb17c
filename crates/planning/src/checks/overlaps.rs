//! Polygons that overlap: parcels, zones of one level, and zones of levels that disagree.

use std::sync::atomic::{AtomicU64, Ordering};

use citymap_engine::{EngineError, LayerSnapshot, Operand, Overlay, OverlayOptions, OverlayPiece, Progress};
use citymap_model::{Meaning, Role, Title, text};
use rayon::prelude::*;

use super::{CheckError, CheckProgress, CheckRun, Fault, FaultSubject, pair_key, parcels::overlay_failed};
use crate::{Coded, PlanLevel, codes::FeatureValues};

pub(super) fn of_parcels(run: &mut CheckRun<'_>) -> Result<(), CheckError> {
    let layers = run.layers(Role::Parcel)?;
    for parcels in &layers {
        let title = run.kind.title();
        overlay(run, (parcels, parcels), &|_, _| Some(title.clone()))?;
    }
    Ok(())
}

pub(super) fn of_zones(run: &mut CheckRun<'_>) -> Result<(), CheckError> {
    let layers = run.layers(Role::Zone)?;
    let (options, title) = (run.options, run.kind.title());
    for pair in pairs(&layers) {
        let read =
            |snapshot: &LayerSnapshot, row| level_of(&FeatureValues::new(snapshot, row, &options.audience));
        overlay(run, pair, &|row_a, row_b| {
            let (a, b) = (read(pair.0, row_a), read(pair.1, row_b));
            let one_layer = std::ptr::eq(pair.0, pair.1);
            (a == b && (a.is_some() || one_layer)).then(|| with_level(&title, a))
        })?;
    }
    Ok(())
}

pub(super) fn of_levels(run: &mut CheckRun<'_>) -> Result<(), CheckError> {
    let layers = run.layers(Role::Zone)?;
    let options = run.options;
    for pair in pairs(&layers) {
        let read = |snapshot: &LayerSnapshot, row| {
            let values = FeatureValues::new(snapshot, row, &options.audience);
            Some((level_of(&values)?, values.coded(Meaning::PlanFunction)?))
        };
        overlay(run, pair, &|row_a, row_b| {
            let (a, b) = (read(pair.0, row_a)?, read(pair.1, row_b)?);
            (a.0 != b.0 && !is_same_function(&a.1, &b.1)).then(|| disagreement([a, b]))
        })?;
    }
    Ok(())
}

pub(super) fn level_of(values: &FeatureValues<'_>) -> Option<PlanLevel> {
    values.text(Meaning::PlanLevel).and_then(|text| PlanLevel::read(&text))
}

/// Whether two values name one function, by code or by title, whatever the case and accents.
fn is_same_function(a: &Coded, b: &Coded) -> bool {
    same_name(a, &b.value) || b.title.as_ref().is_some_and(|title| same_name(a, title.get("vi")))
}

/// Whether a text is the code or the Vietnamese title of a value, whatever the case and accents.
pub(crate) fn same_name(value: &Coded, name: &str) -> bool {
    let name = text::fold(name);
    let title = value.title.as_ref().map(|title| text::fold(title.get("vi")));
    text::fold(&value.value) == name || title.is_some_and(|title| title == name)
}

/// `QHPK: CX; QHCT: ONT`, the finer plan last.
fn disagreement(mut sides: [(PlanLevel, Coded); 2]) -> Title {
    sides.sort_by_key(|(level, _)| std::cmp::Reverse(*level));
    let text = |lang: &str| {
        let side = |(level, function): &(PlanLevel, Coded)| {
            let name = function.title.as_ref().map_or(function.value.as_str(), |title| title.get(lang));
            format!("{}: {name}", level.code())
        };
        sides.iter().map(side).collect::<Vec<_>>().join("; ")
    };
    Title::new(text("vi"), text("en"))
}

/// The title with the level in brackets, where there is one.
pub(super) fn with_level(title: &Title, level: Option<PlanLevel>) -> Title {
    let Some(level) = level else { return title.clone() };
    let text = |lang: &str| format!("{} ({})", title.get(lang), level.code());
    Title::new(text("vi"), text("en"))
}

/// Each layer with itself and with those after it.
fn pairs<'a>(layers: &[&'a LayerSnapshot]) -> Vec<(&'a LayerSnapshot, &'a LayerSnapshot)> {
    let all = layers.iter().enumerate();
    all.flat_map(|(position, a)| layers[position..].iter().map(|b| (*a, *b))).collect()
}

/// Adds a fault for each pair of features that share more area than is tolerated and for which `reason` gives
/// a reason. A pair within one layer counts once.
fn overlay(
    run: &mut CheckRun<'_>,
    (a, b): (&LayerSnapshot, &LayerSnapshot),
    reason: &(dyn Fn(u32, u32) -> Option<Title> + Sync),
) -> Result<(), CheckError> {
    let rows = run.rows(a)?;
    run.expect(rows.len());
    let (hooks, tolerance, before) = (run.hooks, run.options.area_tolerance, run.done);
    let total = rows.len() as u64;
    let mut selected = rows.clone();
    selected.sort_unstable();
    let overlay = Overlay::new(Operand::new(a).rows(rows), Operand::new(b).during(run.options.time))?
        .min_measure(tolerance);
    let shapes = overlay.shapes();
    let one_layer = std::ptr::eq(a, b);
    // Both of a pair within one layer are checked, unless one is outside of the area that was asked for.
    let is_second = |piece: &OverlayPiece| {
        one_layer
            && (piece.row_a == piece.row_b
                || a.fid(piece.row_a) > a.fid(piece.row_b) && selected.binary_search(&piece.row_b).is_ok())
    };
    let fault = |piece: &OverlayPiece| -> Result<Option<Fault>, EngineError> {
        if is_second(piece) || piece.area <= tolerance {
            return Ok(None);
        }
        let Some(reason) = reason(piece.row_a, piece.row_b) else { return Ok(None) };
        let Some(geometry) = shapes.of(piece)? else { return Ok(None) };
        let subjects = vec![FaultSubject::new(a, piece.row_a), FaultSubject::new(b, piece.row_b)];
        Ok(Some(Fault { key: pair_key(&subjects), subjects, reason, measure: piece.area, geometry }))
    };
    let found = AtomicU64::new(run.result.found);
    let progress = |now: Progress| {
        if let Some(progress) = hooks.progress {
            let (done, found) = (before.0 + now.done, found.load(Ordering::Relaxed));
            progress(CheckProgress { done, total: before.1, found });
        }
    };
    let options = OverlayOptions { cancel: hooks.cancel.clone(), progress: Some(&progress) };
    let outcome = overlay.run(&options, |pieces| -> Result<(), EngineError> {
        let faults: Vec<Option<Fault>> = pieces.par_iter().map(fault).collect::<Result<_, _>>()?;
        faults.into_iter().flatten().for_each(|fault| run.add(fault));
        found.store(run.result.found, Ordering::Relaxed);
        Ok(())
    });
    outcome.map_err(overlay_failed)?;
    run.advance(total)
}
