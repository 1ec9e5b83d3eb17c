//! The body of a request: within its bound, counted in the budget of bytes while it is in memory, and not too
//! slow.

use std::{
    pin::Pin,
    sync::{Arc, Mutex, OnceLock, PoisonError},
    task::{Context, Poll, ready},
    time::Duration,
};

use axum::{
    body::{Body, Bytes, HttpBody},
    extract::{FromRequest, Request},
    http::{HeaderMap, HeaderValue, StatusCode, header},
};

use http_body::{Frame, SizeHint};
use tokio::time::{Instant, Sleep, sleep_until};

use crate::{
    http::{client::Client, problem::Problem},
    work::{ByteBudget, ByteLoan},
};

/// The budget is asked for so many bytes at once, so that a body in many small parts costs few requests.
const STEP: u64 = 16 << 10;
/// A body that comes at fewer bytes a second, after the time that a head may take, is given up.
const RATE_MIN: u64 = 512;

/// The bytes of one request's body that are in memory, until this is dropped.
#[derive(Debug)]
pub(crate) struct BodyAccount {
    budget: ByteBudget,
    client: Client,
    /// What a head may take; the rate counts from then on.
    grace: Duration,
    loans: Mutex<Vec<ByteLoan>>,
    /// Why the rest of the body is not read.
    refused: OnceLock<Problem>,
}

impl BodyAccount {
    /// An account without bytes.
    pub(crate) fn new(budget: &ByteBudget, client: Client, grace: Duration) -> Arc<Self> {
        let (budget, loans) = (budget.clone(), Mutex::default());
        Arc::new(Self { budget, client, grace, loans, refused: OnceLock::new() })
    }

    /// The body, which ends with an error where the account refuses more of it.
    pub(crate) fn body(self: &Arc<Self>, inner: Body) -> Body {
        let account = Arc::clone(self);
        Body::new(ArrivingBody { inner, account, start: Instant::now(), read: 0, lent: 0, timer: None })
    }

    /// Why the rest of the body was not read, if it was not: 408, 429 or 503. It takes the place of what the
    /// handler answers to a broken body.
    pub(crate) fn refused(&self) -> Option<&Problem> {
        self.refused.get()
    }

    fn refuse(&self, problem: Problem) -> axum::Error {
        axum::Error::new(std::io::Error::other(self.refused.get_or_init(|| problem).detail().to_owned()))
    }
}

/// A body that counts its bytes as they come.
struct ArrivingBody {
    inner: Body,
    account: Arc<BodyAccount>,
    start: Instant,
    read: u64,
    lent: u64,
    /// When the body is too slow; made when it first has to be waited for.
    timer: Option<Pin<Box<Sleep>>>,
}

impl ArrivingBody {
    /// When the next byte must be there.
    fn deadline(&self) -> Instant {
        self.start + self.account.grace + Duration::from_millis(self.read * 1_000 / RATE_MIN)
    }

    fn count(&mut self, bytes: usize) -> Result<(), axum::Error> {
        self.read += bytes as u64;
        if self.read > self.lent {
            let more = (self.read - self.lent).max(STEP);
            let BodyAccount { budget, client, loans, .. } = &*self.account;
            let loan = budget.take(Some(*client), more).map_err(|problem| self.account.refuse(problem))?;
            loans.lock().unwrap_or_else(PoisonError::into_inner).push(loan);
            self.lent += more;
        }
        Ok(())
    }
}

impl HttpBody for ArrivingBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let Poll::Ready(frame) = Pin::new(&mut self.inner).poll_frame(context) else {
            let deadline = self.deadline();
            let timer = self.timer.get_or_insert_with(|| Box::pin(sleep_until(deadline)));
            if timer.deadline() != deadline {
                timer.as_mut().reset(deadline);
            }
            ready!(timer.as_mut().poll(context));
            let detail = format!(
                "the body came at fewer than {RATE_MIN} bytes a second; send it faster, or in several parts"
            );
            return Poll::Ready(Some(Err(self.account.refuse(Problem::slow(detail)))));
        };
        let Some(frame) = frame else { return Poll::Ready(None) };
        let frame = frame?;
        if let Some(bytes) = frame.data_ref().map(Bytes::len) {
            self.count(bytes)?;
        }
        Poll::Ready(Some(Ok(frame)))
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

/// Refuses a packed body, which no handler unpacks: a small one could become very large.
///
/// # Errors
/// 415 if `Content-Encoding` names anything but `identity`.
pub(crate) fn check_content_encoding(headers: &HeaderMap) -> Result<(), Problem> {
    let encodings = headers.get_all(header::CONTENT_ENCODING).iter();
    let packed = encodings.map(|value| value.to_str().unwrap_or("?").trim().to_ascii_lowercase());
    match packed.into_iter().find(|encoding| !matches!(encoding.as_str(), "" | "identity")) {
        None => Ok(()),
        Some(encoding) => Err(Problem::media_type(format!(
            "a body in Content-Encoding `{encoding}` cannot be read here; send it without Content-Encoding"
        ))
        .header(header::ACCEPT_ENCODING, HeaderValue::from_static("identity"))),
    }
}

/// Reads the body of a request with these headers. The router bounds its length; `bytes_max` is that bound,
/// for the message.
///
/// # Errors
/// 413 if the body is too large, 415 if it is packed, 400 if it cannot be read.
pub(crate) async fn read(headers: &HeaderMap, request: Request, bytes_max: usize) -> Result<Bytes, Problem> {
    check_content_encoding(headers)?;
    Bytes::from_request(request, &()).await.map_err(|rejection| {
        if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE {
            Problem::too_large(bytes_max)
        } else {
            Problem::body(format!("the body could not be read: {rejection}"))
        }
    })
}
