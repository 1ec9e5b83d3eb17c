//! GeoJSON geometry as it comes in an edit: read with the place of every fault, brought to WGS 84, and judged.

use citymap_crs::NamedCrs;
use citymap_crs::{Crs, Transform};
use citymap_model::{Geometry, GeometryKind};
use geo::{
    Coord, CoordsIter, GeometryCollection, LineString, MultiLineString, MultiPoint, MultiPolygon, Point,
    Polygon,
};
use serde_json::Value;

use super::{fault::Fault, valid};

/// Faults of one geometry after which reading ends.
const ENOUGH: usize = 100;
/// Collections in collections at most.
const DEPTH: usize = 8;

/// Reads a geometry that stands at `pointer`; null is none. All coordinates are in `crs`, in its axis order; the result is
/// in longitude and latitude, valid, and of a kind that the layer holds.
pub(crate) fn read(
    value: &Value,
    pointer: &str,
    kind: GeometryKind,
    crs: &NamedCrs,
    vertices_max: usize,
) -> Result<Option<Geometry>, Vec<Fault>> {
    if value.is_null() {
        return Ok(None);
    }
    let mut reader = Reader { crs, faults: Vec::new(), vertices: 0, vertices_max, full: false };
    let read = reader.geometry(value, pointer, 0);
    let (Some(mut geometry), true) = (read, reader.faults.is_empty()) else { return Err(reader.faults) };
    let one = |fault| Err(vec![fault]);
    if let Some(reason) = misfit(&geometry, kind) {
        return one(Fault::new(pointer, reason));
    }
    // As it was given: the place of a fault is told in the client's numbers.
    if let Some(invalid) = valid::fault(&geometry) {
        let fault = Fault::new(pointer, invalid.reason);
        return one(match invalid.place {
            Some([x, y]) => fault.at(crs.turn([x, y])),
            None => fault,
        });
    }
    if crs.crs != Crs::WGS84 {
        let moved =
            Transform::new(crs.crs, Crs::WGS84).and_then(|transform| transform.geometry(&mut geometry));
        if let Err(error) = moved {
            return one(Fault::new(
                pointer,
                format!("it cannot be brought to longitude and latitude: {error}"),
            ));
        }
        if geometry.coords_iter().any(|at| !on_earth(at)) {
            return one(Fault::new(
                pointer,
                "its coordinates do not lie on Earth; is Content-Crs the right one?",
            ));
        }
    }
    Ok(Some(geometry))
}

fn on_earth(at: Coord<f64>) -> bool {
    at.x.abs() <= 180.0 && at.y.abs() <= 90.0
}

/// Why the layer does not hold such geometry.
fn misfit(geometry: &Geometry, kind: GeometryKind) -> Option<String> {
    let own = match geometry {
        Geometry::Point(_) | Geometry::MultiPoint(_) => GeometryKind::Point,
        Geometry::LineString(_) | Geometry::MultiLineString(_) => GeometryKind::Line,
        Geometry::Polygon(_) | Geometry::MultiPolygon(_) => GeometryKind::Polygon,
        _ => GeometryKind::Mixed,
    };
    match kind {
        GeometryKind::Mixed => None,
        GeometryKind::None => Some("the layer has no geometry; write null".to_owned()),
        kind if kind == own => None,
        kind => Some(format!("the layer holds geometry of the kind {}, not {}", kind.as_str(), own.as_str())),
    }
}

struct Reader<'a> {
    crs: &'a NamedCrs,
    faults: Vec<Fault>,
    vertices: usize,
    vertices_max: usize,
    /// There are too many positions already.
    full: bool,
}

impl Reader<'_> {
    fn fault<T>(&mut self, pointer: &str, reason: impl Into<String>) -> Option<T> {
        if self.faults.len() < ENOUGH {
            self.faults.push(Fault::new(pointer, reason));
        }
        None
    }

    /// Too many positions: one fault, and reading ends.
    fn enough<T>(&mut self, pointer: &str) -> Option<T> {
        if !self.full {
            self.full = true;
            let reason = format!("the geometry has more than {} positions; simplify it", self.vertices_max);
            self.faults = vec![Fault::new(pointer, reason)];
        }
        None
    }

    fn geometry(&mut self, value: &Value, pointer: &str, depth: usize) -> Option<Geometry> {
        let Some(members) = value.as_object() else {
            return self.fault(
                pointer,
                "it is no GeoJSON geometry; write {\"type\": …, \"coordinates\": …} or null",
            );
        };
        let Some(name) = members.get("type").and_then(Value::as_str) else {
            return self.fault(&format!("{pointer}/type"), "it is missing; a geometry is given as a whole");
        };
        if name == "GeometryCollection" {
            return self.collection(members.get("geometries"), pointer, depth);
        }
        let here = format!("{pointer}/coordinates");
        let Some(coordinates) = members.get("coordinates") else { return self.fault(&here, "it is missing") };
        match name {
            "Point" => self.position(coordinates, &here).map(|at| Point(at).into()),
            "MultiPoint" => {
                let points = self.list(coordinates, &here, Self::position)?;
                Some(MultiPoint(points.into_iter().map(Point).collect()).into())
            }
            "LineString" => self.line(coordinates, &here).map(Into::into),
            "MultiLineString" => Some(MultiLineString(self.list(coordinates, &here, Self::line)?).into()),
            "Polygon" => self.polygon(coordinates, &here).map(Into::into),
            "MultiPolygon" => Some(MultiPolygon(self.list(coordinates, &here, Self::polygon)?).into()),
            other => {
                let other: String = other.chars().take(40).collect();
                self.fault(&format!("{pointer}/type"), format!("`{other}` is no kind of GeoJSON geometry"))
            }
        }
    }

    fn collection(&mut self, parts: Option<&Value>, pointer: &str, depth: usize) -> Option<Geometry> {
        let here = format!("{pointer}/geometries");
        if depth >= DEPTH {
            return self.fault(&here, "collections are nested too deeply");
        }
        let parts = self.list(parts.unwrap_or(&Value::Null), &here, |reader, value, pointer| {
            reader.geometry(value, pointer, depth + 1)
        })?;
        Some(Geometry::GeometryCollection(GeometryCollection::new_from(parts)))
    }

    /// All items, or nothing where one is at fault; the other ones are read all the same, for their own faults.
    fn list<T>(
        &mut self,
        value: &Value,
        pointer: &str,
        mut item: impl FnMut(&mut Self, &Value, &str) -> Option<T>,
    ) -> Option<Vec<T>> {
        let Some(values) = value.as_array() else { return self.fault(pointer, "it is no list") };
        let mut items = Vec::with_capacity(values.len());
        for (index, value) in values.iter().enumerate() {
            items.extend(item(self, value, &format!("{pointer}/{index}")));
            if self.full || self.faults.len() >= ENOUGH {
                return None;
            }
        }
        (items.len() == values.len()).then_some(items)
    }

    fn line(&mut self, value: &Value, pointer: &str) -> Option<LineString<f64>> {
        let coords = self.list(value, pointer, Self::position)?;
        if coords.len() == 1 {
            return self.fault(pointer, "a line has two positions at least");
        }
        Some(LineString(coords))
    }

    fn ring(&mut self, value: &Value, pointer: &str) -> Option<LineString<f64>> {
        let coords = self.list(value, pointer, Self::position)?;
        if coords.len() < 4 {
            return self
                .fault(pointer, "a ring has four positions at least, the last one equal to the first");
        }
        if coords.first() != coords.last() {
            return self.fault(pointer, "the ring is not closed: its last position must equal its first");
        }
        Some(LineString(coords))
    }

    fn polygon(&mut self, value: &Value, pointer: &str) -> Option<Polygon<f64>> {
        let mut rings = self.list(value, pointer, Self::ring)?.into_iter();
        let outer = rings.next().unwrap_or_else(|| LineString(Vec::new()));
        Some(Polygon::new(outer, rings.collect()))
    }

    fn position(&mut self, value: &Value, pointer: &str) -> Option<Coord<f64>> {
        self.vertices += 1;
        if self.vertices > self.vertices_max {
            return self.enough(pointer);
        }
        let numbers = value.as_array().map(Vec::as_slice).unwrap_or_default();
        let [first, second] = match numbers {
            [first, second] => [first, second].map(Value::as_f64),
            [_, _, _, ..] => {
                return self.fault(pointer, "the record has no heights; give two numbers a position");
            }
            _ => [None, None],
        };
        let (Some(first), Some(second)) = (first, second) else {
            return self.fault(
                pointer,
                "it is no position; write [longitude, latitude] or, with Content-Crs, its axes",
            );
        };
        let [x, y] = self.crs.turn([first, second]);
        let at = Coord { x, y };
        let reason = if !x.is_finite() || !y.is_finite() {
            "it is no finite number"
        } else if self.crs.crs.is_geographic() && !on_earth(at) {
            "it lies beyond 180 degrees of longitude or 90 of latitude; perhaps the axes are exchanged, or Content-Crs is missing"
        } else {
            return Some(at);
        };
        if self.faults.len() < ENOUGH {
            self.faults.push(Fault::new(pointer, reason).at([first, second]));
        }
        None
    }
}
