//! The rows of a check's result: one for each fault, with the features that it concerns and where it is.

use citymap_engine::ValueRef;
use citymap_model::{FieldType, LayerId, Title};
use citymap_planning::{CheckKind, Fault, FaultState};

use crate::{Column, Output, OutputError, Table};

/// How the faults of a check become rows.
#[derive(Debug)]
pub struct FaultRows {
    kind: CheckKind,
    compared: bool,
    table: Table,
}

/// Columns before the measure: name, title in Vietnamese, title in English.
const COLUMNS: [(&str, &str, &str); 10] = [
    ("key", "Khóa của lỗi", "Key of the fault"),
    ("check", "Phép kiểm tra", "Check"),
    ("layer", "Lớp dữ liệu", "Layer"),
    ("id", "Mã đối tượng", "Feature id"),
    ("label", "Tên", "Name"),
    ("other_layer", "Lớp dữ liệu kia", "Other layer"),
    ("other_id", "Mã đối tượng kia", "Other feature id"),
    ("other_label", "Tên đối tượng kia", "Other name"),
    ("reason_vi", "Lý do", "Reason in Vietnamese"),
    ("reason_en", "Lý do bằng tiếng Anh", "Reason"),
];

/// Makes the table of a check's faults. Columns: what the fault is called in every run (`key`), the features
/// that it concerns, the reason in both languages, `area_m2` or `distance_m`, and `link`; `state` (`new`,
/// `same`, `gone`) if two runs are compared.
///
/// # Errors
/// [`OutputError::Table`] if the check's name is no name of a table.
pub fn faults(kind: CheckKind, compared: bool) -> Result<FaultRows, OutputError> {
    let text = |name: &str, vi: &str, en: &str| Column {
        name: name.to_owned(),
        field_type: FieldType::Text,
        title: Title::new(vi, en),
    };
    let mut columns: Vec<Column> = COLUMNS.iter().map(|(name, vi, en)| text(name, vi, en)).collect();
    let (name, title) = match kind.unit() {
        "m" => ("distance_m", Title::new("Khoảng lệch, m", "Distance, m")),
        _ => ("area_m2", Title::new("Diện tích, m²", "Area, m²")),
    };
    columns.push(Column { name: name.to_owned(), field_type: FieldType::Real, title });
    columns.push(text("link", "Liên kết", "Link"));
    if compared {
        columns.push(text("state", "So với lần trước", "Compared with the earlier run"));
    }
    let name: LayerId = kind.as_str().replace('-', "_").parse().map_err(|_invalid| OutputError::Table)?;
    let table = Table { name, title: kind.title(), columns, geometry: kind.geometry() };
    Ok(FaultRows { kind, compared, table })
}

impl FaultRows {
    /// The table to create the file with.
    pub fn table(&self) -> &Table {
        &self.table
    }

    /// Adds a fault to a file of this table. `link` is the address where a reader sees it; `state` is how it
    /// compares with an earlier run, for a table that was made with it.
    ///
    /// # Errors
    /// As [`Output::row`].
    pub fn write(
        &self,
        fault: &Fault,
        link: &str,
        state: Option<FaultState>,
        out: &mut Output,
    ) -> Result<(), OutputError> {
        let mut values = vec![ValueRef::Text(&fault.key), ValueRef::Text(self.kind.as_str())];
        values.extend(subject(fault, 0));
        values.extend(subject(fault, 1));
        values.extend([fault.reason.get("vi"), fault.reason.get("en")].map(ValueRef::Text));
        values.extend([ValueRef::Real(fault.measure), ValueRef::Text(link)]);
        if self.compared {
            values.push(state.map_or(ValueRef::Null, |state| ValueRef::Text(state.as_str())));
        }
        out.row(&values, Some(&fault.geometry))
    }
}

/// Layer, id and name of one of the features that a fault concerns; nothing where there is none.
fn subject(fault: &Fault, position: usize) -> [ValueRef<'_>; 3] {
    let Some(own) = fault.subjects.get(position) else { return [ValueRef::Null; 3] };
    [own.layer.as_str(), &own.id, &own.label].map(ValueRef::Text)
}
