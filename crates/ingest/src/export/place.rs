//! Where a file grows until it is whole.

use std::{
    fs, io,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use citymap_files::{FileError, data_beside};
use tempfile::TempDir;

use super::ExportError;

/// A folder beside the target, on the same disk, that goes away with all that is in it.
pub(super) struct Place {
    folder: TempDir,
    to: PathBuf,
    file: PathBuf,
}

impl Place {
    pub(super) fn beside(to: &Path) -> Result<Self, ExportError> {
        let parent = match to.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent,
            _ => Path::new("."),
        };
        let refused = |reason: String| ExportError::Write { path: to.display().to_string(), reason };
        let name = to.file_name().ok_or_else(|| refused("names no file".to_owned()))?;
        let folder =
            tempfile::Builder::new().prefix(".citymap-export-").tempdir_in(parent).map_err(|error| {
                refused(format!("the folder {} cannot be written to ({})", parent.display(), plain(&error)))
            })?;
        // Some drivers of GDAL write endings in small letters whatever they are asked for, and then find no
        // file of the name that they were given.
        let extension = to.extension().unwrap_or_default().to_ascii_lowercase();
        let file = folder.path().join(name).with_extension(extension);
        Ok(Self { file, to: to.to_owned(), folder })
    }

    /// The path to which a file of the folder is moved. The endings of companions are capitals where that of
    /// the file is: `A.SHP`, `A.DBF`.
    fn target(&self, file: &Path) -> PathBuf {
        if file == self.file {
            return self.to.clone();
        }
        let capitals =
            self.to.extension().is_some_and(|own| !own.as_encoded_bytes().iter().any(u8::is_ascii_lowercase));
        let name = Path::new(file.file_name().unwrap_or_default());
        match name.extension() {
            Some(own) if capitals => self.to.with_file_name(name.with_extension(own.to_ascii_uppercase())),
            _ => self.to.with_file_name(name),
        }
    }

    /// The file to write; its companions lie beside it.
    pub(super) fn file(&self) -> &Path {
        &self.file
    }

    /// Lets nobody but the owner read the file and its companions. The folder that they grow in is private
    /// anyway.
    pub(super) fn make_private(&self) -> Result<(), ExportError> {
        let refused = |error: io::Error| ExportError::Write {
            path: self.to.display().to_string(),
            reason: format!("cannot be made private ({})", plain(&error)),
        };
        for entry in fs::read_dir(self.folder.path()).map_err(refused)? {
            let path = entry.map_err(refused)?.path();
            fs::set_permissions(path, fs::Permissions::from_mode(0o600)).map_err(refused)?;
        }
        Ok(())
    }

    /// Moves the file and its companions to where they belong: all of them, or none.
    pub(super) fn reveal(self) -> Result<(), ExportError> {
        let refused = |error: io::Error| ExportError::Write {
            path: self.to.display().to_string(),
            reason: format!("cannot be moved into its place ({})", plain(&error)),
        };
        let mut moves = Vec::new();
        for entry in fs::read_dir(self.folder.path()).map_err(refused)? {
            let from = entry.map_err(refused)?.path();
            let target = self.target(&from);
            if target.symlink_metadata().is_ok() {
                return Err(ExportError::Exists(target.display().to_string()));
            }
            moves.push((from, target));
        }
        // A file of another program is named before what would become a part of it.
        if let Some((target, data)) =
            moves.iter().find_map(|(_, target)| Some((target.clone(), data_beside(target)?)))
        {
            let error = FileError::Side { path: target, data };
            let reason = format!("cannot be moved into its place ({error})");
            return Err(ExportError::Write { path: self.to.display().to_string(), reason });
        }
        // The file itself comes last: once it is there, all is.
        moves.sort_by_key(|(from, _)| *from == self.file);
        for (done, (from, target)) in moves.iter().enumerate() {
            if let Err(error) = fs::rename(from, target) {
                for (_, target) in &moves[..done] {
                    // Best effort: the error is what counts.
                    let _ = fs::remove_file(target);
                }
                return Err(refused(error));
            }
        }
        Ok(())
    }
}

/// The system's word, without the path of the folder that nobody knows.
fn plain(error: &io::Error) -> String {
    error
        .raw_os_error()
        .map_or_else(|| error.kind().to_string(), |code| io::Error::from_raw_os_error(code).to_string())
}
