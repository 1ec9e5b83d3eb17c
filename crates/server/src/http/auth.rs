//! Who may write: the tokens that the server was started with.

use std::{fmt, fs, io, os::unix::fs::PermissionsExt, path::Path};

use axum::http::{HeaderMap, header};
use sha2::{Digest, Sha256};

use crate::http::problem::Problem;

/// Minimum number of letters of a token; shorter ones can be guessed.
const TOKEN_MIN: usize = 16;

/// The end of the line of a writer whose requests need no `If-Match`.
const OVERWRITE: &str = ":overwrite";

/// Somebody who may write with a token, of which only the hash is kept.
#[derive(Clone, PartialEq, Eq)]
pub struct Writer {
    /// The author of the revisions that are made with the token.
    pub name: String,
    /// Whether the writer's requests need no `If-Match`: each then changes the feature as it is, whatever
    /// others have done meanwhile. For clients that cannot send the header, such as QGIS.
    pub overwrites: bool,
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
        /// The path of the file.
        path: String,
        /// The error of the operating system.
        source: io::Error,
    },
    /// Other users of the machine could read the tokens.
    #[error("the writers' file {path} can be read by others; run `chmod 600 {path}`")]
    Open {
        /// The path of the file.
        path: String,
    },
    /// A line is not a name and a token. The message does not show the line, which may have a token.
    #[error("line {line} of the writers' file: {reason}")]
    Line {
        /// The line's number, from 1.
        line: usize,
        /// What is wrong with the line.
        reason: &'static str,
    },
}

impl Writer {
    /// A writer with a name of 1 to 100 letters and a token of at least 16.
    ///
    /// # Errors
    /// What is wrong with the name or the token.
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
                "the token has letters that a header cannot carry; use letters, digits and signs of ASCII",
            );
        }
        Ok(Self { name: name.to_owned(), overwrites: false, token_sha256: Sha256::digest(token).into() })
    }

    /// Reads lines of `name:token` or `name:token:overwrite` ([`Writer::overwrites`]). Empty lines and lines
    /// that begin with `#` are skipped.
    ///
    /// # Errors
    /// [`WritersError::Line`] for the first line that cannot be used.
    pub fn parse_list(text: &str) -> Result<Vec<Self>, WritersError> {
        let mut writers: Vec<Self> = Vec::new();
        for (index, line) in text.lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let failed = |reason| WritersError::Line { line: index + 1, reason };
            let (name, token) = line.split_once(':').ok_or_else(|| failed("write `name:token`"))?;
            let (token, overwrites) = match token.trim().strip_suffix(OVERWRITE) {
                Some(token) => (token, true),
                None => (token, false),
            };
            let writer = Self { overwrites, ..Self::new(name.trim(), token.trim()).map_err(failed)? };
            if writers.iter().any(|own| own.token_sha256 == writer.token_sha256) {
                return Err(failed(
                    "the token occurs on an earlier line; give each writer a token of its own",
                ));
            }
            writers.push(writer);
        }
        Ok(writers)
    }
}

/// Reads the file that `--writers` names: lines as [`Writer::parse_list`] takes them. Other users must not be
/// able to read the file.
///
/// # Errors
/// [`WritersError`] names the line and says what to do.
pub fn read_writers(path: &Path) -> Result<Vec<Writer>, WritersError> {
    let shown = || path.display().to_string();
    let failed = |source| WritersError::Read { path: shown(), source };
    let mode = fs::metadata(path).map_err(failed)?.permissions().mode();
    if mode & 0o077 != 0 {
        return Err(WritersError::Open { path: shown() });
    }
    Writer::parse_list(&fs::read_to_string(path).map_err(failed)?)
}

/// The writer whose token the request carries.
///
/// # Errors
/// 403 if writing is off, 401 if the token is missing or not known.
pub(crate) fn writer<'a>(writers: &'a [Writer], headers: &HeaderMap) -> Result<&'a Writer, Problem> {
    if writers.is_empty() {
        return Err(Problem::forbidden(
            "writing over HTTP is off: start the server with --writers FILE, whose lines are name:token, \
                and send \
             Authorization: Bearer <token>",
        ));
    }
    known_writer(writers, headers).ok_or_else(|| {
        Problem::unauthorized(if headers.contains_key(header::AUTHORIZATION) {
            "this token may not write; ask the operator of this server for one"
        } else {
            "send Authorization: Bearer <token>; the operator of this server gives tokens"
        })
    })
}

/// The writer whose token the request carries, if there is one.
pub(crate) fn known_writer<'a>(writers: &'a [Writer], headers: &HeaderMap) -> Option<&'a Writer> {
    let value = headers.get(header::AUTHORIZATION)?.as_bytes();
    let (scheme, token) = value.split_at_checked(7)?;
    if !scheme.eq_ignore_ascii_case(b"bearer ") {
        return None;
    }
    let given: [u8; 32] = Sha256::digest(token.trim_ascii()).into();
    // Every writer and every byte is compared, so that the time it takes reveals nothing.
    writers.iter().fold(None, |found, writer| {
        let differs = writer.token_sha256.iter().zip(given).fold(0, |differs, (a, b)| differs | (a ^ b));
        if std::hint::black_box(differs) == 0 { Some(writer) } else { found }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_read_and_tokens_are_never_shown() {
        let text = "# survey office\n\nđo đạc:0123456789abcdef0123\n  web : fedcba9876543210fedc \n";
        let writers = Writer::parse_list(text).unwrap();
        assert_eq!(writers.iter().map(|writer| writer.name.as_str()).collect::<Vec<_>>(), ["đo đạc", "web"]);
        assert_eq!(writers[1], Writer::new("web", "fedcba9876543210fedc").unwrap());
        assert!(!format!("{writers:?}").contains("token"), "{writers:?}");
        let writers =
            Writer::parse_list("qgis:0123456789abcdef0123:overwrite\nb:a:b:c:0123456789abcdef").unwrap();
        assert_eq!(writers.iter().map(|writer| writer.overwrites).collect::<Vec<_>>(), [true, false]);
        assert_eq!(writers[0].token_sha256, Writer::new("q", "0123456789abcdef0123").unwrap().token_sha256);
    }

    #[test]
    fn a_bad_line_is_named_but_not_shown() {
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
