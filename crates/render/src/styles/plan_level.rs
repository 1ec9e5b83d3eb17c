//! The levels of plans in styles: how queries name them, and how expressions tell them apart.

use citymap_planning::PlanLevel;
use serde_json::{Value, json};

/// The names of all levels, as queries write them, from the coarsest to the finest.
pub const LEVEL_NAMES: &[&str] = &["qhc", "qhpk", "qhct", "dccb"];

/// The levels in the order of [`LEVEL_NAMES`], which is also the order in which they are drawn.
const LEVELS: [PlanLevel; 4] =
    [PlanLevel::General, PlanLevel::Zoning, PlanLevel::Detailed, PlanLevel::LocalAdjustment];

/// The level with this name.
pub fn level_named(name: &str) -> Option<PlanLevel> {
    LEVELS.into_iter().zip(LEVEL_NAMES).find(|(_, own)| **own == name).map(|(level, _)| level)
}

/// The name of a level, as queries write it.
pub fn level_name(level: PlanLevel) -> Option<&'static str> {
    LEVELS.into_iter().zip(LEVEL_NAMES).find(|(own, _)| *own == level).map(|(_, name)| *name)
}

/// An expression for the rank of a feature's level: 0 for a general plan and for one that is not known, up to
/// 3 for an adjustment. A finer plan is drawn above a coarser one.
pub(crate) fn rank(field: &str) -> Value {
    let mut expression = vec![json!("match"), beginning(field)];
    for (rank, level) in LEVELS.into_iter().enumerate() {
        expression.extend([json!(beginnings(level)), json!(rank)]);
    }
    expression.push(json!(0));
    expression.into()
}

/// A filter for the features of one level.
pub(crate) fn filter(level: PlanLevel, field: &str) -> Value {
    json!(["in", beginning(field), ["literal", beginnings(level)]])
}

/// The beginnings of the values by which data names a level, in capital letters, four at most.
fn beginnings(level: PlanLevel) -> Vec<&'static str> {
    match level {
        PlanLevel::LocalAdjustment => vec!["DCCB", level.code()],
        _ => vec![level.code()],
    }
}

/// The first four letters of a field's value in capitals. `QHC 1/10000` and `QHCT` begin alike, so the
/// separator after three letters is cut off.
fn beginning(field: &str) -> Value {
    let four = json!(["slice", ["upcase", ["to-string", ["get", field]]], 0, 4]);
    let separators = json!(["literal", [" ", "-", "_", "/"]]);
    json!(["case", ["in", ["slice", four, 3, 4], separators], ["slice", four, 0, 3], four])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_level_reads_back_from_its_name() {
        for level in PlanLevel::ALL {
            let name = level_name(level).unwrap();
            assert_eq!(level_named(name), Some(level));
            assert_eq!(PlanLevel::read(name), Some(level), "queries and data use the same letters");
        }
        assert_eq!(level_named("QHC"), None);
    }

    #[test]
    fn a_finer_plan_is_drawn_above() {
        let rank = rank("cap");
        assert_eq!(rank[0], "match");
        assert_eq!((&rank[2], &rank[3]), (&json!(["QHC"]), &json!(0)));
        assert_eq!((&rank[8], &rank[9]), (&json!(["DCCB", "ĐCCB"]), &json!(3)));
    }
}
