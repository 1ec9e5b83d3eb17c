//! Who may write: tokens that the server was started with, until roles come.

use std::{fmt, fs, io, os::unix::fs::PermissionsExt, path::Path};

use axum::http::{HeaderMap, header};
use sha2::{Digest, Sha256};

use crate::{app::App, http::problem::Problem};

/// Letters that a token has at least: what is shorter can be guessed.
const TOKEN_MIN: usize = 16;

/// One who may write, by a token. The token itself is not kept.
#[derive(Clone, PartialEq, Eq)]
pub struct Writer {
    /// The author of the revisions that are made with the token.
    pub name: String,
    token_sha256: [u8; 32],
}

impl fmt::Debug for Writer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Writer").field("name", &self.name).finish_non_exhaustive()
    }
}

/// Why a list of writers cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WritersError {
    /// The file could not be read.
    #[error("the writers' file {path} cannot be read: {source}")]
    Read {
        /// The file.
        path: String,
        /// What the system said.
        source: io::Error,
    },
    /// Others could read the tokens.
    #[error("the writers' file {path} can be read by others; run `chmod 600 {path}`")]
    Open {
        /// The file.
        path: String,
    },
    /// A line is not a name and a token. The line itself is not shown: it may hold a token.
    #[error("line {line} of the writers' file: {reason}")]
    Line {
        /// Its number, from 1.
        line: usize,
        /// What is wrong.
        reason: &'static str,
    },
}

impl Writer {
    /// Who writes with this token, 16 letters at least.
    pub fn new(name: &str, token: &str) -> Result<Self, &'static str> {
        let visible = |text: &str| !text.is_empty() && !text.chars().any(char::is_control);
        if !visible(name) || name.trim() != name || name.chars().count() > 100 {
            return Err("write `name:token`; the name has 1 to 100 letters and no spaces around it");
        }
        if token.len() < TOKEN_MIN {
            return Err("the token is shorter than 16 letters; `openssl rand -hex 32` makes a good one");
        }
        if !token.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(
                "the token has letters that no header carries; use letters, digits and signs of ASCII",
            );
        }
        Ok(Self { name: name.to_owned(), token_sha256: Sha256::digest(token).into() })
    }

    /// Reads lines of `name:token`. Empty lines and those that begin with `#` do not count.
    pub fn parse_list(text: &str) -> Result<Vec<Self>, WritersError> {
        let mut writers: Vec<Self> = Vec::new();
        for (index, line) in text.lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let failed = |reason| WritersError::Line { line: index + 1, reason };
            let (name, token) = line.split_once(':').ok_or_else(|| failed("write `name:token`"))?;
            let writer = Self::new(name.trim(), token.trim()).map_err(failed)?;
            if writers.iter().any(|own| own.token_sha256 == writer.token_sha256) {
                return Err(failed("the token stands above already; give each writer one of its own"));
            }
            writers.push(writer);
        }
        Ok(writers)
    }
}

/// Reads the file that `--writers` names: lines of `name:token`. The file must not be open to others.
///
/// # Errors
/// [`WritersError`] says which line, and what to do.
pub fn read_writers(path: &Path) -> Result<Vec<Writer>, WritersError> {
    let shown = || path.display().to_string();
    let failed = |source| WritersError::Read { path: shown(), source };
    let mode = fs::metadata(path).map_err(failed)?.permissions().mode();
    if mode & 0o077 != 0 {
        return Err(WritersError::Open { path: shown() });
    }
    Writer::parse_list(&fs::read_to_string(path).map_err(failed)?)
}

/// The writer who asks; refuses where writing is off (403) or the token is none of those known (401).
pub(crate) fn writer<'a>(app: &'a App, headers: &HeaderMap) -> Result<&'a Writer, Problem> {
    if app.config.writers.is_empty() {
        return Err(Problem::forbidden(
            "writing over HTTP is off: start the server with --writers FILE, whose lines are name:token, and send \
             Authorization: Bearer <token>",
        ));
    }
    known_writer(app, headers).ok_or_else(|| {
        Problem::unauthorized(if headers.contains_key(header::AUTHORIZATION) {
            "the token is not one that may write; ask who runs this server for one"
        } else {
            "send Authorization: Bearer <token>; who runs this server gives tokens"
        })
    })
}

/// The writer whose token the request carries, if it carries one.
pub(crate) fn known_writer<'a>(app: &'a App, headers: &HeaderMap) -> Option<&'a Writer> {
    let value = headers.get(header::AUTHORIZATION)?.as_bytes();
    let (scheme, token) = value.split_at_checked(7)?;
    if !scheme.eq_ignore_ascii_case(b"bearer ") {
        return None;
    }
    let given: [u8; 32] = Sha256::digest(token.trim_ascii()).into();
    // Every writer is looked at, and every byte: the time that it takes says nothing.
    app.config.writers.iter().fold(None, |found, writer| {
        let differs = writer.token_sha256.iter().zip(given).fold(0, |differs, (a, b)| differs | (a ^ b));
        if std::hint::black_box(differs) == 0 { Some(writer) } else { found }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_read_and_its_tokens_are_not_shown() {
        let text = "# survey office\n\nđo đạc:0123456789abcdef0123\n  web : fedcba9876543210fedc \n";
        let writers = Writer::parse_list(text).unwrap();
        assert_eq!(writers.iter().map(|writer| writer.name.as_str()).collect::<Vec<_>>(), ["đo đạc", "web"]);
        assert_eq!(writers[1], Writer::new("web", "fedcba9876543210fedc").unwrap());
        assert!(!format!("{writers:?}").contains("token"), "{writers:?}");
    }

    #[test]
    fn a_bad_line_is_named_and_not_repeated() {
        for (text, line) in [
            ("a:0123456789abcdef\nnobody\n", 2),
            ("a:short", 1),
            (":0123456789abcdef", 1),
            ("a:0123456789 abcdef", 1),
            ("a:0123456789abcdef\nb:0123456789abcdef", 2),
        ] {
            let error = Writer::parse_list(text).unwrap_err();
            assert!(
                matches!(error, WritersError::Line { line: found, .. } if found == line),
                "{text}: {error}"
            );
            assert!(!error.to_string().contains("0123"), "{error}");
        }
    }
}
