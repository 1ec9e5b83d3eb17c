//! What can run as a job: one folder or file per process.
//!
//! A new process implements [`Process`] and is added to [`PROCESSES`]; its routes, its description and its
//! part of the OpenAPI document follow from there. The jobs themselves run in [`crate::jobs`].

mod check;
mod echo;
mod overlay;
pub(crate) mod paging;
pub(crate) mod print;
pub(crate) mod process;
pub(crate) mod routes;

pub use check::fault_link;

use process::Process;

/// All processes, in the order of `/api/processes`.
pub(crate) static PROCESSES: &[&dyn Process] =
    &[&overlay::OverlayProcess, &print::PrintProcess, &echo::EchoProcess, &check::CheckProcess];
