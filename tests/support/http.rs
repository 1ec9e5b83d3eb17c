//! Writing over HTTP, as a client with a token does.

use std::io::Read as _;

use serde_json::Value;

use crate::Server;

/// The token of the writer in [`crate::Bench::writers`].
pub const WRITER: &str = "a-token-that-only-tests-know-0123456789";

/// An answer, whatever its status.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The status of the answer.
    pub status: u16,
    /// The `ETag`, if there is one.
    pub etag: Option<String>,
    /// The revision that it names.
    pub revision: Option<u64>,
    /// The body of the answer.
    pub body: Vec<u8>,
}

impl Answer {
    /// The body as JSON; null where it is none.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or(Value::Null)
    }
}

impl Server {
    /// Sends a request as the writer; `None` where the server cannot be reached or the connection breaks.
    pub fn send(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<&Value>,
    ) -> Option<Answer> {
        let agent: ureq::Agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
        let mut request = ureq::http::Request::builder().method(method).uri(format!("{}{path}", self.url()));
        request = request.header("Authorization", format!("Bearer {WRITER}"));
        let mut typed = false;
        for (name, value) in headers {
            typed |= name.eq_ignore_ascii_case("content-type");
            request = request.header(*name, *value);
        }
        let answer = match body {
            None => agent.run(request.body(()).ok()?),
            Some(body) => {
                if !typed {
                    request = request.header("Content-Type", "application/geo+json");
                }
                agent.run(request.body(body.to_string()).ok()?)
            }
        };
        let mut answer = answer.ok()?;
        let text = |name: &str| Some(answer.headers().get(name)?.to_str().ok()?.to_owned());
        let (etag, revision) = (text("etag"), text("citymap-revision"));
        let mut bytes = Vec::new();
        answer.body_mut().as_reader().read_to_end(&mut bytes).ok()?;
        Some(Answer {
            status: answer.status().as_u16(),
            etag,
            revision: revision.and_then(|text| text.parse().ok()),
            body: bytes,
        })
    }
}
