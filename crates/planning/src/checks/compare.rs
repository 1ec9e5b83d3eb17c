//! Two runs of one check: what is new, what is gone, what is the same.

use std::collections::HashSet;

use super::Fault;

/// How a fault of two runs relates to them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FaultState {
    /// Only the later run found it.
    New,
    /// Both runs found it.
    Same,
    /// Only the earlier run found it.
    Gone,
}

impl FaultState {
    /// The name in files and in the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Same => "same",
            Self::Gone => "gone",
        }
    }
}

/// Compares the faults of two runs by [`Fault::key`]: those of the later run in their order, then those that
/// are gone.
///
/// # Examples
/// ```
/// use citymap_model::Title;
/// use citymap_planning::{Fault, FaultState, compare};
///
/// let fault = |key: &str| Fault {
///     key: key.to_owned(),
///     subjects: vec![],
///     reason: Title::same("overlap"),
///     measure: 1.0,
///     geometry: geo_types::Point::new(106.7, 10.77).into(),
/// };
/// let found = compare(vec![fault("a"), fault("b")], vec![fault("b"), fault("c")]);
/// let states: Vec<_> = found.iter().map(|(fault, state)| (fault.key.as_str(), *state)).collect();
/// assert_eq!(states, [("b", FaultState::Same), ("c", FaultState::New), ("a", FaultState::Gone)]);
/// ```
pub fn compare(before: Vec<Fault>, after: Vec<Fault>) -> Vec<(Fault, FaultState)> {
    let known: HashSet<&str> = before.iter().map(|fault| fault.key.as_str()).collect();
    let states: Vec<FaultState> = after
        .iter()
        .map(|fault| if known.contains(fault.key.as_str()) { FaultState::Same } else { FaultState::New })
        .collect();
    let still: HashSet<String> = after.iter().map(|fault| fault.key.clone()).collect();
    let gone = before.into_iter().filter(|fault| !still.contains(&fault.key));
    let gone: Vec<(Fault, FaultState)> = gone.map(|fault| (fault, FaultState::Gone)).collect();
    after.into_iter().zip(states).chain(gone).collect()
}
