//! What fields probably mean: said in the report, and small enough to be undone.

use std::collections::HashSet;

use citymap_access::{Audience, visible};
use citymap_model::{Field, FieldType, GeometryKind, Layer, Role, Value, codes};

use crate::text::fold;

/// A field's name as letters and digits: `Số tờ`, `SO_TO`, `soTo` → `soto`.
fn plain(name: &str) -> String {
    fold(name).chars().filter(char::is_ascii_alphanumeric).collect()
}

/// What the layer is to the city, by its fields and name.
pub(crate) fn role(name: &str, fields: &[Field], kind: GeometryKind) -> Role {
    let fields: HashSet<String> = fields.iter().map(|field| plain(&field.name)).collect();
    let has = |names: &[&str]| names.iter().any(|name| fields.contains(*name));
    let name = plain(name);
    let named = |words: &[&str]| words.iter().any(|word| name.contains(word));
    let area = matches!(kind, GeometryKind::Polygon | GeometryKind::Mixed);
    if area
        && ((has(&["soto", "sohieutoban", "sotobd"]) && has(&["sothua", "sothutuhua", "sothututhua"]))
            || named(&["thuadat", "parcel"]))
    {
        Role::Parcel
    } else if area
        && (has(&["madvhc", "maxa", "maphuongxa", "wardcode", "communecode"])
            && has(&["tenxa", "tendvhc", "tenphuongxa", "wardname", "name"])
            || named(&["phuongxa", "ward", "commune", "hanhchinh"]))
    {
        Role::AdminUnit
    } else if area && (named(&["quyhoach", "zoning", "chucnang"]) || has(&["machucnang", "chucnang"])) {
        Role::Zone
    } else if area && named(&["building", "congtrinh", "nha"]) {
        Role::Building
    } else if kind == GeometryKind::Line
        && (named(&["road", "street", "duong", "centerline", "giaothong", "timduong"])
            || has(&["highway", "tenduong", "logioi"]))
    {
        Role::Road
    } else if kind == GeometryKind::Point
        && (named(&["address", "diachi", "sonha"]) || has(&["sonha", "housenumber", "addrhousenumber"]))
    {
        Role::Address
    } else if named(&[
        "hydrant",
        "truncuuhoa",
        "trucuuhoa",
        "capnuoc",
        "thoatnuoc",
        "dien",
        "chieusang",
        "utility",
    ]) {
        Role::Utility
    } else {
        Role::Other
    }
}

/// The field that names features.
pub(crate) fn label(layer: &Layer) -> Option<String> {
    let texts: Vec<(String, &Field)> = visible(layer, &Audience::Public)
        .iter()
        .filter(|(_, field)| field.field_type == FieldType::Text)
        .map(|(_, field)| (plain(&field.name), field))
        .collect();
    [
        "tendoituong",
        "namevi",
        "tenxa",
        "tendvhc",
        "tenphuongxa",
        "tenduong",
        "ten",
        "tengoi",
        "wardname",
        "name",
        "title",
        "label",
        "addrhousenumber",
    ]
    .iter()
    .find_map(|wanted| texts.iter().find(|(name, _)| name == wanted))
    .map(|(_, field)| field.name.clone())
}

/// Whether a field's name says that it holds personal data (Law 91/2025/QH15).
pub(crate) fn is_personal(name: &str) -> bool {
    let plain = plain(name);
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

    fn fields(names: &[&str]) -> Vec<Field> {
        names.iter().map(|name| Field::new(*name, FieldType::Text)).collect()
    }

    #[test]
    fn parcels_are_known_by_sheet_and_number() {
        assert_eq!(role("x", &fields(&["SoTo", "SO_THUA"]), GeometryKind::Polygon), Role::Parcel);
        assert_eq!(role("x", &fields(&["SoTo"]), GeometryKind::Polygon), Role::Other);
        assert_eq!(role("tim_duong", &[], GeometryKind::Line), Role::Road);
    }

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
