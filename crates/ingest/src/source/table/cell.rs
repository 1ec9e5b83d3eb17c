//! Geometry in one cell: WKT, EWKT, hexadecimal WKB and EWKB, GeoJSON.

use citymap_crs::{Crs, Transform};
use citymap_geometry::{GeometryFault, wkb};
use citymap_model::{counted, quote::described};
use gdal::vector::Geometry as Ogr;
use geo::MapCoordsInPlace;
use geo_types::{Coord, Geometry};

use super::{RowShape, Systems};
use crate::{
    gdal_log,
    source::{Original, Shape, geojson_geometry, json_input::plain},
    srs,
};

/// The words that WKT begins with.
const KINDS: [&str; 15] = [
    "POINT",
    "LINESTRING",
    "POLYGON",
    "MULTIPOINT",
    "MULTILINESTRING",
    "MULTIPOLYGON",
    "GEOMETRYCOLLECTION",
    "CIRCULARSTRING",
    "COMPOUNDCURVE",
    "CURVEPOLYGON",
    "MULTICURVE",
    "MULTISURFACE",
    "POLYHEDRALSURFACE",
    "TIN",
    "TRIANGLE",
];

/// Whether a text looks like geometry in one of the forms.
pub(super) fn is_geometry(text: &str) -> bool {
    let (_, rest) = prefix(text);
    let rest = rest.trim_start().to_ascii_uppercase();
    let word: String = rest.chars().take_while(char::is_ascii_alphabetic).collect();
    let behind = rest[word.len()..].trim_start();
    let opens = ["(", "Z", "M", "EMPTY"].iter().any(|start| behind.starts_with(start));
    (opens && KINDS.contains(&word.as_str())) || hexadecimal(text).is_some() || text.starts_with('{')
}

/// Why a text is not exactly one geometry in WKT, as far as GDAL would not notice: it cuts numbers where they
/// end (`10,8x` is 10) and passes over what is behind the last parenthesis.
fn wkt_fault(text: &str) -> Option<String> {
    let is_mark = |c: char| matches!(c, '(' | ')' | ',');
    let (mut depth, mut numbers, mut started) = (0_usize, 0_usize, false);
    let mut rest = text.trim();
    while let Some(first) = rest.chars().next() {
        if started && depth == 0 {
            return Some(format!("its WKT is followed by {}; a cell holds one geometry", described(rest)));
        }
        let end = if is_mark(first) {
            first.len_utf8()
        } else {
            rest.find(|c: char| is_mark(c) || c.is_whitespace()).unwrap_or(rest.len())
        };
        let token = &rest[..end];
        rest = rest[end..].trim_start();
        match token {
            "(" => (depth, numbers) = (depth + 1, 0),
            ")" | "," => {
                if numbers == 1 || numbers > 4 {
                    return Some(format!(
                        "a position in its WKT has {}; 2 to 4 are needed",
                        counted(numbers, "number", "numbers")
                    ));
                }
                numbers = 0;
                if token == ")" {
                    depth = depth.checked_sub(1)?;
                    started = true;
                }
            }
            word if first.is_ascii_alphabetic() => {
                let word = word.to_ascii_uppercase();
                let kind = word.trim_end_matches(['Z', 'M']);
                if !(kind.is_empty() || word == "EMPTY" || KINDS.contains(&kind)) {
                    return Some(format!(
                        "its WKT holds {}, neither a number nor a geometry",
                        described(token)
                    ));
                }
                started |= word == "EMPTY";
            }
            number => {
                if number.parse::<f64>().is_err() {
                    return Some(format!("its WKT holds {}, which is no number", described(number)));
                }
                numbers += 1;
            }
        }
    }
    None
}

/// The EPSG code that a text names; GeoJSON is WGS 84.
pub(super) fn named_system(text: &str) -> Option<u32> {
    if text.starts_with('{') {
        return Some(Crs::WGS84.code());
    }
    prefix(text).0.or_else(|| srid_of(&hexadecimal(text)?))
}

/// `SRID=4326;` apart from the rest.
fn prefix(text: &str) -> (Option<u32>, &str) {
    match text.split_once(';') {
        Some((srid, rest)) if srid.len() < 16 && srid.trim().to_ascii_uppercase().starts_with("SRID=") => {
            (srid.trim()[5..].trim().parse().ok(), rest)
        }
        _ => (None, text),
    }
}

/// The bytes of WKB in hexadecimal; `None` for any other text.
fn hexadecimal(text: &str) -> Option<Vec<u8>> {
    let digits = text.strip_prefix("\\x").or_else(|| text.strip_prefix("0x")).unwrap_or(text).as_bytes();
    if digits.len() < 10
        || !digits.len().is_multiple_of(2)
        || !(digits.starts_with(b"00") || digits.starts_with(b"01"))
    {
        return None;
    }
    let value = |digit: u8| char::from(digit).to_digit(16);
    digits.chunks_exact(2).map(|pair| u8::try_from(value(pair[0])? * 16 + value(pair[1])?).ok()).collect()
}

/// The code of the system that extended WKB names; 0 is none.
fn srid_of(bytes: &[u8]) -> Option<u32> {
    let little = *bytes.first()? == 1;
    let number = |at: usize| {
        let four: [u8; 4] = bytes.get(at..at + 4)?.try_into().ok()?;
        Some(if little { u32::from_le_bytes(four) } else { u32::from_be_bytes(four) })
    };
    (number(1)? & 0x2000_0000 != 0).then(|| number(5)).flatten().filter(|srid| *srid != 0)
}

/// The geometry of a cell in the system of its layer.
pub(super) fn shape(text: &str, systems: &Systems) -> RowShape {
    if text.is_empty() {
        return RowShape::of(Shape::Null);
    }
    let read = match read(text) {
        Ok(Some(read)) => read,
        Ok(None) => return RowShape::of(Shape::Null),
        Err((fault, original)) => return RowShape::of(Shape::Bad(fault, original)),
    };
    let (mut geometry, dropped_z, curved) = (read.geometry, read.dropped_z, read.curved);
    match systems.from(named_system(text)) {
        Ok(None) => {}
        Ok(Some(transform)) => {
            if systems.swap {
                exchange(&mut geometry);
            }
            if let Err(error) = transform.geometry(&mut geometry) {
                return RowShape::bad(srs::immovable(&error), text);
            }
            if systems.swap {
                exchange(&mut geometry);
            }
        }
        Err(reason) => return RowShape::bad(reason, text),
    }
    RowShape { shape: Shape::Good(geometry), dropped_z, curved }
}

/// Exchanges x and y of every position.
pub(crate) fn exchange(geometry: &mut Geometry<f64>) {
    geometry.map_coords_in_place(|Coord { x, y }| Coord { x: y, y: x });
}

/// Nothing is a geometry that GeoJSON says is none.
fn read(text: &str) -> Result<Option<wkb::SourceGeometry>, (GeometryFault, Original)> {
    if text.starts_with('{') {
        let read = serde_json::from_str(text)
            .map_err(|error| {
                GeometryFault::new(format!("its GeoJSON cannot be understood: {}", plain(&error)))
            })
            .and_then(geojson_geometry::read)
            .map_err(|fault| (fault, Original::Text(text.to_owned())))?;
        return Ok(read.map(|read| wkb::SourceGeometry {
            geometry: read.geometry,
            dropped_z: read.dropped_z,
            curved: false,
        }));
    }
    let bytes = match hexadecimal(text) {
        Some(bytes) => bytes,
        None => {
            gdal_log::take();
            if let Some(reason) = wkt_fault(prefix(text).1) {
                return Err((GeometryFault::new(reason), Original::Text(text.to_owned())));
            }
            Ogr::from_wkt(prefix(text).1.trim()).and_then(|geometry| geometry.iso_wkb()).map_err(
                |_unclear| {
                    (GeometryFault::new("its WKT cannot be understood"), Original::Text(text.to_owned()))
                },
            )?
        }
    };
    wkb::read_source(&bytes).map(Some).map_err(|fault| (fault, Original::Wkb(bytes)))
}

impl Systems {
    /// What takes a row to the system of the layer, by the system that it names.
    fn from(&self, named: Option<u32>) -> Result<Option<Transform>, String> {
        let Some(code) = named else {
            return if self.named && self.asked.is_none() {
                Err("it names no coordinate system, and other rows do; write SRID=n; before it, or say \
                     --crs EPSG:n for rows that name none"
                    .into())
            } else {
                Ok(None)
            };
        };
        // One system for all rows is what `--crs` overrides.
        if self.asked.is_some() && !self.mixed {
            return Ok(None);
        }
        let own = Crs::new(code).map_err(|error| format!("SRID={code}: {error}"))?;
        match self.layer {
            Some(layer) if layer != own => {
                Transform::new(own, layer).map(Some).map_err(|error| error.to_string())
            }
            _ => Ok(None),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_one_geometry_and_nothing_else() {
        for sound in [
            "POINT (106.7 10.8)",
            "POINT Z(1 2 3)",
            "POINTZ (1 2 3)",
            "MULTIPOINT ((1 2), (3 4))",
            "MULTIPOINT (1 2, 3 4)",
            "GEOMETRYCOLLECTION (POINT EMPTY, LINESTRING ZM (1 2 3 4, 5e0 -6 7 8))",
            "POINT EMPTY",
            "polygon((0 0,1 0,1 1,0 0),(0 0,1 0,1 1,0 0))",
            "COMPOUNDCURVE (CIRCULARSTRING (0 0, 1 1, 2 0), (2 0, 3 0))",
        ] {
            assert_eq!(wkt_fault(sound), None, "{sound}");
        }
        for (broken, named) in [
            ("POINT (106.7 10.8) x", "followed by a text of 1 letter"),
            ("POINT (106.7 10.8)POINT (1 2)", "followed by a text of 11 letters"),
            ("POINT EMPTY 1", "followed by a text of 1 digit"),
            ("POINT (106.7 10.8x)", "5 letters, digits and signs"),
            ("POINT (106,7 10,8)", "has 1 number;"),
            ("LINESTRING (1 2, 3)", "has 1 number;"),
            ("POINT (nan 1)", "3 letters"),
            ("POINT (1 2 3 4 5)", "5 numbers"),
        ] {
            assert!(wkt_fault(broken).is_some_and(|reason| reason.contains(named)), "{broken}");
        }
    }
}
