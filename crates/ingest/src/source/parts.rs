//! The files that belong together: a Shapefile, a MapInfo table and others are several files of one name.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

pub(crate) use citymap_files::sides;

/// The file of the same name with another extension, whatever the case of either (`Thua.shp`, `THUA.DBF`).
/// The same name in the same case goes before others.
pub(crate) fn beside(path: &Path, extension: &str) -> Option<PathBuf> {
    let usual = [extension.to_lowercase(), extension.to_uppercase()];
    if let Some(found) = usual.into_iter().map(|e| path.with_extension(e)).find(|p| p.is_file()) {
        return Some(found);
    }
    let wanted = path.with_extension(extension).file_name()?.to_string_lossy().to_lowercase();
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut others: Vec<PathBuf> = fs::read_dir(folder)
        .ok()?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|other| other.file_name().is_some_and(|name| name.to_string_lossy().to_lowercase() == wanted))
        .filter(|other| other.is_file())
        .collect();
    others.sort();
    others.into_iter().next()
}

/// Copies the bytes of a file into a new one, without its mode: [`std::fs::copy`] sets it, which the confined
/// reading process may not, and a copy of a read-only file could not be changed.
///
/// # Errors
/// [`io::Error`] if the new file is there already, or either cannot be read or written.
pub(crate) fn copy(from: &Path, to: &Path) -> io::Result<()> {
    let mut new = fs::OpenOptions::new().write(true).create_new(true).open(to)?;
    io::copy(&mut fs::File::open(from)?, &mut new).map(|_bytes| ())
}

/// The file and those that belong to it, sorted.
pub(crate) fn all(path: &Path) -> Vec<PathBuf> {
    let mut files = vec![path.to_owned()];
    files.extend(sides(path).iter().filter_map(|side| beside(path, side)));
    // What an SQLite database has committed and not yet taken in.
    let mut log = path.as_os_str().to_owned();
    log.push("-wal");
    files.extend(Some(PathBuf::from(log)).filter(|log| log.is_file()));
    files.sort();
    files
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_found_whatever_their_case() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        for name in ["Thua.Shp", "thua.DBF", "Thua.shx", "other.dbf"] {
            fs::write(at(name), name).unwrap();
        }
        assert_eq!(beside(&at("Thua.Shp"), "dbf"), Some(at("thua.DBF")));
        assert_eq!(beside(&at("Thua.Shp"), "prj"), None);
        assert_eq!(all(&at("Thua.Shp")), [at("Thua.Shp"), at("Thua.shx"), at("thua.DBF")]);
        fs::write(at("Thua.dbf"), "").unwrap();
        assert_eq!(beside(&at("Thua.Shp"), "dbf"), Some(at("Thua.dbf")));
    }
}
