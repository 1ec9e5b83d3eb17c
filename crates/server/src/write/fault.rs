use serde_json::{Value, json};

use crate::http::problem::Problem;

/// Faults that one answer lists at most.
const LISTED: usize = 100;

/// What is wrong with a part of a body.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Fault {
    /// Where it stands in the body (RFC 6901); empty for the whole.
    pub(crate) pointer: String,
    /// What is wrong, and what to do.
    pub(crate) reason: String,
    /// Where on the map: the numbers as they came, x first.
    pub(crate) place: Option<[f64; 2]>,
}

impl Fault {
    pub(crate) fn new(pointer: impl Into<String>, reason: impl Into<String>) -> Self {
        Self { pointer: pointer.into(), reason: reason.into(), place: None }
    }

    pub(crate) fn at(mut self, place: [f64; 2]) -> Self {
        self.place = Some(place);
        self
    }
}

/// A name as a step of a JSON pointer.
pub(crate) fn step(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

/// 422 with all faults.
pub(crate) fn problem(faults: &[Fault]) -> Problem {
    let first = faults.first().map_or_else(String::new, |fault| {
        let place = if fault.pointer.is_empty() { "the feature" } else { &fault.pointer };
        format!("{place}: {}", fault.reason)
    });
    let detail = match faults.len() {
        0 | 1 => first,
        more => format!("{first}; and {} more, see `faults`", more - 1),
    };
    Problem::unprocessable(detail).with("faults", json(faults))
}

fn json(faults: &[Fault]) -> Value {
    let one = |fault: &Fault| {
        let mut value = json!({"pointer": fault.pointer, "reason": fault.reason});
        if let Some(place) = fault.place {
            value["place"] = json!(place);
        }
        value
    };
    faults.iter().take(LISTED).map(one).collect()
}
