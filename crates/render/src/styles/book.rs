//! All styles of a server: the standard ones, and those of an operator's folder.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use citymap_model::{GeometryKind, Layer, Title};
use serde_json::Value;

use super::{
    build::{Addresses, StyleRequest, StyledCity, build},
    error::{Fault, StylesError},
    map_theme::{MapTheme, check_id},
    own::OwnStyle,
    palette::Palettes,
};

/// Maximum number of files of an operator's folder.
const FILES_MAX: usize = 64;
/// Maximum size of a file in bytes.
const FILE_BYTES_MAX: u64 = 2 << 20;

/// The file that changes colours.
const COLORS: &str = "look.json";
/// The file that replaces and adds themes.
const THEMES: &str = "themes.json";

/// What all styles are made of.
#[derive(Clone, Debug)]
pub struct StyleBook {
    palettes: Palettes,
    themes: Vec<MapTheme>,
    own: Vec<OwnStyle>,
}

/// A style as a list of styles shows it.
#[derive(Clone, Copy, Debug)]
pub struct StyleEntry<'a> {
    /// The name in addresses.
    pub id: &'a str,
    /// The title that users see.
    pub title: &'a Title,
    /// A sentence for users; may be empty.
    pub description: &'a Title,
    /// Whether it is a file of the operator, which is served as it is: it has no other appearance or
    /// language, and no choice of layers.
    pub is_file: bool,
}

impl StyleBook {
    /// The standard styles, and those of an operator's folder: `look.json` changes colours, `themes.json`
    /// replaces and adds themes, and any other `NAME.json` is a whole style that replaces or adds the style
    /// `NAME`. Files of other kinds are ignored.
    ///
    /// # Errors
    /// [`StylesError`], which names the file and the place, for the first file that cannot be used.
    pub fn load(folder: Option<&Path>) -> Result<Self, StylesError> {
        let mut files = match folder {
            Some(folder) => read_folder(folder)?,
            None => Vec::new(),
        };
        let mut take = |name: &str| {
            let position = files.iter().position(|file| file.path.file_name().is_some_and(|own| own == name));
            position.map(|position| files.swap_remove(position))
        };
        let (colors, themes) = (take(COLORS), take(THEMES));
        let palettes = match &colors {
            Some(file) => serde_json::from_str::<Value>(&file.text)
                .map_err(Fault::of_syntax)
                .and_then(|change| Palettes::with(Some(&change)))
                .map_err(|fault| file.invalid(fault))?,
            None => Palettes::with(None).map_err(StylesError::Standard)?,
        };
        let themes = match &themes {
            Some(file) => MapTheme::all(Some(&file.text)).map_err(|fault| file.invalid(fault))?,
            None => MapTheme::all(None).map_err(StylesError::Standard)?,
        };
        let mut own = Vec::new();
        for file in &files {
            let id = file.path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
            check_id(id).map_err(|fault| file.invalid(fault))?;
            own.push(OwnStyle::read(id, &file.text).map_err(|fault| file.invalid(fault))?);
        }
        own.sort_by(|a, b| a.id.cmp(&b.id));
        Ok(Self { palettes, themes, own })
    }

    /// All styles: the themes, then the files that are named otherwise.
    pub fn entries(&self) -> Vec<StyleEntry<'_>> {
        let is_theme = |own: &&OwnStyle| self.themes.iter().any(|theme| theme.id == own.id);
        let themes = self.themes.iter().map(|theme| match self.file(&theme.id) {
            Some(own) => own.entry(),
            None => StyleEntry {
                id: &theme.id,
                title: &theme.title,
                description: &theme.description,
                is_file: false,
            },
        });
        themes.chain(self.own.iter().filter(|own| !is_theme(own)).map(OwnStyle::entry)).collect()
    }

    /// The style with this id, as a list shows it.
    pub fn entry(&self, id: &str) -> Option<StyleEntry<'_>> {
        self.entries().into_iter().find(|entry| entry.id == id)
    }

    /// Whether the style with this id draws a layer of the city.
    pub fn draws(&self, id: &str, layer: &Layer) -> bool {
        if layer.geometry == GeometryKind::None {
            return false;
        }
        match self.file(id) {
            Some(own) => own.draws(layer.id.as_str()),
            None => self.themes.iter().any(|theme| theme.id == id && theme.draws(layer)),
        }
    }

    /// The document of the style with this id; `None` if there is no such style. A file of the operator is
    /// served as it is, whatever is asked.
    pub fn style(
        &self,
        id: &str,
        city: StyledCity<'_>,
        request: &StyleRequest<'_>,
        addresses: &Addresses<'_>,
    ) -> Option<Value> {
        if let Some(own) = self.file(id) {
            return Some(own.document(addresses));
        }
        let theme = self.themes.iter().find(|theme| theme.id == id)?;
        Some(build(&self.palettes, theme, city, request, addresses))
    }

    fn file(&self, id: &str) -> Option<&OwnStyle> {
        self.own.iter().find(|own| own.id == id)
    }
}

/// A file of the operator's folder.
struct StyleFile {
    path: PathBuf,
    text: String,
}

impl StyleFile {
    fn invalid(&self, fault: Fault) -> StylesError {
        StylesError::Invalid { path: self.path.clone(), fault }
    }
}

/// The JSON files of a folder, ordered by name.
fn read_folder(folder: &Path) -> Result<Vec<StyleFile>, StylesError> {
    let unreadable =
        |path: &Path, source: io::Error| StylesError::Unreadable { path: path.to_owned(), source };
    let mut paths = Vec::new();
    for entry in fs::read_dir(folder).map_err(|error| unreadable(folder, error))? {
        let path = entry.map_err(|error| unreadable(folder, error))?.path();
        if path.extension().is_some_and(|extension| extension == "json") {
            paths.push(path);
        }
        if paths.len() > FILES_MAX {
            return Err(StylesError::TooMany { path: folder.to_owned(), max: FILES_MAX });
        }
    }
    paths.sort();
    let mut files = Vec::new();
    for path in paths {
        let bytes = fs::metadata(&path).map_err(|error| unreadable(&path, error))?.len();
        if bytes > FILE_BYTES_MAX {
            return Err(StylesError::TooLarge { path, bytes, max: FILE_BYTES_MAX });
        }
        let text = fs::read_to_string(&path).map_err(|error| unreadable(&path, error))?;
        files.push(StyleFile { path, text });
    }
    Ok(files)
}
