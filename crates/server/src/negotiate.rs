//! What the client would like to read: format, language, compression.

use axum::http::{HeaderMap, HeaderName, header};

use crate::{params::Params, problem::Problem};

/// JSON or a page for people.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    Json,
    Html,
}

/// The format and the language of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct View {
    pub(crate) format: Format,
    /// `"vi"` or `"en"`.
    pub(crate) lang: &'static str,
}

impl View {
    /// From `f` and `lang`, else from `Accept` and `Accept-Language`.
    pub(crate) fn take(params: &mut Params, headers: &HeaderMap) -> Result<Self, Problem> {
        let format = match params.take("f")?.as_deref() {
            Some("json") => Format::Json,
            Some("html") => Format::Html,
            Some(other) => {
                return Err(Problem::parameter(format!("`f={other}` cannot be used; write json or html")));
            }
            None => format(headers),
        };
        let lang = match params.take("lang")?.as_deref() {
            Some("vi") => "vi",
            Some("en") => "en",
            Some(other) => {
                return Err(Problem::parameter(format!("`lang={other}` cannot be used; write vi or en")));
            }
            None => lang(headers),
        };
        Ok(Self { format, lang })
    }
}

/// The entries of a list header with their weights, heaviest first, equal ones in their order.
fn entries(headers: &HeaderMap, name: HeaderName) -> Vec<(String, f32)> {
    let mut found: Vec<(String, f32)> = headers
        .get_all(name)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(|entry| {
            let mut parts = entry.split(';').map(str::trim);
            let name = parts.next().unwrap_or_default().to_ascii_lowercase();
            let weight =
                parts.find_map(|part| part.strip_prefix("q=")).map_or(1.0, |q| q.parse().unwrap_or(0.0));
            (name, weight)
        })
        .filter(|(name, weight)| !name.is_empty() && *weight > 0.0)
        .collect();
    found.sort_by(|a, b| b.1.total_cmp(&a.1));
    found
}

fn format(headers: &HeaderMap) -> Format {
    for (name, _) in entries(headers, header::ACCEPT) {
        match name.as_str() {
            "text/html" | "application/xhtml+xml" => return Format::Html,
            "*/*" | "application/*" => return Format::Json,
            name if name.ends_with("json") => return Format::Json,
            _ => {}
        }
    }
    Format::Json
}

fn lang(headers: &HeaderMap) -> &'static str {
    for (name, _) in entries(headers, header::ACCEPT_LANGUAGE) {
        match name.split('-').next() {
            Some("vi") => return "vi",
            Some("en") => return "en",
            _ => {}
        }
    }
    "vi"
}

/// Whether `Accept` names this media type itself, parameters aside.
pub(crate) fn accepts(headers: &HeaderMap, media_type: &str) -> bool {
    entries(headers, header::ACCEPT).iter().any(|(name, _)| name == media_type)
}

/// Whether the answer may come as gzip.
pub(crate) fn accepts_gzip(headers: &HeaderMap) -> bool {
    entries(headers, header::ACCEPT_ENCODING).iter().any(|(name, _)| name == "gzip" || name == "*")
}

/// Whether `If-None-Match` names this tag. Weak and strong ones are compared by their text (RFC 9110, 13.1.2).
pub(crate) fn matches_etag(headers: &HeaderMap, etag: &str) -> bool {
    let bare = |tag: &str| tag.trim().trim_start_matches("W/").to_owned();
    headers
        .get_all(header::IF_NONE_MATCH)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|tag| bare(tag) == bare(etag))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(name: HeaderName, value: &str) -> HeaderMap {
        HeaderMap::from_iter([(name, value.parse().unwrap())])
    }

    #[test]
    fn browsers_get_pages_and_programs_json() {
        for (accept, format) in [
            ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", Format::Html),
            ("*/*", Format::Json),
            ("application/geo+json, application/json", Format::Json),
            ("text/html;q=0.1, application/json", Format::Json),
            ("text/html;q=0, */*", Format::Json),
            ("image/png", Format::Json),
        ] {
            assert_eq!(super::format(&asked(header::ACCEPT, accept)), format, "{accept}");
        }
    }

    #[test]
    fn vietnamese_unless_english_is_asked_for() {
        for (languages, expected) in
            [("en-GB,vi;q=0.5", "en"), ("fr, vi", "vi"), ("fr", "vi"), ("vi-VN,en", "vi")]
        {
            assert_eq!(super::lang(&asked(header::ACCEPT_LANGUAGE, languages)), expected, "{languages}");
        }
    }

    #[test]
    fn gzip_refused_is_not_accepted() {
        assert!(accepts_gzip(&asked(header::ACCEPT_ENCODING, "gzip, br")));
        assert!(!accepts_gzip(&asked(header::ACCEPT_ENCODING, "gzip;q=0, br")));
        assert!(!accepts_gzip(&HeaderMap::new()));
    }

    #[test]
    fn tags_are_compared_by_their_text() {
        assert!(matches_etag(&asked(header::IF_NONE_MATCH, "\"a\", W/\"b\""), "\"b\""));
        assert!(!matches_etag(&asked(header::IF_NONE_MATCH, "\"a\""), "\"b\""));
    }
}
