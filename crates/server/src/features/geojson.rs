//! Features as GeoJSON, written straight from the columns of a snapshot, without rounding what is stored.

use std::{cell::RefCell, io::Write, rc::Rc};

use citymap_access::{Audience, visible};
use citymap_crs::{Crs, NamedCrs, Transform};
use citymap_engine::{LayerSnapshot, Measure, Method, PartKind, Row, ShapeKind, ValueRef};
use citymap_model::{
    Field, format_datetime,
    json::{self, id, number, text},
};

use crate::{
    features::chosen::Columns,
    http::{json::JsonWriter, problem::Problem},
};

/// The public fields of a layer: their positions, and their names as JSON with a comma before and a colon
/// after.
type FieldNames = Rc<[(usize, Box<[u8]>)]>;

thread_local! {
    /// The names of the layers that this thread wrote last, by the id of their state.
    static NAMES: RefCell<Vec<(u64, FieldNames)>> = const { RefCell::new(Vec::new()) };
}

/// Number of layers whose names a thread keeps.
const NAMES_KEPT: usize = 32;

fn names(snapshot: &LayerSnapshot) -> FieldNames {
    let state = snapshot.delta().id();
    NAMES.with_borrow_mut(|known| {
        if let Some((_, names)) = known.iter().find(|(own, _)| *own == state) {
            return Rc::clone(names);
        }
        let name = |(index, field): (usize, &Field)| {
            let mut name = vec![b','];
            text(&mut name, &field.name);
            name.push(b':');
            (index, name.into_boxed_slice())
        };
        let names: FieldNames = visible(snapshot.layer(), &Audience::Public).iter().map(name).collect();
        if known.len() >= NAMES_KEPT {
            known.remove(0);
        }
        known.push((state, Rc::clone(&names)));
        names
    })
}

/// Writes features of one layer in one coordinate system.
pub(crate) struct FeatureWriter<'a> {
    snapshot: &'a LayerSnapshot,
    names: FieldNames,
    transform: Option<Transform>,
    without_geometry: bool,
    swapped: bool,
    /// Coordinates are metres. They are rounded to a thousandth of a millimetre, below which is the noise of
    /// PROJ.
    metres: bool,
}

impl<'a> FeatureWriter<'a> {
    /// A writer of features of `snapshot` in the system `crs`.
    ///
    /// # Errors
    /// 500 if PROJ has no transformation to it.
    pub(crate) fn new(snapshot: &'a LayerSnapshot, crs: &NamedCrs) -> Result<Self, Problem> {
        let transform = if crs.crs == Crs::WGS84 { None } else { Some(Transform::new(Crs::WGS84, crs.crs)?) };
        let metres = !crs.crs.is_geographic();
        let names = names(snapshot);
        Ok(Self { snapshot, names, transform, without_geometry: false, swapped: crs.swapped, metres })
    }

    /// The same with only some properties.
    pub(crate) fn with(mut self, columns: &Columns) -> Self {
        if let Some(fields) = &columns.fields {
            self.names = self.names.iter().filter(|(index, _)| fields.contains(index)).cloned().collect();
        }
        self.without_geometry = columns.without_geometry;
        self
    }

    /// Writes one feature; `extra` writes foreign members after its id.
    ///
    /// # Errors
    /// 500 if the coordinates cannot be transformed; the error of `extra`.
    pub(crate) fn feature(
        &self,
        json: &mut JsonWriter<'_>,
        row: Row,
        extra: impl FnOnce(&mut JsonWriter<'_>) -> Result<(), Problem>,
    ) -> Result<(), Problem> {
        let out = json.raw();
        out.extend(b"{\"type\":\"Feature\",\"id\":");
        id(out, &self.snapshot.id(row));
        extra(json)?;
        let out = json.raw();
        out.extend(b"\"geometry\":");
        self.geometry(out, row)?;
        out.extend(b",\"properties\":{");
        let mut comma = 1;
        for (index, name) in self.names.iter() {
            out.extend_from_slice(&name[comma..]);
            comma = 0;
            value(out, self.snapshot.value(row, *index));
        }
        out.extend(b"}}");
        Ok(())
    }

    fn geometry(&self, out: &mut Vec<u8>, row: Row) -> Result<(), Problem> {
        if self.without_geometry {
            out.extend(b"null");
            return Ok(());
        }
        let shape = self.snapshot.shape(row);
        let stored = shape.coords();
        let moved: Vec<[f64; 2]>;
        let coords = match &self.transform {
            None => stored,
            Some(transform) => {
                let mut pairs = stored.to_vec();
                transform.apply(&mut pairs)?;
                if self.metres {
                    pairs.iter_mut().flatten().for_each(|value| *value = (*value * 1e6).round() / 1e6);
                }
                moved = pairs;
                &moved
            }
        };
        let mut rest = CoordReader { rest: coords, swapped: self.swapped };
        let kind = shape.kind();
        let (name, many) = match kind {
            ShapeKind::Null => {
                out.extend(b"null");
                return Ok(());
            }
            ShapeKind::Point => ("Point", false),
            ShapeKind::Line => ("LineString", false),
            ShapeKind::Polygon => ("Polygon", false),
            ShapeKind::MultiPoint => ("MultiPoint", true),
            ShapeKind::MultiLine => ("MultiLineString", true),
            ShapeKind::MultiPolygon => ("MultiPolygon", true),
            ShapeKind::Collection => ("GeometryCollection", true),
        };
        out.extend(b"{\"type\":\"");
        out.extend(name.as_bytes());
        let collection = kind == ShapeKind::Collection;
        out.extend(if collection { &b"\",\"geometries\":"[..] } else { &b"\",\"coordinates\":"[..] });
        if many {
            out.push(b'[');
        }
        for (position, part) in shape.parts().enumerate() {
            if position > 0 {
                out.push(b',');
            }
            if collection {
                let name = match part.kind {
                    PartKind::Point => "Point",
                    PartKind::Line => "LineString",
                    PartKind::Polygon => "Polygon",
                };
                out.extend(b"{\"type\":\"");
                out.extend(name.as_bytes());
                out.extend(b"\",\"coordinates\":");
            }
            match part.kind {
                PartKind::Point => rest.pair(out),
                PartKind::Line => rest.ring(out, part.rings().map(|ring| shape.ring(ring).len()).sum()),
                PartKind::Polygon => {
                    out.push(b'[');
                    for (position, ring) in part.rings().enumerate() {
                        if position > 0 {
                            out.push(b',');
                        }
                        rest.ring(out, shape.ring(ring).len());
                    }
                    out.push(b']');
                }
            }
            if collection {
                out.push(b'}');
            }
        }
        if many {
            out.push(b']');
        }
        out.push(b'}');
        Ok(())
    }
}

/// The coordinates of a row that have not been written yet.
struct CoordReader<'a> {
    rest: &'a [[f64; 2]],
    swapped: bool,
}

impl CoordReader<'_> {
    fn pair(&mut self, out: &mut Vec<u8>) {
        let Some((&[x, y], rest)) = self.rest.split_first() else {
            out.extend(b"[]");
            return;
        };
        self.rest = rest;
        let [first, second] = if self.swapped { [y, x] } else { [x, y] };
        out.push(b'[');
        number(out, first);
        out.push(b',');
        number(out, second);
        out.push(b']');
    }

    fn ring(&mut self, out: &mut Vec<u8>, len: usize) {
        out.push(b'[');
        for position in 0..len {
            if position > 0 {
                out.push(b',');
            }
            self.pair(out);
        }
        out.push(b']');
    }
}

/// Writes the value of a field.
pub(crate) fn value(out: &mut Vec<u8>, value: ValueRef<'_>) {
    match value {
        ValueRef::Null => out.extend(b"null"),
        ValueRef::Bool(value) => json::value(out, &value),
        ValueRef::Int(value) => json::value(out, &value),
        ValueRef::Real(value) => number(out, value),
        ValueRef::Text(value) => text(out, value),
        ValueRef::Date(value) => text(out, &value.to_string()),
        ValueRef::DateTime(value) => text(out, &format_datetime(&value)),
    }
}

/// Writes a measure as an object, rounded to a square centimetre or a tenth of a millimetre.
pub(crate) fn measure(json: &mut JsonWriter<'_>, measure: &Measure, unit: &str) {
    let out = json.raw();
    out.extend(b"{\"value\":");
    number(out, (measure.value * 1e4).round() / 1e4);
    out.extend(b",\"unit\":\"");
    out.extend(unit.as_bytes());
    match measure.method {
        Method::Grid(crs) => put(out, format_args!("\",\"method\":\"grid\",\"crs\":\"{crs}\"}}")),
        Method::Ellipsoid => out.extend(b"\",\"method\":\"ellipsoid\"}"),
    }
}

/// Appends formatted text; writing into memory cannot fail.
fn put(out: &mut Vec<u8>, text: std::fmt::Arguments<'_>) {
    let written = out.write_fmt(text);
    debug_assert!(written.is_ok(), "writing into memory failed");
}

/// Writes the member `area` (m²) of a polygon, `length` (m) of a line, nothing of a point.
///
/// # Errors
/// 500 if PROJ cannot measure the geometry.
pub(crate) fn size(json: &mut JsonWriter<'_>, snapshot: &LayerSnapshot, row: Row) -> Result<(), Problem> {
    let (polygons, lines) = match snapshot.shape(row).kind() {
        ShapeKind::Polygon | ShapeKind::MultiPolygon => (true, false),
        ShapeKind::Line | ShapeKind::MultiLine => (false, true),
        ShapeKind::Collection => (true, true),
        ShapeKind::Null | ShapeKind::Point | ShapeKind::MultiPoint => return Ok(()),
    };
    let Some(geometry) = snapshot.geometry(row) else { return Ok(()) };
    for (wanted, name, unit) in [(polygons, "area", "m²"), (lines, "length", "m")] {
        if !wanted {
            continue;
        }
        let measured = if name == "area" { Measure::area(&geometry) } else { Measure::length(&geometry) }?;
        if measured.value > 0.0 || !(polygons && lines) {
            measure(json.key(name), &measured, unit);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use citymap_engine::SnapshotBuilder;
    use citymap_model::{Feature, Field, FieldType, Geometry, GeometryKind, Layer, Role, Title, Value};
    use geo::{GeometryCollection, MultiPoint, line_string, point, polygon};

    use super::*;

    fn layer(shapes: &[Option<Geometry>]) -> LayerSnapshot {
        let id = "things".parse().unwrap();
        let mut layer = Layer::new(id, Title::same("Things"), Role::Other, GeometryKind::Mixed);
        layer.fields = vec![Field::new("tên \"a\"", FieldType::Text), Field::new("chủ", FieldType::Text)];
        layer.fields[1].personal = true;
        let mut builder = SnapshotBuilder::new(layer);
        for (index, geometry) in shapes.iter().enumerate() {
            let values = vec![Value::Text("đất\n".into()), Value::Text("Nguyễn Văn A".into())];
            builder.push(&Feature { fid: index as i64 + 1, geometry: geometry.clone(), values }).unwrap();
        }
        builder.finish(1)
    }

    fn written(snapshot: &LayerSnapshot, row: Row, crs: &NamedCrs) -> serde_json::Value {
        let mut out = Vec::new();
        FeatureWriter::new(snapshot, crs)
            .unwrap()
            .feature(&mut JsonWriter::new(&mut out), row, |_| Ok(()))
            .unwrap();
        serde_json::from_slice(&out).unwrap()
    }

    #[test]
    fn every_kind_of_geometry_reads_back_bit_for_bit() {
        let third = 1.0 / 3.0;
        let square = polygon!(exterior: [(x: 0., y: 0.), (x: 9.1, y: 0.), (x: 9.1, y: 9.), (x: 0., y: 0.)],
                              interiors: [[(x: 5., y: 2.), (x: 6., y: 2.), (x: 6., y: third),
                                  (x: 5., y: 2.)]]);
        let line = line_string![(x: 106.123_456_789_012_35, y: 2e-9), (x: -third, y: 4.)];
        let shapes: Vec<Option<Geometry>> = vec![
            Some(point!(x: third, y: -0.1).into()),
            Some(line.clone().into()),
            Some(square.clone().into()),
            Some(MultiPoint::new(vec![point!(x: 1., y: 1.5), point!(x: 2., y: 2.)]).into()),
            Some(geo::MultiLineString::new(vec![line.clone(), line.clone()]).into()),
            Some(geo::MultiPolygon::new(vec![square.clone(), square.clone()]).into()),
            Some(Geometry::GeometryCollection(GeometryCollection::new_from(vec![
                point!(x: 1., y: 1.).into(),
                line.into(),
                square.into(),
            ]))),
            Some(geo::MultiPolygon::<f64>::new(vec![]).into()),
            None,
        ];
        let snapshot = layer(&shapes);
        for (row, shape) in shapes.iter().enumerate() {
            let feature = written(&snapshot, row as Row, &NamedCrs::crs84());
            let geometry = match &feature["geometry"] {
                serde_json::Value::Null => None,
                value => {
                    let read: geojson::Geometry = serde_json::from_value(value.clone()).unwrap();
                    Some(Geometry::try_from(read).unwrap())
                }
            };
            assert_eq!(&geometry, shape);
        }
    }

    #[test]
    fn names_and_texts_are_escaped_and_personal_fields_absent() {
        let feature = written(&layer(&[None]), 0, &NamedCrs::crs84());
        assert_eq!(feature["properties"], serde_json::json!({"tên \"a\"": "đất\n"}));
        assert_eq!(feature["id"], 1);
    }

    #[test]
    fn latitude_comes_first_where_the_authority_says_so() {
        let snapshot = layer(&[Some(point!(x: 106.698, y: 10.7725).into())]);
        let at = |crs: &str| {
            let feature = written(&snapshot, 0, &NamedCrs::find(crs).unwrap().unwrap());
            let pair = feature["geometry"]["coordinates"].clone();
            [pair[0].as_f64().unwrap(), pair[1].as_f64().unwrap()]
        };
        assert_eq!(at("EPSG:4326"), [10.7725, 106.698]);
        assert_eq!(at("CRS84"), [106.698, 10.7725]);
        let [east, north] = at("EPSG:9210");
        assert!((east - 603_481.588).abs() < 1e-3 && (north - 1_191_454.611).abs() < 1e-3);
    }
}
