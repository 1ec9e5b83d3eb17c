//! What fields probably hold, by their names and values: personal data, and the codes of a list. The report
//! says it, and the steward may undo it. What fields mean is proposed by `citymap-model`.

use std::collections::HashSet;

use citymap_model::{Value, codes};

/// The code list that a text field's values come from: at least 90 % of the different ones are in it.
pub(crate) fn code_list(position: usize, sample: &[Vec<Value>]) -> Option<String> {
    let values: HashSet<&str> = sample
        .iter()
        .filter_map(|row| match row.get(position) {
            Some(Value::Text(text)) if !text.is_empty() => Some(text.as_str()),
            _ => None,
        })
        .collect();
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
    use super::*;

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
