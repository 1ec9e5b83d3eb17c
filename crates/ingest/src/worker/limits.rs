//! Limits on the memory of the reading process.

use std::{env, fs, io};

use crate::{ImportError, worker::WorkerError};

/// The part of the machine's memory that the reading process may take if nothing else is said: one over this.
pub const MACHINE_PART: u64 = 2;
/// What it may take where the machine's memory is unknown, in bytes.
const UNKNOWN: u64 = 4 << 30;
/// Less is not enough for GDAL and the threads, in bytes.
const LEAST: u64 = 1 << 30;

/// The default limit on the memory of the reading process in bytes: half of the machine's memory, or of the
/// control group's where that has less.
pub fn default_memory() -> u64 {
    let machine = fs::read_to_string("/proc/meminfo").ok().and_then(|text| kibibytes(&text, "MemTotal:"));
    let group =
        fs::read_to_string("/sys/fs/cgroup/memory.max").ok().and_then(|text| text.trim().parse().ok());
    let all = machine.into_iter().chain(group).min();
    all.map_or(UNKNOWN, |bytes| (bytes / MACHINE_PART).max(LEAST))
}

/// The part of the free disk that temporary files may take if nothing else is said: one over this.
pub const DISK_PART: u64 = 2;

/// The default limit on the temporary files of the reading process in bytes: half of what is free where they
/// are made. 0, no limit, where that is unknown.
pub fn default_temporary() -> u64 {
    rustix::fs::statvfs(env::temp_dir())
        .map_or(0, |disk| (disk.f_bavail.saturating_mul(disk.f_frsize) / DISK_PART).max(1))
}

/// The value of a line such as `MemTotal:  8000000 kB`, in bytes.
fn kibibytes(text: &str, name: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    line.split_ascii_whitespace().next()?.parse::<u64>().ok()?.checked_mul(1 << 10)
}

/// The bytes of address space that this process has mapped.
///
/// # Errors
/// [`io::Error`] if the system does not say.
pub(super) fn mapped() -> io::Result<u64> {
    let status = fs::read_to_string("/proc/self/status")?;
    kibibytes(&status, "VmSize:").ok_or_else(|| io::Error::other("the system does not say what is mapped"))
}

/// What libraries say when they get no memory.
const SAID: [&str; 7] = [
    "failed to spawn thread",
    "out of memory",
    "cannot allocate",
    "bad_alloc",
    "memory allocation",
    "not enough memory",
    "database or disk is full (memory)",
];

/// Whether a message says that memory ran out.
pub(super) fn is_memory(message: &str) -> bool {
    let message = message.to_lowercase();
    SAID.iter().any(|said| message.contains(said))
}

/// The error as it is, or [`WorkerError::Memory`] if it says that memory ran out under a limit.
pub(super) fn explained(error: ImportError, memory: u64) -> ImportError {
    if memory > 0 && is_memory(&error.to_string()) { WorkerError::Memory(memory).into() } else { error }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_is_half_of_the_machine_s_memory() {
        let text = "MemTotal:       8000000 kB\nMemFree: 1 kB\n";
        assert_eq!(kibibytes(text, "MemTotal:"), Some(8_000_000 << 10));
        assert_eq!(kibibytes("x", "MemTotal:"), None);
        let machine = kibibytes(&fs::read_to_string("/proc/meminfo").unwrap(), "MemTotal:").unwrap();
        assert!((LEAST..=(machine / 2).max(LEAST)).contains(&default_memory()));
    }

    #[test]
    fn an_error_for_want_of_memory_names_the_option() {
        let error = || ImportError::unreadable("a.gpkg", "std::bad_alloc", "get it again");
        let told = explained(error(), 64 << 20).to_string();
        assert!(told.contains("64 MiB") && told.contains("--max-memory"), "{told}");
        assert!(explained(error(), 0).to_string().contains("bad_alloc"));
        assert!(explained(ImportError::Usage("x".into()), 1).to_string() == "x");
    }
}
