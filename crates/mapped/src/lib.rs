//! A file as bytes in memory without reading it: the operating system loads each page at its first use, and
//! may drop it again.
//!
//! This is the only crate with an `unsafe` block. A mapped file is memory that another process could change
//! or truncate. Rust's rules for shared slices forbid that, and nothing in the language can prevent it. So
//! [`map`] is only for files that are *written once*, like the snapshots of `citymap-live`:
//!
//! - They are written under a temporary name, flushed to disk, renamed, and never opened for writing again. A
//!   newer version takes the name as a new file (another inode), and a process that has mapped the old one
//!   continues to read it until the last clone of its bytes is dropped.
//! - They are in a folder of our own that only the user of this process may write to.
//! - If the disk cannot deliver a page, the process ends with `SIGBUS`, as it would for the program's own
//!   code. The caller reads the whole file against its checksum before using any of it, so only a disk that
//!   fails later can cause this.
//!
//! ```
//! let folder = tempfile::tempdir()?;
//! let path = folder.path().join("snapshot");
//! std::fs::write(&path, b"written once")?;
//! let bytes = citymap_mapped::map(&std::fs::File::open(&path)?)?;
//! assert_eq!(&bytes[..7], b"written");
//! # Ok::<(), std::io::Error>(())
//! ```

use std::{fs::File, io};

use bytes::Bytes;

/// Maps a file read-only. The bytes begin at a multiple of the page size. They stay readable when the file is
/// removed or another one takes its name.
///
/// The file must not be changed or truncated while the bytes are in use; see the crate documentation.
///
/// # Errors
/// [`io::Error`] if the file is not a plain file, or if the operating system cannot map it.
pub fn map(file: &File) -> io::Result<Bytes> {
    let metadata = file.metadata()?;
    if !metadata.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is no plain file"));
    }
    if metadata.len() == 0 {
        return Ok(Bytes::new());
    }
    // SAFETY: the bytes must not change while they are borrowed. The file was written once under another name
    // and is never written again (see the crate documentation). The mapping is private to this process and
    // read-only, and `Bytes` owns it until the last slice of it is dropped.
    #[allow(unsafe_code)]
    let mapping = unsafe { memmap2::Mmap::map(file)? };
    Ok(Bytes::from_owner(mapping))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn bytes_outlive_the_name_of_their_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        fs::write(&path, b"what was written once").unwrap();
        let bytes = map(&File::open(&path).unwrap()).unwrap();
        assert_eq!(bytes.as_ptr().align_offset(4096), 0);
        fs::write(folder.path().join("b"), b"another").unwrap();
        fs::rename(folder.path().join("b"), &path).unwrap();
        assert_eq!(&bytes[..], b"what was written once");
        fs::remove_file(&path).unwrap();
        assert_eq!(bytes.slice(5..8), b"was"[..]);
    }

    #[test]
    fn an_empty_file_is_no_bytes_and_a_folder_is_none() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("empty");
        fs::write(&path, b"").unwrap();
        assert!(map(&File::open(&path).unwrap()).unwrap().is_empty());
        assert!(map(&File::open(folder.path()).unwrap()).is_err());
    }
}
