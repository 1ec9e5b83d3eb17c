//! SHA-256 of a source: of the file alone, or of it and the files that belong to it.

use std::{
    fs::{self, File},
    io::{self, Read},
    path::{Path, PathBuf},
};

use sha2::{Digest, Sha256};

/// The hash as hexadecimal, and the bytes of all files.
///
/// A single file's is its own; of several it is that of lines `name hash`, sorted by name.
pub(crate) fn source(path: &Path) -> io::Result<(String, u64)> {
    let files = parts(path)?;
    if let [one] = files.as_slice() {
        return file(one);
    }
    let mut all = Sha256::new();
    let mut bytes = 0;
    for part in &files {
        let (hash, size) = file(part)?;
        bytes += size;
        all.update(format!("{} {hash}\n", part.file_name().unwrap_or_default().to_string_lossy()));
    }
    Ok((citymap_model::hex(&all.finalize()), bytes))
}

/// One hash for several sources.
pub(crate) fn together(hashes: &[String]) -> String {
    match hashes {
        [one] => one.clone(),
        many => citymap_model::hex(&Sha256::digest(many.join("\n"))),
    }
}

fn parts(path: &Path) -> io::Result<Vec<PathBuf>> {
    if path.is_dir() {
        let mut files: Vec<PathBuf> = fs::read_dir(path)?
            .map(|entry| entry.map(|entry| entry.path()))
            .filter(|path| !matches!(path, Ok(path) if path.is_dir()))
            .collect::<io::Result<_>>()?;
        // A lock comes and goes with who looks.
        files.retain(|file| file.extension().is_none_or(|extension| extension != "lock"));
        files.sort();
        return Ok(files);
    }
    Ok(crate::source::parts::all(path))
}

fn file(path: &Path) -> io::Result<(String, u64)> {
    let mut hash = Sha256::new();
    let mut file = File::open(path)?;
    let mut buffer = vec![0; 1 << 18];
    let mut bytes = 0;
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok((citymap_model::hex(&hash.finalize()), bytes)),
            read => {
                hash.update(&buffer[..read]);
                bytes += read as u64;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_of_one_file_is_that_of_sha256sum_and_parts_count() {
        let folder = tempfile::tempdir().unwrap();
        let shp = folder.path().join("a.shp");
        fs::write(&shp, "abc").unwrap();
        assert_eq!(
            source(&shp).unwrap(),
            ("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad".into(), 3)
        );
        fs::write(folder.path().join("a.dbf"), "x").unwrap();
        let (both, bytes) = source(&shp).unwrap();
        assert_eq!(bytes, 4);
        assert!(!both.starts_with("ba7816bf"));
    }
}
