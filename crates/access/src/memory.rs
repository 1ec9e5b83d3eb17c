//! Which fields of a layer were personal, also those that it has no more: left out by an import, or renamed.
//! Such a name stays with the layer, so that the field is personal again when it comes back.

use citymap_model::{Field, Layer};

/// Whether a field called `name` is personal in `layer`, or was when the layer last had it. Names that differ
/// in case only are the same.
pub fn was_personal(layer: &Layer, name: &str) -> bool {
    let name = name.to_lowercase();
    let now = layer.fields.iter().filter(|field| field.personal).map(|field| &field.name);
    now.chain(&layer.personal_names).any(|own| own.to_lowercase() == name)
}

/// Remembers in the definition `now` what was personal in `before` and is no field of it, and the names in
/// `gone`.
pub fn remember(now: &mut Layer, before: Option<&Layer>, gone: &[String]) {
    let hidden = |field: &&Field| field.personal;
    let before: Vec<&String> = before
        .into_iter()
        .flat_map(|layer| {
            layer.personal_names.iter().chain(layer.fields.iter().filter(hidden).map(|field| &field.name))
        })
        .collect();
    for name in before.into_iter().chain(gone) {
        let lower = name.to_lowercase();
        let is_known = now.personal_names.iter().any(|own| own.to_lowercase() == lower);
        let is_field = now.fields.iter().any(|field| field.name.to_lowercase() == lower);
        if !is_known && !is_field {
            now.personal_names.push(name.clone());
        }
    }
    let Layer { fields, personal_names, .. } = now;
    personal_names.retain(|name| fields.iter().all(|field| field.name.to_lowercase() != name.to_lowercase()));
}

/// Forgets that a field called `name` was personal: it was declared public.
pub fn forget(layer: &mut Layer, name: &str) {
    layer.personal_names.retain(|own| own.to_lowercase() != name.to_lowercase());
}

#[cfg(test)]
mod tests {
    use citymap_model::{FieldType, GeometryKind, Role, Title};

    use super::*;

    fn layer(fields: &[&str]) -> Layer {
        let id = "people".parse().unwrap();
        let mut layer = Layer::new(id, Title::same("People"), Role::Other, GeometryKind::None);
        layer.fields = fields.iter().map(|name| Field::new(*name, FieldType::Text)).collect();
        layer
    }

    #[test]
    fn a_personal_field_that_went_is_personal_when_it_comes_back() {
        let mut first = layer(&["ma", "chu"]);
        first.fields[1].personal = true;
        let mut second = layer(&["ma"]);
        remember(&mut second, Some(&first), &["sdt".to_owned()]);
        assert_eq!(second.personal_names, ["chu", "sdt"]);
        let mut third = layer(&["ma"]);
        remember(&mut third, Some(&second), &[]);
        assert!(was_personal(&third, "CHU") && was_personal(&third, "sdt") && !was_personal(&third, "ma"));
        forget(&mut third, "Chu");
        assert_eq!(third.personal_names, ["sdt"]);
        // The field itself says it from then on.
        let mut fourth = layer(&["ma", "sdt"]);
        remember(&mut fourth, Some(&third), &[]);
        assert!(fourth.personal_names.is_empty());
    }
}
