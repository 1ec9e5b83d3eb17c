//! The signals that ask a command to stop: Ctrl-C (SIGINT) and SIGTERM.

use std::future;

use tokio::{
    runtime,
    signal::{
        ctrl_c,
        unix::{SignalKind, signal},
    },
};

use crate::failure::Failure;

/// Calls `stop` at the first signal, from a thread of its own, so that the command can end its work and leave
/// no unfinished file behind.
///
/// # Errors
/// If the thread cannot be started.
pub(crate) fn on_stop(stop: impl FnOnce() + Send + 'static) -> Result<(), Failure> {
    let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
    std::thread::Builder::new().name("signals".to_owned()).spawn(move || {
        runtime.block_on(stop_signal());
        stop();
    })?;
    Ok(())
}

/// Ends at the first signal.
pub(crate) async fn stop_signal() {
    let terminate = async {
        match signal(SignalKind::terminate()) {
            Ok(mut signal) => {
                signal.recv().await;
            }
            Err(error) => {
                tracing::warn!(error = &error as &dyn std::error::Error, "SIGTERM cannot be received");
                future::pending::<()>().await;
            }
        }
    };
    tokio::select! {
        _ = ctrl_c() => {}
        () = terminate => {}
    }
}
