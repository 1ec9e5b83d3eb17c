//! Files that no output may take the place of.

use std::{
    ffi::OsString,
    fs, io,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
};

use crate::{FileError, partial::folder_of, sidecars::is_side_of};

/// Files and folders that a command reads or keeps, each with what it is.
#[derive(Clone, Debug, Default)]
pub struct Protected(Vec<(String, PathBuf)>);

impl Protected {
    /// Adds a file or a folder; `what` is the end of a sentence about it, such as `the store`. It need not
    /// exist yet.
    pub fn add(&mut self, what: impl Into<String>, path: &Path) {
        self.0.push((what.into(), path.to_owned()));
    }

    /// Adds a database file of SQLite, with its journals.
    pub fn add_database(&mut self, what: &str, path: &Path) {
        self.add(what, path);
        for suffix in ["-wal", "-shm", "-journal"] {
            let mut name = OsString::from(path);
            name.push(suffix);
            self.add(format!("a part of {what}"), Path::new(&name));
        }
    }

    /// Checks that an output, which `option` names, is none of these, in none of the folders, and by its name
    /// no part of one of these.
    ///
    /// # Errors
    /// [`FileError::Protected`] or [`FileError::Side`] if it is.
    pub fn check(&self, option: &str, path: &Path) -> Result<(), FileError> {
        let inside = |folder: &Path| {
            fs::canonicalize(folder).is_ok_and(|folder| folder.is_dir() && place(path).starts_with(folder))
        };
        if let Some((what, _)) = self.0.iter().find(|(_, own)| is_same_file(own, path) || inside(own)) {
            return Err(FileError::Protected {
                option: option.to_owned(),
                path: path.to_owned(),
                what: what.clone(),
            });
        }
        match self.0.iter().find(|(_, own)| is_side_of(path, own)) {
            None => Ok(()),
            Some((_, data)) => Err(FileError::Side { path: path.to_owned(), data: data.clone() }),
        }
    }
}

/// Whether two paths name the same file, whatever they look like: by the file itself where both exist, which
/// finds symbolic and hard links, else by the folder and the name.
pub fn is_same_file(a: &Path, b: &Path) -> bool {
    match (fs::metadata(a), fs::metadata(b)) {
        (Ok(a), Ok(b)) => (a.dev(), a.ino()) == (b.dev(), b.ino()),
        (Err(one), Err(other))
            if one.kind() == io::ErrorKind::NotFound && other.kind() == io::ErrorKind::NotFound =>
        {
            place(a) == place(b)
        }
        _ => false,
    }
}

/// Where a path leads, without links as far as it exists.
fn place(path: &Path) -> PathBuf {
    if let Ok(place) = fs::canonicalize(path) {
        return place;
    }
    // A link to a file that is not there yet.
    if let Ok(target) = fs::read_link(path) {
        let target = folder_of(path).join(target);
        if fs::read_link(&target).is_err() {
            return place(&target);
        }
    }
    match (fs::canonicalize(folder_of(path)), path.file_name()) {
        (Ok(folder), Some(name)) => folder.join(name),
        _ => path.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn a_file_is_known_under_all_its_names() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::write(at("store.gpkg"), "x").unwrap();
        fs::write(at("other"), "x").unwrap();
        fs::create_dir(at("source.gdb")).unwrap();
        fs::create_dir(at("sub")).unwrap();
        symlink(at("store.gpkg"), at("link")).unwrap();
        symlink("new.gpkg", at("early")).unwrap();
        fs::hard_link(at("store.gpkg"), at("hard")).unwrap();
        let mut protected = Protected::default();
        protected.add_database("the store", &at("store.gpkg"));
        protected.add("a source", &at("source.gdb"));
        protected.add("the rejects file", &at("new.gpkg"));
        for name in [
            "store.gpkg",
            "sub/../store.gpkg",
            "link",
            "hard",
            "store.gpkg-wal",
            "source.gdb",
            "source.gdb/a.gdbtable",
            "new.gpkg",
            "sub/../new.gpkg",
            "early",
        ] {
            assert!(protected.check("--report", &at(name)).is_err(), "{name}");
        }
        for name in ["store.prj", "store.qmd", "new.gpkg-journal"] {
            assert!(matches!(protected.check("--report", &at(name)), Err(FileError::Side { .. })), "{name}");
        }
        for name in ["other", "report.json", "sub/store.gpkg", "sub/new.gpkg"] {
            assert!(protected.check("--report", &at(name)).is_ok(), "{name}");
        }
        let error = protected.check("--rejects", &at("hard")).unwrap_err().to_string();
        assert!(error.starts_with("--rejects ") && error.contains("is the store"), "{error}");
    }
}
