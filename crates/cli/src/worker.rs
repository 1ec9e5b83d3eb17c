//! The process that reads untrusted files. `citymap import` runs itself again as a child with
//! bounds on memory and time: whatever a file makes a format library do, the parent lives to say
//! what happened, and the transaction that the child did not commit is gone with it.

use std::{
    env,
    os::unix::process::ExitStatusExt,
    process::{Command, ExitCode, ExitStatus},
    time::{Duration, Instant},
};

use rustix::process::{Resource, Rlimit, Signal, getrlimit, set_parent_process_death_signal, setrlimit};

use crate::failure::Failure;

const CHILD: &str = "CITYMAP_IMPORT_CHILD";

/// Bounds on the child.
pub(crate) struct Bounds {
    /// Bytes of address space; 0 for none.
    pub(crate) memory: u64,
    /// Wall-clock time; zero for none.
    pub(crate) time: Duration,
}

/// Whether this process is the child.
pub(crate) fn is_child() -> bool {
    env::var_os(CHILD).is_some()
}

/// Binds this process, the child, to its bounds and to its parent's life.
pub(crate) fn confine(bounds: &Bounds) -> Result<(), Failure> {
    set_parent_process_death_signal(Some(Signal::KILL))?;
    if bounds.memory > 0 {
        let maximum = getrlimit(Resource::As).maximum;
        let current = Some(maximum.map_or(bounds.memory, |maximum| maximum.min(bounds.memory)));
        setrlimit(Resource::As, Rlimit { current, maximum })?;
    }
    Ok(())
}

/// Runs this command line again as the child and waits for it.
pub(crate) fn supervise(bounds: &Bounds) -> Result<ExitCode, Failure> {
    let mut child = Command::new(env::current_exe()?).args(env::args_os().skip(1)).env(CHILD, "1").spawn()?;
    let start = Instant::now();
    let status = if bounds.time.is_zero() {
        child.wait()?
    } else {
        loop {
            if let Some(status) = child.try_wait()? {
                break status;
            }
            if start.elapsed() > bounds.time {
                child.kill()?;
                child.wait()?;
                return Err(Failure::new(format!(
                    "the import was stopped after {} seconds, and the store is as it was; --max-time allows more",
                    bounds.time.as_secs()
                )));
            }
            std::thread::sleep(Duration::from_millis(20).min(bounds.time));
        }
    };
    explain(status, bounds)
}

fn explain(status: ExitStatus, bounds: &Bounds) -> Result<ExitCode, Failure> {
    if let Some(code) = status.code() {
        // 101 is a panic: a defect of ours, and still no change to the store.
        if code == 101 {
            return Err(Failure::new(
                "reading the file hit a defect in citymap (above); the store is unchanged. Please report it with the \
                 file",
            ));
        }
        return Ok(ExitCode::from(u8::try_from(code).unwrap_or(1)));
    }
    let signal = status.signal().unwrap_or(0);
    let what = match signal {
        9 => "was killed (by somebody, or because the machine ran out of memory)".to_owned(),
        6 => format!(
            "gave up, as it does beyond its bound of {} MiB of memory (--max-memory)",
            bounds.memory >> 20
        ),
        11 | 7 => "crashed in a format library; the file is probably damaged".to_owned(),
        2 | 15 => "was stopped".to_owned(),
        other => format!("was ended by signal {other}"),
    };
    Err(Failure::new(format!("the process that read the file {what}; the store is as it was")))
}
