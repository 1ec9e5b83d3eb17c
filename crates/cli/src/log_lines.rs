//! The log: one line for each event, whatever names and addresses are in it.

use std::io::{self, Write};

use citymap_model::text::shown_but;

/// Takes events, each as one call of [`Write::write`], and writes each as one line. Characters that steer a
/// terminal, line breaks inside the event among them, are escaped.
pub(crate) struct LogLines<W>(pub(crate) W);

impl<W: Write> Write for LogLines<W> {
    fn write(&mut self, event: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(event);
        let line = text.strip_suffix('\n').unwrap_or(&text);
        self.0.write_all(format!("{}\n", shown_but(line, &['\t'])).as_bytes())?;
        Ok(event.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    /// What was written, in memory.
    #[derive(Clone, Default)]
    struct Written(Arc<Mutex<Vec<u8>>>);

    impl Write for Written {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn an_event_is_one_line_that_steers_nothing() {
        let written = Written::default();
        let out = written.clone();
        let subscriber =
            tracing_subscriber::fmt().with_ansi(false).with_writer(move || LogLines(out.clone())).finish();
        tracing::subscriber::with_default(subscriber, || {
            tracing::warn!(name = %"a\u{202e}b\nERROR forged", "an archive \u{1b}[2J");
        });
        let text = String::from_utf8(written.0.lock().unwrap().clone()).unwrap();
        assert_eq!(text.matches('\n').count(), 1, "{text:?}");
        assert!(text.ends_with('\n') && text.contains("forged"), "{text:?}");
        assert!(!text.contains(['\u{202e}', '\u{1b}']), "{text:?}");
    }
}
