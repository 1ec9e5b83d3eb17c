//! Files that a command writes: whole or not at all, over nothing that others made, private where they must
//! be.
//!
//! A [`PartialFile`] grows under a hidden name next to its target and gets its name when it is complete and
//! on disk. It replaces no file, unless the caller has looked at the one that is there and knows it for an
//! earlier output of the same kind ([`PartialFile::replacing`]). [`Protected`] lists the files that a command
//! reads, the store first of all, and refuses them as outputs under any of their names: relative paths,
//! symbolic links and hard links included. Neither becomes a part of a data file by its name: an `a.prj` next
//! to an `a.csv` would change how that is read.
//!
//! Files that hold what not everybody may see are created readable by their owner only, whatever the umask
//! says ([`create_private`], [`create_private_folder`]); [`exposure`] says who else can read one that is
//! there.
//!
//! # Examples
//! ```
//! use citymap_files::{FileError, PartialFile, Protected};
//!
//! let folder = tempfile::tempdir().unwrap();
//! let store = folder.path().join("city.gpkg");
//! std::fs::write(&store, "…").unwrap();
//! std::os::unix::fs::symlink(&store, folder.path().join("link")).unwrap();
//! let mut protected = Protected::default();
//! protected.add("the store", &store);
//! let refused = protected.check("--report", &folder.path().join("link"));
//! assert!(matches!(refused, Err(FileError::Protected { .. })));
//!
//! let report = folder.path().join("report.json");
//! let file = PartialFile::new(&report).unwrap();
//! std::fs::write(file.path(), "{}").unwrap();
//! file.reveal().unwrap();
//! assert!(matches!(PartialFile::new(&report), Err(FileError::Exists { .. })));
//! ```

mod error;
mod partial;
mod private;
mod protected;
mod sidecars;

pub use error::FileError;
pub use partial::PartialFile;
pub use private::{Exposure, create_private, create_private_folder, exposure, make_private};
pub use protected::{Protected, is_same_file};
pub use sidecars::{data_beside, sides};
