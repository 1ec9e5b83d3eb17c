//! One attempt to deliver.

use std::time::Duration;

use chrono::Utc;
use ureq::{
    Agent,
    http::{StatusCode, Uri, header},
    tls::{RootCerts, TlsConfig},
};

use super::{WebhookError, secret::Secret};

/// How an attempt ended.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Outcome {
    /// It was taken.
    Taken,
    /// The receiver wants no more.
    Gone,
    /// It was not taken, for this reason; and how long the receiver asks to be left alone.
    Failed(String, Option<Duration>),
}

/// What deliveries are made with: no redirects, no waiting beyond the time, the system's authorities.
pub(super) fn agent(timeout: Duration) -> Agent {
    let tls = TlsConfig::builder().root_certs(RootCerts::PlatformVerifier).build();
    Agent::config_builder()
        .timeout_global(Some(timeout))
        .max_redirects(0)
        .http_status_as_error(false)
        .user_agent(concat!("citymap/", env!("CARGO_PKG_VERSION")))
        .max_idle_connections_per_host(1)
        .tls_config(tls)
        .build()
        .into()
}

/// Sends one message. Blocks as long as the agent's time allows.
pub(super) fn post(agent: &Agent, url: &str, secret: &Secret, id: &str, body: &str) -> Outcome {
    let timestamp = Utc::now().timestamp();
    let Some(signature) = secret.sign(id, timestamp, body) else {
        return Outcome::Failed("the message could not be signed".to_owned(), None);
    };
    let sent = agent
        .post(url)
        .header(header::CONTENT_TYPE, "application/json")
        .header("webhook-id", id)
        .header("webhook-timestamp", timestamp.to_string())
        .header("webhook-signature", signature)
        .send(body);
    // What the receiver writes is not read: it may be without end.
    match sent {
        Ok(answer) if answer.status().is_success() => Outcome::Taken,
        Ok(answer) if answer.status() == StatusCode::GONE => Outcome::Gone,
        Ok(answer) => {
            let wait = answer.headers().get(header::RETRY_AFTER);
            let wait = wait.and_then(|value| value.to_str().ok()?.trim().parse().ok());
            Outcome::Failed(
                format!("the receiver answered {}", answer.status()),
                wait.map(Duration::from_secs),
            )
        }
        Err(error) => Outcome::Failed(error.to_string(), None),
    }
}

/// Whether something can be sent there.
pub(super) fn check_url(url: &str) -> Result<(), WebhookError> {
    let refuse = |reason| Err(WebhookError::Url { url: url.to_owned(), reason });
    if url.len() > 2_000 {
        return refuse("it is longer than 2 000 characters");
    }
    let Ok(uri) = url.parse::<Uri>() else { return refuse("it is no address; write https://host/path") };
    if !matches!(uri.scheme_str(), Some("http" | "https")) {
        return refuse("it begins with neither https:// nor http://");
    }
    match uri.authority() {
        None => refuse("it names no host"),
        Some(authority) if authority.as_str().contains('@') => refuse(
            "it holds a name and a password, which lists would show; receivers know us by the signature",
        ),
        Some(_) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_addresses_that_can_be_posted_to_are_taken() {
        for good in ["https://a.vn/hook?x=1", "http://127.0.0.1:8081/"] {
            assert!(check_url(good).is_ok(), "{good}");
        }
        for bad in
            ["", "a.vn/hook", "ftp://a.vn/", "https://user:secret@a.vn/", "file:///etc/passwd", "https://"]
        {
            assert!(check_url(bad).is_err(), "{bad}");
        }
    }
}
