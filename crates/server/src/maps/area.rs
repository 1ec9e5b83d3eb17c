//! Which part of the world a picture shows: from a box, or from a point and a scale.

use citymap_crs::{Crs, NamedCrs, Transform};
use citymap_engine::Bbox;
use citymap_render::raster::{PIXEL_M, View, ViewError, units_per_metre};

use super::parameters::AreaQuery;
use crate::{
    config::Limits,
    http::{
        coords::{Window, window},
        problem::Problem,
    },
};

/// Pixels of the longer side of a picture whose size nothing says.
const USUAL_SIDE: u32 = 1_024;

/// The scale of a picture around a point, where nothing says it.
const USUAL_SCALE: f64 = 5_000.0;

/// Width and height of what is shown around one marker at least, in metres.
const MARKER_ROOM_M: f64 = 400.0;

/// A box of the picture's system: minima and maxima, easting or longitude first.
type Extent = [[f64; 2]; 2];

/// The view that a query asks for. `whole` is what is shown if it names no place.
///
/// # Errors
/// 400 if parameters contradict each other, 413 for a picture that is too large.
pub(super) fn view_of(query: &AreaQuery, whole: Option<Bbox>, limits: &Limits) -> Result<View, Problem> {
    let AreaQuery { bbox, center, crs, width, height, scale, .. } = query;
    let mm_per_pixel = query.mm_per_pixel.unwrap_or(PIXEL_M * 1e3);
    let metres = |denominator: f64| denominator * mm_per_pixel / 1e3;
    if bbox.is_some() && center.is_some() {
        return Err(Problem::parameter("`bbox` and `center` cannot both be given; give one of them"));
    }
    if bbox.is_some() && scale.is_some() && (width.is_some() || height.is_some()) {
        return Err(Problem::parameter(
            "with `bbox`, either `scale-denominator` or `width` and `height` say how large the picture is; \
             give one of them",
        ));
    }
    let ratio = PIXEL_M * 1e3 / mm_per_pixel;
    let view = if let Some(text) = center {
        let center = point_of(text, &query.center_crs, crs.crs)?;
        let side = || width.or(*height).unwrap_or_else(|| usual_side(limits));
        let size = [width.unwrap_or_else(side), height.unwrap_or_else(side)];
        check_size(size.map(f64::from), limits)?;
        View::centered(crs.crs, center, metres(scale.unwrap_or(USUAL_SCALE)), size)
    } else {
        let [low, high] = match bbox {
            Some(text) => extent_of(&window(text, &query.bbox_crs)?, &query.bbox_crs, crs.crs)?,
            None => {
                let whole = whole.ok_or_else(|| {
                    Problem::not_found("the layer has no extent to show; give `bbox` or `center`")
                })?;
                extent_of(&Window::Bbox(grown(whole)), &NamedCrs::crs84(), crs.crs)?
            }
        };
        if low[0] >= high[0] || low[1] >= high[1] {
            return Err(refusal(ViewError::Empty));
        }
        let middle = [0, 1].map(|axis| (low[axis] + high[axis]) / 2.0);
        let [x, y] = units_per_metre(crs.crs, middle)?;
        // Width and height on the ground, in metres.
        let ground = [(high[0] - low[0]) / x, (high[1] - low[1]) / y];
        let size = match (width, height, scale) {
            (Some(width), Some(height), _) => [f64::from(*width), f64::from(*height)],
            (Some(width), None, _) => [f64::from(*width), f64::from(*width) * ground[1] / ground[0]],
            (None, Some(height), _) => [f64::from(*height) * ground[0] / ground[1], f64::from(*height)],
            (None, None, Some(scale)) => ground.map(|metre| metre / metres(*scale)),
            (None, None, None) => {
                let longer = ground[0].max(ground[1]);
                ground.map(|metre| metre / longer * f64::from(usual_side(limits)))
            }
        };
        let size = size.map(|side| side.round().max(1.0));
        check_size(size, limits)?;
        View::new(crs.crs, [low, high], size.map(|side| side as u32))
    };
    Ok(view.map_err(refusal)?.with_ratio(ratio))
}

/// Lets the markers of a picture say its place, where nothing else does: their middle, and without a scale
/// one at which all are seen.
///
/// # Errors
/// If no metre can be measured there.
pub(super) fn show(markers: &[[f64; 2]], query: &mut AreaQuery, limits: &Limits) -> Result<(), Problem> {
    if query.bbox.is_some() || query.center.is_some() {
        return Ok(());
    }
    let Some((first, others)) = markers.split_first() else { return Ok(()) };
    let (mut low, mut high) = (*first, *first);
    for marker in others {
        for axis in 0..2 {
            low[axis] = low[axis].min(marker[axis]);
            high[axis] = high[axis].max(marker[axis]);
        }
    }
    let [lon, lat] = [0, 1].map(|axis| (low[axis] + high[axis]) / 2.0);
    if query.scale.is_none() {
        let side = || query.width.or(query.height).unwrap_or_else(|| usual_side(limits));
        let size = [query.width.unwrap_or_else(side), query.height.unwrap_or_else(side)];
        let units = units_per_metre(Crs::WGS84, [lon, lat])?;
        // A sixth of the picture is left free on each side.
        let wide = [0, 1].map(|axis| ((high[axis] - low[axis]) / units[axis] * 1.5).max(MARKER_ROOM_M));
        let metres = (wide[0] / f64::from(size[0])).max(wide[1] / f64::from(size[1]));
        query.scale = Some(metres * 1e3 / query.mm_per_pixel.unwrap_or(PIXEL_M * 1e3));
    }
    query.center = Some(format!("{lon},{lat}"));
    query.center_crs = NamedCrs::crs84();
    Ok(())
}

/// The longer side of a picture whose size nothing says: as usual, or what the limits allow.
fn usual_side(limits: &Limits) -> u32 {
    let max = limits.map_side_max.min(limits.map_pixels_max.isqrt());
    u32::try_from(max).unwrap_or(u32::MAX).clamp(1, USUAL_SIDE)
}

fn refusal(error: ViewError) -> Problem {
    Problem::parameter(format!("the picture cannot show this: {error}"))
}

/// 413 for a picture with more pixels than one may have.
fn check_size([width, height]: [f64; 2], limits: &Limits) -> Result<(), Problem> {
    let side = limits.map_side_max as f64;
    let pixels = limits.map_pixels_max as f64;
    if width <= side && height <= side && width * height <= pixels {
        return Ok(());
    }
    Err(Problem::picture_too_large(format!(
        "a picture of {width} × {height} pixels is too large; the maximum is {side} on a side and {pixels} \
         in all; ask for fewer pixels, or for a smaller area"
    )))
}

/// A tenth more than the extent of a layer, so that nothing lies at the edge; a point gets some room.
fn grown(bbox: Bbox) -> Bbox {
    let by = [0, 1].map(|axis| ((bbox.max[axis] - bbox.min[axis]) * 0.05).max(0.001));
    Bbox::new(
        (bbox.min[0] - by[0]).max(-180.0),
        (bbox.min[1] - by[1]).max(-89.0),
        (bbox.max[0] + by[0]).min(180.0),
        (bbox.max[1] + by[1]).min(89.0),
    )
}

/// The box of a window in the picture's system: as it was given if that is the system of the window, else the
/// box around it.
fn extent_of(window: &Window, given: &NamedCrs, to: Crs) -> Result<Extent, Problem> {
    if let (Window::Bbox(bbox), Crs::WGS84) = (window, to) {
        if bbox.min[0] > bbox.max[0] {
            return Err(Problem::parameter(
                "a picture cannot cross the antimeridian; give a west below the east",
            ));
        }
        return Ok([bbox.min, bbox.max]);
    }
    let polygons = window.to_polygons();
    if polygons.0.len() != 1 {
        return Err(Problem::parameter(
            "a picture cannot cross the antimeridian; give a west below the east",
        ));
    }
    let mut points: Vec<[f64; 2]> = Vec::new();
    for line in polygons.0.iter().flat_map(|polygon| polygon.exterior().lines()) {
        // The edges are curves in the other system.
        const STEPS: u32 = 16;
        points.extend((0..STEPS).map(|step| {
            let t = f64::from(step) / f64::from(STEPS);
            [line.start.x + t * (line.end.x - line.start.x), line.start.y + t * (line.end.y - line.start.y)]
        }));
    }
    Transform::new(Crs::WGS84, to)?.apply(&mut points)?;
    let mut extent = [[f64::INFINITY; 2], [f64::NEG_INFINITY; 2]];
    for point in points {
        for axis in 0..2 {
            extent[0][axis] = extent[0][axis].min(point[axis]);
            extent[1][axis] = extent[1][axis].max(point[axis]);
        }
    }
    // To degrees and back changes the last digits, which the picture's box should not show.
    if given.crs != to {
        return Ok(extent);
    }
    let parts = if to.is_geographic() { 1e9 } else { 1e6 };
    Ok(extent.map(|corner| corner.map(|value| (value * parts).round() / parts)))
}

/// Reads `center` and converts it to the picture's system.
fn point_of(text: &str, given: &NamedCrs, to: Crs) -> Result<[f64; 2], Problem> {
    let numbers: Option<Vec<f64>> = text
        .split(',')
        .map(|part| part.trim().parse().ok().filter(|value: &f64| value.is_finite()))
        .collect();
    match numbers.as_deref() {
        Some(&[a, b]) => Ok(Transform::new(given.crs, to)?.point(given.turn([a, b]))?),
        _ => Err(Problem::parameter(format!(
            "`center={}` cannot be used; write two numbers separated by a comma, in the axis order of \
             `center-crs`",
            text.chars().take(60).collect::<String>()
        ))),
    }
}
