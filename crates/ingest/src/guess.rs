//! What fields probably hold, by their names and values: personal data, and the codes of a list. The report
//! says it, and the steward may undo it. What fields mean is proposed by `citymap-model`.

use std::collections::HashSet;

use citymap_model::{Field, Meaning, Value, codes};

/// The different texts of a field in the sample.
fn texts(position: usize, sample: &[Vec<Value>]) -> HashSet<&str> {
    sample
        .iter()
        .filter_map(|row| match row.get(position) {
            Some(Value::Text(text)) if !text.is_empty() => Some(text.as_str()),
            _ => None,
        })
        .collect()
}

/// Gives fields that hold levels of plans the list of levels, if all values of the sample are its codes. A
/// single level is enough: many files hold the zones of one plan.
pub(crate) fn plan_levels(fields: &mut [Field], sample: &[Vec<Value>]) {
    let Some(list) = codes::builtin(codes::PLAN_LEVELS) else { return };
    for (position, field) in fields.iter_mut().enumerate() {
        let open = field.domain.is_none() && field.code_list.is_none();
        if field.meaning == Some(Meaning::PlanLevel) && open {
            let values = texts(position, sample);
            let known = !values.is_empty() && values.iter().all(|value| list.get(value).is_some());
            field.code_list = known.then(|| list.id.to_owned());
        }
    }
}

/// The code list that a text field's values come from: at least 90 % of the different ones are in it.
pub(crate) fn code_list(position: usize, sample: &[Vec<Value>]) -> Option<String> {
    let values = texts(position, sample);
    // Two or three codes are in a list by chance.
    if values.len() < 4 {
        return None;
    }
    codes::all()
        .iter()
        .find(|list| {
            let known = values.iter().filter(|value| list.get(value).is_some()).count();
            known * 10 >= values.len() * 9
        })
        .map(|list| list.id.to_owned())
}

#[cfg(test)]
mod tests {
    use citymap_model::FieldType;

    use super::*;

    #[test]
    fn levels_of_plans_are_recognised_by_the_meaning_of_the_field() {
        let rows = |texts: &[&str]| -> Vec<Vec<Value>> {
            texts.iter().map(|text| vec![Value::Text((*text).to_owned())]).collect()
        };
        let listed = |meaning: Meaning, texts: &[&str]| {
            let mut fields = [Field::new("cap", FieldType::Text).means(meaning)];
            plan_levels(&mut fields, &rows(texts));
            fields[0].code_list.clone()
        };
        assert_eq!(listed(Meaning::PlanLevel, &["QHPK"]).as_deref(), Some(codes::PLAN_LEVELS));
        assert_eq!(listed(Meaning::PlanLevel, &["QHPK", "Quy hoạch phân khu"]), None, "one is no code");
        assert_eq!(listed(Meaning::PlanLevel, &[]), None);
        assert_eq!(listed(Meaning::Class, &["QHPK"]), None, "not a field of levels");
    }

    #[test]
    fn land_use_codes_are_recognised() {
        let rows: Vec<Vec<Value>> = ["ODT", "ONT", "CLN", "LUC", "HNK"]
            .iter()
            .map(|code| vec![Value::Text((*code).to_owned())])
            .collect();
        assert_eq!(code_list(0, &rows).as_deref(), Some("land_use"));
        let rows: Vec<Vec<Value>> =
            ["a", "b", "c", "d", "ODT"].iter().map(|code| vec![Value::Text((*code).to_owned())]).collect();
        assert_eq!(code_list(0, &rows), None);
    }
}
