//! Which answers of a report a city's layers can give, and what the others lack.

use citymap_access::{Audience, visible};
use citymap_model::{GeometryKind, Layer, Meaning, Role};

/// What a city has or lacks for one answer of a report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Readiness {
    /// The answer: `plans`, `right-of-way`.
    pub answer: &'static str,
    /// Whether the answer can be given.
    pub ready: bool,
    /// What the answer is made from, or what is missing and how to add it.
    pub message: String,
}

/// An answer and the field that it needs in layers of a role.
const NEEDS: [(&str, Role, Meaning); 10] = [
    ("identification: commune", Role::Parcel, Meaning::CommuneCode),
    ("identification: map sheet", Role::Parcel, Meaning::Sheet),
    ("identification: parcel number", Role::Parcel, Meaning::ParcelNumber),
    ("identification: land use", Role::Parcel, Meaning::LandUse),
    ("area on papers", Role::Parcel, Meaning::Area),
    ("plans: function", Role::Zone, Meaning::PlanFunction),
    ("plans: precedence of levels", Role::Zone, Meaning::PlanLevel),
    ("plans: decision", Role::Zone, Meaning::Decision),
    ("plans: date", Role::Zone, Meaning::Instant),
    ("right-of-way", Role::Road, Meaning::RightOfWay),
];

/// Checks the layers of a city against what reports on parcels need. Fields that hold personal data do not
/// count, because reports do not show them.
///
/// # Examples
/// ```
/// let found = citymap_planning::readiness(&[]);
/// assert!(found.iter().all(|answer| !answer.ready));
/// assert!(found[0].message.contains("no layer with the role `parcel`"));
/// ```
pub fn readiness(layers: &[Layer]) -> Vec<Readiness> {
    NEEDS.iter().map(|need| check(layers, *need)).collect()
}

fn check(layers: &[Layer], (answer, role, meaning): (&'static str, Role, Meaning)) -> Readiness {
    let drawn = match role {
        Role::Road => GeometryKind::Line,
        _ => GeometryKind::Polygon,
    };
    let usable = |layer: &&Layer| layer.geometry == drawn || layer.geometry == GeometryKind::Mixed;
    let of_role: Vec<&Layer> = layers.iter().filter(|layer| layer.role == role).filter(usable).collect();
    if of_role.is_empty() {
        let message = format!(
            "there is no layer with the role `{role}` and geometry of the kind {}; import one with \
             `--role {role}`, or set it with `citymap layer set LAYER --role {role}`",
            drawn.as_str()
        );
        return Readiness { answer, ready: false, message };
    }
    let (with, without): (Vec<&Layer>, Vec<&Layer>) =
        of_role.into_iter().partition(|layer| field_of(layer, meaning).is_some());
    let named = |layer: &&Layer| {
        field_of(layer, meaning).map_or_else(String::new, |field| format!("`{field}` of `{}`", layer.id))
    };
    if without.is_empty() {
        let fields: Vec<String> = with.iter().map(named).collect();
        return Readiness { answer, ready: true, message: format!("from {}", fields.join(", ")) };
    }
    let advice: Vec<String> = without
        .iter()
        .map(|layer| format!("`citymap layer set {} --meaning FIELD={}`", layer.id, meaning.as_str()))
        .collect();
    let message =
        format!("no public field has the meaning `{}`; set it with {}", meaning.as_str(), advice.join(", "));
    Readiness { answer, ready: false, message }
}

/// The name of the public field of a layer that holds a meaning. The date of a plan may also be the layer's
/// valid time, or its only field with dates.
fn field_of(layer: &Layer, meaning: Meaning) -> Option<&str> {
    let fields = visible(layer, &Audience::Public);
    let meant = |meaning| layer.field_meaning(meaning).filter(|index| fields.contains(*index));
    let index = match meaning {
        Meaning::Instant => meant(Meaning::ValidFrom).or_else(|| fields.instant_index()),
        other => meant(other),
    };
    Some(layer.fields[index?].name.as_str())
}

#[cfg(test)]
mod tests {
    use citymap_access::set_personal;
    use citymap_model::{Field, FieldType, Title};

    use super::*;

    #[test]
    fn what_is_missing_is_named_with_the_command_that_adds_it() {
        let mut zones =
            Layer::new("zones".parse().unwrap(), Title::same("Zones"), Role::Zone, GeometryKind::Polygon);
        zones.fields = vec![
            Field::new("cap", FieldType::Text).means(Meaning::PlanLevel),
            Field::new("ngay", FieldType::Date),
            Field::new("so_qd", FieldType::Text).means(Meaning::Decision),
        ];
        set_personal(&mut zones.fields[2], true);
        let found = readiness(&[zones]);
        let of = |answer: &str| found.iter().find(|own| own.answer == answer).unwrap();
        assert!(of("plans: precedence of levels").ready);
        assert_eq!(of("plans: date").message, "from `ngay` of `zones`");
        let decision = of("plans: decision");
        assert!(!decision.ready, "a personal field does not count");
        assert!(
            decision.message.contains("citymap layer set zones --meaning FIELD=decision"),
            "{decision:?}"
        );
        assert!(of("right-of-way").message.contains("--role road"));
    }
}
