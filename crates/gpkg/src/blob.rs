//! A geometry as a GeoPackage holds it (OGC 12-128r18, 2.1.3): a header with the coordinate system and, for
//! all but points, the bounds, then WKB.

use citymap_geometry::{
    Geometry,
    wkb::{self, WkbError, code},
};

/// The coordinate system of all geometry in our files: WGS 84 longitude and latitude.
pub const SRS_ID: i32 = 4326;

/// Flag: numbers are little endian.
const LITTLE: u8 = 0b0000_0001;
/// Flag: bounds in x and y follow.
const BOUNDS: u8 = 0b0000_0010;
/// Flag: the geometry is empty.
const EMPTY: u8 = 0b0001_0000;
/// Flag: the geometry is of an extension, not standard WKB.
const EXTENDED: u8 = 0b0010_0000;

/// Bounds of a geometry in degrees, in the order of the header: `[min x, max x, min y, max y]`.
pub type Bounds = [f64; 4];

/// The bounds that hold `extent`, if there is one, and `bounds`.
pub fn union(extent: Option<Bounds>, bounds: Bounds) -> Bounds {
    extent.map_or(bounds, |extent| {
        [
            extent[0].min(bounds[0]),
            extent[1].max(bounds[1]),
            extent[2].min(bounds[2]),
            extent[3].max(bounds[3]),
        ]
    })
}

/// A geometry with a coordinate that is not a finite number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a coordinate is not a finite number")]
pub struct NotFinite;

/// Why a blob could not be read as a geometry.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BlobError {
    /// It does not begin with the letters `GP`.
    #[error("it is not a GeoPackage geometry")]
    Magic,
    /// It is not standard WKB but a geometry of an extension.
    #[error("it is a geometry of a GeoPackage extension that is not supported")]
    Extension,
    /// Its flags name a kind of bounds that the format does not have.
    #[error("its header is damaged")]
    Header,
    /// Its WKB could not be read.
    #[error(transparent)]
    Wkb(#[from] WkbError),
}

/// A geometry ready for the file.
#[derive(Clone, Debug, PartialEq)]
pub struct Blob {
    /// The header, then WKB.
    pub bytes: Vec<u8>,
    /// `None` for an empty geometry.
    pub bounds: Option<Bounds>,
    /// The code of its WKB type, see [`citymap_geometry::wkb::code`].
    pub code: u32,
}

/// Makes a blob of a geometry in longitude and latitude.
///
/// # Errors
/// [`NotFinite`] if a coordinate is NaN or infinite: an R-tree cannot hold it.
pub fn write(geometry: &Geometry) -> Result<Blob, NotFinite> {
    let code = wkb::type_code(geometry);
    let with_bounds = code != code::POINT && !is_empty(geometry);
    let mut bytes = Vec::with_capacity(160);
    bytes.extend_from_slice(&[b'G', b'P', 0, LITTLE | if with_bounds { BOUNDS } else { 0 }]);
    bytes.extend_from_slice(&SRS_ID.to_le_bytes());
    if with_bounds {
        bytes.extend_from_slice(&[0; 32]);
    }
    let written = wkb::write(&mut bytes, geometry);
    if !written.is_finite() {
        return Err(NotFinite);
    }
    let bounds = written.bounds().map(in_header_order);
    match bounds {
        None => bytes[3] |= EMPTY,
        Some(bounds) if with_bounds => {
            for (bound, bytes) in bounds.iter().zip(bytes[8..40].chunks_exact_mut(8)) {
                bytes.copy_from_slice(&bound.to_le_bytes());
            }
        }
        Some(_) => {}
    }
    Ok(Blob { bytes, bounds, code })
}

fn in_header_order([min_x, min_y, max_x, max_y]: [f64; 4]) -> Bounds {
    [min_x, max_x, min_y, max_y]
}

/// Reads a geometry.
///
/// # Errors
/// [`BlobError`] if the bytes are not a GeoPackage geometry, or one that is not supported.
pub fn read(bytes: &[u8]) -> Result<Geometry, BlobError> {
    Ok(wkb::read(body(bytes)?)?)
}

/// The bounds of a blob, `None` for an empty geometry; from the header if it has them.
///
/// # Errors
/// As [`read`].
pub fn bounds(bytes: &[u8]) -> Result<Option<Bounds>, BlobError> {
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
    let written = wkb::write(&mut Vec::new(), &wkb::read(wkb)?);
    Ok(written.bounds().map(in_header_order))
}

/// The WKB in a blob.
fn body(bytes: &[u8]) -> Result<&[u8], BlobError> {
    let [b'G', b'P', _, flags, ..] = bytes else { return Err(BlobError::Magic) };
    if flags & EXTENDED != 0 {
        return Err(BlobError::Extension);
    }
    let bounds = match (flags >> 1) & 0b111 {
        0 => 0,
        1 => 32,
        2 | 3 => 48,
        4 => 64,
        _ => return Err(BlobError::Header),
    };
    bytes.get(8 + bounds..).ok_or(BlobError::Wkb(WkbError::CutShort))
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
