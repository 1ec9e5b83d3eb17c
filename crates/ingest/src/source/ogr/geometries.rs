//! Which geometry of a feature is read, and what is seen of it before.

use citymap_geometry::wkb;
use citymap_model::GeometryKind;
use gdal::{
    spatial_ref::SpatialRef,
    vector::{
        Feature, Geometry as Ogr, Layer, LayerAccess, LayerCaps, OGRwkbGeometryType, geometry_type_flatten,
    },
};
use geo_types::Geometry;

use super::positions;
use crate::{
    sample::Reservoir,
    source::survey::{SAMPLE, SeenPoint, SeenPoints, first_position},
};

/// The geometry of a feature that is read, and its place in the order of `geometries`.
pub(super) fn geometry_of<'a>(
    feature: &'a Feature<'_>,
    geometries: &[(String, usize)],
) -> Option<(usize, &'a Ogr)> {
    geometries
        .iter()
        .enumerate()
        .find_map(|(order, (_, position))| Some((order, feature.geometry_by_index(*position).ok()?)))
}

/// The geometry of a layer that is read.
pub(super) struct GeometryColumn {
    /// The names and positions of those that are read; the first that a feature has is.
    pub geometries: Vec<(String, usize)>,
    /// None where the column may hold anything.
    pub kind: Option<GeometryKind>,
    pub srs: Option<SpatialRef>,
}

/// The geometry of a feature as far as it can be read.
pub(super) fn read_geometry(
    feature: &Feature<'_>,
    geometries: &[(String, usize)],
    misplaced: &[String],
) -> Option<Geometry<f64>> {
    let bytes = geometry_of(feature, geometries)?.1.iso_wkb().ok()?;
    if positions::misplaced(&bytes, misplaced).is_some() {
        return None;
    }
    wkb::read_source(&bytes).ok().map(|read| read.geometry)
}

/// Takes points from the whole of a layer of which the first features were seen: by number where the format
/// finds features so and most numbers are there, else in one more reading.
pub(super) fn spread_points(
    ogr: &mut Layer<'_>,
    points: &mut SeenPoints,
    geometry: &dyn Fn(&Feature<'_>) -> Option<Geometry<f64>>,
) {
    let count = ogr.try_feature_count().unwrap_or_default();
    if ogr.has_capability(LayerCaps::OLCRandomRead) {
        let mut numbers = Reservoir::new(SAMPLE);
        (0..=count).for_each(|number| numbers.offer(|| number));
        let (mut spread, mut found) = (Reservoir::new(SAMPLE), 0);
        for feature in numbers.items().iter().filter_map(|number| ogr.feature(*number)) {
            found += 1;
            if let Some(at) = geometry(&feature).as_ref().and_then(first_position) {
                spread.offer(|| SeenPoint { at, row: None, system: None });
            }
        }
        if found * 10 >= numbers.items().len() * 9 {
            points.spread = spread;
            return;
        }
    }
    points.spread = Reservoir::new(SAMPLE);
    for feature in ogr.features() {
        points.take_later(|| first_position(&geometry(&feature)?));
    }
}

/// GDAL's geometry types as ours; `None` where the layer may hold anything.
pub(super) fn declared_kind(kind: OGRwkbGeometryType::Type) -> Option<GeometryKind> {
    Some(match geometry_type_flatten(kind) {
        OGRwkbGeometryType::wkbPoint | OGRwkbGeometryType::wkbMultiPoint => GeometryKind::Point,
        OGRwkbGeometryType::wkbLineString
        | OGRwkbGeometryType::wkbMultiLineString
        | OGRwkbGeometryType::wkbCircularString
        | OGRwkbGeometryType::wkbCompoundCurve
        | OGRwkbGeometryType::wkbMultiCurve => GeometryKind::Line,
        OGRwkbGeometryType::wkbPolygon
        | OGRwkbGeometryType::wkbMultiPolygon
        | OGRwkbGeometryType::wkbCurvePolygon
        | OGRwkbGeometryType::wkbMultiSurface
        | OGRwkbGeometryType::wkbPolyhedralSurface
        | OGRwkbGeometryType::wkbTIN
        | OGRwkbGeometryType::wkbTriangle => GeometryKind::Polygon,
        OGRwkbGeometryType::wkbGeometryCollection => GeometryKind::Mixed,
        OGRwkbGeometryType::wkbNone => GeometryKind::None,
        _ => return None,
    })
}
