//! Geometry in one cell: WKT, EWKT, hexadecimal WKB and EWKB, GeoJSON.

use citymap_crs::Crs;
use citymap_geometry::{GeometryFault, wkb};
use citymap_model::{counted, quote::described};
use gdal::vector::Geometry as Ogr;
use geo::MapCoordsInPlace;
use geo_types::{Coord, Geometry};

use super::RowShape;
use crate::{
    gdal_log,
    source::{
        Original, Shape, geojson_geometry,
        json_input::plain,
        systems::{NoSystem, Systems},
    },
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
    let json = text.starts_with('{') && text.contains("\"type\"");
    (opens && KINDS.contains(&word.as_str())) || hexadecimal(text).is_some() || json
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

/// The EPSG code that a text names; 0 and −1, as PostGIS writes them, name none. GeoJSON is WGS 84 where it
/// has no `crs` member.
///
/// # Errors
/// What it names is no code.
pub(super) fn named_system(text: &str) -> Result<Option<u32>, String> {
    if text.starts_with('{') {
        return member(text).map(Some);
    }
    match prefix(text).0.map(str::trim) {
        Some("0" | "-1") => Ok(None),
        Some(code) => match code.parse() {
            Ok(code) => Ok(Some(code)),
            Err(_no_number) => {
                Err(format!("`SRID={code}` names no coordinate system; write the number of its EPSG code"))
            }
        },
        None => Ok(srid_of(text)),
    }
}

/// The system of a geometry in GeoJSON: WGS 84, or what a `crs` member of it says, as PostGIS writes it.
fn member(text: &str) -> Result<u32, String> {
    let wgs84 = Crs::WGS84.code();
    if !text.contains("\"crs\"") {
        return Ok(wgs84);
    }
    let json: serde_json::Value = serde_json::from_str(text).unwrap_or_default();
    match json.pointer("/crs/properties/name").and_then(serde_json::Value::as_str) {
        None => Ok(wgs84),
        Some(name) => match name.parse::<Crs>() {
            Ok(crs) => Ok(crs.code()),
            Err(error) => Err(format!("its `crs` member: {error}")),
        },
    }
}

/// The code in `SRID=4326;`, and the rest.
fn prefix(text: &str) -> (Option<&str>, &str) {
    match text.split_once(';') {
        Some((srid, rest)) if srid.trim().get(..5).is_some_and(|it| it.eq_ignore_ascii_case("SRID=")) => {
            (srid.trim().get(5..), rest)
        }
        _ => (None, text),
    }
}

/// The digits of a text in hexadecimal, without what stands before them.
fn digits(text: &str) -> &str {
    text.strip_prefix("\\x").or_else(|| text.strip_prefix("0x")).unwrap_or(text)
}

/// The bytes of WKB in hexadecimal; `None` for any other text.
fn hexadecimal(text: &str) -> Option<Vec<u8>> {
    let digits = digits(text).as_bytes();
    // Shorter ones are numbers: the shortest WKB, an empty collection, has nine bytes.
    if digits.len() < 18
        || !digits.len().is_multiple_of(2)
        || !(digits.starts_with(b"00") || digits.starts_with(b"01"))
    {
        return None;
    }
    let value = |digit: u8| char::from(digit).to_digit(16);
    digits.chunks_exact(2).map(|pair| u8::try_from(value(pair[0])? * 16 + value(pair[1])?).ok()).collect()
}

/// The code of the system that extended WKB in hexadecimal names; 0 is none.
fn srid_of(text: &str) -> Option<u32> {
    // Only its head: the rest may be long.
    let bytes = hexadecimal(digits(text).get(..18)?)?;
    let little = *bytes.first()? == 1;
    let number = |at: usize| {
        let four: [u8; 4] = bytes.get(at..at + 4)?.try_into().ok()?;
        Some(if little { u32::from_le_bytes(four) } else { u32::from_be_bytes(four) })
    };
    (number(1)? & 0x2000_0000 != 0).then(|| number(5)).flatten().filter(|srid| *srid != 0)
}

/// The geometry of a cell, in the system that it names or in that of its layer.
pub(super) fn shape(text: &str, systems: &Systems) -> RowShape {
    if text.is_empty() {
        return RowShape::of(Shape::Null);
    }
    let read = match read(text) {
        Ok(Some(read)) => read,
        Ok(None) => return RowShape::of(Shape::Null),
        Err((fault, original)) => {
            // Rejects are in the system of the layer: the text says in which one this is.
            let is_own = named_system(text) != Ok(None);
            let original = if is_own { Original::Text(text.to_owned()) } else { original };
            return RowShape::of(Shape::Bad(fault, original));
        }
    };
    match named_system(text).and_then(|named| systems.of_feature(named).map_err(told)) {
        Ok(system) => RowShape {
            shape: Shape::Good(read.geometry),
            system,
            dropped_z: read.dropped_z,
            curved: read.curved,
        },
        Err(reason) => RowShape::bad(reason, text),
    }
}

/// Why a row cannot be read in any system, and what to do.
fn told(why: NoSystem) -> String {
    match why {
        NoSystem::Unnamed => {
            "it names no coordinate system, and other rows do; write SRID=n; before it, or say \
                              --crs EPSG:n for rows that name none"
                .into()
        }
        NoSystem::Unknown(code) => format!(
            "SRID={code} is not a coordinate system that is known here; correct it to the EPSG code of one"
        ),
    }
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
