//! Reading ranges of archives, from a folder or from a web server.

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

/// The extension of an archive's file.
pub(super) const EXTENSION: &str = ".pmtiles";
/// Maximum time for another server to answer a range.
const TIMEOUT: Duration = Duration::from_secs(20);

/// The place that archives are read from.
#[derive(Debug)]
pub(super) enum ArchiveSource {
    /// A folder on this machine.
    Folder(PathBuf),
    /// Object storage, or any web server that answers range requests: its base URL and the client.
    Web(String, Agent),
}

/// One state of an archive's file. Ranges of different states must not be combined.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ArchiveVersion {
    /// Differs between states; hexadecimal digits.
    pub(super) tag: String,
    /// The length of the file in bytes.
    pub(super) len: u64,
}

/// Why a range could not be read.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum ArchiveFault {
    /// There is no such archive.
    Absent,
    /// The file has been replaced since it was opened.
    Changed,
    /// It cannot be read at the moment; the reason.
    Away(String),
    /// The file is not a valid archive; the reason.
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
    /// The source that `--archives` names: an `http://` or `https://` URL, or a folder. Reads nothing.
    pub(super) fn new(location: &str) -> Self {
        if !(location.starts_with("http://") || location.starts_with("https://")) {
            return Self::Folder(location.into());
        }
        let tls = TlsConfig::builder().root_certs(RootCerts::PlatformVerifier).build();
        let agent = Agent::config_builder()
            .timeout_global(Some(TIMEOUT))
            .max_redirects(3)
            .http_status_as_error(false)
            .user_agent(concat!("citymap/", env!("CARGO_PKG_VERSION")))
            .tls_config(tls)
            .build();
        Self::Web(location.trim_end_matches('/').to_owned(), agent.into())
    }

    /// The names of all archives, sorted; `None` if the source cannot be listed. Blocks.
    pub(super) fn names(&self) -> Result<Option<Vec<String>>, ArchiveFault> {
        let Self::Folder(folder) = self else { return Ok(None) };
        let mut names = Vec::new();
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            let name = entry.file_name();
            if let Some(name) = name.to_str().and_then(|name| name.strip_suffix(EXTENSION))
                && is_name(name)
            {
                names.push(name.to_owned());
            }
        }
        names.sort_unstable();
        Ok(Some(names))
    }

    /// The archive's current state and its first bytes, which hold the header and the root directory. Blocks.
    pub(super) fn open(&self, name: &str) -> Result<(ArchiveVersion, Vec<u8>), ArchiveFault> {
        match self {
            Self::Folder(folder) => {
                let file = File::open(folder.join(format!("{name}{EXTENSION}")))?;
                let version = version_of(&file)?;
                let mut bytes = vec![0; version.len.min(ROOT_MAX as u64) as usize];
                file.read_exact_at(&mut bytes, 0)?;
                Ok((version, bytes))
            }
            Self::Web(base, agent) => fetch(agent, base, name, (0, ROOT_MAX as u64), None),
        }
    }

    /// Reads a range of the archive in this state. Blocks.
    ///
    /// # Errors
    /// [`ArchiveFault::Changed`] if the file is in another state now.
    pub(super) fn read(
        &self,
        name: &str,
        version: &ArchiveVersion,
        offset: u64,
        length: u64,
    ) -> Result<Vec<u8>, ArchiveFault> {
        if offset.checked_add(length).is_none_or(|end| end > version.len) {
            return Err(ArchiveFault::Damaged(
                "it ends before the data that its header and directories refer to".into(),
            ));
        }
        match self {
            Self::Folder(folder) => {
                let file = File::open(folder.join(format!("{name}{EXTENSION}")))?;
                if version_of(&file)? != *version {
                    return Err(ArchiveFault::Changed);
                }
                let mut bytes = vec![0; length as usize];
                file.read_exact_at(&mut bytes, offset)?;
                Ok(bytes)
            }
            Self::Web(base, agent) => {
                let (_, bytes) = fetch(agent, base, name, (offset, length), Some(version))?;
                if bytes.len() as u64 == length { Ok(bytes) } else { Err(ArchiveFault::Changed) }
            }
        }
    }
}

/// True if a text may name an archive: 1 to 100 letters, digits, `.`, `_` and `-`, and nothing that leads out
/// of the folder.
pub(super) fn is_name(name: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    (1..=100).contains(&name.len()) && !name.starts_with('.') && name.bytes().all(plain)
}

fn version_of(file: &File) -> Result<ArchiveVersion, ArchiveFault> {
    let data = file.metadata()?;
    if !data.is_file() {
        return Err(ArchiveFault::Absent);
    }
    let tag = format!("{:x}", hash_of(&(data.ino(), data.len(), data.mtime(), data.mtime_nsec())));
    Ok(ArchiveVersion { tag, len: data.len() })
}

/// Fetches a range (offset and length in bytes) of the state `version`, or of any state if it is `None`.
fn fetch(
    agent: &Agent,
    base: &str,
    name: &str,
    (offset, length): (u64, u64),
    version: Option<&ArchiveVersion>,
) -> Result<(ArchiveVersion, Vec<u8>), ArchiveFault> {
    let away = |reason: String| ArchiveFault::Away(format!("{base}/{name}{EXTENSION}: {reason}"));
    let answer = agent
        .get(format!("{base}/{name}{EXTENSION}"))
        .header(header::RANGE, format!("bytes={offset}-{}", offset + length.saturating_sub(1)))
        // With a content coding, the range would be one of the compressed bytes.
        .header(header::ACCEPT_ENCODING, "identity")
        .call()
        .map_err(|error| away(error.to_string()))?;
    match answer.status() {
        StatusCode::PARTIAL_CONTENT => {}
        // Object storage that may not be listed answers 403 for a missing object.
        StatusCode::NOT_FOUND | StatusCode::GONE | StatusCode::FORBIDDEN => return Err(ArchiveFault::Absent),
        StatusCode::RANGE_NOT_SATISFIABLE if version.is_some() => return Err(ArchiveFault::Changed),
        StatusCode::RANGE_NOT_SATISFIABLE => return Err(ArchiveFault::Damaged("the file is empty".into())),
        StatusCode::OK => {
            return Err(away("the server does not answer range requests; archives need them".into()));
        }
        status => return Err(away(format!("the server answers {status}"))),
    }
    let found =
        state(answer.headers(), offset).ok_or_else(|| away("the answer's range cannot be used".into()))?;
    if version.is_some_and(|version| *version != found) {
        return Err(ArchiveFault::Changed);
    }
    let mut body = answer.into_body();
    // One byte more: reaching the bound counts as exceeding it.
    let bytes =
        body.with_config().limit(length + 1).read_to_vec().map_err(|error| away(error.to_string()))?;
    Ok((found, bytes))
}

/// The state that the headers of an answer describe: its ETag or time, and its length
/// (`Content-Range: bytes 0-99/1234`). `None` if the range does not begin at `offset`.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_do_not_lead_out_of_the_folder() {
        for good in ["city", "city-2026.10", "a_b"] {
            assert!(is_name(good), "{good}");
        }
        for bad in ["", ".", "..", "../x", "a/b", "a\\b", ".hidden", "a\0", "đ", "%2e"] {
            assert!(!is_name(bad), "{bad}");
        }
    }
}
