//! Former states of a layer. What is hidden now is hidden in the past as well: a field that was declared
//! personal today must not be readable as of yesterday.

use citymap_model::Layer;

use crate::{Audience, visible};

/// Hides in the former definition `then` whatever is personal in the definition of today. Fields are the same
/// ones by their names.
pub fn conceal(then: &mut Layer, now: &Layer) {
    for field in &mut then.fields {
        field.personal |= now.fields.iter().any(|own| own.name == field.name && own.personal)
            || now.personal_names.contains(&field.name);
    }
}

/// The position of a former layer's key field, unless it is hidden from `audience` in the former definition
/// or in the one of today (`None` where the layer is gone).
pub fn lasting_key(then: &Layer, now: Option<&Layer>, audience: &Audience) -> Option<usize> {
    let key = visible(then, audience).key_index()?;
    let name = &then.fields[key].name;
    let hidden = now.is_some_and(|now| visible(now, audience).hidden().any(|(_, field)| field.name == *name));
    (!hidden).then_some(key)
}

#[cfg(test)]
mod tests {
    use citymap_model::{Field, FieldType, GeometryKind, Role, Title};

    use super::*;

    fn layer(personal: bool) -> Layer {
        let id = "people".parse().unwrap();
        let mut layer = Layer::new(id, Title::same("People"), Role::Other, GeometryKind::None);
        layer.fields = ["ma", "ten"].map(|name| Field::new(name, FieldType::Text)).to_vec();
        layer.fields[0].personal = personal;
        layer.key = Some("ma".into());
        layer
    }

    #[test]
    fn what_is_hidden_now_is_hidden_in_the_past() {
        let mut then = layer(false);
        conceal(&mut then, &layer(true));
        assert_eq!(visible(&then, &Audience::Public).names(), ["ten"]);
        let mut then = layer(true);
        conceal(&mut then, &layer(false));
        assert_eq!(visible(&then, &Audience::Public).names(), ["ten"], "and what was hidden stays so");
    }

    #[test]
    fn a_key_names_features_only_where_it_was_and_is_visible() {
        let key = |then: bool, now: Option<bool>| {
            lasting_key(&layer(then), now.map(layer).as_ref(), &Audience::Public)
        };
        assert_eq!(key(false, Some(false)), Some(0));
        assert_eq!(key(false, None), Some(0));
        assert_eq!(key(false, Some(true)), None);
        assert_eq!(key(true, Some(false)), None);
        assert_eq!(lasting_key(&layer(true), Some(&layer(true)), &Audience::OPERATOR), Some(0));
    }
}
