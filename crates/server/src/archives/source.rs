//! Where archives lie, and reading ranges of them.

use std::{
    fs::{self, File},
    io,
    os::unix::fs::{FileExt, MetadataExt},
    path::PathBuf,
    time::Duration,
};

use citymap_tile::archive::ROOT_MAX;
use ureq::{
    Agent,
    http::{HeaderMap, StatusCode, header},
    tls::{RootCerts, TlsConfig},
};

use crate::hash::hash_of;

/// The ending of an archive's file.
pub(super) const ENDING: &str = ".pmtiles";
/// How long another server may take to answer a range.
const TIMEOUT: Duration = Duration::from_secs(20);

/// A folder of archives, or an address that they lie below.
#[derive(Debug)]
pub(super) enum ArchiveSource {
    Folder(PathBuf),
    /// Object storage or any web server that answers ranges.
    Web(String, Agent),
}

/// One state of an archive's file: ranges of different states do not fit together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ArchiveVersion {
    /// Differs from state to state; safe in a header.
    pub(super) tag: String,
    /// How long the file is, in bytes.
    pub(super) len: u64,
}

/// Why a range could not be read.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum ArchiveFault {
    /// There is no such archive.
    Absent,
    /// It is not any more what it was when it was opened.
    Changed,
    /// It cannot be read for now.
    Away(String),
    /// It is damaged.
    Damaged(String),
}

impl From<io::Error> for ArchiveFault {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::IsADirectory => Self::Absent,
            io::ErrorKind::UnexpectedEof => Self::Changed,
            _ => Self::Away(error.to_string()),
        }
    }
}

impl ArchiveSource {
    /// From what `--archives` says.
    pub(super) fn new(place: &str) -> Self {
        if !(place.starts_with("http://") || place.starts_with("https://")) {
            return Self::Folder(place.into());
        }
        let tls = TlsConfig::builder().root_certs(RootCerts::PlatformVerifier).build();
        let agent = Agent::config_builder()
            .timeout_global(Some(TIMEOUT))
            .max_redirects(3)
            .http_status_as_error(false)
            .user_agent(concat!("citymap/", env!("CARGO_PKG_VERSION")))
            .tls_config(tls)
            .build();
        Self::Web(place.trim_end_matches('/').to_owned(), agent.into())
    }

    /// The names of all archives, where the place can be listed.
    pub(super) fn names(&self) -> Result<Option<Vec<String>>, ArchiveFault> {
        let Self::Folder(folder) = self else { return Ok(None) };
        let mut names = Vec::new();
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            let name = entry.file_name();
            if let Some(name) = name.to_str().and_then(|name| name.strip_suffix(ENDING))
                && super::is_name(name)
            {
                names.push(name.to_owned());
            }
        }
        names.sort_unstable();
        Ok(Some(names))
    }

    /// The archive's state now, and its first bytes: what the header and the root directory lie in.
    pub(super) fn open(&self, name: &str) -> Result<(ArchiveVersion, Vec<u8>), ArchiveFault> {
        match self {
            Self::Folder(folder) => {
                let file = File::open(folder.join(format!("{name}{ENDING}")))?;
                let version = version_of(&file)?;
                let mut bytes = vec![0; version.len.min(ROOT_MAX as u64) as usize];
                file.read_exact_at(&mut bytes, 0)?;
                Ok((version, bytes))
            }
            Self::Web(base, agent) => fetch(agent, base, name, 0, ROOT_MAX as u64, None),
        }
    }

    /// A range of the archive in this state.
    pub(super) fn read(
        &self,
        name: &str,
        version: &ArchiveVersion,
        offset: u64,
        length: u64,
    ) -> Result<Vec<u8>, ArchiveFault> {
        if offset.checked_add(length).is_none_or(|end| end > version.len) {
            return Err(ArchiveFault::Damaged(
                "it ends before what its header and directories promise".into(),
            ));
        }
        match self {
            Self::Folder(folder) => {
                let file = File::open(folder.join(format!("{name}{ENDING}")))?;
                if version_of(&file)? != *version {
                    return Err(ArchiveFault::Changed);
                }
                let mut bytes = vec![0; length as usize];
                file.read_exact_at(&mut bytes, offset)?;
                Ok(bytes)
            }
            Self::Web(base, agent) => {
                let (_, bytes) = fetch(agent, base, name, offset, length, Some(version))?;
                if bytes.len() as u64 == length { Ok(bytes) } else { Err(ArchiveFault::Changed) }
            }
        }
    }
}

fn version_of(file: &File) -> Result<ArchiveVersion, ArchiveFault> {
    let data = file.metadata()?;
    if !data.is_file() {
        return Err(ArchiveFault::Absent);
    }
    let tag = format!("{:x}", hash_of(&(data.ino(), data.len(), data.mtime(), data.mtime_nsec())));
    Ok(ArchiveVersion { tag, len: data.len() })
}

/// Gets a range of a state, of any state where none is given.
fn fetch(
    agent: &Agent,
    base: &str,
    name: &str,
    offset: u64,
    length: u64,
    version: Option<&ArchiveVersion>,
) -> Result<(ArchiveVersion, Vec<u8>), ArchiveFault> {
    let away = |reason: String| ArchiveFault::Away(format!("{base}/{name}{ENDING}: {reason}"));
    let answer = agent
        .get(format!("{base}/{name}{ENDING}"))
        .header(header::RANGE, format!("bytes={offset}-{}", offset + length.saturating_sub(1)))
        // Packed on the way, a range would be one of something else.
        .header(header::ACCEPT_ENCODING, "identity")
        .call()
        .map_err(|error| away(error.to_string()))?;
    match answer.status() {
        StatusCode::PARTIAL_CONTENT => {}
        // Object storage says 403 for what is not there where nobody may list.
        StatusCode::NOT_FOUND | StatusCode::GONE | StatusCode::FORBIDDEN => return Err(ArchiveFault::Absent),
        StatusCode::RANGE_NOT_SATISFIABLE if version.is_some() => return Err(ArchiveFault::Changed),
        StatusCode::RANGE_NOT_SATISFIABLE => return Err(ArchiveFault::Damaged("it is empty".into())),
        StatusCode::OK => return Err(away("the server sends no ranges; archives need them".into())),
        status => return Err(away(format!("the server answers {status}"))),
    }
    let found =
        state(answer.headers(), offset).ok_or_else(|| away("the answer's range cannot be used".into()))?;
    if version.is_some_and(|version| *version != found) {
        return Err(ArchiveFault::Changed);
    }
    let mut body = answer.into_body();
    // One more than there may be: the bound itself counts as passed.
    let bytes =
        body.with_config().limit(length + 1).read_to_vec().map_err(|error| away(error.to_string()))?;
    Ok((found, bytes))
}

/// The state that an answer's headers tell: its tag or time, and its length (`Content-Range: bytes 0-99/1234`).
fn state(headers: &HeaderMap, offset: u64) -> Option<ArchiveVersion> {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let (range, len) = text(header::CONTENT_RANGE)?.strip_prefix("bytes ")?.split_once('/')?;
    if range.split_once('-')?.0.parse() != Ok(offset) {
        return None;
    }
    let len = len.parse().ok()?;
    let tag = text(header::ETAG).or_else(|| text(header::LAST_MODIFIED)).unwrap_or_default();
    Some(ArchiveVersion { tag: format!("{:x}", hash_of(&(tag, len))), len })
}
