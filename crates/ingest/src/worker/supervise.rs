//! The parent's side of the reading process: starting it, ending it, and saying how it ended.

use std::{
    env,
    fs::File,
    io::{self, BufReader, Read},
    os::{
        fd::OwnedFd,
        unix::{net::UnixStream, process::ExitStatusExt},
    },
    process::{Child, Command, ExitStatus, Stdio},
    sync::{
        Arc, Condvar, Mutex, PoisonError,
        mpsc::{Receiver, RecvTimeoutError, sync_channel},
    },
    thread,
    time::{Duration, Instant},
};

use super::{
    Bounds, CHILD, WorkerError,
    folder::{self, Folder, Usage},
    limits,
    wire::{self, Frame, Task},
};
use crate::{ImportError, Request, produce::WAITING, stages::StageClock};
use citymap_model::Layer;

/// The exit code of a Rust program that panicked.
const PANIC: i32 = 101;
/// How much mimalloc, the program's allocator, sets aside at its start, in KiB: by default it is a gigabyte,
/// within which a limit on memory would not be felt.
const ALLOCATOR: &str = "65536";
/// How much of what the child says on standard error is kept, in bytes.
const SAID: usize = 16 << 10;
/// How often it is asked whether the import is to stop.
const POLL: Duration = Duration::from_millis(100);
/// How often the size of the temporary files is looked at.
const LOOK: Duration = Duration::from_millis(200);
/// Environment variables that the child inherits. No other may reach it: they hold passwords.
const INHERITED: [&str; 13] = [
    "LANG",
    "LC_ALL",
    "LC_CTYPE",
    "LC_MESSAGES",
    "TZ",
    "LD_LIBRARY_PATH",
    "GDAL_DATA",
    "GDAL_DRIVER_PATH",
    "PROJ_DATA",
    "PROJ_LIB",
    "RAYON_NUM_THREADS",
    "RUST_BACKTRACE",
    "LLVM_PROFILE_FILE",
];

/// The reading process. Dropping it ends it.
#[derive(Debug)]
pub(super) struct Supervised {
    child: Arc<Mutex<Ended>>,
    /// Woken when the process has ended or is not needed any more.
    watch: Arc<Condvar>,
    frames: Receiver<io::Result<Frame>>,
    /// Takes the time of decoding and checking them.
    clock: Arc<StageClock>,
    said: Option<thread::JoinHandle<String>>,
    bounds: Bounds,
    /// The only folder in which the process may write.
    _folder: Folder,
}

#[derive(Debug)]
struct Ended {
    child: Child,
    /// It is not needed any more.
    done: bool,
    /// The limit for which it was ended.
    beyond: Option<Beyond>,
}

/// The limit for which a process was ended.
#[derive(Clone, Copy, Debug)]
enum Beyond {
    Time,
    Temporary,
}

impl Supervised {
    /// Starts the process with its task.
    pub(super) fn start(request: &Request, present: &[Layer], bounds: &Bounds) -> Result<Self, WorkerError> {
        let folder = folder::make()?;
        let task = Task {
            request: request.clone(),
            present: present.to_vec(),
            memory: bounds.memory,
            temporary: bounds.temporary,
            folder: folder.path().to_owned(),
        };
        let mut command = Command::new(env::current_exe()?);
        command
            .env_clear()
            .envs(INHERITED.iter().filter_map(|name| Some((name, env::var_os(name)?))))
            .env(CHILD, std::process::id().to_string())
            .envs(["TMPDIR", "CPL_TMPDIR", "SQLITE_TMPDIR"].map(|name| (name, folder.path())))
            .env("PROJ_NETWORK", "OFF")
            .env("MIMALLOC_ARENA_RESERVE", ALLOCATOR);
        Self::watched(command, Some(&task), folder, bounds)
    }

    /// Starts a command whose standard input is a socket, and watches it.
    fn watched(
        mut command: Command,
        task: Option<&Task>,
        folder: Folder,
        bounds: &Bounds,
    ) -> Result<Self, WorkerError> {
        let (ours, theirs) = UnixStream::pair()?;
        let mut child = command
            .stdin(Stdio::from(OwnedFd::from(theirs)))
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()?;
        // The command holds the child's end of the socket: without it, the end of the child is seen.
        drop(command);
        let said = child.stderr.take().map(|stderr| thread::spawn(move || last_of(stderr)));
        let mut socket = File::from(OwnedFd::from(ours));
        if let Some(task) = task {
            // A child that ends before it has read its task says why by its status.
            let _ = wire::write_task(&mut socket, task);
        }
        let (out, frames) = sync_channel(WAITING);
        let clock = Arc::new(StageClock::default());
        let decoding = Arc::clone(&clock);
        thread::spawn(move || {
            let mut input = BufReader::with_capacity(1 << 18, socket);
            while let Some(frame) = decoding.time(|| wire::read_frame(&mut input)).transpose() {
                let failed = frame.is_err();
                if out.send(frame).is_err() || failed {
                    return;
                }
            }
        });
        let usage = Usage { folder: folder.path().to_owned(), process: child.id() };
        let child = Arc::new(Mutex::new(Ended { child, done: false, beyond: None }));
        let watch = Arc::new(Condvar::new());
        if !bounds.time.is_zero() || bounds.temporary > 0 {
            let (child, watch, bounds) = (Arc::clone(&child), Arc::clone(&watch), bounds.clone());
            thread::spawn(move || end_when_beyond(&child, &watch, &bounds, &usage));
        }
        Ok(Self { child, watch, frames, clock, said, bounds: bounds.clone(), _folder: folder })
    }

    /// The clock of the stage in which frames are decoded and checked.
    pub(super) fn clock(&self) -> Arc<StageClock> {
        Arc::clone(&self.clock)
    }

    /// The next frame, or why there is none.
    pub(super) fn next(&mut self) -> Result<Frame, ImportError> {
        loop {
            let received = self.frames.recv_timeout(POLL);
            if self.bounds.stop.is_set() {
                return Err(WorkerError::Stopped.into());
            }
            return match received {
                Err(RecvTimeoutError::Timeout) => continue,
                Ok(Ok(frame)) => Ok(frame),
                Ok(Err(error)) if error.kind() == io::ErrorKind::InvalidData => {
                    Err(WorkerError::Unsound(error.to_string()).into())
                }
                Ok(Err(_)) | Err(RecvTimeoutError::Disconnected) => Err(self.how_it_ended().into()),
            };
        }
    }

    /// Waits for a process that has closed its socket, and says how it ended.
    fn how_it_ended(&mut self) -> WorkerError {
        let (status, beyond) = {
            let mut ended = self.child.lock().unwrap_or_else(PoisonError::into_inner);
            ended.done = true;
            let status = ended.child.wait();
            (status, ended.beyond)
        };
        self.watch.notify_all();
        let said = self.said.take().and_then(|said| said.join().ok()).unwrap_or_default();
        match status {
            Err(error) => WorkerError::Run(error),
            Ok(status) => match beyond {
                Some(Beyond::Time) => WorkerError::TooLong(self.bounds.time),
                Some(Beyond::Temporary) => WorkerError::Temporary(self.bounds.temporary),
                None => explain(status, &said, &self.bounds),
            },
        }
    }
}

impl Drop for Supervised {
    fn drop(&mut self) {
        let mut ended = self.child.lock().unwrap_or_else(PoisonError::into_inner);
        ended.done = true;
        // It may have ended by itself.
        let _ = ended.child.kill();
        let _ = ended.child.wait();
        drop(ended);
        self.watch.notify_all();
    }
}

/// Ends the process when its time is over, or its temporary files are too large.
fn end_when_beyond(child: &Mutex<Ended>, watch: &Condvar, bounds: &Bounds, usage: &Usage) {
    let end = (!bounds.time.is_zero()).then(|| Instant::now() + bounds.time);
    loop {
        // Looking takes a moment, in which the lock is not held.
        let too_large = bounds.temporary > 0 && usage.bytes() > bounds.temporary;
        let mut ended = child.lock().unwrap_or_else(PoisonError::into_inner);
        if ended.done {
            return;
        }
        let left = end.map(|end| end.saturating_duration_since(Instant::now()));
        let beyond = match left {
            _ if too_large => Some(Beyond::Temporary),
            Some(left) if left.is_zero() => Some(Beyond::Time),
            _ => None,
        };
        if beyond.is_some() {
            ended.beyond = beyond;
            // It may have ended in this moment.
            let _ = ended.child.kill();
            return;
        }
        let pause = if bounds.temporary > 0 { left.unwrap_or(LOOK).min(LOOK) } else { left.unwrap_or(LOOK) };
        drop(watch.wait_timeout(ended, pause).unwrap_or_else(PoisonError::into_inner));
    }
}

/// Reads to the end and keeps the last bytes, as text that cannot steer a terminal.
fn last_of(mut input: impl Read) -> String {
    let mut kept = Vec::new();
    let mut buffer = [0; 4_096];
    while let Ok(read) = input.read(&mut buffer)
        && read > 0
    {
        kept.extend_from_slice(&buffer[..read]);
        let surplus = kept.len().saturating_sub(SAID);
        kept.drain(..surplus);
    }
    let text = String::from_utf8_lossy(&kept);
    text.chars().map(|c| if c.is_control() && c != '\n' { ' ' } else { c }).collect()
}

/// Why a process ended that has not handed over everything.
fn explain(status: ExitStatus, said: &str, bounds: &Bounds) -> WorkerError {
    let memory = bounds.memory;
    if memory > 0 && limits::is_memory(said) {
        return WorkerError::Memory(memory);
    }
    match (status.code(), status.signal()) {
        (Some(PANIC), _) => {
            let mut lines = said.lines().filter(|line| !line.trim().is_empty());
            let at = lines.find(|line| line.contains("panicked at")).unwrap_or("no place is known");
            let why = lines.next().unwrap_or_default();
            WorkerError::Defect(format!("{} {why}", at.trim()).trim().to_owned())
        }
        (Some(code), _) => WorkerError::Ended(code),
        // What a C++ library does that gets no memory and does not expect it.
        (None, Some(6)) if memory > 0 && said.trim().is_empty() => WorkerError::Memory(memory),
        // One file alone was larger than all of them may be.
        (None, Some(25)) if bounds.temporary > 0 => WorkerError::Temporary(bounds.temporary),
        (None, signal) => WorkerError::Signal(signal.unwrap_or(0)),
    }
}

/// What a signal means, as the end of a sentence about the child.
pub(super) fn told(signal: i32) -> String {
    match signal {
        9 => "was killed (by somebody, or because the machine ran out of memory: --max-memory sets a \
              lower limit)"
            .to_owned(),
        6 => "gave up in a format library; the file is probably damaged".to_owned(),
        11 | 7 => "crashed in a format library; the file is probably damaged".to_owned(),
        25 => "wrote more temporary data than it may; unpack or split the file".to_owned(),
        2 | 15 => "was stopped".to_owned(),
        other => format!("was ended by signal {other}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::worker::Stop;

    fn bounds() -> Bounds {
        Bounds { memory: 0, time: Duration::ZERO, temporary: 0, stop: Stop::default() }
    }

    /// How a shell script ends in the place of the child.
    fn ended(script: &str, seconds: u64) -> String {
        let bounds = Bounds { memory: 64 << 20, time: Duration::from_secs(seconds), ..bounds() };
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        let folder = folder::make().unwrap();
        let mut child = Supervised::watched(command, None, folder, &bounds).unwrap();
        child.next().unwrap_err().to_string()
    }

    #[test]
    fn the_end_of_the_child_is_explained() {
        for (script, words) in [
            ("exit 3", "code 3"),
            ("exit 0", "code 0"),
            (
                "echo \"thread 'main' panicked at x.rs:1:\" >&2; echo index out of bounds >&2; exit 101",
                "x.rs:1: index",
            ),
            ("kill -9 $$", "was killed"),
            ("kill -11 $$", "crashed in a format library"),
            ("kill -6 $$", "--max-memory"),
            ("echo double free >&2; kill -6 $$", "gave up in a format library"),
            ("echo 'memory allocation of 9 bytes failed' >&2; kill -6 $$", "64 MiB"),
        ] {
            for seconds in [0, 60] {
                let told = ended(script, seconds);
                assert!(told.contains(words) && told.contains("the store is as it was"), "{script}: {told}");
            }
        }
    }

    #[test]
    fn a_child_that_takes_too_long_is_ended() {
        let start = Instant::now();
        let told = ended("exec sleep 60", 1);
        assert!(told.contains("after 1 second,") && told.contains("--max-time"), "{told}");
        assert!(start.elapsed() < Duration::from_secs(30));
    }

    #[test]
    fn a_child_whose_temporary_files_are_too_large_is_ended() {
        // Two files that are small enough, each by itself, and one that has no name any more.
        let fill = |name: &str| format!("head -c 600000 /dev/zero > $FOLDER/{name}");
        for script in [
            format!("{}; {}; exec sleep 60", fill("a"), fill("b")),
            "exec 5> $FOLDER/c; rm $FOLDER/c; head -c 1200000 /dev/zero >&5; exec sleep 60".to_owned(),
        ] {
            let folder = folder::make().unwrap();
            let path = folder.path().to_owned();
            let mut command = Command::new("sh");
            command.args(["-c", &script]).env("FOLDER", &path);
            let bounds = Bounds { temporary: 1 << 20, time: Duration::from_secs(600), ..bounds() };
            let mut child = Supervised::watched(command, None, folder, &bounds).unwrap();
            let told = child.next().unwrap_err().to_string();
            assert!(told.contains("1048576 bytes") && told.contains("--max-temporary"), "{told}");
            drop(child);
            assert!(!path.exists());
        }
    }

    #[test]
    fn a_child_is_ended_when_the_import_is_stopped() {
        let bounds = bounds();
        let folder = folder::make().unwrap();
        let path = folder.path().to_owned();
        let mut command = Command::new("sleep");
        command.arg("600");
        let mut child = Supervised::watched(command, None, folder, &bounds).unwrap();
        bounds.stop.stop();
        let told = child.next().unwrap_err().to_string();
        assert!(told.contains("was stopped"), "{told}");
        drop(child);
        assert!(!path.exists());
    }

    #[test]
    fn what_the_child_says_is_bounded_and_cannot_steer_the_terminal() {
        let said = last_of([b"\x1B[2J".repeat(SAID).as_slice(), b"end\n"].concat().as_slice());
        assert!(said.len() <= SAID && said.ends_with("end\n") && !said.contains('\x1B'));
    }

    #[test]
    fn a_child_that_talks_nonsense_is_not_believed() {
        for nonsense in [
            "printf XAAAAAAAA >&0; sleep 5",
            "printf 'B\\377\\377\\377\\377\\377\\377\\377\\377' >&0; sleep 5",
        ] {
            let told = ended(nonsense, 60);
            assert!(told.contains("unsound"), "{told}");
        }
    }
}
