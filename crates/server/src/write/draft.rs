//! A feature as it comes in an edit, checked against its layer.

use chrono::{DateTime, Datelike, SubsecRound};
use citymap_access::{Audience, visible};
use citymap_crs::NamedCrs;
use citymap_model::{
    Feature, Field, FieldType, Geometry, Layer, NewFeature, Value, YEARS, codes, nearest, parse_date,
    parse_datetime,
};
use serde_json::{Map, Value as Json};

use super::{
    fault::{Fault, step},
    geometry,
};

/// What holds for all features of one request.
pub(crate) struct Given<'a> {
    /// The system of the coordinates.
    pub(crate) crs: &'a NamedCrs,
    /// Positions of one geometry at most.
    pub(crate) vertices_max: usize,
}

/// What an edit says of a feature.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Draft {
    /// `None`: as it is.
    geometry: Option<Option<Geometry>>,
    /// One for each field; `None`: as it is, null in a new feature.
    values: Vec<Option<Value>>,
    /// Faults that are none where the value of the field is the one that the feature has already.
    unless_same: Vec<(usize, Fault)>,
}

impl Draft {
    /// Reads a whole feature at `pointer`: public fields that it leaves out become null, personal ones stay as they are.
    pub(crate) fn whole(
        json: &Json,
        layer: &Layer,
        given: &Given<'_>,
        id: Option<&str>,
        pointer: &str,
    ) -> Result<Self, Vec<Fault>> {
        let mut reader = Reader { layer, given, pointer, faults: Vec::new(), unless_same: Vec::new() };
        let Some(members) = reader.members(json, id) else { return Err(reader.faults) };
        if members.get("type").is_none() {
            reader.fault("/type", "it is missing; write \"Feature\"");
        }
        let geometry = match members.get("geometry") {
            Some(value) => reader.geometry(value),
            None => {
                reader.fault("/geometry", "it is missing; write null where there is none");
                None
            }
        };
        let seen = visible(layer, &Audience::Public);
        let mut values: Vec<Option<Value>> =
            (0..layer.fields.len()).map(|index| seen.contains(index).then_some(Value::Null)).collect();
        match members.get("properties") {
            Some(Json::Object(properties)) => reader.properties(properties, &mut values),
            Some(Json::Null) => {}
            Some(_) => reader.fault("/properties", "they are no object"),
            None => reader.fault("/properties", "they are missing; write {} where there are none"),
        }
        reader.finish(geometry, values)
    }

    /// Reads a JSON merge patch (RFC 7396) of a feature: what it leaves out stays as it is, null takes a value away. A
    /// geometry is given as a whole.
    pub(crate) fn patch(
        json: &Json,
        layer: &Layer,
        given: &Given<'_>,
        id: Option<&str>,
        pointer: &str,
    ) -> Result<Self, Vec<Fault>> {
        let mut reader = Reader { layer, given, pointer, faults: Vec::new(), unless_same: Vec::new() };
        let Some(members) = reader.members(json, id) else { return Err(reader.faults) };
        for name in members.keys() {
            if !["type", "id", "geometry", "properties", "bbox", "links"].contains(&name.as_str()) {
                let at = format!("/{}", step(name));
                reader.fault(&at, "it is no member of a feature; fields stand in `properties`");
            }
        }
        let geometry = members.get("geometry").and_then(|value| reader.geometry(value));
        let mut values = vec![None; layer.fields.len()];
        match members.get("properties") {
            Some(Json::Object(properties)) => reader.properties(properties, &mut values),
            Some(_) => {
                reader.fault("/properties", "they are no object; to take values away, set each to null")
            }
            None => {}
        }
        reader.finish(geometry, values)
    }

    /// The feature that comes of it; `present` is the one that is there.
    pub(crate) fn into_feature(self, present: Option<&Feature>) -> Result<NewFeature, Vec<Fault>> {
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
        let kept = |field: usize| present.and_then(|present| present.values.get(field).cloned());
        let values = values
            .into_iter()
            .enumerate()
            .map(|(field, value)| value.or_else(|| kept(field)).unwrap_or_default())
            .collect();
        let geometry = geometry.unwrap_or_else(|| present.and_then(|present| present.geometry.clone()));
        Ok(NewFeature { geometry, values })
    }
}

struct Reader<'a> {
    layer: &'a Layer,
    given: &'a Given<'a>,
    pointer: &'a str,
    faults: Vec<Fault>,
    unless_same: Vec<(usize, Fault)>,
}

impl Reader<'_> {
    fn fault(&mut self, at: &str, reason: impl Into<String>) {
        self.faults.push(Fault::new(format!("{}{at}", self.pointer), reason));
    }

    fn members<'j>(&mut self, json: &'j Json, id: Option<&str>) -> Option<&'j Map<String, Json>> {
        let Some(members) = json.as_object() else {
            self.fault(
                "",
                "it is no GeoJSON feature; write {\"type\":\"Feature\",\"geometry\":…,\"properties\":{…}}",
            );
            return None;
        };
        if members.get("type").is_some_and(|kind| kind != "Feature") {
            self.fault("/type", "it must be \"Feature\"");
        }
        if let (Some(wanted), Some(own)) = (id, members.get("id")) {
            let own = own.as_str().map_or_else(|| own.to_string(), str::to_owned);
            if own != wanted {
                self.fault(
                    "/id",
                    "it is not the feature of the address; leave it out, or ask the other address",
                );
            }
        }
        Some(members)
    }

    #[expect(
        clippy::option_option,
        reason = "outside: whether there is a good one; inside: whether it is null"
    )]
    fn geometry(&mut self, value: &Json) -> Option<Option<Geometry>> {
        let at = format!("{}/geometry", self.pointer);
        match geometry::read(value, &at, self.layer.geometry, self.given.crs, self.given.vertices_max) {
            Ok(geometry) => Some(geometry),
            Err(faults) => {
                self.faults.extend(faults);
                None
            }
        }
    }

    fn properties(&mut self, properties: &Map<String, Json>, values: &mut [Option<Value>]) {
        for (name, json) in properties {
            let at = format!("/properties/{}", step(name));
            let Some(index) = self.layer.field_index(name) else {
                let fields = visible(self.layer, &Audience::Public).names();
                let near = nearest(name, &fields, 5).join(", ");
                self.fault(&at, format!("the layer has no such field; the nearest are: {near}"));
                continue;
            };
            let field = &self.layer.fields[index];
            match value(json, field) {
                Ok(value) => {
                    if let Some(reason) = not_listed(&value, field) {
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

/// A value of the field's type, or why it is none. The value itself is not repeated: it may be personal.
fn value(json: &Json, field: &Field) -> Result<Value, String> {
    let wrong =
        |form: &str| Err(format!("the field's type is {}; write {form}, or null", field.field_type.as_str()));
    Ok(match (field.field_type, json) {
        (_, Json::Null) => Value::Null,
        (FieldType::Bool, Json::Bool(own)) => Value::Bool(*own),
        (FieldType::Bool, _) => return wrong("true or false"),
        (FieldType::Int, json) => match json.as_i64().or_else(|| whole(json.as_f64()?)) {
            Some(own) => Value::Int(own),
            None => return wrong("a whole number of 64 bits"),
        },
        (FieldType::Real, json) => match json.as_f64().filter(|own| own.is_finite()) {
            Some(own) => Value::Real(own),
            None => return wrong("a number"),
        },
        (FieldType::Text, Json::String(own)) if own.contains('\0') => {
            return Err("a text cannot hold the character U+0000; leave it out".to_owned());
        }
        (FieldType::Text, Json::String(own)) => Value::Text(own.clone()),
        (FieldType::Text, _) => return wrong("a text"),
        (FieldType::Date, json) => {
            match json.as_str().and_then(parse_date).filter(|day| YEARS.contains(&day.year())) {
                Some(own) => Value::Date(own),
                None => return wrong("a day as 2026-07-01"),
            }
        }
        (FieldType::DateTime, json) => match json.as_str().and_then(instant) {
            Some(own) => own,
            None => return wrong("an instant with its offset as 2026-07-01T09:30:00+07:00"),
        },
    })
}

/// The whole number that a number with a point is (`5.0`), if it is one and nothing was lost.
fn whole(number: f64) -> Option<i64> {
    (number.fract() == 0.0 && number.abs() <= 9_007_199_254_740_992.0).then_some(number as i64)
}

/// An instant, to the millisecond: what is finer is cut off, as the record has it.
fn instant(text: &str) -> Option<Value> {
    // Without an offset nobody knows which hour is meant.
    DateTime::parse_from_rfc3339(text).ok()?;
    let instant = parse_datetime(text)?;
    YEARS.contains(&instant.year()).then(|| Value::DateTime(instant.trunc_subsecs(3)))
}

/// Why a code cannot be given: the field has a code list, and it is not there.
fn not_listed(value: &Value, field: &Field) -> Option<String> {
    let list = field.code_list.as_deref().and_then(codes::builtin)?;
    let code = value.to_key()?;
    if list.get(&code).is_some() {
        return None;
    }
    let all: Vec<&str> = list.entries.iter().map(|entry| entry.code.as_str()).collect();
    Some(format!(
        "the code is not in the list `{}` of the field; the nearest are: {}",
        list.id,
        nearest(&code.chars().take(40).collect::<String>(), &all, 5).join(", ")
    ))
}

#[cfg(test)]
mod tests {
    use citymap_model::{GeometryKind, Role, Title};
    use serde_json::json;

    use super::*;

    fn layer() -> Layer {
        let id = "things".parse().unwrap();
        let mut layer = Layer::new(id, Title::same("Things"), Role::Other, GeometryKind::Polygon);
        let mut owner = Field::new("owner", FieldType::Text);
        owner.personal = true;
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
        Draft::whole(&json, &layer(), &Given { crs: &crs, vertices_max: 100 }, None, "")
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
    fn every_fault_is_told_with_its_place() {
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
    fn positions_at_fault_are_told_one_by_one() {
        let ring = json!([[106.0, 10.0], [406.0, 10.0], [106.1, "x"], [106.0, 10.0, 5.0], [106.0, 10.0]]);
        let faults =
            whole(feature(json!({}), json!({"type": "Polygon", "coordinates": [ring]}))).unwrap_err();
        let found: Vec<&str> = faults.iter().map(|fault| fault.pointer.as_str()).collect();
        assert_eq!(
            found,
            ["/geometry/coordinates/0/1", "/geometry/coordinates/0/2", "/geometry/coordinates/0/3"]
        );
        assert_eq!(faults[0].place, Some([406.0, 10.0]));
        let bow = json!([[[0, 0], [2, 2], [2, 0], [0, 2], [0, 0]]]);
        let faults = whole(feature(json!({}), json!({"type": "Polygon", "coordinates": bow}))).unwrap_err();
        assert_eq!((faults[0].pointer.as_str(), faults[0].place), ("/geometry", Some([1.0, 1.0])));
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
        let given = Given { crs: &crs, vertices_max: 100 };
        let patch = |json: Json| Draft::patch(&json, &layer(), &given, Some("7"), "");
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
