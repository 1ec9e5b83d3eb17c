//! Content negotiation: format, language and content coding.

use axum::http::{HeaderMap, HeaderName, header};
use citymap_tile::ContentEncoding;

/// The format of a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DocumentFormat {
    Json,
    /// A page for people.
    Html,
}

/// The format and the language of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Representation {
    pub(crate) format: DocumentFormat,
    /// The language of titles and pages: `"vi"` or `"en"`.
    pub(crate) lang: &'static str,
}

impl Representation {
    /// The values of `f` and `lang` if they are given, else what `Accept` and `Accept-Language` ask for.
    pub(crate) fn choose(
        format_given: Option<&'static str>,
        lang_given: Option<&'static str>,
        headers: &HeaderMap,
    ) -> Self {
        let format = match format_given {
            Some("json") => DocumentFormat::Json,
            Some(_) => DocumentFormat::Html,
            None => format(headers),
        };
        Self { format, lang: lang_given.unwrap_or_else(|| lang(headers)) }
    }
}

/// The entries of a list header with their weights, highest weight first; entries of equal weight keep their
/// order.
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

fn format(headers: &HeaderMap) -> DocumentFormat {
    for (name, _) in entries(headers, header::ACCEPT) {
        match name.as_str() {
            "text/html" | "application/xhtml+xml" => return DocumentFormat::Html,
            "*/*" | "application/*" => return DocumentFormat::Json,
            name if name.ends_with("json") => return DocumentFormat::Json,
            _ => {}
        }
    }
    DocumentFormat::Json
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

/// The media type of `offered` that `Accept` likes best, of equally liked ones the first in the header.
/// `None` if JSON or a type with wildcards comes before them.
pub(crate) fn first_listed<'a>(headers: &HeaderMap, offered: &[&'a str]) -> Option<&'a str> {
    let listed = entries(headers, header::ACCEPT);
    let known = |name: &str| name.contains('*') || name.ends_with("json") || offered.contains(&name);
    let (first, _) = listed.iter().find(|(name, _)| known(name))?;
    offered.iter().find(|own| *own == first).copied()
}

/// True if `Accept` names this media type without wildcards; parameters are ignored.
pub(crate) fn accepts(headers: &HeaderMap, media_type: &str) -> bool {
    entries(headers, header::ACCEPT).iter().any(|(name, _)| name == media_type)
}

/// The highest weight, 0 to 1000, that `Accept` gives to one of these media types without wildcards.
pub(crate) fn weight_of(headers: &HeaderMap, media_types: &[&str]) -> u16 {
    let listed = weights(headers, header::ACCEPT);
    let named = listed.filter(|(name, _)| media_types.iter().any(|own| own.eq_ignore_ascii_case(name)));
    named.map(|(_, weight)| weight).max().unwrap_or(0)
}

/// The entries of a list header in their order with their weights in thousandths; includes refused ones
/// (`q=0`).
fn weights(headers: &HeaderMap, name: HeaderName) -> impl Iterator<Item = (&str, u16)> {
    let values = headers.get_all(name).into_iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).filter_map(|entry| {
        let mut parts = entry.split(';').map(str::trim);
        let name = parts.next().filter(|name| !name.is_empty())?;
        let q = parts.find_map(|part| part.strip_prefix("q=").or_else(|| part.strip_prefix("Q=")));
        // A weight that cannot be read counts as a refusal, as above.
        let weight = q.map_or(1.0, |q| q.trim().parse::<f32>().unwrap_or(0.0));
        Some((name, (weight.clamp(0.0, 1.0) * 1000.0).round() as u16))
    })
}

/// How much the client likes each encoding (RFC 9110, 12.5.3): from 0 (not at all) to 1000.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Encodings([u16; ContentEncoding::ALL.len()]);

impl Encodings {
    /// From `Accept-Encoding`. Who sends none gets bytes as they are: many such clients can do nothing else.
    pub(crate) fn of(headers: &HeaderMap) -> Self {
        let mut named: [Option<u16>; ContentEncoding::ALL.len()] = [None; ContentEncoding::ALL.len()];
        let mut others = None;
        for (name, weight) in weights(headers, header::ACCEPT_ENCODING) {
            let encoding = match name {
                "*" => {
                    others = others.max(Some(weight));
                    continue;
                }
                name if name.eq_ignore_ascii_case("gzip") || name.eq_ignore_ascii_case("x-gzip") => {
                    ContentEncoding::Gzip
                }
                name if name.eq_ignore_ascii_case("zstd") => ContentEncoding::Zstd,
                name if name.eq_ignore_ascii_case("br") => ContentEncoding::Brotli,
                name if name.eq_ignore_ascii_case("identity") => ContentEncoding::Identity,
                _ => continue,
            };
            let own = &mut named[encoding as usize];
            *own = (*own).max(Some(weight));
        }
        Self(ContentEncoding::ALL.map(|encoding| match named[encoding as usize].or(others) {
            Some(weight) => weight,
            // As they are, bytes are always welcome unless refused, but not more than what is named.
            None => u16::from(encoding == ContentEncoding::Identity),
        }))
    }

    /// The encoding to send: of those that the client likes best the smallest one that is `ready`, else the
    /// one that is soonest made. Where all are refused, bytes as they are: an answer is better than none.
    pub(crate) fn best(&self, ready: impl Fn(ContentEncoding) -> bool) -> ContentEncoding {
        let most = self.0.iter().copied().max().unwrap_or(0);
        let liked = |encoding: &ContentEncoding| most > 0 && self.0[*encoding as usize] == most;
        let by_size =
            [ContentEncoding::Brotli, ContentEncoding::Gzip, ContentEncoding::Zstd].into_iter().filter(liked);
        let by_time =
            [ContentEncoding::Zstd, ContentEncoding::Gzip, ContentEncoding::Brotli].into_iter().filter(liked);
        by_size.filter(|encoding| ready(*encoding)).chain(by_time).next().unwrap_or(ContentEncoding::Identity)
    }

    /// Whether gzip is as good to the client as anything else that we write at once.
    pub(crate) fn gzip(&self) -> bool {
        let own = self.0[ContentEncoding::Gzip as usize];
        own > 0 && own >= self.0[ContentEncoding::Identity as usize]
    }
}

/// True if the client accepts gzip.
pub(crate) fn accepts_gzip(headers: &HeaderMap) -> bool {
    Encodings::of(headers).gzip()
}

/// True if `If-None-Match` has this ETag. Weak and strong ones are compared by their text (RFC 9110, section
/// 13.1.2).
pub(crate) fn matches_etag(headers: &HeaderMap, etag: &str) -> bool {
    fn bare(tag: &str) -> &str {
        tag.trim().trim_start_matches("W/")
    }
    let own = bare(etag);
    headers
        .get_all(header::IF_NONE_MATCH)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|tag| tag.trim() == "*" || bare(tag) == own)
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
            ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", DocumentFormat::Html),
            ("*/*", DocumentFormat::Json),
            ("application/geo+json, application/json", DocumentFormat::Json),
            ("text/html;q=0.1, application/json", DocumentFormat::Json),
            ("text/html;q=0, */*", DocumentFormat::Json),
            ("image/png", DocumentFormat::Json),
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
        assert!(!accepts_gzip(&asked(header::ACCEPT_ENCODING, "gzip;q=0.5, identity")));
        assert!(accepts_gzip(&asked(header::ACCEPT_ENCODING, "*")));
    }

    #[test]
    fn the_encoding_is_what_the_client_likes_best_then_what_is_there_then_what_is_soon_made() {
        use ContentEncoding::{Brotli, Gzip, Identity, Zstd};
        for (accepted, cold, warm) in [
            ("gzip, deflate, br, zstd", Zstd, Brotli),
            ("gzip, deflate", Gzip, Gzip),
            ("br", Brotli, Brotli),
            ("br;q=0.5, gzip;q=0.8", Gzip, Gzip),
            ("br;q=1.0, gzip;q=0.8, *;q=0.1", Brotli, Brotli),
            ("gzip;q=0, *", Zstd, Brotli),
            ("GZIP", Gzip, Gzip),
            ("x-gzip", Gzip, Gzip),
            ("deflate", Identity, Identity),
            ("identity, gzip;q=0.5", Identity, Identity),
            ("identity;q=0, br;q=0", Identity, Identity),
            ("*;q=0", Identity, Identity),
            ("", Identity, Identity),
            ("gzip;q=x", Identity, Identity),
        ] {
            let accepted_of = Encodings::of(&asked(header::ACCEPT_ENCODING, accepted));
            assert_eq!(accepted_of.best(|_| false), cold, "{accepted}");
            assert_eq!(accepted_of.best(|_| true), warm, "{accepted}");
        }
        let browser = Encodings::of(&asked(header::ACCEPT_ENCODING, "gzip, br, zstd"));
        assert_eq!(browser.best(|encoding| encoding == Gzip), Gzip);
        assert_eq!(Encodings::of(&HeaderMap::new()).best(|_| true), Identity);
    }

    #[test]
    fn tags_are_compared_by_their_text() {
        assert!(matches_etag(&asked(header::IF_NONE_MATCH, "\"a\", W/\"b\""), "\"b\""));
        assert!(!matches_etag(&asked(header::IF_NONE_MATCH, "\"a\""), "\"b\""));
    }
}
