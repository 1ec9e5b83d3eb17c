//! One connection: when it is silent, stuck or idle for too long, and the answers that it carries.
//!
//! The HTTP library bounds the head of a request once its first bytes have told HTTP/1 from HTTP/2. What it
//! does not bound is here: a connection that never gets that far, a client that does not read what it asked
//! for, and an HTTP/2 connection without requests. [`ConnectionState::overdue`] is asked now and then.

use std::{
    io::{self, IoSlice},
    pin::Pin,
    sync::{
        Arc, Mutex, PoisonError, Weak,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
    },
    task::{Context, Poll, ready},
    time::{Duration, Instant},
};

use axum::body::{Body, Bytes, HttpBody};
use http_body::{Frame, SizeHint};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::config::Limits;

/// The part of an answer that is handed over at once. An HTTP/2 stream whose client does not take so much
/// within `--write-timeout` is stuck.
const PIECE_HTTP2: usize = 16 << 10;
/// The same on HTTP/1, where the socket shows how much the client takes.
const PIECE_HTTP1: usize = 256 << 10;
/// Bytes that a client must take in each `--write-timeout` for which its connection waits for it. One byte
/// now and then is no progress.
const TAKEN_MIN: u64 = PIECE_HTTP2 as u64;

/// What is known of a connection while it is open.
#[derive(Debug)]
pub(crate) struct ConnectionState {
    opened: Instant,
    /// Longest time to the first request, and without any.
    idle_max: Duration,
    /// Longest time in which a client takes less than [`TAKEN_MIN`] of what is ready.
    stuck_max: Duration,
    /// Milliseconds after `opened`, plus 1, since which the socket takes nothing; 0 if it takes bytes.
    blocked: AtomicU64,
    /// Bytes that the socket has taken since the last [`TAKEN_MIN`] of them.
    taken: AtomicU64,
    /// Milliseconds for which it took nothing in that time, without those since `blocked`.
    waited: AtomicU64,
    any_request: AtomicBool,
    http2: AtomicBool,
    /// Requests whose answers have not been handed over completely.
    running: AtomicUsize,
    /// When the last of them ended, in milliseconds after `opened`.
    ended: AtomicU64,
    /// Of each answer on HTTP/2: when a piece was handed over that was followed by no other one yet.
    answers: Mutex<Vec<Weak<AtomicU64>>>,
}

impl ConnectionState {
    /// A connection that opens now.
    pub(crate) fn new(limits: &Limits) -> Arc<Self> {
        Arc::new(Self {
            opened: Instant::now(),
            idle_max: limits.header_timeout,
            stuck_max: limits.write_timeout,
            blocked: AtomicU64::new(0),
            taken: AtomicU64::new(0),
            waited: AtomicU64::new(0),
            any_request: AtomicBool::new(false),
            http2: AtomicBool::new(false),
            running: AtomicUsize::new(0),
            ended: AtomicU64::new(0),
            answers: Mutex::default(),
        })
    }

    fn now(&self) -> u64 {
        u64::try_from(self.opened.elapsed().as_millis()).unwrap_or(u64::MAX - 1)
    }

    /// Notes that the socket has taken bytes. Only the task of the connection writes.
    fn takes(&self, bytes: usize) {
        let since = self.blocked.swap(0, Ordering::Relaxed);
        if since > 0 {
            self.waited.fetch_add(self.now().saturating_sub(since - 1), Ordering::Relaxed);
        }
        let bytes = u64::try_from(bytes).unwrap_or(u64::MAX);
        if self.taken.fetch_add(bytes, Ordering::Relaxed) + bytes >= TAKEN_MIN {
            self.taken.store(0, Ordering::Relaxed);
            self.waited.store(0, Ordering::Relaxed);
        }
    }

    /// Notes that the socket takes nothing now. An earlier time stays.
    fn waits(&self) {
        let since = self.now() + 1;
        let _ = self.blocked.compare_exchange(0, since, Ordering::Relaxed, Ordering::Relaxed);
    }

    /// How often [`ConnectionState::overdue`] is to be asked.
    pub(crate) fn period(&self) -> Duration {
        (self.idle_max.min(self.stuck_max) / 4).clamp(Duration::from_millis(10), Duration::from_secs(5))
    }

    /// Registers a request; the guard ends it.
    pub(crate) fn begin(self: &Arc<Self>, http2: bool) -> RunningRequest {
        self.any_request.store(true, Ordering::Relaxed);
        self.http2.store(http2, Ordering::Relaxed);
        self.running.fetch_add(1, Ordering::Relaxed);
        RunningRequest(Arc::clone(self))
    }

    /// Why the connection is to be closed, if it is.
    pub(crate) fn overdue(&self) -> Option<&'static str> {
        let now = self.now();
        let longer = |since: u64, max: Duration| u128::from(now.saturating_sub(since)) >= max.as_millis();
        if !self.any_request.load(Ordering::Relaxed) {
            return longer(0, self.idle_max).then_some("no request came");
        }
        let blocked = self.blocked.load(Ordering::Relaxed);
        let before = self.waited.load(Ordering::Relaxed);
        if blocked > 0 && longer((blocked - 1).saturating_sub(before), self.stuck_max) {
            return Some("the client does not read");
        }
        if !self.http2.load(Ordering::Relaxed) {
            return None;
        }
        if self.running.load(Ordering::Relaxed) == 0 {
            return longer(self.ended.load(Ordering::Relaxed), self.idle_max).then_some("no further request");
        }
        let mut answers = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
        answers.retain(|answer| answer.strong_count() > 0);
        let stuck = answers.iter().filter_map(Weak::upgrade).any(|answer| {
            let since = answer.load(Ordering::Relaxed);
            since > 0 && longer(since - 1, self.stuck_max)
        });
        stuck.then_some("a stream takes nothing")
    }
}

/// A request whose answer has not been handed over completely.
#[derive(Debug)]
pub(crate) struct RunningRequest(Arc<ConnectionState>);

impl Drop for RunningRequest {
    fn drop(&mut self) {
        self.0.ended.store(self.0.now(), Ordering::Relaxed);
        self.0.running.fetch_sub(1, Ordering::Relaxed);
    }
}

/// An extension of an answer that is read while it is sent: the bytes of it that are in memory at once.
#[derive(Clone, Copy, Debug)]
pub(crate) struct HeldAtOnce(pub(crate) u64);

/// The body of an answer, handed over in pieces. Whatever `held` is lives as long as any byte of the body.
pub(crate) struct SentBody<H> {
    inner: Body,
    held: Arc<H>,
    rest: Bytes,
    piece: usize,
    /// When a piece was handed over, as in [`ConnectionState::answers`].
    handed: Option<Arc<AtomicU64>>,
    running: RunningRequest,
}

impl<H> SentBody<H> {
    /// The body `inner` as the answer to `running`.
    pub(crate) fn new(inner: Body, held: H, running: RunningRequest) -> Self {
        let state = &running.0;
        let http2 = state.http2.load(Ordering::Relaxed);
        let handed = http2.then(|| {
            // A client may take nothing from the start.
            let handed = Arc::new(AtomicU64::new(state.now() + 1));
            state.answers.lock().unwrap_or_else(PoisonError::into_inner).push(Arc::downgrade(&handed));
            handed
        });
        let piece = if http2 { PIECE_HTTP2 } else { PIECE_HTTP1 };
        Self { inner, held: Arc::new(held), rest: Bytes::new(), piece, handed, running }
    }

    fn mark(&self, waits_for_client: bool) {
        if let Some(handed) = &self.handed {
            handed.store(if waits_for_client { self.running.0.now() + 1 } else { 0 }, Ordering::Relaxed);
        }
    }
}

/// Bytes with what must live as long as they do.
struct HeldBytes<H> {
    bytes: Bytes,
    _held: Arc<H>,
}

impl<H> AsRef<[u8]> for HeldBytes<H> {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl<H: Send + Sync + 'static> HttpBody for SentBody<H> {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        loop {
            if !self.rest.is_empty() {
                let length = self.piece.min(self.rest.len());
                let piece = self.rest.split_to(length);
                self.mark(true);
                return Poll::Ready(Some(Ok(Frame::data(piece))));
            }
            // What is not ready yet is not late because of the client.
            self.mark(false);
            let Some(frame) = ready!(Pin::new(&mut self.inner).poll_frame(context)) else {
                return Poll::Ready(None);
            };
            match frame?.into_data() {
                Ok(bytes) => {
                    let held = Arc::clone(&self.held);
                    self.rest = Bytes::from_owner(HeldBytes { bytes, _held: held });
                }
                Err(trailers) => return Poll::Ready(Some(Ok(trailers))),
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty() && self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let inner = self.inner.size_hint();
        let rest = self.rest.len() as u64;
        let mut hint = SizeHint::new();
        if let Some(upper) = inner.upper() {
            hint.set_upper(upper + rest);
        }
        hint.set_lower(inner.lower() + rest);
        hint
    }
}

/// The socket of a connection, which notes how much the client takes of what is written.
#[derive(Debug)]
pub(crate) struct WatchedStream<S> {
    stream: S,
    state: Arc<ConnectionState>,
}

impl<S> WatchedStream<S> {
    pub(crate) fn new(stream: S, state: Arc<ConnectionState>) -> Self {
        Self { stream, state }
    }

    fn noted(&self, outcome: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        match &outcome {
            Poll::Ready(Ok(bytes)) => self.state.takes(*bytes),
            Poll::Ready(Err(_)) => {}
            Poll::Pending => self.state.waits(),
        }
        outcome
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for WatchedStream<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for WatchedStream<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let outcome = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.noted(outcome)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let outcome = Pin::new(&mut self.stream).poll_write_vectored(context, slices);
        self.noted(outcome)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_byte_now_and_then_is_no_progress() {
        let limits = Limits { write_timeout: Duration::from_secs(30), ..Limits::default() };
        let mut state = ConnectionState::new(&limits);
        // The clock cannot be set; what was before can.
        let minute = Duration::from_secs(60);
        Arc::get_mut(&mut state).unwrap().opened = Instant::now().checked_sub(minute).unwrap();
        let _request = state.begin(false);
        state.waits();
        assert_eq!(state.overdue(), None);
        state.waited.store(29_000, Ordering::Relaxed);
        state.takes(1);
        state.waits();
        assert_eq!(state.overdue(), None);
        state.waited.fetch_add(1_000, Ordering::Relaxed);
        assert_eq!(state.overdue(), Some("the client does not read"), "one byte in 30 s");
        state.takes(TAKEN_MIN as usize);
        state.waits();
        assert_eq!(state.overdue(), None, "who reads on is not closed");
    }
}
