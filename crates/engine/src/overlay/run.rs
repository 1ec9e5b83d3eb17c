//! The overlay of all features: parallel, in a fixed order, in bounded memory, with progress, and
//! cancellable.

use std::{convert::Infallible, fmt};

use rayon::prelude::*;

use super::compute::{Overlay, OverlayPiece, Worker};
use crate::{Cancel, Cancelled, EngineError, LayerSnapshot, Row};

/// Features of the first layer that one thread processes at a time.
const CHUNK: usize = 512;
/// Number of chunks that are computed while the chunks before them are delivered.
const WINDOW: usize = 16;

/// Settings of one [`Overlay::run`]: cancellation and progress.
#[derive(Clone, Default)]
pub struct OverlayOptions<'a> {
    /// Ends the run early, between features.
    pub cancel: Cancel,
    /// Called with the progress: about ten times a second at most for a small layer, and after every few
    /// thousand features.
    pub progress: Option<&'a (dyn Fn(Progress) + Sync)>,
}

impl fmt::Debug for OverlayOptions<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OverlayOptions")
            .field("cancel", &self.cancel)
            .field("progress", &self.progress.is_some())
            .finish()
    }
}

/// How much of a run is done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// Number of features of the first layer that are done.
    pub done: u64,
    /// Number of features of the first layer that take part.
    pub total: u64,
    /// Number of pieces delivered so far.
    pub pieces: u64,
}

/// Totals of a run.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Summary {
    /// Number of features of the first layer that took part.
    pub rows_a: u64,
    /// Number of features of the second layer that took part.
    pub rows_b: u64,
    /// Number of pairs whose bounding boxes meet, which were compared.
    pub pairs: u64,
    /// Number of pieces delivered.
    pub pieces: u64,
    /// Number of pairs that only touch, or share less than the smallest measure that counts.
    pub contacts: u64,
    /// Sum of the areas of all pieces in m².
    pub area: f64,
    /// Sum of the lengths of all pieces in m.
    pub length: f64,
    /// Sum of the points of all pieces.
    pub count: u64,
}

/// Why a run ended early.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OverlayError<E> {
    /// The run was cancelled through its options.
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
    /// Pieces could not be computed.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// The consumer of the pieces failed.
    #[error("{0}")]
    Sink(E),
}

impl OverlayError<Infallible> {
    /// Changes the type of the sink's error; the sink has not failed.
    fn with_sink_error<E>(self) -> OverlayError<E> {
        match self {
            Self::Cancelled(cancelled) => OverlayError::Cancelled(cancelled),
            Self::Engine(error) => OverlayError::Engine(error),
            Self::Sink(never) => match never {},
        }
    }
}

/// The pieces and counts of one window of chunks.
struct WindowResult {
    pieces: Vec<Vec<OverlayPiece>>,
    pairs: u64,
    contacts: u64,
}

impl Overlay<'_> {
    /// Delivers all pieces to `sink`, ordered by fids of the first layer, then of the second. Computes on the
    /// current rayon pool (the global one outside of any) while `sink` works. Holds some thousands of pieces
    /// at a time.
    ///
    /// # Errors
    /// [`OverlayError::Cancelled`] soon after the flag in the options is set, [`OverlayError::Sink`] with the
    /// error of `sink`, [`OverlayError::Engine`] if a feature cannot be projected to the grid.
    pub fn run<E: Send>(
        mut self,
        options: &OverlayOptions<'_>,
        mut sink: impl FnMut(&[OverlayPiece]) -> Result<(), E> + Send,
    ) -> Result<Summary, OverlayError<E>> {
        options.cancel.check()?;
        let rows = self.a.list();
        let rows_b = if self.b.is_restricted() { self.b.list().len() } else { self.b.snapshot.len() } as u64;
        self.slack = bow(self.a.snapshot).max(bow(self.b.snapshot));
        self.prepare()?;
        let mut summary = Summary { rows_a: rows.len() as u64, rows_b, ..Summary::default() };
        let mut done = 0;
        let mut waiting: Option<WindowResult> = None;
        // Large features of the first layer meet many of the second, so fewer of them make a chunk.
        let coords: usize = rows.iter().map(|&row| self.a.snapshot.shape(row).coords().len()).sum();
        let chunk = (CHUNK * 8 * rows.len().max(1) / coords.max(1)).clamp(1, CHUNK);
        let windows = rows.chunks(chunk * WINDOW).map(Some).chain([None]);
        for window in windows {
            let (found, handed) = rayon::join(
                || window.map(|rows| self.window(rows, chunk, &options.cancel)).transpose(),
                || waiting.take().map_or(Ok(()), |found| deliver(&found, &mut summary, &mut sink)),
            );
            handed?;
            waiting = found.map_err(OverlayError::with_sink_error)?;
            done += window.map_or(0, <[Row]>::len) as u64;
            if let Some(progress) = options.progress {
                progress(Progress { done, total: rows.len() as u64, pieces: summary.pieces });
            }
        }
        Ok(summary)
    }

    fn window(
        &self,
        rows: &[Row],
        chunk: usize,
        cancel: &Cancel,
    ) -> Result<WindowResult, OverlayError<Infallible>> {
        let parts: Vec<_> = rows
            .par_chunks(chunk)
            .map_init(
                || Worker::until(cancel),
                |worker, rows| -> Result<_, OverlayError<Infallible>> {
                    (worker.pairs, worker.contacts) = (0, 0);
                    let mut pieces = Vec::with_capacity(rows.len() * 3 / 2);
                    for &row in rows {
                        cancel.check()?;
                        self.row(row, worker, &mut pieces).map_err(|error| match error {
                            EngineError::Cancelled(cancelled) => OverlayError::Cancelled(cancelled),
                            error => OverlayError::Engine(error),
                        })?;
                    }
                    Ok((pieces, worker.pairs, worker.contacts))
                },
            )
            .collect();
        let mut found = WindowResult { pieces: Vec::new(), pairs: 0, contacts: 0 };
        for part in parts {
            let (pieces, pairs, contacts) = part?;
            found.pieces.push(pieces);
            found.pairs += pairs;
            found.contacts += contacts;
        }
        Ok(found)
    }
}

fn deliver<E>(
    found: &WindowResult,
    summary: &mut Summary,
    sink: &mut impl FnMut(&[OverlayPiece]) -> Result<(), E>,
) -> Result<(), OverlayError<E>> {
    summary.pairs += found.pairs;
    summary.contacts += found.contacts;
    for pieces in &found.pieces {
        summary.pieces += pieces.len() as u64;
        for piece in pieces {
            summary.area += piece.area;
            summary.length += piece.length;
            summary.count += u64::from(piece.count);
        }
        sink(pieces).map_err(OverlayError::Sink)?;
    }
    Ok(())
}

/// Degrees by which the longest edge of the layer may leave its bounding box when it is straight on the grid.
fn bow(snapshot: &LayerSnapshot) -> f64 {
    let longest = |row: Row| {
        let shape = snapshot.shape(row);
        let rings = shape.parts().flat_map(|part| part.rings());
        let edges = rings.flat_map(|ring| shape.ring(ring).windows(2));
        edges
            .map(|edge| (edge[1][0] - edge[0][0]).abs().max((edge[1][1] - edge[0][1]).abs()))
            .fold(0.0, f64::max)
    };
    let rows = (snapshot.base().len() + snapshot.delta().len()) as Row;
    let longest = (0..rows).into_par_iter().with_min_len(4096).map(longest).reduce(|| 0.0, f64::max);
    // An edge of d degrees deviates by d² · π/180 / 8 · tan φ ≤ d² · 0.001 south of 24° N, and by less along
    // a meridian. Twice that, plus rounding.
    longest * longest * 0.004 + 1e-9
}
