//! What fields probably hold, by their names and values: personal data, and the codes of a list. The report says it, and the
//! steward may undo it. What fields mean is proposed by `citymap-model`.

use std::collections::HashSet;

use citymap_model::{Value, codes, plain_name};

/// Whether a field's name says that it holds personal data (Law 91/2025/QH15).
pub(crate) fn is_personal(name: &str) -> bool {
    let plain = plain_name(name);
    [
        "chusudung",
        "tenchu",
        "chusohuu",
        "nguoisudung",
        "hotenchu",
        "hoten",
        "cccd",
        "cmnd",
        "socccd",
        "socmnd",
        "sodinhdanh",
        "sodienthoai",
        "dienthoai",
        "owner",
        "ownername",
        "ownernames",
        "coowner",
        "phone",
        "phonenumber",
        "email",
        "ngaysinh",
    ]
    .contains(&plain.as_str())
        || plain.starts_with("owner") && !plain.ends_with("type")
}

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
    fn owners_are_personal() {
        for name in ["chu_su_dung", "Owner_Name", "CCCD", "Họ tên"] {
            assert!(is_personal(name), "{name}");
        }
        for name in ["ten_xa", "owner_type", "so_to"] {
            assert!(!is_personal(name), "{name}");
        }
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
