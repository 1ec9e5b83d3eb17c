//! Which pages of other origins may read the answers (CORS).

use std::str::FromStr;

use axum::http::{HeaderMap, HeaderValue, header};

/// The response headers that a page of another origin may read.
const EXPOSED_HEADERS: HeaderValue = HeaderValue::from_static(
    "Accept-Ranges, Allow, Citymap-Revision, Content-Crs, Content-Range, ETag, Last-Modified, Link, \
     Location, Preference-Applied, Retry-After, WWW-Authenticate, X-Request-Id",
);

/// The pages of other origins whose scripts may read the answers. A browser that is inside a network reads
/// for them what is served only there, so that a server of an intranet should name its own pages.
///
/// ```
/// use citymap_server::Cors;
///
/// assert_eq!("*".parse(), Ok(Cors::Any));
/// assert_eq!("none".parse(), Ok(Cors::None));
/// assert!("https://gis.example.vn,https://map.example.vn:8443".parse::<Cors>().is_ok());
/// assert!("gis.example.vn".parse::<Cors>().is_err(), "an origin begins with http:// or https://");
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Cors {
    /// Those of every origin.
    #[default]
    Any,
    /// Those of no origin but the server's own.
    None,
    /// Those of these origins.
    Origins(Vec<HeaderValue>),
}

/// A text does not say which origins are allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "write `*`, `none`, or origins such as https://gis.example.vn, separated by commas and without a path"
)]
pub struct CorsError;

impl FromStr for Cors {
    type Err = CorsError;

    fn from_str(text: &str) -> Result<Self, CorsError> {
        match text.trim() {
            "*" => Ok(Self::Any),
            "none" => Ok(Self::None),
            text => {
                text.split(',').map(|text| origin(text.trim())).collect::<Result<_, _>>().map(Self::Origins)
            }
        }
    }
}

/// An origin as a browser sends it: in small letters, without a path.
fn origin(text: &str) -> Result<HeaderValue, CorsError> {
    let text = text.trim_end_matches('/').to_ascii_lowercase();
    let host = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://")).ok_or(CorsError)?;
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._:[]".contains(&byte);
    if host.is_empty() || !host.bytes().all(plain) {
        return Err(CorsError);
    }
    HeaderValue::from_str(&text).map_err(|_invalid| CorsError)
}

impl Cors {
    /// The value of `Access-Control-Allow-Origin` for a request from `origin`.
    fn allowed(&self, origin: Option<&HeaderValue>) -> Option<HeaderValue> {
        match self {
            Self::Any => Some(HeaderValue::from_static("*")),
            Self::None => None,
            Self::Origins(origins) => origins.iter().find(|allowed| Some(*allowed) == origin).cloned(),
        }
    }

    /// Completes the headers of an answer to a request from `origin`. For an origin that is not allowed, what
    /// a preflight would permit is taken out.
    pub(crate) fn apply(&self, origin: Option<&HeaderValue>, headers: &mut HeaderMap) {
        if matches!(self, Self::Origins(_)) {
            headers.append(header::VARY, HeaderValue::from_static("Origin"));
        }
        match self.allowed(origin) {
            Some(allowed) => {
                headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, allowed);
                headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED_HEADERS);
            }
            None => {
                headers.remove(header::ACCESS_CONTROL_ALLOW_METHODS);
                headers.remove(header::ACCESS_CONTROL_ALLOW_HEADERS);
                headers.remove(header::ACCESS_CONTROL_MAX_AGE);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_origins_that_are_named_may_read() {
        let answer = |cors: &str, origin: Option<&'static str>| {
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("GET"));
            let cors: Cors = cors.parse().unwrap();
            cors.apply(origin.map(HeaderValue::from_static).as_ref(), &mut headers);
            let text =
                |name: header::HeaderName| headers.get(name).map(|value| value.to_str().unwrap().to_owned());
            (text(header::ACCESS_CONTROL_ALLOW_ORIGIN), text(header::ACCESS_CONTROL_ALLOW_METHODS).is_some())
        };
        let gis = "https://gis.example.vn";
        assert_eq!(answer("*", None), (Some("*".to_owned()), true));
        assert_eq!(answer("none", Some(gis)), (None, false));
        let two = "https://GIS.example.vn/, http://localhost:5173";
        assert_eq!(answer(two, Some(gis)), (Some(gis.to_owned()), true));
        assert_eq!(answer(two, Some("https://gis.example.vn.evil.example")), (None, false));
        assert_eq!(answer(two, None), (None, false));
        for wrong in ["", "gis.example.vn", "https://", "https://a/b", "https://a b", "*,https://a", "null"] {
            assert_eq!(wrong.parse::<Cors>(), Err(CorsError), "{wrong}");
        }
    }
}
