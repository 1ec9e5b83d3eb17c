//! GeoJSON geometry in an edit: read with the place of every fault, converted to WGS 84, and checked.

use citymap_crs::{Crs, Transform};
use citymap_geometry::check_validity;
use citymap_model::{Geometry, GeometryKind, quote::described};
use geo::{
    Coord, CoordsIter, GeometryCollection, LineString, MultiLineString, MultiPoint, MultiPolygon, Point,
    Polygon,
};
use serde_json::Value;

use crate::{Fault, ReadOptions};

/// The number of faults of one geometry after which reading stops.
const FAULTS_MAX: usize = 100;
/// Maximum depth of collections within collections.
const DEPTH_MAX: usize = 8;

/// Reads a geometry that is at `pointer` in the body; null is no geometry. Coordinates are in `options.crs`
/// and in its axis order. The result is in longitude and latitude (WGS 84), valid, and of a kind that the
/// layer holds.
///
/// # Errors
/// All faults, up to [`FAULTS_MAX`].
pub(crate) fn read(
    value: &Value,
    pointer: &str,
    kind: GeometryKind,
    options: &ReadOptions<'_>,
) -> Result<Option<Geometry>, Vec<Fault>> {
    if value.is_null() {
        return Ok(None);
    }
    let crs = options.crs;
    let mut reader = Reader { options, faults: Vec::new(), vertices: 0, full: false };
    let read = reader.geometry(value, pointer, 0);
    let (Some(mut geometry), true) = (read, reader.faults.is_empty()) else { return Err(reader.faults) };
    let one = |fault| Err(vec![fault]);
    if kind == GeometryKind::None {
        return one(Fault::new(pointer, "the layer has no geometry; write null"));
    }
    if let Err(mismatch) = kind.check(GeometryKind::of(&geometry)) {
        return one(Fault::new(pointer, mismatch.to_string()));
    }
    // Validity is checked before the conversion, so that places are reported in the client's numbers.
    if let Err(invalid) = check_validity(&geometry) {
        let fault = Fault::new(pointer, invalid.reason);
        return one(match invalid.location {
            Some([x, y]) => fault.at(crs.turn([x, y])),
            None => fault,
        });
    }
    if crs.crs != Crs::WGS84 {
        let converted =
            Transform::new(crs.crs, Crs::WGS84).and_then(|transform| transform.geometry(&mut geometry));
        if let Err(error) = converted {
            let reason = format!("it cannot be converted to longitude and latitude: {error}");
            return one(Fault::new(pointer, reason));
        }
        if geometry.coords_iter().any(|at| !is_on_earth(at)) {
            let reason = "its coordinates are not on Earth; is Content-Crs the right one?";
            return one(Fault::new(pointer, reason));
        }
    }
    Ok(Some(geometry))
}

/// Whether a pair is a longitude and a latitude, in degrees.
fn is_on_earth(at: Coord<f64>) -> bool {
    at.x.abs() <= 180.0 && at.y.abs() <= 90.0
}

/// Reads positions, counts them, and collects faults.
struct Reader<'a> {
    options: &'a ReadOptions<'a>,
    faults: Vec<Fault>,
    vertices: usize,
    /// Whether there were too many positions.
    full: bool,
}

impl Reader<'_> {
    fn fault<T>(&mut self, pointer: &str, reason: impl Into<String>) -> Option<T> {
        if self.faults.len() < FAULTS_MAX {
            self.faults.push(Fault::new(pointer, reason));
        }
        None
    }

    /// Reports that there are too many positions, as the only fault; reading stops then.
    fn too_many<T>(&mut self, pointer: &str) -> Option<T> {
        if !self.full {
            self.full = true;
            let reason =
                format!("the geometry has more than {} positions; simplify it", self.options.vertices_max);
            self.faults = vec![Fault::new(pointer, reason)];
        }
        None
    }

    fn geometry(&mut self, value: &Value, pointer: &str, depth: usize) -> Option<Geometry> {
        let Some(members) = value.as_object() else {
            return self.fault(
                pointer,
                "it is not a GeoJSON geometry; write {\"type\": …, \"coordinates\": …} or null",
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
                let reason = format!("{} is not a type of GeoJSON geometry", described(other));
                self.fault(&format!("{pointer}/type"), reason)
            }
        }
    }

    fn collection(&mut self, parts: Option<&Value>, pointer: &str, depth: usize) -> Option<Geometry> {
        let here = format!("{pointer}/geometries");
        if depth >= DEPTH_MAX {
            return self.fault(&here, "collections are nested too deeply");
        }
        let parts = self.list(parts.unwrap_or(&Value::Null), &here, |reader, value, pointer| {
            reader.geometry(value, pointer, depth + 1)
        })?;
        Some(Geometry::GeometryCollection(GeometryCollection::new_from(parts)))
    }

    /// All items, or `None` if one has a fault. The others are read all the same, to report their faults too.
    fn list<T>(
        &mut self,
        value: &Value,
        pointer: &str,
        mut item: impl FnMut(&mut Self, &Value, &str) -> Option<T>,
    ) -> Option<Vec<T>> {
        let Some(values) = value.as_array() else { return self.fault(pointer, "it is not a list") };
        let mut items = Vec::with_capacity(values.len());
        for (index, value) in values.iter().enumerate() {
            items.extend(item(self, value, &format!("{pointer}/{index}")));
            if self.full || self.faults.len() >= FAULTS_MAX {
                return None;
            }
        }
        (items.len() == values.len()).then_some(items)
    }

    fn line(&mut self, value: &Value, pointer: &str) -> Option<LineString<f64>> {
        let coords = self.list(value, pointer, Self::position)?;
        if coords.len() == 1 {
            return self.fault(pointer, "a line has at least two positions");
        }
        Some(LineString(coords))
    }

    fn ring(&mut self, value: &Value, pointer: &str) -> Option<LineString<f64>> {
        let coords = self.list(value, pointer, Self::position)?;
        if coords.len() < 4 {
            return self
                .fault(pointer, "a ring has at least four positions, the last one equal to the first");
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
        if self.vertices > self.options.vertices_max {
            return self.too_many(pointer);
        }
        let numbers = value.as_array().map(Vec::as_slice).unwrap_or_default();
        let [first, second] = match numbers {
            [first, second] => [first, second].map(Value::as_f64),
            [_, _, _, ..] => {
                return self.fault(pointer, "heights are not stored; give two numbers for each position");
            }
            _ => [None, None],
        };
        let (Some(first), Some(second)) = (first, second) else {
            return self.fault(
                pointer,
                "it is not a position; write [longitude, latitude] or, with Content-Crs, the two axes of \
                 that system",
            );
        };
        let [x, y] = self.options.crs.turn([first, second]);
        let at = Coord { x, y };
        let reason = if !x.is_finite() || !y.is_finite() {
            "it is not a finite number"
        } else if self.options.crs.crs.is_geographic() && !is_on_earth(at) {
            "it is beyond 180 degrees of longitude or 90 of latitude; perhaps the axes are in the wrong \
             order, or Content-Crs is missing"
        } else {
            return Some(at);
        };
        if self.faults.len() < FAULTS_MAX {
            self.faults.push(Fault::new(pointer, reason).at([first, second]));
        }
        None
    }
}
