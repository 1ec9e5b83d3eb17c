//! Why a command failed, and how that is reported: the message of each error in the chain of causes, once.

use std::{error::Error, fmt};

/// The error of a command. The exit code is 1 and the store is unchanged.
///
/// Any error converts into it, so that commands use `?`. It does not implement [`Error`] itself.
#[derive(Debug)]
pub(crate) struct Failure(Box<dyn Error + Send + Sync>);

impl Failure {
    /// A failure that no other error caused.
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self(Box::new(Message { text: message.into(), source: None }))
    }

    /// A failure that `source` caused; `message` says what was being done.
    pub(crate) fn because(
        message: impl Into<String>,
        source: impl Into<Box<dyn Error + Send + Sync>>,
    ) -> Self {
        Self(Box::new(Message { text: message.into(), source: Some(source.into()) }))
    }

    /// There is no layer of this name.
    pub(crate) fn no_layer(id: impl fmt::Display) -> Self {
        Self::new(format!("there is no layer `{id}`; `citymap layers` lists them"))
    }

    /// The message of the error itself, then those of its causes, from near to far.
    pub(crate) fn messages(&self) -> Vec<String> {
        messages(self.0.as_ref())
    }
}

impl<E: Error + Send + Sync + 'static> From<E> for Failure {
    fn from(error: E) -> Self {
        Self(Box::new(error))
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.messages().join("\n  caused by: "))
    }
}

/// The messages along the chain of `source()`. A cause whose message is part of the one before it is left
/// out, since many errors quote their cause.
fn messages(error: &dyn Error) -> Vec<String> {
    let mut messages = vec![error.to_string()];
    let mut cause = error.source();
    while let Some(error) = cause {
        let text = error.to_string();
        if messages.last().is_some_and(|last| !last.contains(&text)) {
            messages.push(text);
        }
        cause = error.source();
    }
    messages
}

/// A message for people, with what caused it if something did.
#[derive(Debug)]
struct Message {
    text: String,
    source: Option<Box<dyn Error + Send + Sync>>,
}

impl fmt::Display for Message {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.text)
    }
}

impl Error for Message {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_deref().map(|source| source as &(dyn Error + 'static))
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    #[test]
    fn each_cause_is_told_once() {
        let root = io::Error::new(io::ErrorKind::NotFound, "no such file");
        let failure = Failure::because("x.gpkg cannot be read", root);
        assert_eq!(failure.to_string(), "x.gpkg cannot be read\n  caused by: no such file");

        let root = io::Error::new(io::ErrorKind::NotFound, "no such file");
        let quoting = Failure::because("x.gpkg cannot be read: no such file", root);
        assert_eq!(quoting.to_string(), "x.gpkg cannot be read: no such file");

        assert_eq!(Failure::new("plain").messages(), ["plain"]);
    }

    #[test]
    fn a_quoted_cause_does_not_hide_what_caused_it() {
        let root = Message { text: "disk full".to_owned(), source: None };
        let middle = Message { text: "not written".to_owned(), source: Some(Box::new(root)) };
        let failure = Failure::because("the copy failed: not written", middle);
        assert_eq!(failure.messages(), ["the copy failed: not written", "disk full"]);
    }
}
