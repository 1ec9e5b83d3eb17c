//! What an import writes beside the store: the files that it must not overwrite, and the file of its report.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read, Write},
    os::unix::fs::{FileTypeExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

use citymap_files::{FileError, PartialFile, Protected, create_private};
use rustix::{
    fs::{OFlags, fcntl_getfl, fcntl_setfl},
    io::Errno,
};

use crate::{ImportError, Report};

/// The option that names the report's file.
const OPTION: &str = "--report";
/// How every report begins, apart from spaces and line breaks.
const BEGINNING: &[u8] = b"{\"files\":[";

/// The files that an import reads or keeps, which none of its outputs may overwrite: the store, where it is a
/// file, and the sources.
pub fn protected(files: &[PathBuf], store: &str) -> Protected {
    let mut protected = Protected::default();
    if !citymap_store::is_database(store) {
        protected.add_database("the store", Path::new(store));
    }
    for file in files {
        protected.add("a file to import", file);
    }
    protected
}

/// The file of a report, open before anything is imported, so that a report that cannot be written stops the
/// import and not its end.
#[derive(Debug)]
pub struct ReportFile {
    path: PathBuf,
    out: File,
    /// The hidden file until the report is complete; `None` for a pipe or a device.
    file: Option<PartialFile>,
}

impl ReportFile {
    /// Opens a file for a report. One that is there is replaced if it is a report, when the new one is
    /// complete.
    ///
    /// # Errors
    /// [`ImportError::Output`] if the path is one of `protected`, a file that is no report, or cannot be
    /// written.
    pub fn open(path: &Path, protected: &Protected) -> Result<Self, ImportError> {
        protected.check(OPTION, path)?;
        let failed = |source: io::Error| FileError::Io { path: path.to_owned(), source };
        let foreign = || {
            ImportError::Output(FileError::Foreign {
                option: OPTION.to_owned(),
                path: path.to_owned(),
                expected: "a report of an import".to_owned(),
            })
        };
        match fs::metadata(path) {
            Ok(found) if found.file_type().is_block_device() => return Err(foreign()),
            Ok(found) if !found.is_file() && !found.is_dir() => {
                let out = open_special(path)?;
                return Ok(Self { path: path.to_owned(), out, file: None });
            }
            Ok(found) if found.is_dir() || !is_report(path).map_err(failed)? => {
                return Err(foreign());
            }
            _ => {}
        }
        let file = PartialFile::replacing(path)?;
        let out = create_private(file.path()).map_err(failed)?;
        Ok(Self { path: path.to_owned(), out, file: Some(file) })
    }

    /// Writes the report and gives the file its name.
    ///
    /// # Errors
    /// [`ImportError::Output`] if it cannot be written.
    pub fn write(mut self, report: &Report) -> Result<(), ImportError> {
        let failed = |source: io::Error| FileError::Io { path: self.path.clone(), source };
        let text = serde_json::to_vec_pretty(report).map_err(|error| failed(error.into()))?;
        self.out.write_all(&text).map_err(failed)?;
        self.file.map_or(Ok(()), PartialFile::reveal)?;
        Ok(())
    }
}

/// Opens a pipe or a character device for writing. A pipe must have a reader: to wait for one would stop the
/// import before it has begun, without a word.
fn open_special(path: &Path) -> Result<File, FileError> {
    let failed = |source: io::Error| FileError::Io { path: path.to_owned(), source };
    let opened = OpenOptions::new().write(true).custom_flags(OFlags::NONBLOCK.bits() as i32).open(path);
    match opened {
        Err(error) if error.raw_os_error() == Some(Errno::NXIO.raw_os_error()) => {
            Err(FileError::NoReader(path.to_owned()))
        }
        Err(error) => Err(failed(error)),
        Ok(file) => {
            // Writing waits for the reader again.
            let flags = fcntl_getfl(&file).map_err(|error| failed(error.into()))?;
            fcntl_setfl(&file, flags - OFlags::NONBLOCK).map_err(|error| failed(error.into()))?;
            Ok(file)
        }
    }
}

/// Whether a file is a report, or empty.
fn is_report(path: &Path) -> io::Result<bool> {
    let mut start = Vec::new();
    File::open(path)?.take(64).read_to_end(&mut start)?;
    start.retain(|byte| !byte.is_ascii_whitespace());
    Ok(start.is_empty() || start.starts_with(BEGINNING))
}
