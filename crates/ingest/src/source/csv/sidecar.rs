//! What lies beside a table of text: `.prj` with its coordinate system and `.csvt` with the types of its
//! columns, as GDAL and our own export write them.

use std::{fs, path::Path};

use citymap_model::FieldType;
use gdal::spatial_ref::SpatialRef;

use crate::{
    source::parts::beside,
    srs::{self, Srs},
};

/// Bytes of such a file that are read; they are short.
const LONGEST: u64 = 65_536;

/// The coordinate system that a `.prj` names. A `.prj` next to a Shapefile of the same name belongs to that.
pub(super) fn system(path: &Path) -> Option<Srs> {
    if beside(path, "shp").is_some() {
        return None;
    }
    let text = beside(path, "prj").and_then(|prj| read(&prj))?;
    let definition = SpatialRef::from_wkt(&text).ok()?;
    Some(srs::identify(Some(&definition), "the .prj file"))
}

/// The declared types of the columns; none where nothing is declared, or for a table of other columns.
pub(super) fn types(path: &Path, columns: usize) -> Vec<Option<FieldType>> {
    let Some(text) = beside(path, "csvt").and_then(|csvt| read(&csvt)) else { return Vec::new() };
    let types: Vec<Option<FieldType>> = text
        .lines()
        .next()
        .unwrap_or_default()
        .split(',')
        .map(|cell| {
            let name = cell.trim().trim_matches('"').to_lowercase();
            match name.split('(').next().unwrap_or_default() {
                "integer" | "integer64" if !name.contains("boolean") => Some(FieldType::Int),
                "real" => Some(FieldType::Real),
                "string" => Some(FieldType::Text),
                _ => None,
            }
        })
        .collect();
    if types.len() == columns { types } else { Vec::new() }
}

fn read(path: &Path) -> Option<String> {
    let short = fs::metadata(path).is_ok_and(|meta| meta.len() <= LONGEST);
    short.then(|| fs::read_to_string(path).ok()).flatten()
}
