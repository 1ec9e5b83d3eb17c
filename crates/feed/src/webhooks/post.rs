//! One attempt to deliver: a signed POST, and what the answer means.

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
    /// The receiver answered 2xx: it has stored the revision.
    Taken,
    /// The receiver answered 410: it wants no further revisions.
    Gone,
    /// Any other answer, or none in time.
    Failed {
        /// What happened, for people.
        reason: String,
        /// How long the receiver asks to wait (`Retry-After` in seconds).
        retry_after: Option<Duration>,
    },
}

/// The HTTP client for deliveries: it follows no redirects, waits at most `timeout`, and trusts the system's
/// authorities.
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

/// Sends one message. Blocks for at most the agent's timeout.
pub(super) fn post(agent: &Agent, url: &str, secret: &Secret, id: &str, body: &str) -> Outcome {
    let timestamp = Utc::now().timestamp();
    let Some(signature) = secret.sign(id, timestamp, body) else {
        return Outcome::Failed { reason: "the message could not be signed".to_owned(), retry_after: None };
    };
    let sent = agent
        .post(url)
        .header(header::CONTENT_TYPE, "application/json")
        .header("webhook-id", id)
        .header("webhook-timestamp", timestamp.to_string())
        .header("webhook-signature", signature)
        .send(body);
    // The body of the answer is not read: it may be endless.
    match sent {
        Ok(answer) if answer.status().is_success() => Outcome::Taken,
        Ok(answer) if answer.status() == StatusCode::GONE => Outcome::Gone,
        Ok(answer) => {
            let seconds = answer.headers().get(header::RETRY_AFTER);
            let seconds = seconds.and_then(|value| value.to_str().ok()?.trim().parse().ok());
            Outcome::Failed {
                reason: format!("the receiver answered {}", answer.status()),
                retry_after: seconds.map(Duration::from_secs),
            }
        }
        Err(error) => Outcome::Failed { reason: error.to_string(), retry_after: None },
    }
}

/// Checks that messages can be sent to an address.
///
/// # Errors
/// [`WebhookError::Url`] says what is wrong with it.
pub(super) fn check_url(url: &str) -> Result<(), WebhookError> {
    let refuse = |reason| Err(WebhookError::Url { url: url.to_owned(), reason });
    if url.len() > 2_000 {
        return refuse("it is longer than 2 000 characters");
    }
    let Ok(uri) = url.parse::<Uri>() else { return refuse("it is not an address; write https://host/path") };
    if !matches!(uri.scheme_str(), Some("http" | "https")) {
        return refuse("it does not begin with https:// or http://");
    }
    match uri.authority() {
        None => refuse("it names no host"),
        Some(authority) if authority.as_str().contains('@') => refuse(
            "it contains a user name or password, which lists would show; receivers verify the signature \
             instead",
        ),
        Some(_) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_addresses_that_can_be_posted_to_are_accepted() {
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
