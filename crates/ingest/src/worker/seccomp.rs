//! The system calls that the reading process may still make.
//!
//! All others end with the error "not implemented", so that a library that only tries them goes on. Among
//! them are those that open connections, start programs, look into or signal other processes, change the
//! mode or owner of files, and mount.

use std::{collections::BTreeMap, fs, io, process};

use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter, SeccompRule,
    TargetArch,
};

/// Calls that are allowed with any arguments: files, memory, threads, time, and questions about the process.
#[rustfmt::skip]
const ALLOWED: &[i64] = &[
    // Files that are open, or that the file system's rules let it open.
    libc::SYS_read, libc::SYS_write, libc::SYS_readv, libc::SYS_writev, libc::SYS_pread64, libc::SYS_pwrite64,
    libc::SYS_preadv, libc::SYS_pwritev, libc::SYS_preadv2, libc::SYS_pwritev2, libc::SYS_openat,
    libc::SYS_openat2, libc::SYS_close, libc::SYS_close_range, libc::SYS_lseek, libc::SYS_dup, libc::SYS_dup3,
    libc::SYS_fcntl, libc::SYS_flock, libc::SYS_fstat, libc::SYS_newfstatat, libc::SYS_statx,
    libc::SYS_faccessat, libc::SYS_faccessat2, libc::SYS_readlinkat, libc::SYS_getdents64, libc::SYS_getcwd,
    libc::SYS_mkdirat, libc::SYS_unlinkat, libc::SYS_renameat, libc::SYS_renameat2, libc::SYS_ftruncate,
    libc::SYS_symlinkat,
    libc::SYS_truncate, libc::SYS_fallocate, libc::SYS_fsync, libc::SYS_fdatasync, libc::SYS_sync_file_range,
    libc::SYS_fadvise64, libc::SYS_copy_file_range, libc::SYS_sendfile, libc::SYS_statfs, libc::SYS_fstatfs,
    libc::SYS_umask, libc::SYS_readahead, libc::SYS_pipe2, libc::SYS_ppoll, libc::SYS_pselect6,
    // Memory.
    libc::SYS_mmap, libc::SYS_mprotect, libc::SYS_munmap, libc::SYS_mremap, libc::SYS_madvise, libc::SYS_brk,
    libc::SYS_msync, libc::SYS_mincore, libc::SYS_membarrier,
    // Threads.
    libc::SYS_futex, libc::SYS_set_robust_list, libc::SYS_get_robust_list, libc::SYS_rseq,
    libc::SYS_set_tid_address, libc::SYS_gettid, libc::SYS_exit, libc::SYS_exit_group, libc::SYS_sched_yield,
    libc::SYS_sched_getaffinity, libc::SYS_sched_getparam, libc::SYS_sched_getscheduler,
    libc::SYS_sched_get_priority_max, libc::SYS_sched_get_priority_min, libc::SYS_getcpu,
    // Signals to itself are below.
    libc::SYS_rt_sigaction, libc::SYS_rt_sigprocmask, libc::SYS_rt_sigreturn, libc::SYS_rt_sigtimedwait,
    libc::SYS_sigaltstack, libc::SYS_restart_syscall,
    // Time and chance.
    libc::SYS_nanosleep, libc::SYS_clock_nanosleep, libc::SYS_clock_gettime, libc::SYS_clock_getres,
    libc::SYS_gettimeofday, libc::SYS_times, libc::SYS_getrandom,
    // Questions.
    libc::SYS_getpid, libc::SYS_getppid, libc::SYS_getuid, libc::SYS_geteuid, libc::SYS_getgid,
    libc::SYS_getegid, libc::SYS_getrusage, libc::SYS_sysinfo, libc::SYS_uname, libc::SYS_prctl,
];

/// Calls that only this architecture has, and that stand for some of those above.
#[cfg(target_arch = "x86_64")]
#[rustfmt::skip]
const ALLOWED_HERE: &[i64] = &[
    libc::SYS_open, libc::SYS_stat, libc::SYS_lstat, libc::SYS_access, libc::SYS_readlink, libc::SYS_mkdir,
    libc::SYS_rmdir, libc::SYS_unlink, libc::SYS_rename,
    libc::SYS_symlink, libc::SYS_dup2, libc::SYS_pipe, libc::SYS_poll,
    libc::SYS_select, libc::SYS_getdents, libc::SYS_getrlimit, libc::SYS_getpgrp, libc::SYS_time,
    libc::SYS_arch_prctl,
];
#[cfg(not(target_arch = "x86_64"))]
const ALLOWED_HERE: &[i64] = &[];

/// Questions about an open file by `ioctl`: whether it is a terminal, how much can be read, close on exec.
const IOCTLS: [u64; 3] = [0x5401, 0x541B, 0x5451];

/// Whether the kernel offers filters.
pub(super) fn is_offered() -> bool {
    fs::read_to_string("/proc/sys/kernel/seccomp/actions_avail")
        .is_ok_and(|actions| actions.contains("errno"))
}

/// Takes all other system calls from this thread and those that it starts; whether the kernel can.
///
/// # Errors
/// [`io::Error`] if the kernel offers filters and refuses this one.
pub(super) fn restrict_calls() -> io::Result<bool> {
    let offered = is_offered();
    let Ok(architecture) = TargetArch::try_from(std::env::consts::ARCH) else { return Ok(false) };
    let program = filter(architecture)
        .and_then(BpfProgram::try_from)
        .map_err(|error| io::Error::other(error.to_string()))?;
    match seccompiler::apply_filter(&program) {
        Ok(()) => Ok(true),
        Err(_missing) if !offered => Ok(false),
        Err(error) => Err(io::Error::other(error.to_string())),
    }
}

fn filter(architecture: TargetArch) -> Result<SeccompFilter, seccompiler::BackendError> {
    let mut rules: BTreeMap<i64, Vec<SeccompRule>> =
        ALLOWED.iter().chain(ALLOWED_HERE).map(|call| (*call, Vec::new())).collect();
    let own = u64::from(process::id());
    let thread = libc::CLONE_THREAD as u64;
    // A thread of its own, and no process; `clone3`, whose flags a filter cannot see, is not among them, and
    // the C library then uses `clone`.
    rules.insert(libc::SYS_clone, vec![only(0, SeccompCmpOp::MaskedEq(thread), thread)?]);
    // Signals to itself, as `abort` sends one.
    for call in [libc::SYS_tgkill, libc::SYS_kill] {
        rules.insert(call, vec![only(0, SeccompCmpOp::Eq, own)?]);
    }
    // Its own limits.
    rules.insert(libc::SYS_prlimit64, vec![only(0, SeccompCmpOp::Eq, 0)?, only(0, SeccompCmpOp::Eq, own)?]);
    let ioctls = IOCTLS.iter().map(|request| only(1, SeccompCmpOp::Eq, *request));
    rules.insert(libc::SYS_ioctl, ioctls.collect::<Result<_, _>>()?);
    SeccompFilter::new(rules, SeccompAction::Errno(libc::ENOSYS as u32), SeccompAction::Allow, architecture)
}

/// A rule for one argument of a call.
fn only(argument: u8, operator: SeccompCmpOp, value: u64) -> Result<SeccompRule, seccompiler::BackendError> {
    SeccompRule::new(vec![SeccompCondition::new(argument, SeccompCmpArgLen::Dword, operator, value)?])
}
