//! What the reading process gives up before it opens a file.
//!
//! Files: Landlock lets it read the named files and their parts, the data of GDAL and PROJ, and the system's
//! libraries; it may write in its temporary folder only. System calls: see [`super::seccomp`]. Memory, the
//! size of files and core dumps: limits of the process. GDAL: settings that keep it from the network and from
//! files next to the named ones.

use std::{
    env, io,
    path::{Path, PathBuf},
};

use landlock::{
    ABI, Access, AccessFs, AccessNet, BitFlags, Compatible, Ruleset, RulesetAttr, RulesetCreatedAttr,
    RulesetStatus, Scope, path_beneath_rules,
};
use rustix::process::{
    Pid, Resource, Rlimit, Signal, getppid, getrlimit, set_parent_process_death_signal, setrlimit,
};

use super::{CHILD, Confinement, WorkerError, limits, seccomp, wire::Task};
use crate::{source::parts, trust};

/// The rights that are taken away, as far as the kernel knows them.
const ABI_USED: ABI = ABI::V6;
/// Maximum size of a temporary file in bytes: a member of an archive, or an index that GDAL makes.
const FILE_SIZE: u64 = 32 << 30;
/// Where the system's libraries are, with their character sets, locales and plugins.
const LIBRARIES: [&str; 8] = [
    "/lib",
    "/lib64",
    "/usr/lib",
    "/usr/lib64",
    "/usr/local/lib",
    "/etc/ld.so.cache",
    "/etc/localtime",
    "/usr/share/zoneinfo",
];
/// Where GDAL and PROJ have their data, if no environment variable names another place.
pub(crate) const DATA_FOLDERS: [&str; 4] =
    ["/usr/share/gdal", "/usr/share/proj", "/usr/local/share/gdal", "/usr/local/share/proj"];
/// The environment variables that name such places.
const DATA_VARIABLES: [&str; 5] =
    ["GDAL_DATA", "PROJ_DATA", "PROJ_LIB", "GDAL_DRIVER_PATH", "LD_LIBRARY_PATH"];
/// What libraries ask about the machine and the process.
const MACHINE: [&str; 6] =
    ["/dev/null", "/dev/urandom", "/proc/meminfo", "/proc/cpuinfo", "/proc/self", "/sys/devices/system/cpu"];
/// What the kernel of this machine offers.
pub fn confinement() -> Confinement {
    let landlock = Ruleset::default()
        .set_compatibility(landlock::CompatLevel::HardRequirement)
        .handle_access(AccessFs::from_all(ABI::V1))
        .and_then(Ruleset::create)
        .is_ok();
    Confinement { landlock, seccomp: seccomp::is_offered() }
}

/// Confines this process, the child, and ends it together with its parent. Must be called before it has
/// threads.
///
/// # Errors
/// [`WorkerError::Run`] if the system refuses a limit that it offers.
pub(super) fn confine(task: &Task) -> Result<Confinement, WorkerError> {
    set_parent_process_death_signal(Some(Signal::KILL)).map_err(io::Error::from)?;
    // A parent that was killed before that call sends no signal: the child has another parent by now.
    let parent = env::var(CHILD).ok().and_then(|pid| pid.parse().ok()).and_then(Pid::from_raw);
    if getppid() != parent {
        return Err(io::Error::other("the process that started this one has ended").into());
    }
    if task.memory > 0 {
        // The program itself and what its allocator has set aside do not count.
        limit(Resource::As, task.memory.saturating_add(limits::mapped()?))?;
    }
    let all = if task.temporary > 0 { task.temporary } else { FILE_SIZE };
    limit(Resource::Fsize, all.min(FILE_SIZE))?;
    limit(Resource::Core, 0)?;
    trust::set_up_gdal().map_err(io::Error::other)?;
    let landlock = restrict_files(&task.request.files, &task.folder)?;
    let seccomp = seccomp::restrict_calls()?;
    Ok(Confinement { landlock, seccomp })
}

/// Lowers a limit of the process; one that is lower already stays.
fn limit(resource: Resource, value: u64) -> io::Result<()> {
    let maximum = getrlimit(resource).maximum;
    let value = maximum.map_or(value, |maximum| maximum.min(value));
    setrlimit(resource, Rlimit { current: Some(value), maximum: Some(value) }).map_err(io::Error::from)
}

/// Leaves of the file system what reading takes; whether the kernel can.
pub(super) fn restrict_files(sources: &[PathBuf], folder: &Path) -> io::Result<bool> {
    let all = AccessFs::from_all(ABI_USED);
    let read = AccessFs::ReadFile | AccessFs::ReadDir;
    let special = AccessFs::MakeChar | AccessFs::MakeBlock | AccessFs::MakeSock | AccessFs::MakeFifo;
    let write: BitFlags<AccessFs> = all & !(special | AccessFs::Execute);
    let variables = DATA_VARIABLES.iter().filter_map(env::var_os);
    let named: Vec<PathBuf> =
        variables.flat_map(|list| env::split_paths(&list).collect::<Vec<_>>()).collect();
    let system = LIBRARIES.iter().chain(&DATA_FOLDERS).chain(&MACHINE).map(PathBuf::from);
    let (mut readable, mut listed) = (Vec::new(), Vec::new());
    for source in sources {
        readable.extend(parts_of(source));
        listed.extend(folder_to_list(source));
    }
    let status = Ruleset::default()
        .handle_access(all)
        .and_then(|rules| rules.handle_access(AccessNet::from_all(ABI_USED)))
        .and_then(|rules| rules.scope(Scope::from_all(ABI_USED)))
        .and_then(Ruleset::create)
        .and_then(|rules| rules.add_rules(path_beneath_rules(system.chain(named).chain(readable), read)))
        .and_then(|rules| rules.add_rules(path_beneath_rules(listed, AccessFs::ReadDir)))
        .and_then(|rules| rules.add_rules(path_beneath_rules([folder], write)))
        .and_then(|rules| rules.restrict_self())
        .map_err(io::Error::other)?;
    Ok(status.ruleset != RulesetStatus::NotEnforced)
}

/// The files that a source consists of: itself, a folder as a whole, and the files of its name that belong to
/// it by their extension.
fn parts_of(source: &Path) -> Vec<PathBuf> {
    let mut files = parts::all(source);
    let mut journal = source.as_os_str().to_owned();
    journal.push("-journal");
    files.push(journal.into());
    files
}

/// The folder of a source whose parts are found by a look through it, since their names differ in case.
fn folder_to_list(source: &Path) -> Option<PathBuf> {
    let unusual = parts::sides(source).iter().any(|side| {
        let usual = [side.to_lowercase(), side.to_uppercase()].map(|side| source.with_extension(side));
        parts::beside(source, side).is_some_and(|found| !usual.contains(&found))
    });
    let folder = source.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    unusual.then(|| folder.to_owned())
}
