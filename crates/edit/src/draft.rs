//! A feature as it comes in an edit, read and checked against its layer.

use citymap_access::{Audience, visible};
use citymap_crs::NamedCrs;
use citymap_model::{Feature, Geometry, Layer, NewFeature, Value, nearest, normalize_text};
use serde_json::{Map, Value as Json};

use crate::{Fault, fault::pointer_step, geometry, read_value, value::outside_domain};

/// What holds for all features of one request.
#[derive(Clone, Copy, Debug)]
pub struct ReadOptions<'a> {
    /// The coordinate system of the geometry, with its axis order.
    pub crs: &'a NamedCrs,
    /// Maximum number of positions in one geometry.
    pub vertices_max: usize,
}

/// What an edit says of a feature, as far as that can be checked without the record.
#[allow(clippy::option_option, reason = "absent, null and a value are three things")]
#[derive(Clone, Debug, PartialEq)]
pub struct Draft {
    /// `None` leaves the geometry as it is; `Some(None)` removes it.
    geometry: Option<Option<Geometry>>,
    /// One for each field of the layer. `None` leaves the value as it is; in a new feature it is null.
    values: Vec<Option<Value>>,
    /// Faults by the position of their field, which do not count if the feature has the same value already.
    unless_same: Vec<(usize, Fault)>,
}

impl Draft {
    /// Reads a whole feature that is at `pointer` in the request's body. Public fields that it leaves out
    /// become null, hidden ones stay as they are. `id` is the id of the feature to replace; `None` for a new
    /// one.
    ///
    /// # Errors
    /// All faults of the feature.
    pub fn whole(
        json: &Json,
        layer: &Layer,
        options: &ReadOptions<'_>,
        id: Option<&str>,
        pointer: &str,
    ) -> Result<Self, Vec<Fault>> {
        let mut reader = Reader::new(layer, options, pointer);
        let Some(members) = reader.members(json, id) else { return Err(reader.faults) };
        if members.get("type").is_none() {
            reader.fault("/type", "it is missing; write \"Feature\"");
        }
        let geometry = match members.get("geometry") {
            Some(value) => reader.geometry(value),
            None => {
                reader.fault("/geometry", "it is missing; write null for a feature without geometry");
                None
            }
        };
        let fields = visible(layer, &Audience::Public);
        let mut values: Vec<Option<Value>> =
            (0..layer.fields.len()).map(|index| fields.contains(index).then_some(Value::Null)).collect();
        match members.get("properties") {
            Some(Json::Object(properties)) => reader.properties(properties, &mut values),
            Some(Json::Null) => {}
            Some(_) => reader.fault("/properties", "it is not an object"),
            None => reader.fault("/properties", "it is missing; write {} for a feature without properties"),
        }
        reader.finish(geometry, values)
    }

    /// Reads a JSON merge patch (RFC 7396) of a feature: what it leaves out stays as it is, null removes a
    /// value. A geometry is given as a whole.
    ///
    /// # Errors
    /// All faults of the patch.
    pub fn patch(
        json: &Json,
        layer: &Layer,
        options: &ReadOptions<'_>,
        id: Option<&str>,
        pointer: &str,
    ) -> Result<Self, Vec<Fault>> {
        let mut reader = Reader::new(layer, options, pointer);
        let Some(members) = reader.members(json, id) else { return Err(reader.faults) };
        for name in members.keys() {
            if !["type", "id", "geometry", "properties", "bbox", "links"].contains(&name.as_str()) {
                let at = format!("/{}", pointer_step(name));
                reader.fault(&at, "it is not a member of a feature; fields belong into `properties`");
            }
        }
        let geometry = members.get("geometry").and_then(|value| reader.geometry(value));
        let mut values = vec![None; layer.fields.len()];
        match members.get("properties") {
            Some(Json::Object(properties)) => reader.properties(properties, &mut values),
            Some(_) => {
                reader
                    .fault("/properties", "it is not an object; to remove values, set each of them to null");
            }
            None => {}
        }
        reader.finish(geometry, values)
    }

    /// The feature that results, where `present` is the one in the record.
    ///
    /// # Errors
    /// Faults that count because `present` has another value, for example a code that is no longer listed.
    pub fn into_feature(self, present: Option<&Feature>) -> Result<NewFeature, Vec<Fault>> {
        let Self { geometry, values, unless_same } = self;
        let faults: Vec<Fault> = unless_same
            .into_iter()
            .filter(|(field, _)| {
                let same = |present: &Feature| present.values.get(*field) == values[*field].as_ref();
                !present.is_some_and(same)
            })
            .map(|(_, fault)| fault)
            .collect();
        if !faults.is_empty() {
            return Err(faults);
        }
        let present_value = |field: usize| present.and_then(|present| present.values.get(field).cloned());
        let values = values
            .into_iter()
            .enumerate()
            .map(|(field, value)| value.or_else(|| present_value(field)).unwrap_or_default())
            .collect();
        let geometry = geometry.unwrap_or_else(|| present.and_then(|present| present.geometry.clone()));
        Ok(NewFeature { geometry, values })
    }
}

/// Collects the faults of one feature.
struct Reader<'a> {
    layer: &'a Layer,
    options: &'a ReadOptions<'a>,
    pointer: &'a str,
    faults: Vec<Fault>,
    unless_same: Vec<(usize, Fault)>,
}

impl<'a> Reader<'a> {
    fn new(layer: &'a Layer, options: &'a ReadOptions<'a>, pointer: &'a str) -> Self {
        Self { layer, options, pointer, faults: Vec::new(), unless_same: Vec::new() }
    }

    fn fault(&mut self, at: &str, reason: impl Into<String>) {
        self.faults.push(Fault::new(format!("{}{at}", self.pointer), reason));
    }

    fn members<'j>(&mut self, json: &'j Json, id: Option<&str>) -> Option<&'j Map<String, Json>> {
        let Some(members) = json.as_object() else {
            self.fault(
                "",
                "it is not a GeoJSON feature; write {\"type\":\"Feature\",\"geometry\":…,\"properties\":{…}}",
            );
            return None;
        };
        if members.get("type").is_some_and(|kind| kind != "Feature") {
            self.fault("/type", "it must be \"Feature\"");
        }
        if let (Some(expected), Some(found)) = (id, members.get("id")) {
            let found = found.as_str().map_or_else(|| found.to_string(), str::to_owned);
            if normalize_text(found) != normalize_text(expected.to_owned()) {
                self.fault(
                    "/id",
                    "it is not the id in the address of the request; leave it out, or use the address of the \
                     other feature",
                );
            }
        }
        Some(members)
    }

    #[expect(clippy::option_option, reason = "outer: whether it could be read; inner: whether it is null")]
    fn geometry(&mut self, value: &Json) -> Option<Option<Geometry>> {
        let at = format!("{}/geometry", self.pointer);
        match geometry::read(value, &at, self.layer.geometry, self.options) {
            Ok(geometry) => Some(geometry),
            Err(faults) => {
                self.faults.extend(faults);
                None
            }
        }
    }

    fn properties(&mut self, properties: &Map<String, Json>, values: &mut [Option<Value>]) {
        for (name, json) in properties {
            let at = format!("/properties/{}", pointer_step(name));
            let index = self.layer.field_index(name);
            let Some(index) = index.or_else(|| self.layer.field_index(&normalize_text(name.clone()))) else {
                let fields = visible(self.layer, &Audience::Public).names();
                let nearest = nearest(name, &fields, 5).join(", ");
                self.fault(&at, format!("the layer has no such field; the nearest are: {nearest}"));
                continue;
            };
            let field = &self.layer.fields[index];
            match read_value(json, field) {
                Ok(value) => {
                    if let Some(reason) = outside_domain(&value, field) {
                        self.unless_same.push((index, Fault::new(format!("{}{at}", self.pointer), reason)));
                    }
                    values[index] = Some(value);
                }
                Err(reason) => self.fault(&at, reason),
            }
        }
    }

    #[expect(clippy::option_option, reason = "as in Draft")]
    fn finish(
        self,
        geometry: Option<Option<Geometry>>,
        values: Vec<Option<Value>>,
    ) -> Result<Draft, Vec<Fault>> {
        if self.faults.is_empty() {
            Ok(Draft { geometry, values, unless_same: self.unless_same })
        } else {
            Err(self.faults)
        }
    }
}

#[cfg(test)]
mod tests {
    use citymap_access::set_personal;
    use citymap_model::{Field, FieldType, GeometryKind, Role, Title};
    use serde_json::json;

    use super::*;

    fn layer() -> Layer {
        let id = "things".parse().unwrap();
        let mut layer = Layer::new(id, Title::same("Things"), Role::Other, GeometryKind::Polygon);
        let mut owner = Field::new("owner", FieldType::Text);
        set_personal(&mut owner, true);
        layer.fields = vec![
            Field::new("n", FieldType::Int),
            Field::new("area", FieldType::Real),
            Field::new("name", FieldType::Text),
            Field::new("day", FieldType::Date),
            Field::new("at", FieldType::DateTime),
            Field::new("use", FieldType::Text).coded("land_use"),
            owner,
        ];
        layer
    }

    fn whole(json: Json) -> Result<Draft, Vec<Fault>> {
        let crs = NamedCrs::crs84();
        Draft::whole(&json, &layer(), &ReadOptions { crs: &crs, vertices_max: 100 }, None, "")
    }

    fn feature(properties: Json, geometry: Json) -> Json {
        json!({"type": "Feature", "properties": properties, "geometry": geometry})
    }

    fn pointers(outcome: Result<Draft, Vec<Fault>>) -> Vec<String> {
        outcome.unwrap_err().into_iter().map(|fault| fault.pointer).collect()
    }

    #[test]
    fn values_of_every_type_are_read() {
        let given = json!({"n": 5.0, "area": 3, "name": "đất", "day": "2026-07-01",
                           "at": "2026-07-01T09:30:00.1239+07:00", "use": "ODT"});
        let made = whole(feature(given, Json::Null)).unwrap().into_feature(None).unwrap();
        assert_eq!(made.values[0], Value::Int(5));
        assert_eq!(made.values[1], Value::Real(3.0));
        assert_eq!(made.values[4].to_key().unwrap(), "2026-07-01T02:30:00.123Z");
        assert_eq!(made.values[6], Value::Null);
        assert_eq!(made.geometry, None);
    }

    #[test]
    fn every_fault_is_reported_with_its_place() {
        let given = json!({"n": 1.5, "area": "3", "name": 7, "day": "2026-02-30", "at": "2026-07-01T09:30:00",
                           "no~such/field": 1, "owner": 5});
        let mut found = pointers(whole(feature(given, json!({"type": "Point", "coordinates": [106, 10]}))));
        found.sort();
        assert_eq!(
            found,
            [
                "/geometry",
                "/properties/area",
                "/properties/at",
                "/properties/day",
                "/properties/n",
                "/properties/name",
                "/properties/no~0such~1field",
                "/properties/owner",
            ]
        );
        assert_eq!(pointers(whole(json!([]))), [""]);
        assert_eq!(pointers(whole(json!({}))), ["/type", "/geometry", "/properties"]);
    }

    #[test]
    fn faulty_positions_are_reported_one_by_one() {
        let ring = json!([[106.0, 10.0], [406.0, 10.0], [106.1, "x"], [106.0, 10.0, 5.0], [106.0, 10.0]]);
        let faults =
            whole(feature(json!({}), json!({"type": "Polygon", "coordinates": [ring]}))).unwrap_err();
        let found: Vec<&str> = faults.iter().map(|fault| fault.pointer.as_str()).collect();
        assert_eq!(
            found,
            ["/geometry/coordinates/0/1", "/geometry/coordinates/0/2", "/geometry/coordinates/0/3"]
        );
        assert_eq!(faults[0].location, Some([406.0, 10.0]));
        let bow = json!([[[0, 0], [2, 2], [2, 0], [0, 2], [0, 0]]]);
        let faults = whole(feature(json!({}), json!({"type": "Polygon", "coordinates": bow}))).unwrap_err();
        assert_eq!((faults[0].pointer.as_str(), faults[0].location), ("/geometry", Some([1.0, 1.0])));
        let long: Vec<[f64; 2]> = (0..200).map(|n| [f64::from(n) / 10.0, 0.0]).collect();
        let faults =
            whole(feature(json!({}), json!({"type": "LineString", "coordinates": long}))).unwrap_err();
        assert_eq!(faults.len(), 1);
        assert!(faults[0].reason.contains("more than 100"), "{faults:?}");
    }

    #[test]
    fn a_code_must_be_listed_unless_it_is_there_already() {
        let draft = whole(feature(json!({"use": "XXX"}), Json::Null)).unwrap();
        assert_eq!(draft.clone().into_feature(None).unwrap_err()[0].pointer, "/properties/use");
        let mut values = vec![Value::Null; 7];
        values[5] = Value::Text("XXX".into());
        values[6] = Value::Text("Bí Mật".into());
        let present = Feature { fid: 1, geometry: None, values };
        let made = draft.into_feature(Some(&present)).unwrap();
        assert_eq!(made.values[5], Value::Text("XXX".into()));
        assert_eq!(made.values[6], Value::Text("Bí Mật".into()), "a personal value that is left out stays");
    }

    #[test]
    fn a_patch_changes_what_it_names() {
        let crs = NamedCrs::crs84();
        let options = ReadOptions { crs: &crs, vertices_max: 100 };
        let patch = |json: Json| Draft::patch(&json, &layer(), &options, Some("7"), "");
        let point = geo::Point::new(1.0, 2.0);
        let values = [
            Value::Int(1),
            Value::Real(2.0),
            Value::Null,
            Value::Null,
            Value::Null,
            Value::Null,
            Value::Null,
        ];
        let present = Feature { fid: 7, geometry: Some(point.into()), values: values.to_vec() };
        let made = patch(json!({"properties": {"n": null, "name": "x"}}))
            .unwrap()
            .into_feature(Some(&present))
            .unwrap();
        assert_eq!((made.values[0].clone(), made.values[1].clone()), (Value::Null, Value::Real(2.0)));
        assert_eq!(made.geometry, present.geometry);
        assert!(
            patch(json!({"geometry": null}))
                .unwrap()
                .into_feature(Some(&present))
                .unwrap()
                .geometry
                .is_none()
        );
        assert_eq!(pointers(patch(json!({"name": "x", "id": 8}))), ["/id", "/name"]);
    }
}
