//! Parcels that rights-of-way cut, and parcels that no plan covers.

use citymap_engine::{
    EngineError, LayerSnapshot, LocalPlane, Measure, Operand, Overlay, OverlayError, OverlayOptions, Row,
};
use citymap_model::{Meaning, Role, Title};

use super::{CheckError, CheckRun, Fault, FaultSubject, area, lonlat, pair_key};
use crate::{
    ReportOptions,
    partition::Subject,
    right_of_way::{REACH, right_of_way},
};

/// The same computation as in the report on a parcel, so that both state the same areas.
pub(super) fn cut_by_rights_of_way(run: &mut CheckRun<'_>) -> Result<(), CheckError> {
    let layers = run.layers(Role::Parcel)?;
    let city = run.city;
    let has_width = |own: &&LayerSnapshot| {
        let layer = own.layer();
        layer.role == Role::Road && layer.field_meaning(Meaning::RightOfWay).is_some()
    };
    let roads: Vec<&LayerSnapshot> = city.layers.values().map(AsRef::as_ref).filter(has_width).collect();
    if roads.is_empty() {
        return Err(CheckError::NoWidths);
    }
    let options = ReportOptions {
        sliver_tolerance: run.options.area_tolerance,
        audience: run.options.audience.clone(),
        time: run.options.time,
        ..ReportOptions::default()
    };
    let (cancel, title) = (run.hooks.cancel.clone(), run.kind.title());
    for parcels in layers {
        let rows = run.rows(parcels)?;
        run.expect(rows.len());
        run.each(&rows, |row| {
            let Some(plane) = LocalPlane::around(parcels, row, REACH)? else { return Ok(Vec::new()) };
            let polygons = plane.polygons(parcels, row)?;
            let Some(geometry) = parcels.geometry(row).filter(|_| !polygons.0.is_empty()) else {
                return Ok(Vec::new());
            };
            let area = Measure::area(&geometry)?.value;
            let subject = Subject { parcels, row, plane: &plane, polygons: &polygons, area };
            let (found, cut) = right_of_way(&subject, &roads, &options, &cancel)?;
            let Some(largest) = found.roads.first() else { return Ok(Vec::new()) };
            let mut subjects = vec![FaultSubject::new(parcels, row)];
            let key = pair_key(&subjects);
            let road = roads.iter().find(|own| own.layer().id.as_str() == largest.layer);
            let road_id = largest.id.as_str().map_or_else(|| largest.id.to_string(), str::to_owned);
            let road_row = road.and_then(|own| Some((*own, own.row_of_id(&road_id)?)));
            subjects.extend(road_row.map(|(roads, row)| FaultSubject::new(roads, row)));
            let reason = with_rest(&title, found.remaining);
            Ok(vec![Fault { key, subjects, reason, measure: found.cut, geometry: lonlat(&plane, &cut)? }])
        })?;
    }
    Ok(())
}

/// `Parcel cut by a right-of-way; 12.5 m² remain`.
fn with_rest(title: &Title, remaining: f64) -> Title {
    let vi = format!("{}; còn lại {} m²", title.get("vi"), format!("{remaining:.1}").replace('.', ","));
    Title::new(vi, format!("{}; {remaining:.1} m² remain", title.get("en")))
}

pub(super) fn without_plan(run: &mut CheckRun<'_>) -> Result<(), CheckError> {
    let (layers, zones) = (run.layers(Role::Parcel)?, run.layers(Role::Zone)?);
    let title = run.kind.title();
    for parcels in layers {
        let rows = run.rows(parcels)?;
        run.expect(rows.len());
        let mut covered = vec![false; parcels.base().len() + parcels.delta().len()];
        for zones in &zones {
            mark(run, (parcels, zones), &rows, &mut covered)?;
        }
        let rest: Vec<Row> = rows.iter().copied().filter(|row| !covered[*row as usize]).collect();
        let done = (rows.len() - rest.len()) as u64;
        run.each(&rest, |row| {
            let subjects = vec![FaultSubject::new(parcels, row)];
            let (key, measure) = (pair_key(&subjects), area(parcels, row)?);
            let geometry = parcels.geometry(row);
            let fault = |geometry| Fault { key, subjects, reason: title.clone(), measure, geometry };
            Ok(geometry.filter(|_| measure > 0.0).map(fault).into_iter().collect())
        })?;
        run.advance(done)?;
    }
    Ok(())
}

/// Marks the rows of a layer that share more area with a zone than is tolerated.
fn mark(
    run: &CheckRun<'_>,
    (parcels, zones): (&LayerSnapshot, &LayerSnapshot),
    rows: &[Row],
    covered: &mut [bool],
) -> Result<(), CheckError> {
    let left: Vec<Row> = rows.iter().copied().filter(|row| !covered[*row as usize]).collect();
    let overlay =
        Overlay::new(Operand::new(parcels).rows(left), Operand::new(zones).during(run.options.time))?
            .min_measure(run.options.area_tolerance);
    let options = OverlayOptions { cancel: run.hooks.cancel.clone(), progress: None };
    let outcome = overlay.run(&options, |pieces| -> Result<(), EngineError> {
        for piece in pieces.iter().filter(|piece| piece.area > 0.0) {
            covered[piece.row_a as usize] = true;
        }
        Ok(())
    });
    outcome.map(drop).map_err(overlay_failed)
}

/// The error of a check whose overlay failed.
pub(super) fn overlay_failed(error: OverlayError<EngineError>) -> CheckError {
    match error {
        OverlayError::Cancelled(cancelled) => CheckError::Engine(cancelled.into()),
        OverlayError::Engine(error) | OverlayError::Sink(error) => CheckError::Engine(error),
        other => CheckError::Overlay(other.to_string()),
    }
}
