//! `If-Match`: the states of a feature that a client has seen.

use axum::http::{HeaderMap, header};
use citymap_edit::ExpectedState;

use crate::http::problem::Problem;

/// Reads the value of `If-Match`: `*`, or a list of entity tags.
pub(crate) fn parse(text: &str) -> ExpectedState {
    if text.trim() == "*" {
        return ExpectedState::Any;
    }
    // The tags of this server have no comma. A weak tag never matches (RFC 9110, 13.1.1).
    let strong = text.split(',').map(str::trim).filter(|tag| !tag.starts_with("W/"));
    ExpectedState::Tags(strong.map(|tag| tag.trim_matches('"').to_owned()).collect())
}

/// Reads the header of a request.
///
/// # Errors
/// 428 if it is missing.
pub(crate) fn of(headers: &HeaderMap) -> Result<ExpectedState, Problem> {
    let values: Vec<&str> =
        headers.get_all(header::IF_MATCH).iter().filter_map(|value| value.to_str().ok()).collect();
    if values.is_empty() {
        return Err(missing());
    }
    Ok(parse(&values.join(",")))
}

/// The problem to answer if a client does not say which state it has seen.
pub(crate) fn missing() -> Problem {
    Problem::precondition_required(
        "send If-Match with the ETag of the feature as you have read it, so that no other client's change \
         is lost; `*` accepts any state",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_matches_in_every_form_and_a_weak_one_never() {
        for (header, matches) in [
            ("*", true),
            ("\"abc\"", true),
            ("\"x\", \"abc.0123-gzip\"", true),
            ("W/\"abc\"", false),
            ("\"abcd\"", false),
            ("", false),
        ] {
            assert_eq!(parse(header).matches("abc"), matches, "{header}");
        }
    }
}
