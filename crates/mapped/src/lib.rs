//! A file as bytes in memory, without reading it: the operating system brings each page when somebody looks at it, and may
//! let it go again.
//!
//! This is the one room with an `unsafe` block. A mapped file is memory that somebody else could change or cut
//! off, which Rust's rules for shared slices forbid and nothing in the language can prevent. So [`map`] is only for files that are
//! *written once*, as the snapshots of `citymap-live` are:
//!
//! - they are written under a temporary name, made durable, given their name by a rename, and never
//!   opened for writing again; a newer one takes the name as a new file (another inode), and who has mapped the old one goes on
//!   reading that until the last clone of its bytes is dropped;
//! - they lie in a folder of our own, which this process's user alone may write to;
//! - a page that the disk cannot bring ends the process by `SIGBUS`, as it would for the program's own code. Who maps reads all
//!   of it once against its checksum before using any, so this takes a disk that fails afterwards.

use std::{fs::File, io};

use bytes::Bytes;

/// The bytes of a file, mapped read-only; they begin at a multiple of the page size. They stay readable when the file is removed
/// or another one takes its name.
///
/// The file must be one that nobody changes or cuts while the bytes are in use: see above.
///
/// # Errors
/// What the operating system says, also for something that is no plain file.
pub fn map(file: &File) -> io::Result<Bytes> {
    let metadata = file.metadata()?;
    if !metadata.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is no plain file"));
    }
    if metadata.len() == 0 {
        return Ok(Bytes::new());
    }
    // SAFETY: the bytes must not change while they are borrowed. The file is written once, under another name, and never again
    // (see the module's text); the mapping is private to this process and read-only, and `Bytes` owns it for as long as anybody
    // has a slice of it.
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
