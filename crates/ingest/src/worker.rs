//! The process that reads untrusted files: the program runs itself again as a child with limits on memory and
//! time.
//!
//! Whatever a file makes a format library do, the parent lives to say what happened, and a transaction that
//! the child did not commit is gone with it. The parent calls [`supervise`]; the child, which [`is_child`]
//! tells, calls [`confine`] before it opens a file.

use std::{
    env, io,
    os::unix::process::ExitStatusExt,
    process::{Child, Command, ExitStatus},
    time::{Duration, Instant},
};

use rustix::process::{
    Pid, Resource, Rlimit, Signal, getppid, getrlimit, set_parent_process_death_signal, setrlimit,
};

/// The environment variable that tells the child that it is one.
const CHILD: &str = "CITYMAP_IMPORT_CHILD";
/// How often the parent looks whether the child has ended.
const LOOK: Duration = Duration::from_millis(20);
/// The exit code of a Rust program that panicked.
const PANIC: i32 = 101;

/// Limits on the child.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// Bytes of address space; 0 for no limit.
    pub memory: u64,
    /// Wall-clock time; zero for no limit.
    pub time: Duration,
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
        "the import was stopped after {} seconds, and the store is as it was; --max-time allows more",
        .0.as_secs()
    )]
    TooLong(Duration),
    /// It panicked: a defect of this program.
    #[error(
        "reading the file hit a defect in citymap (above); the store is as it was. Please report it with the \
         file"
    )]
    Defect,
    /// A signal ended it.
    #[error("the process that read the file {}; the store is as it was", told(*.signal, *.memory))]
    Signal {
        /// The number of the signal.
        signal: i32,
        /// The limit on memory that it had, in bytes.
        memory: u64,
    },
}

/// Whether this process is the child.
pub fn is_child() -> bool {
    env::var_os(CHILD).is_some()
}

/// Puts this process, the child, under its limits and ends it together with its parent.
///
/// # Errors
/// [`WorkerError::Run`] if the system refuses a limit.
pub fn confine(bounds: &Bounds) -> Result<(), WorkerError> {
    set_parent_process_death_signal(Some(Signal::KILL)).map_err(io::Error::from)?;
    // A parent that was killed before that call sends no signal: the child has another parent by now.
    let parent = env::var(CHILD).ok().and_then(|pid| pid.parse().ok()).and_then(Pid::from_raw);
    if getppid() != parent {
        return Err(io::Error::other("the process that started this one has ended").into());
    }
    if bounds.memory > 0 {
        let maximum = getrlimit(Resource::As).maximum;
        let current = Some(maximum.map_or(bounds.memory, |maximum| maximum.min(bounds.memory)));
        setrlimit(Resource::As, Rlimit { current, maximum }).map_err(io::Error::from)?;
    }
    Ok(())
}

/// Runs this command line again as the child, waits for it and gives its exit code.
///
/// # Errors
/// [`WorkerError`] if the child did not end by itself with a code of its own.
pub fn supervise(bounds: &Bounds) -> Result<u8, WorkerError> {
    let mut child = Command::new(env::current_exe()?)
        .args(env::args_os().skip(1))
        .env(CHILD, std::process::id().to_string())
        .spawn()?;
    exit_code(wait(&mut child, bounds)?, bounds)
}

/// Waits until the child ends, or ends it when its time is over.
fn wait(child: &mut Child, bounds: &Bounds) -> Result<ExitStatus, WorkerError> {
    if bounds.time.is_zero() {
        return Ok(child.wait()?);
    }
    let start = Instant::now();
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(status);
        }
        if start.elapsed() > bounds.time {
            child.kill()?;
            child.wait()?;
            return Err(WorkerError::TooLong(bounds.time));
        }
        std::thread::sleep(LOOK.min(bounds.time));
    }
}

fn exit_code(status: ExitStatus, bounds: &Bounds) -> Result<u8, WorkerError> {
    match status.code() {
        Some(PANIC) => Err(WorkerError::Defect),
        Some(code) => Ok(u8::try_from(code).unwrap_or(1)),
        None => Err(WorkerError::Signal { signal: status.signal().unwrap_or(0), memory: bounds.memory }),
    }
}

/// What a signal means, as the end of a sentence about the child.
fn told(signal: i32, memory: u64) -> String {
    match signal {
        9 => "was killed (by somebody, or because the machine ran out of memory)".to_owned(),
        6 => format!("gave up, as it does beyond its limit of {} MiB of memory (--max-memory)", memory >> 20),
        11 | 7 => "crashed in a format library; the file is probably damaged".to_owned(),
        2 | 15 => "was stopped".to_owned(),
        other => format!("was ended by signal {other}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn child(script: &str) -> Child {
        Command::new("sh").args(["-c", script]).spawn().unwrap()
    }

    fn ended(script: &str, seconds: u64) -> Result<u8, WorkerError> {
        let bounds = Bounds { memory: 64 << 20, time: Duration::from_secs(seconds) };
        exit_code(wait(&mut child(script), &bounds)?, &bounds)
    }

    #[test]
    fn the_child_s_code_comes_back_and_its_death_is_explained() {
        assert_eq!(ended("exit 3", 0).unwrap(), 3);
        assert_eq!(ended("exit 3", 30).unwrap(), 3);
        assert!(matches!(ended("exit 101", 30), Err(WorkerError::Defect)));
        let killed = ended("kill -9 $$", 30).unwrap_err().to_string();
        assert!(killed.contains("was killed"), "{killed}");
        let aborted = ended("kill -6 $$", 0).unwrap_err().to_string();
        assert!(aborted.contains("64 MiB"), "{aborted}");
    }

    #[test]
    fn a_child_that_takes_too_long_is_ended() {
        let late = ended("exec sleep 60", 1).unwrap_err();
        assert!(matches!(late, WorkerError::TooLong(_)), "{late}");
        assert!(late.to_string().contains("after 1 seconds"), "{late}");
    }
}
