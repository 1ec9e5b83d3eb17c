//! Geometries in the JSON form: GeoJSON.

use citymap_model::Geometry;
use geo_types::{
    Coord, GeometryCollection, LineString, MultiLineString, MultiPoint, MultiPolygon, Point, Polygon,
};
use serde_json::{Map, Value, json};

use super::Path;
use crate::{Cql2Error, DEPTH_MAX};

/// Reads a geometry. Heights are ignored; an empty array of coordinates is an empty geometry.
pub(super) fn parse(members: &Map<String, Value>, path: &mut Path) -> Result<Geometry, Cql2Error> {
    if path.steps.len() > 2 * DEPTH_MAX {
        return Err(Cql2Error::TooDeep { max: DEPTH_MAX });
    }
    let kind = members.get("type").and_then(Value::as_str).unwrap_or_default();
    if kind == "GeometryCollection" {
        return path.inside("geometries", |path| {
            let items = array(members.get("geometries"), path)?;
            let member = |(at, item): (usize, &Value)| {
                path.inside(at, |path| match item {
                    Value::Object(members) => parse(members, path),
                    _ => Err(path.expected("a geometry")),
                })
            };
            let geometries = items.iter().enumerate().map(member).collect::<Result<_, _>>()?;
            Ok(Geometry::GeometryCollection(GeometryCollection::new_from(geometries)))
        });
    }
    let coordinates = members.get("coordinates");
    path.inside("coordinates", |path| {
        if kind == "Point" {
            return Ok(Point(position(coordinates.unwrap_or(&Value::Null), path)?).into());
        }
        let is_empty = array(coordinates, path)?.is_empty();
        let value = coordinates.unwrap_or(&Value::Null);
        Ok(match kind {
            "LineString" if is_empty => LineString::new(Vec::new()).into(),
            "Polygon" if is_empty => Polygon::new(LineString::new(Vec::new()), Vec::new()).into(),
            "MultiPoint" if is_empty => MultiPoint::new(Vec::new()).into(),
            "MultiLineString" if is_empty => MultiLineString::new(Vec::new()).into(),
            "MultiPolygon" if is_empty => MultiPolygon::new(Vec::new()).into(),
            "LineString" => line(value, path)?.into(),
            "Polygon" => polygon(value, path)?.into(),
            "MultiPoint" => {
                let point = |value: &Value, path: &mut Path| position(value, path).map(Point);
                MultiPoint::new(list(value, path, point)?).into()
            }
            "MultiLineString" => MultiLineString::new(list(value, path, line)?).into(),
            "MultiPolygon" => MultiPolygon::new(list(value, path, polygon)?).into(),
            _ => return Err(path.expected("coordinates of a `type` of GeoJSON, such as Point or Polygon")),
        })
    })
}

fn array<'v>(value: Option<&'v Value>, path: &Path) -> Result<&'v Vec<Value>, Cql2Error> {
    value.and_then(Value::as_array).ok_or_else(|| path.expected("an array"))
}

/// One or more of one kind.
fn list<T>(
    value: &Value,
    path: &mut Path,
    read: impl Fn(&Value, &mut Path) -> Result<T, Cql2Error>,
) -> Result<Vec<T>, Cql2Error> {
    let items = array(Some(value), path)?;
    if items.is_empty() {
        return Err(path.expected("an array that is not empty"));
    }
    items.iter().enumerate().map(|(at, item)| path.inside(at, |path| read(item, path))).collect()
}

fn line(value: &Value, path: &mut Path) -> Result<LineString, Cql2Error> {
    Ok(LineString::new(list(value, path, position)?))
}

fn polygon(value: &Value, path: &mut Path) -> Result<Polygon, Cql2Error> {
    let mut rings = list(value, path, line)?;
    let holes = rings.split_off(1);
    Ok(Polygon::new(rings.remove(0), holes))
}

fn position(value: &Value, path: &mut Path) -> Result<Coord, Cql2Error> {
    let numbers: Option<Vec<f64>> = value.as_array().and_then(|own| own.iter().map(Value::as_f64).collect());
    match numbers.as_deref() {
        Some([x, y] | [x, y, _] | [x, y, _, _]) => Ok(Coord { x: *x, y: *y }),
        _ => Err(path.expected("a position: two numbers")),
    }
}

/// The GeoJSON of a geometry.
pub(super) fn print(geometry: &Geometry) -> Value {
    fn of(kind: &str, coordinates: Vec<Value>) -> Value {
        json!({"type": kind, "coordinates": coordinates})
    }
    match geometry {
        Geometry::Point(point) => json!({"type": "Point", "coordinates": coord(&point.0)}),
        Geometry::Line(line) => of("LineString", vec![coord(&line.start), coord(&line.end)]),
        Geometry::LineString(line) => of("LineString", coords(line)),
        Geometry::Polygon(polygon) => of("Polygon", rings(polygon)),
        Geometry::MultiPoint(points) => {
            of("MultiPoint", points.iter().map(|point| coord(&point.0)).collect())
        }
        Geometry::MultiLineString(lines) => {
            of("MultiLineString", lines.iter().map(|line| coords(line).into()).collect())
        }
        Geometry::MultiPolygon(polygons) => {
            of("MultiPolygon", polygons.iter().map(|polygon| rings(polygon).into()).collect())
        }
        Geometry::GeometryCollection(members) => {
            let geometries: Vec<Value> = members.iter().map(print).collect();
            json!({"type": "GeometryCollection", "geometries": geometries})
        }
        Geometry::Rect(rect) => print(&rect.to_polygon().into()),
        Geometry::Triangle(triangle) => print(&triangle.to_polygon().into()),
    }
}

fn coord(at: &Coord) -> Value {
    json!([at.x, at.y])
}

fn coords(line: &LineString) -> Vec<Value> {
    line.coords().map(coord).collect()
}

/// The rings of a polygon; none of an empty one.
fn rings(polygon: &Polygon) -> Vec<Value> {
    if polygon.exterior().0.is_empty() {
        return Vec::new();
    }
    std::iter::once(polygon.exterior()).chain(polygon.interiors()).map(|ring| coords(ring).into()).collect()
}
