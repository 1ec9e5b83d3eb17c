//! The folder in which `citymap serve` keeps its snapshot files.

use std::{
    env,
    path::{Path, PathBuf},
};

/// The folder for the store at `location`: the one that is `given`, none for `off`, else one that no other
/// store has.
pub(crate) fn folder(given: Option<&Path>, location: &str) -> Option<PathBuf> {
    match given {
        Some(given) if given == Path::new("off") => None,
        Some(given) => Some(given.to_owned()),
        None if citymap_store::is_database(location) => {
            let folder = cache();
            if folder.is_none() {
                tracing::warn!(
                    "neither XDG_CACHE_HOME nor HOME is set; give --snapshots a folder for a fast start"
                );
            }
            // A database with several addresses gets a folder for each.
            Some(folder?.join("citymap").join(format!("{:016x}", fnv(location))))
        }
        None => {
            let mut folder = PathBuf::from(location).into_os_string();
            folder.push(".snapshot");
            Some(folder.into())
        }
    }
}

/// A hash that stays the same from version to version (FNV-1a), so that the folder is found again.
fn fnv(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

/// The user's cache folder, if the environment names one.
fn cache() -> Option<PathBuf> {
    let set = |name: &str| env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    set("XDG_CACHE_HOME").or_else(|| Some(set("HOME")?.join(".cache")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_record_has_a_place_of_its_own() {
        assert_eq!(folder(None, "var/city.gpkg"), Some("var/city.gpkg.snapshot".into()));
        assert_eq!(folder(Some(Path::new("off")), "var/city.gpkg"), None);
        assert_eq!(folder(Some(Path::new("/srv/x")), "postgres://db/city"), Some("/srv/x".into()));
        let [one, other] =
            ["postgres://db/city", "postgres://db/town"].map(|location| folder(None, location));
        if env::var_os("HOME").is_some() {
            assert!(one.is_some() && one != other);
        }
    }
}
