//! GeoJSON geometry, read strictly: what RFC 7946 does not allow is a fault with its path.

use std::fmt;

use geo_types::{
    Coord, Geometry, GeometryCollection, LineString, MultiLineString, MultiPoint, MultiPolygon, Point,
};
use serde::{
    Deserialize, Deserializer,
    de::{self, IgnoredAny, MapAccess, SeqAccess, Visitor},
};

use citymap_geometry::{GeometryFault, polygon_from_rings};
use citymap_model::quote::described;

use super::json_input::plain;

/// A `coordinates` member, whatever is in it.
#[derive(Debug)]
pub(super) enum Coords {
    /// A list of numbers: how many there were, and the first two.
    Position {
        at: [f64; 2],
        length: usize,
    },
    List(Vec<Coords>),
    Other(&'static str),
}

/// A geometry object, whatever is in it.
#[derive(Debug, Deserialize)]
pub(super) struct GeometryObject {
    #[serde(rename = "type")]
    kind: Option<serde_json::Value>,
    coordinates: Option<Coords>,
    geometries: Option<serde_json::Value>,
}

/// What stands in the place of a geometry.
#[derive(Debug)]
pub(super) enum RawGeometry {
    Object(GeometryObject),
    /// `[]`, which PHP and R write for an object without members: there is none.
    Absent,
    /// Something else: what it is.
    Other(&'static str),
}

/// A geometry, and whether heights were dropped from it.
pub(super) struct Read {
    pub geometry: Geometry<f64>,
    pub dropped_z: bool,
}

const DEPTH: usize = 16;

/// The geometry; none where it is absent.
pub(super) fn read(raw: RawGeometry) -> Result<Option<Read>, GeometryFault> {
    let raw = match raw {
        RawGeometry::Object(raw) => raw,
        RawGeometry::Absent => return Ok(None),
        RawGeometry::Other(what) => {
            return Err(GeometryFault::new(format!("geometry must be an object or null, but is {what}")));
        }
    };
    let mut dropped_z = false;
    let geometry = geometry(raw, "geometry", 0, &mut dropped_z)?;
    Ok(Some(Read { geometry, dropped_z }))
}

fn geometry(
    raw: GeometryObject,
    path: &str,
    depth: usize,
    z: &mut bool,
) -> Result<Geometry<f64>, GeometryFault> {
    if depth > DEPTH {
        return Err(GeometryFault::new(format!("{path} is nested too deep")));
    }
    let kind = match raw.kind {
        Some(serde_json::Value::String(kind)) => kind,
        Some(_) => return Err(GeometryFault::new(format!("{path}.type must be a text"))),
        None => return Err(GeometryFault::new(format!("{path} has no type"))),
    };
    if kind == "GeometryCollection" {
        let Some(serde_json::Value::Array(parts)) = raw.geometries else {
            return Err(GeometryFault::new(format!("{path}.geometries must be a list of geometries")));
        };
        let mut out = Vec::with_capacity(parts.len());
        for (i, part) in parts.into_iter().enumerate() {
            let path = format!("{path}.geometries[{i}]");
            if !part.is_object() {
                return Err(GeometryFault::new(format!("{path} must be a geometry object")));
            }
            let part: GeometryObject = serde_json::from_value(part)
                .map_err(|error| GeometryFault::new(format!("{path}: {}", plain(&error))))?;
            out.push(geometry(part, &path, depth + 1, z)?);
        }
        return Ok(Geometry::GeometryCollection(GeometryCollection(out)));
    }
    if !matches!(
        kind.as_str(),
        "Point" | "MultiPoint" | "LineString" | "MultiLineString" | "Polygon" | "MultiPolygon"
    ) {
        return Err(GeometryFault::new(format!(
            "{path}.type is {}, none of GeoJSON's types (upper and lower case matter)",
            described(&kind)
        )));
    }
    let path = format!("{path}.coordinates");
    let coords = raw.coordinates.ok_or_else(|| GeometryFault::new(format!("{path} is missing")))?;
    Ok(match kind.as_str() {
        "Point" => match coords {
            // An empty list is an empty point (RFC 7946, 3.1).
            Coords::List(list) if list.is_empty() => MultiPoint::<f64>::new(vec![]).into(),
            coords => Point(position(coords, &path, z)?).into(),
        },
        "MultiPoint" => MultiPoint(positions(coords, &path, z)?.into_iter().map(Point).collect()).into(),
        "LineString" => line(coords, &path, z)?.into(),
        "MultiLineString" => {
            let lines = list(coords, &path, "a list of lines")?;
            let lines = lines
                .into_iter()
                .enumerate()
                .map(|(i, l)| line(l, &format!("{path}[{i}]"), z))
                .collect::<Result<_, _>>()?;
            MultiLineString(lines).into()
        }
        "Polygon" => polygon(coords, &path, z)?.into(),
        _ => {
            let polygons = list(coords, &path, "a list of polygons")?;
            let polygons = polygons
                .into_iter()
                .enumerate()
                .map(|(i, p)| polygon(p, &format!("{path}[{i}]"), z))
                .collect::<Result<_, _>>()?;
            MultiPolygon(polygons).into()
        }
    })
}

fn list(coords: Coords, path: &str, what: &str) -> Result<Vec<Coords>, GeometryFault> {
    match coords {
        Coords::List(list) => Ok(list),
        Coords::Position { .. } => Err(GeometryFault::new(format!(
            "{path} must be {what}, but holds numbers: it is not nested deep enough"
        ))),
        Coords::Other(other) => Err(GeometryFault::new(format!("{path} must be {what}, but is {other}"))),
    }
}

fn position(coords: Coords, path: &str, z: &mut bool) -> Result<Coord<f64>, GeometryFault> {
    match coords {
        Coords::Position { at: [x, y], length } if length >= 2 => {
            *z |= length > 2;
            Ok(Coord { x, y })
        }
        Coords::Position { length, .. } => Err(GeometryFault::new(format!(
            "{path} must be a position of two or three numbers, but has {length}"
        ))),
        // Numbers and something else: the list says what.
        Coords::List(list) => {
            let odd = list.iter().enumerate().find_map(|(i, one)| match one {
                Coords::Other(what) if *what != "a number" => Some(format!("{path}[{i}] is {what}")),
                _ => None,
            });
            Err(GeometryFault::new(match odd {
                Some(odd) => format!("{odd}; each element of a position must be a number"),
                None if list.is_empty() => format!("{path} is an empty position"),
                None => format!("{path} must be a position, but is nested too deep"),
            }))
        }
        Coords::Other(what) => Err(GeometryFault::new(format!("{path} must be a position, but is {what}"))),
    }
}

fn positions(coords: Coords, path: &str, z: &mut bool) -> Result<Vec<Coord<f64>>, GeometryFault> {
    list(coords, path, "a list of positions")?
        .into_iter()
        .enumerate()
        .map(|(i, one)| match one {
            Coords::Position { at: [x, y], length } if length >= 2 => {
                *z |= length > 2;
                Ok(Coord { x, y })
            }
            other => position(other, &format!("{path}[{i}]"), z),
        })
        .collect()
}

fn line(coords: Coords, path: &str, z: &mut bool) -> Result<LineString<f64>, GeometryFault> {
    let coords = positions(coords, path, z)?;
    if coords.len() == 1 {
        let reason = format!("{path} has one position; a line needs two or more");
        return Err(GeometryFault::new(reason).at([coords[0].x, coords[0].y]));
    }
    Ok(LineString::new(coords))
}

fn polygon(coords: Coords, path: &str, z: &mut bool) -> Result<geo_types::Polygon<f64>, GeometryFault> {
    let rings = list(coords, path, "a list of rings")?;
    let rings = rings
        .into_iter()
        .enumerate()
        .map(|(i, ring)| positions(ring, &format!("{path}[{i}]"), z))
        .collect::<Result<Vec<_>, _>>()?;
    polygon_from_rings(rings)
        .map_err(|fault| GeometryFault { reason: format!("{path}: {}", fault.reason), ..fault })
}

impl<'de> Deserialize<'de> for Coords {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(CoordsVisitor)
    }
}

/// One element of a list: numbers are kept apart, so that a position makes no allocation.
enum Element {
    Number(f64),
    Coords(Coords),
}

impl<'de> Deserialize<'de> for Element {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ElementVisitor)
    }
}

macro_rules! others {
    ($wrap:expr) => {
        fn visit_bool<E>(self, _: bool) -> Result<Self::Value, E> {
            Ok($wrap(Coords::Other("true or false")))
        }
        fn visit_str<E>(self, _: &str) -> Result<Self::Value, E> {
            Ok($wrap(Coords::Other("a text")))
        }
        fn visit_unit<E>(self) -> Result<Self::Value, E> {
            Ok($wrap(Coords::Other("null")))
        }
        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
            Ok($wrap(Coords::Other("an object")))
        }
    };
}

/// What a visitor makes of anything but an object: `other` takes what it is, `empty` stands for `[]`.
macro_rules! anything_else {
    ($other:expr, $empty:expr) => {
        fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
            let mut members = 0;
            while seq.next_element::<IgnoredAny>()?.is_some() {
                members += 1;
            }
            Ok(if members == 0 { $empty } else { $other("a list") })
        }
        fn visit_bool<E>(self, _: bool) -> Result<Self::Value, E> {
            Ok($other("true or false"))
        }
        fn visit_str<E>(self, _: &str) -> Result<Self::Value, E> {
            Ok($other("a text"))
        }
        fn visit_f64<E>(self, _: f64) -> Result<Self::Value, E> {
            Ok($other("a number"))
        }
        fn visit_u64<E>(self, _: u64) -> Result<Self::Value, E> {
            Ok($other("a number"))
        }
        fn visit_i64<E>(self, _: i64) -> Result<Self::Value, E> {
            Ok($other("a number"))
        }
    };
}

/// The type of a geometry object; none of what is no such object.
pub(super) struct GlanceGeometry(pub Option<String>);

impl<'de> Deserialize<'de> for GlanceGeometry {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(GlanceVisitor)
    }
}

struct GlanceVisitor;

impl<'de> Visitor<'de> for GlanceVisitor {
    type Value = GlanceGeometry;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a geometry")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<GlanceGeometry, A::Error> {
        let mut kind = None;
        while let Some(name) = map.next_key::<String>()? {
            if name == "type" {
                kind = match map.next_value()? {
                    serde_json::Value::String(text) => Some(text),
                    _ => None,
                };
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(GlanceGeometry(kind))
    }

    anything_else!(|_what| GlanceGeometry(None), GlanceGeometry(None));
}

impl<'de> Deserialize<'de> for RawGeometry {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(RawVisitor)
    }
}

struct RawVisitor;

impl<'de> Visitor<'de> for RawVisitor {
    type Value = RawGeometry;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a geometry")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<RawGeometry, A::Error> {
        GeometryObject::deserialize(de::value::MapAccessDeserializer::new(map)).map(RawGeometry::Object)
    }

    anything_else!(RawGeometry::Other, RawGeometry::Absent);
}

struct CoordsVisitor;

impl<'de> Visitor<'de> for CoordsVisitor {
    type Value = Coords;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("coordinates")
    }

    fn visit_f64<E>(self, _: f64) -> Result<Coords, E> {
        Ok(Coords::Other("a number"))
    }

    fn visit_u64<E>(self, _: u64) -> Result<Coords, E> {
        Ok(Coords::Other("a number"))
    }

    fn visit_i64<E>(self, _: i64) -> Result<Coords, E> {
        Ok(Coords::Other("a number"))
    }

    others!(std::convert::identity);

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Coords, A::Error> {
        let (mut at, mut length, mut rest) = ([0.0; 2], 0, Vec::new());
        while let Some(element) = seq.next_element::<Element>()? {
            match element {
                Element::Number(number) if rest.is_empty() => {
                    if let Some(slot) = at.get_mut(length) {
                        *slot = number;
                    }
                    length += 1;
                }
                Element::Number(_) => rest.push(Coords::Other("a number")),
                Element::Coords(coords) => {
                    // Numbers first and then something else: no position after all.
                    rest.extend((0..std::mem::take(&mut length)).map(|_| Coords::Other("a number")));
                    rest.push(coords);
                }
            }
        }
        Ok(if length > 0 { Coords::Position { at, length } } else { Coords::List(rest) })
    }
}

struct ElementVisitor;

impl<'de> Visitor<'de> for ElementVisitor {
    type Value = Element;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("coordinates")
    }

    fn visit_f64<E>(self, number: f64) -> Result<Element, E> {
        Ok(Element::Number(number))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Element, E> {
        Ok(Element::Number(number as f64))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Element, E> {
        Ok(Element::Number(number as f64))
    }

    others!(Element::Coords);

    fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<Element, A::Error> {
        CoordsVisitor.visit_seq(seq).map(Element::Coords)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(text: &str) -> String {
        match read(serde_json::from_str(text).unwrap()) {
            Ok(read) => panic!("{text} was read as {:?}", read.map(|read| read.geometry)),
            Err(fault) => fault.reason,
        }
    }

    #[test]
    fn each_fault_names_its_path_and_its_rule() {
        for (text, path, rule) in [
            (r#"{"type":"Point","coordinates":[1,2,"f"]}"#, "coordinates[2]", "must be a number"),
            (r#"{"type":"Point","coordinates":[2]}"#, "coordinates", "two or three"),
            (r#"{"type":"Polygon","coordinates":[5]}"#, "coordinates", "not nested deep enough"),
            (r#"{"type":"MultiPoint","coordinates":[[[0,0],[0,0]]]}"#, "coordinates[0]", "nested too deep"),
            (r#"{"type":"LineString","coordinates":[[0,0]]}"#, "coordinates", "two or more"),
            (r#"{"type":"Polygon","coordinates":[[[0,0],[1,0],[1,1],[0,1]]]}"#, "coordinates", "not closed"),
            (r#"{"type":"GeometryCollection","geometries":[false]}"#, "geometries[0]", "geometry object"),
            (r#"{"type":"point","coordinates":[1,2]}"#, "type", "case"),
            (r#"{"type":"Point"}"#, "coordinates", "missing"),
            (r#"["Point",[106.7,10.8],null]"#, "geometry", "must be an object or null, but is a list"),
            (r#""""#, "geometry", "but is a text"),
            ("7", "geometry", "but is a number"),
            ("{}", "geometry", "has no type"),
            (r#"{"type":"GeometryCollection","geometries":[[]]}"#, "geometries[0]", "geometry object"),
        ] {
            let reason = fault(text);
            assert!(reason.contains(path) && reason.contains(rule), "{text}: {reason}");
        }
    }

    #[test]
    fn an_empty_list_in_place_of_a_geometry_is_none() {
        assert!(read(serde_json::from_str("[]").unwrap()).unwrap().is_none());
    }

    #[test]
    fn numbers_come_out_bit_for_bit() {
        let text =
            r#"{"type":"LineString","coordinates":[[106.69834512345678,10.772512345678901,3],[1e-7,-0.1]]}"#;
        let read = read(serde_json::from_str(text).unwrap()).unwrap().unwrap();
        let expected = LineString::from(vec![
            (106.69834512345678_f64, 10.772512345678901),
            ("1e-7".parse().unwrap(), -0.1),
        ]);
        assert_eq!((read.geometry, read.dropped_z), (expected.into(), true));
    }
}
