//! Expressions of the style specification, as the drawing code writes them.

use citymap_model::{Layer, Meaning};
use serde_json::{Value, json};

use super::{
    classify::{meant, public},
    codes::CodeLook,
};

/// The value of a field as a text, so that codes that were read as numbers match too; empty for null.
pub(crate) fn text(field: &str) -> Value {
    json!(["to-string", ["get", field]])
}

/// The value of a field as a number, or `otherwise` where there is none.
pub(crate) fn number(field: &str, otherwise: impl Into<Value>) -> Value {
    let otherwise: Value = otherwise.into();
    json!(["to-number", ["coalesce", ["get", field], otherwise], otherwise])
}

/// A value that runs straight from stop to stop, each a zoom and its value.
pub(crate) fn linear<const N: usize>(stops: [(f64, f64); N]) -> Value {
    let mut expression = vec![json!("interpolate"), json!(["linear"]), json!(["zoom"])];
    for (zoom, value) in stops {
        expression.extend([json!(zoom), json!(value)]);
    }
    expression.into()
}

/// A value that grows with the scale of the map, as lengths on the ground do, from stop to stop.
pub(crate) fn scaled<const N: usize>(stops: [(f64, Value); N]) -> Value {
    let mut expression = vec![json!("interpolate"), json!(["exponential", 2]), json!(["zoom"])];
    for (zoom, value) in stops {
        expression.extend([json!(zoom), value]);
    }
    expression.into()
}

/// A value by the rank of a road, 0 to 4.
pub(crate) fn by_rank<T: Into<Value>>(rank: &Value, values: [T; 5]) -> Value {
    let [a, b, c, d, e] = values.map(Into::into);
    if rank.is_number() {
        return [a, b, c, d, e].into_iter().nth(rank.as_u64().unwrap_or(4) as usize).unwrap_or_default();
    }
    json!(["match", rank, 0, a, 1, b, 2, c, 3, d, e])
}

/// The colour by code; `otherwise` is that of codes that are not known.
pub(crate) fn code_color(field: &str, looks: &[CodeLook<'_>], otherwise: impl Into<Value>) -> Value {
    let otherwise = otherwise.into();
    if looks.is_empty() {
        return otherwise;
    }
    let mut expression = vec![json!("match"), text(field)];
    for look in looks {
        expression.extend([json!(look.code.code), look.color.into()]);
    }
    expression.push(otherwise);
    expression.into()
}

/// A filter for the features of one kind of geometry: `Polygon`, `LineString` or `Point`.
pub(crate) fn is(geometry: &str) -> Value {
    json!(["==", ["geometry-type"], geometry])
}

/// A filter for single points, not the clusters that represent several.
pub(crate) fn is_single_point() -> Value {
    json!(["all", is("Point"), ["!", ["has", "point_count"]]])
}

/// A filter for points that represent several.
pub(crate) fn is_cluster() -> Value {
    json!(["has", "point_count"])
}

/// The name of a feature in a language; `None` for a layer without a public label.
///
/// In English the field that means an English name comes first. Where the label is one of several names and a
/// feature lacks it, another name is taken: in OpenStreetMap's data few features have `name:vi`.
pub(crate) fn name(layer: &Layer, lang: &str) -> Option<Value> {
    let fields = public(layer);
    let label = fields.named(layer.label.as_deref())?;
    let mut choices = Vec::new();
    if lang == "en" {
        choices.extend(meant(layer, Meaning::NameEn));
    }
    choices.push(label);
    let names = fields.iter().filter(|(_, field)| field.meaning == Some(Meaning::Name));
    let mut names = names.map(|(_, field)| field.name.as_str());
    if names.clone().any(|name| name == label) {
        choices.extend(names.find(|name| *name != label));
    }
    choices.dedup();
    let get = |name: &&str| json!(["get", name]);
    Some(match &choices[..] {
        [only] => json!(["to-string", get(only)]),
        several => {
            let mut coalesce = vec![json!("coalesce")];
            coalesce.extend(several.iter().map(get));
            json!(["to-string", coalesce])
        }
    })
}

/// The name of an administrative unit without its kind: `Bến Thành` for `Phường Bến Thành`. A unit that is
/// named by a number keeps it.
pub(crate) fn bare_unit_name(name: &Value) -> Value {
    let mut expression = vec![json!("case")];
    for kind in ["Phường ", "Xã ", "Thị trấn ", "Đặc khu "] {
        let length = kind.chars().count();
        let rest = json!(["slice", name, length]);
        let is_kind = json!(["==", ["slice", name, 0, length], kind]);
        expression.push(json!(["all", is_kind, ["==", ["to-number", rest, -1], -1]]));
        expression.push(rest);
    }
    expression.push(name.clone());
    expression.into()
}

#[cfg(test)]
mod tests {
    use citymap_model::{Field, FieldType, GeometryKind, Role, Title};

    use super::*;

    fn communes() -> Layer {
        let id = "communes".parse().unwrap();
        let mut layer = Layer::new(id, Title::same("Communes"), Role::AdminUnit, GeometryKind::Polygon);
        layer.fields = vec![
            Field::new("ten", FieldType::Text).means(Meaning::Name),
            Field::new("name", FieldType::Text).means(Meaning::Name),
            Field::new("ten_en", FieldType::Text).means(Meaning::NameEn),
        ];
        layer.label = Some("ten".into());
        layer
    }

    #[test]
    fn names_are_those_of_the_language() {
        let mut layer = communes();
        assert_eq!(
            name(&layer, "vi"),
            Some(json!(["to-string", ["coalesce", ["get", "ten"], ["get", "name"]]]))
        );
        let english = json!(["coalesce", ["get", "ten_en"], ["get", "ten"], ["get", "name"]]);
        assert_eq!(name(&layer, "en"), Some(json!(["to-string", english])));
        layer.fields[1].personal = true;
        assert_eq!(name(&layer, "vi"), Some(json!(["to-string", ["get", "ten"]])));
        layer.fields[0].personal = true;
        assert_eq!(name(&layer, "vi"), None, "a hidden label labels nothing");
    }

    #[test]
    fn a_constant_rank_needs_no_expression() {
        assert_eq!(by_rank(&json!(3), [1, 2, 3, 4, 5]), json!(4));
        assert_eq!(by_rank(&json!(["get", "r"]), [1, 2, 3, 4, 5])[0], "match");
    }
}
