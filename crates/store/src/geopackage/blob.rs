//! A geometry as a GeoPackage holds it (OGC 12-128, 2.1.3): a header with the coordinate system
//! and, for all but points, the bounds, then WKB.

use citymap_model::Geometry;

use crate::{
    wkb_read,
    wkb_write::{Met, code},
};

/// The coordinate system of all geometry in the store.
pub(super) const SRS_ID: i32 = 4326;

/// A blob's flags: little endian.
const LITTLE: u8 = 0b0000_0001;
/// A blob's flags: bounds in x and y follow.
const BOUNDS: u8 = 0b0000_0010;
/// A blob's flags: the geometry is empty.
const EMPTY: u8 = 0b0001_0000;
/// A blob's flags: not standard WKB.
const EXTENDED: u8 = 0b0010_0000;

/// Bounds of a geometry, degrees: `[min x, max x, min y, max y]`.
pub(super) type Bounds = [f64; 4];

/// The bounds of both.
pub(super) fn union(extent: Option<Bounds>, bounds: Bounds) -> Bounds {
    extent.map_or(bounds, |extent| {
        [
            extent[0].min(bounds[0]),
            extent[1].max(bounds[1]),
            extent[2].min(bounds[2]),
            extent[3].max(bounds[3]),
        ]
    })
}

/// A geometry with a coordinate that is no finite number.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct NotFinite;

/// A geometry ready for the file.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Blob {
    pub(super) bytes: Vec<u8>,
    /// `None` for an empty geometry.
    pub(super) bounds: Option<Bounds>,
    /// The code of its WKB type.
    pub(super) code: u32,
}

/// Writes a geometry.
pub(super) fn write(geometry: &Geometry) -> Result<Blob, NotFinite> {
    let code = match geometry {
        Geometry::Point(_) => code::POINT,
        Geometry::Line(_) | Geometry::LineString(_) => code::LINE_STRING,
        Geometry::Polygon(_) | Geometry::Rect(_) | Geometry::Triangle(_) => code::POLYGON,
        Geometry::MultiPoint(_) => code::MULTI_POINT,
        Geometry::MultiLineString(_) => code::MULTI_LINE_STRING,
        Geometry::MultiPolygon(_) => code::MULTI_POLYGON,
        Geometry::GeometryCollection(_) => code::COLLECTION,
    };
    let with_bounds = code != code::POINT && !is_empty(geometry);
    let mut bytes = Vec::with_capacity(160);
    bytes.extend_from_slice(&[b'G', b'P', 0, LITTLE | if with_bounds { BOUNDS } else { 0 }]);
    bytes.extend_from_slice(&SRS_ID.to_le_bytes());
    if with_bounds {
        bytes.extend_from_slice(&[0; 32]);
    }
    let mut met = Met::NOTHING;
    met.write(&mut bytes, geometry);
    if !met.finite {
        return Err(NotFinite);
    }
    if met.is_empty() {
        bytes[3] |= EMPTY;
        return Ok(Blob { bytes, bounds: None, code });
    }
    if with_bounds {
        for (index, bound) in met.bounds.iter().enumerate() {
            bytes[8 + index * 8..16 + index * 8].copy_from_slice(&bound.to_le_bytes());
        }
    }
    Ok(Blob { bytes, bounds: Some(met.bounds), code })
}

/// Reads a geometry.
///
/// # Errors
/// A text that says what is wrong with the bytes.
pub(super) fn read(bytes: &[u8]) -> Result<Geometry, &'static str> {
    wkb_read::read(body(bytes)?)
}

/// The bounds of a blob, `None` for an empty geometry; from the header if it has them.
///
/// # Errors
/// As [`read`].
pub(super) fn bounds(bytes: &[u8]) -> Result<Option<Bounds>, &'static str> {
    let wkb = body(bytes)?;
    if bytes[3] & EMPTY != 0 {
        return Ok(None);
    }
    if bytes[3] & (LITTLE | 0b1110) == LITTLE | BOUNDS {
        let mut bounds = [0.0; 4];
        for (bound, bytes) in bounds.iter_mut().zip(bytes[8..40].chunks_exact(8)) {
            let mut number = [0; 8];
            number.copy_from_slice(bytes);
            *bound = f64::from_le_bytes(number);
        }
        return Ok(Some(bounds));
    }
    let mut met = Met::NOTHING;
    met.write(&mut Vec::new(), &wkb_read::read(wkb)?);
    Ok(if met.is_empty() { None } else { Some(met.bounds) })
}

/// The WKB in a blob.
fn body(bytes: &[u8]) -> Result<&[u8], &'static str> {
    let [b'G', b'P', _, flags, ..] = bytes else { return Err("it is no GeoPackage geometry") };
    if flags & EXTENDED != 0 {
        return Err("it is a geometry of a GeoPackage extension that is not supported");
    }
    let bounds = match (flags >> 1) & 0b111 {
        0 => 0,
        1 => 32,
        2 | 3 => 48,
        4 => 64,
        _ => return Err("its header is damaged"),
    };
    bytes.get(8 + bounds..).ok_or("the geometry is cut short")
}

fn is_empty(geometry: &Geometry) -> bool {
    match geometry {
        Geometry::Point(_) | Geometry::Line(_) | Geometry::Rect(_) | Geometry::Triangle(_) => false,
        Geometry::LineString(line) => line.0.is_empty(),
        Geometry::Polygon(polygon) => {
            polygon.exterior().0.is_empty() && polygon.interiors().iter().all(|ring| ring.0.is_empty())
        }
        Geometry::MultiPoint(many) => many.0.is_empty(),
        Geometry::MultiLineString(many) => many.0.iter().all(|line| line.0.is_empty()),
        Geometry::MultiPolygon(many) => many.0.iter().all(|polygon| {
            polygon.exterior().0.is_empty() && polygon.interiors().iter().all(|ring| ring.0.is_empty())
        }),
        Geometry::GeometryCollection(many) => many.0.iter().all(is_empty),
    }
}

#[cfg(test)]
#[path = "blob_tests.rs"]
mod tests;
