//! Code lists: what the codes in a field mean, in both languages, with the map's colour.
//!
//! A field names its list by id ([`crate::Field::code_list`]). The built-in lists are the tables in
//! `data/`, each with its legal source in its first lines, compiled into the program. A field can have codes
//! of its own instead ([`crate::Domain::Codes`]).

use std::sync::LazyLock;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use crate::{Title, parse_date, table};

/// A list of codes.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CodeList {
    /// The id by which fields name it.
    pub id: &'static str,
    /// The title that users see.
    pub title: Title,
    /// The codes, in the order of their source.
    pub entries: Vec<Code>,
}

/// One code of a list.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Code {
    /// The code, as it is written in data.
    pub code: String,
    /// What the code means, in both languages.
    #[serde(default, skip_serializing_if = "Title::is_empty")]
    pub title: Title,
    /// The colour on maps, `#RRGGBB`, where the source sets one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub color: Option<String>,
    /// The group it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// The day from which it may be given; `None` where it is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_from: Option<NaiveDate>,
    /// The day from which it may no longer be given (data keeps it); `None` while in force.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_to: Option<NaiveDate>,
    /// The code that replaced it, if one did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replaced_by: Option<String>,
}

impl Code {
    /// A code with its text, and nothing else.
    pub fn new(code: impl Into<String>, title: Title) -> Self {
        Self {
            code: code.into(),
            title,
            color: None,
            group: None,
            valid_from: None,
            valid_to: None,
            replaced_by: None,
        }
    }
}

impl CodeList {
    /// The entry with this code.
    pub fn get(&self, code: &str) -> Option<&Code> {
        self.entries.iter().find(|entry| entry.code == code)
    }
}

/// The id of the list of levels of plans, which has the finest first.
pub const PLAN_LEVELS: &str = "plan_level";

static LISTS: LazyLock<[CodeList; 4]> = LazyLock::new(|| {
    [
        CodeList {
            id: "land_use",
            title: Title::new("Mã loại đất", "Land-use codes"),
            entries: entries(include_str!("../../../data/land_use_codes.tsv")),
        },
        CodeList {
            id: "planning_function",
            title: Title::new("Chức năng sử dụng đất quy hoạch", "Planning functions"),
            entries: entries(include_str!("../../../data/planning_functions.tsv")),
        },
        CodeList {
            id: PLAN_LEVELS,
            title: Title::new("Cấp quy hoạch", "Levels of plans"),
            entries: entries(include_str!("../../../data/plan_levels.tsv")),
        },
        CodeList {
            id: "road_class",
            title: Title::new("Cấp đường", "Road classes"),
            entries: entries(include_str!("../../../data/road_classes.tsv")),
        },
    ]
});

/// The built-in list with this id.
pub fn builtin(id: &str) -> Option<&'static CodeList> {
    all().iter().find(|list| list.id == id)
}

/// All built-in lists, in a fixed order.
pub fn all() -> &'static [CodeList] {
    &*LISTS
}

fn entries(text: &'static str) -> Vec<Code> {
    let code = |row: table::Row| {
        let optional = |column: &str| row.get(column).filter(|cell| !cell.is_empty()).map(str::to_owned);
        let day = |column: &str| row.get(column).and_then(parse_date);
        Some(Code {
            code: optional("code").or_else(|| optional("key"))?,
            title: Title::new(row.get("vi")?, row.get("en")?),
            color: optional("colour"),
            group: optional("group"),
            valid_from: day("valid_from"),
            valid_to: day("valid_to"),
            replaced_by: optional("replaced_by"),
        })
    };
    table::rows(text).filter_map(code).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lists_are_whole() {
        for (id, count) in [("land_use", 89), ("planning_function", 33), (PLAN_LEVELS, 4), ("road_class", 7)]
        {
            let list = builtin(id).unwrap();
            assert_eq!(list.entries.len(), count, "{id}");
            let mut codes: Vec<_> = list.entries.iter().map(|entry| &entry.code).collect();
            codes.sort_unstable();
            codes.dedup();
            assert_eq!(codes.len(), count, "{id} repeats a code");
            for entry in &list.entries {
                assert!(!entry.title.vi.is_empty() && !entry.title.en.is_empty(), "{id} {}", entry.code);
                if let Some(color) = &entry.color {
                    assert!(color.len() == 7 && u32::from_str_radix(&color[1..], 16).is_ok(), "{id} {color}");
                }
                if let Some(next) = &entry.replaced_by {
                    assert!(list.get(next).is_some_and(|next| next.valid_to.is_none()), "{id} {next}");
                    assert!(entry.valid_to.is_some());
                }
            }
        }
        assert!(builtin("nothing").is_none());
        assert_eq!(all().len(), 4);
    }

    #[test]
    fn circular_08_2024_merged_codes() {
        let list = builtin("land_use").unwrap();
        for (old, new) in [("BHK", "HNK"), ("NHK", "HNK"), ("DDT", "DDD"), ("DDL", "DDD")] {
            assert_eq!(list.get(old).unwrap().replaced_by.as_deref(), Some(new));
        }
        let urban = list.get("ODT").unwrap();
        assert_eq!(urban.title, Title::new("Đất ở tại đô thị", "Urban residential"));
        assert_eq!((urban.color.as_deref(), urban.group.as_deref()), (Some("#FFA0FF"), Some("PNN")));
    }
}
