//! The files that belong to a data file by their names: an index, a coordinate system, an encoding, a style.
//!
//! Who writes a file `a.prj` next to `a.csv` changes how `a.csv` is read, although no file is overwritten.

use std::{
    fs,
    path::{Path, PathBuf},
};

use crate::partial::folder_of;

/// Extensions that GIS programs take for a part of any data file of the same name: coordinate system,
/// encoding, metadata, style.
const ANY: [&str; 6] = ["prj", "cpg", "qmd", "qml", "qpj", "sld"];
/// What is appended to the whole name of a data file: journals, metadata, statistics.
const APPENDED: [&str; 6] = ["-wal", "-shm", "-journal", ".xml", ".aux.xml", ".prj"];

/// The extensions of the other files of a format that are read with it, by the extension of the file that
/// names it; in small letters.
pub fn sides(path: &Path) -> &'static [&'static str] {
    match extension(path).as_str() {
        "shp" => &["shx", "dbf", "prj", "cpg"],
        "tab" => &["dat", "map", "id", "ind"],
        "mif" => &["mid"],
        "dbf" => &["cpg"],
        "csv" | "tsv" | "txt" => &["prj", "csvt"],
        "gml" => &["xsd"],
        _ => &[],
    }
}

/// Those that other programs keep next to a file of a format.
fn kept(path: &Path) -> &'static [&'static str] {
    match extension(path).as_str() {
        "shp" => &["sbn", "sbx", "qix", "idm", "ind", "cst", "fbn", "fbx", "ain", "aih", "atx", "ixs", "mxs"],
        "gml" => &["gfs"],
        "csv" | "tsv" | "txt" => &["vrt"],
        "tif" | "tiff" | "jpg" | "jpeg" | "png" => &["tfw", "jgw", "pgw", "wld"],
        _ => &[],
    }
}

/// Whether a file of this path is, or would be, a part of a data file, by its name.
pub(crate) fn is_side_of(path: &Path, data: &Path) -> bool {
    let same_folder = match (fs::canonicalize(folder_of(path)), fs::canonicalize(folder_of(data))) {
        (Ok(one), Ok(other)) => one == other,
        _ => false,
    };
    let (name, data_name) = (name_of(path), name_of(data));
    let appended = |end: &str| name.strip_suffix(end).is_some_and(|start| start == data_name);
    let own = extension(path);
    let named = sides(data).iter().chain(kept(data)).chain(&ANY).any(|side| own == *side);
    let same_stem = stem(&name) == stem(&data_name) && name != data_name;
    same_folder && (same_stem && named || APPENDED.iter().any(|end| appended(end)))
}

/// The data file of which a new file of this path would be read as a part, if there is one.
pub fn data_beside(path: &Path) -> Option<PathBuf> {
    let (own, name) = (extension(path), name_of(path));
    let entries = fs::read_dir(folder_of(path)).ok()?.flatten();
    let mut found: Vec<PathBuf> = entries
        .map(|entry| entry.path())
        .filter(|data| sides(data).contains(&own.as_str()))
        .filter(|data| stem(&name_of(data)) == stem(&name) && data.is_file())
        .collect();
    found.sort();
    found.into_iter().next()
}

fn extension(path: &Path) -> String {
    path.extension().map(|own| own.to_string_lossy().to_lowercase()).unwrap_or_default()
}

fn name_of(path: &Path) -> String {
    path.file_name().map(|name| name.to_string_lossy().to_lowercase()).unwrap_or_default()
}

/// The name without its last extension.
fn stem(name: &str) -> &str {
    name.rsplit_once('.').map_or(name, |(stem, _)| stem)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_is_known_by_its_name() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        for (data, part, is) in [
            ("a.csv", "a.prj", true),
            ("a.csv", "A.PRJ", true),
            ("a.csv", "a.cpg", true),
            ("a.csv", "a.qmd", true),
            ("a.csv", "a.csvt", true),
            ("a.csv", "a.json", false),
            ("a.csv", "a.dbf", false),
            ("a.csv", "b.prj", false),
            ("a.csv", "a.csv", false),
            ("a.shp", "a.dbf", true),
            ("a.shp", "a.shp.xml", true),
            ("a.shp", "a.qix", true),
            ("a.gpkg", "a.gpkg-wal", true),
            ("a.gpkg", "a.rejects.gpkg", false),
        ] {
            assert_eq!(is_side_of(&at(part), &at(data)), is, "{part} of {data}");
        }
        assert!(!is_side_of(&at("none/a.prj"), &at("a.csv")));
    }

    #[test]
    fn the_data_file_of_a_part_is_found() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        for name in ["a.CSV", "a.geojson", "b.shp"] {
            fs::write(at(name), "").unwrap();
        }
        assert_eq!(data_beside(&at("a.prj")), Some(at("a.CSV")));
        assert_eq!(data_beside(&at("b.dbf")), Some(at("b.shp")));
        for free in ["a.json", "a.shp", "c.prj", "b.csv"] {
            assert_eq!(data_beside(&at(free)), None, "{free}");
        }
    }
}
