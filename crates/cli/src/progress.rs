//! The progress bar: rate and remaining time on a terminal, nothing elsewhere.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// A bar on standard error that shows `{message} {position}/{total} {rate} {time left}`.
pub(crate) struct Bar(ProgressBar);

impl Bar {
    /// A new bar; it shows nothing when `quiet` or when standard error is not a terminal.
    pub(crate) fn new(quiet: bool) -> Self {
        let target = if quiet { ProgressDrawTarget::hidden() } else { ProgressDrawTarget::stderr_with_hz(5) };
        let bar = ProgressBar::with_draw_target(None, target);
        if let Ok(style) = ProgressStyle::with_template("{msg} {human_pos} {per_sec} {elapsed}") {
            bar.set_style(style);
        }
        Self(bar)
    }

    /// Shows how much is done; a `total` of 0 means that it is not known.
    pub(crate) fn set(&self, message: &str, done: u64, total: u64) {
        if total > 0 && self.0.length() != Some(total) {
            self.0.set_length(total);
            if let Ok(style) = ProgressStyle::with_template(
                "{msg} {wide_bar:.cyan/blue} {human_pos}/{human_len} {per_sec} {eta} left",
            ) {
                self.0.set_style(style);
            }
        }
        if self.0.message() != message {
            self.0.set_message(message.to_owned());
        }
        self.0.set_position(done);
    }

    /// Removes the bar from the terminal.
    pub(crate) fn clear(&self) {
        self.0.finish_and_clear();
    }
}
