//! What is wrong with a part of a feature, and where it is in the request's body.

/// What is wrong with a part of a request's body.
#[derive(Clone, Debug, PartialEq)]
pub struct Fault {
    /// The part, as a JSON pointer into the body (RFC 6901); empty for the whole body.
    pub pointer: String,
    /// What is wrong, and what to write instead. It never repeats a value, which may be personal.
    pub reason: String,
    /// Where on the map: the two numbers of the position as the client sent them.
    pub location: Option<[f64; 2]>,
}

impl Fault {
    /// A fault without a location on the map.
    pub fn new(pointer: impl Into<String>, reason: impl Into<String>) -> Self {
        Self { pointer: pointer.into(), reason: reason.into(), location: None }
    }

    /// The same fault with its location, in the client's numbers.
    #[must_use]
    pub fn at(mut self, location: [f64; 2]) -> Self {
        self.location = Some(location);
        self
    }
}

/// A member's name as a step of a JSON pointer: `~` and `/` are escaped.
pub(crate) fn pointer_step(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}
