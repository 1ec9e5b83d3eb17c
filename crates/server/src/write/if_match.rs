//! `If-Match`: the states of a feature that a client has seen.

use axum::http::{HeaderMap, header};
use citymap_edit::ExpectedState;

use crate::http::problem::Problem;

/// Reads the value of `If-Match`: `*`, or a list of entity tags.
pub(crate) fn parse(text: &str) -> ExpectedState {
    if text.trim() == "*" {
        return ExpectedState::Any;
    }
    // The tags of this server have no comma. A proxy that packs an answer makes its tag weak, because the
    // bytes are others; what counts here is the part of the tag that is of the content, which stays right.
    let bare = text.split(',').map(|tag| tag.trim().trim_start_matches("W/").trim_matches('"').to_owned());
    ExpectedState::Tags(bare.collect())
}

/// Reads the header of a request; without it a writer who `overwrites` expects any state.
///
/// # Errors
/// 428 if it is missing and needed.
pub(crate) fn of(headers: &HeaderMap, overwrites: bool) -> Result<ExpectedState, Problem> {
    let values: Vec<&str> =
        headers.get_all(header::IF_MATCH).iter().filter_map(|value| value.to_str().ok()).collect();
    if values.is_empty() {
        return if overwrites { Ok(ExpectedState::Any) } else { Err(missing()) };
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
    fn a_tag_matches_in_every_form() {
        for (header, matches) in [
            ("*", true),
            ("\"abc\"", true),
            ("\"x\", \"abc.0123-gzip\"", true),
            ("W/\"abc\"", true),
            ("W/\"abc.0123-gzip\", \"x\"", true),
            ("W/\"abcd\"", false),
            ("\"abcd\"", false),
            ("", false),
        ] {
            assert_eq!(parse(header).matches("abc"), matches, "{header}");
        }
    }
}
