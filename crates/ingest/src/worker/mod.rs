//! The confined process that reads untrusted files: the program runs itself again as a child that may do
//! nothing else.
//!
//! The child opens, decodes, plans and checks (`produce`), and hands plans and features to its parent over a
//! socket. Only the parent holds the store, the file of rejects and the terminal, and it believes the child
//! nothing: every frame is bounded, and every feature is held against the layer's definition. Whatever a file
//! makes a format library do, the store is as it was.
//!
//! Before the child opens a file it gives up what it does not need (`confine`): the network, other programs
//! and processes, all files but those named and the data of GDAL and PROJ, and memory beyond a limit. What
//! the kernel does not offer is reported, see [`Confinement`].
//!
//! The parent calls [`import`]. The program calls [`run_child`] first of all where [`is_child`] says so.

#[cfg(test)]
mod attempts;
mod confine;
mod folder;
mod limits;
mod receive;
mod seccomp;
mod supervise;
pub(crate) mod wire;

use std::{
    env,
    fs::File,
    io::{self, BufReader, BufWriter, Write},
    os::fd::AsFd,
    process::ExitCode,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use citymap_model::counted;
use citymap_store::Store;
use serde::{Deserialize, Serialize};

use crate::{ImportError, Progress, Report, Request, import as sides, produce::produce};
pub(crate) use confine::DATA_FOLDERS;
pub use confine::confinement;
pub use limits::{DISK_PART, MACHINE_PART, default_memory, default_temporary};
use receive::Received;
use supervise::Supervised;
use wire::{Frame, Task};

/// The environment variable that tells the child that it is one: the process number of its parent.
const CHILD: &str = "CITYMAP_IMPORT_CHILD";

/// Limits on the child.
#[derive(Clone, Debug)]
pub struct Bounds {
    /// Bytes of address space beyond those of the program itself; 0 for no limit.
    pub memory: u64,
    /// Wall-clock time until everything is read; zero for no limit.
    pub time: Duration,
    /// Bytes of all its temporary files together; 0 for no limit.
    pub temporary: u64,
    /// Ends the import when it is set.
    pub stop: Stop,
}

/// Asks a running import to end. Clones are one and the same.
#[derive(Clone, Debug, Default)]
pub struct Stop(Arc<AtomicBool>);

impl Stop {
    /// Ends the import as soon as possible, unless it is being committed. The store stays as it was.
    pub fn stop(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    fn is_set(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// What the kernel offers to confine a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Confinement {
    /// Whether files other than those named are out of reach (Landlock, since Linux 5.13).
    pub landlock: bool,
    /// Whether the network, other programs and other processes are out of reach (seccomp).
    pub seccomp: bool,
}

impl Confinement {
    /// What is missing, and what to do; none if nothing is.
    pub fn missing(self) -> Option<String> {
        let what = match (self.landlock, self.seccomp) {
            (true, true) => return None,
            (false, true) => "read other files (it has no Landlock)",
            (true, false) => "open connections and start programs (it has no seccomp)",
            (false, false) => {
                "read other files, open connections and start programs (it has neither Landlock nor seccomp)"
            }
        };
        Some(format!(
            "this machine's kernel does not keep the process that reads the files from being made to {what}; \
             import only files whose origin you trust, or use Linux 5.13 or later with both enabled"
        ))
    }
}

/// Why the child gave no result of its own. The store is as it was.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WorkerError {
    /// The child could not be started, limited or waited for.
    #[error("the process that reads the files cannot be run")]
    Run(#[from] io::Error),
    /// It took longer than [`Bounds::time`] and was ended.
    #[error(
        "the import was stopped after {}, and the store is as it was; --max-time allows more",
        counted(.0.as_secs(), "second", "seconds")
    )]
    TooLong(Duration),
    /// Somebody asked it to stop ([`Stop::stop`]).
    #[error("the import was stopped, and the store is as it was")]
    Stopped,
    /// Its temporary files grew beyond [`Bounds::temporary`], and it was ended.
    #[error(
        "reading the files needs more than {} of temporary files, and the store is as it was; unpack or \
         split the files, or allow more with --max-temporary (TMPDIR names another folder for them)",
        counted(*.0, "byte", "bytes")
    )]
    Temporary(u64),
    /// It panicked: a defect of this program.
    #[error(
        "reading the file hit a defect in citymap ({0}); the store is as it was. Please report it \
         with the file"
    )]
    Defect(String),
    /// It needed more memory than [`Bounds::memory`].
    #[error(
        "reading the files needs more than {} MiB of memory, and the store is as it was; --max-memory allows \
         more",
        .0 >> 20
    )]
    Memory(u64),
    /// A signal ended it.
    #[error("the process that read the file {}; the store is as it was", supervise::told(*.0))]
    Signal(i32),
    /// It ended without a result.
    #[error(
        "the process that read the file ended early, with code {0}; the store is as it was. Please report \
         it with the file"
    )]
    Ended(i32),
    /// It handed over what a sound child does not: a defect, or a file that took the child over.
    #[error(
        "the process that read the file handed over something unsound ({0}); the store is as it was. The \
         file may be an attack: do not import it, and report it"
    )]
    Unsound(String),
}

/// Whether this process is the child.
pub fn is_child() -> bool {
    env::var_os(CHILD).is_some()
}

/// Imports files into the store as [`crate::import`] does, but reads them in a confined process.
///
/// The program that calls it must call [`run_child`] at its start if [`is_child`].
///
/// # Errors
/// As [`crate::import`], and [`ImportError::Worker`] if the child did not do what it should.
pub fn import(
    request: &Request,
    store: &dyn Store,
    bounds: &Bounds,
    progress: &mut dyn FnMut(Progress),
) -> Result<Report, ImportError> {
    let request = &sides::for_store(request, store)?;
    let present = sides::present(request, store)?;
    let mut child = Supervised::start(request, &present, bounds)?;
    let mut received = Received::new(request, &present);
    sides::write(request, store, progress, &mut || received.next(&mut child))
}

/// Runs the child: reads its task from standard input, confines itself, and hands over what it reads.
pub fn run_child() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        // The parent is gone, or reads no more: nobody is left to hear of it.
        Err(_closed) => ExitCode::FAILURE,
    }
}

fn run() -> io::Result<()> {
    // Standard input is a socket: one way the task, the other way the frames.
    let socket = File::from(io::stdin().as_fd().try_clone_to_owned()?);
    let mut out = BufWriter::with_capacity(1 << 18, socket.try_clone()?);
    let task = wire::read_task(&mut BufReader::new(socket))?;
    let outcome = confine::confine(&task).map_err(ImportError::from).and_then(|confinement| {
        wire::write_frame(&mut out, Frame::Confined(confinement)).map_err(limits_or_io)?;
        read(&task, &mut out)
    });
    if let Err(error) = outcome {
        wire::write_frame(&mut out, Frame::Failed(limits::explained(error, task.memory).into()))?;
    }
    out.flush()
}

fn limits_or_io(error: io::Error) -> ImportError {
    WorkerError::Run(error).into()
}

/// Reads the files of the task and writes what comes of them.
fn read(task: &Task, out: &mut impl Write) -> Result<(), ImportError> {
    let mut failed = None;
    produce(&task.request, &task.present, &mut |item| {
        // What was looked through is shown while the next file is.
        let written = wire::write_frame(out, Frame::Item(item)).and_then(|()| out.flush());
        failed = written.err();
        failed.is_none()
    })?;
    failed.map_or(Ok(()), |error| Err(limits_or_io(error)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_kernel_lacks_is_said_with_what_to_do() {
        for (landlock, seccomp, words) in [
            (true, true, None),
            (false, true, Some("Landlock")),
            (true, false, Some("seccomp")),
            (false, false, Some("neither Landlock nor seccomp")),
        ] {
            let missing = Confinement { landlock, seccomp }.missing();
            match words {
                None => assert_eq!(missing, None),
                Some(words) => {
                    let missing = missing.unwrap();
                    assert!(missing.contains(words) && missing.contains("Linux 5.13"), "{missing}");
                }
            }
        }
    }
}
