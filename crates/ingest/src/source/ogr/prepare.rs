//! How a file is opened so that its texts come as the bytes that they are.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use citymap_model::FieldType;
use gdal::{Dataset, DatasetOptions, GdalOpenFlags};
use tempfile::TempDir;

use super::{Format, dbf, dxf_scan::Drawing, gml, shapefile::RowsBeyond};
use crate::{
    ImportError,
    encoding::Encoding,
    gdal_log,
    source::parts::{self, beside},
    trust,
};

/// How to open a file, as often as it takes.
pub(super) struct Opener {
    pub path: PathBuf,
    format: Format,
    pub options: Vec<String>,
    pub config: Vec<(&'static str, &'static str)>,
    /// The records of a Shapefile, deleted ones included.
    pub records: Option<u64>,
    /// Whether one part of the file lacks what another one has.
    pub incomplete: bool,
    /// The rows of the `.mid` beside a `.mif`.
    pub mid_rows: Option<u64>,
    /// The table of a Shapefile or a MapInfo table, or a table alone.
    pub dbf: Option<dbf::Source>,
    /// The rows of a Shapefile that have no shape.
    pub rows_beyond: Option<RowsBeyond>,
    /// Why positions of KML, GPX and GML could not be read, by the numbers of their marks.
    pub misplaced: Vec<String>,
    /// Hold copies where the original would not open as it is.
    copies: Vec<TempDir>,
}

impl Opener {
    /// Keeps a folder of copies as long as the file may be opened.
    pub(super) fn keep(&mut self, folder: TempDir) {
        self.copies.push(folder);
    }

    /// Opens the file again; the reason if it does not open.
    pub(super) fn open(&self) -> Result<Dataset, String> {
        self.open_at(&self.path)
    }

    /// Opens the file with one option more.
    pub(super) fn open_with(&self, option: &str) -> Result<Dataset, String> {
        self.opened(&self.path, Some(option))
    }

    /// Opens a file as this one is opened.
    pub(super) fn open_at(&self, path: &Path) -> Result<Dataset, String> {
        self.opened(path, None)
    }

    fn opened(&self, path: &Path, option: Option<&str>) -> Result<Dataset, String> {
        for (key, setting) in &self.config {
            gdal::config::set_thread_local_config_option(key, setting).map_err(|e| e.to_string())?;
        }
        let options: Vec<&str> = self.options.iter().map(String::as_str).chain(option).collect();
        gdal_log::take();
        Dataset::open_ex(
            path,
            DatasetOptions {
                open_flags: GdalOpenFlags::GDAL_OF_VECTOR | GdalOpenFlags::GDAL_OF_READONLY,
                allowed_drivers: Some(self.format.drivers()),
                open_options: Some(&options),
                sibling_files: None,
            },
        )
        .map_err(|error| gdal_log::first().unwrap_or_else(|| error.to_string()))
    }
}

/// What a file declares of its encoding, and whether texts come byte by byte.
pub(super) struct Declared {
    pub by_bytes: bool,
    pub encoding: Option<(Encoding, String)>,
    pub how: String,
    /// Columns that are declared as numbers or truths and come as text, by their names as GDAL gives them:
    /// GDAL would cut what is no number (`7,5` to 7).
    pub numbers: BTreeMap<String, FieldType>,
}

pub(super) fn advice(format: Format) -> &'static str {
    match format {
        Format::Shapefile => "the .shp, .shx and .dbf files must lie side by side and be whole",
        Format::MapInfo => "the .tab, .dat, .map and .id files must lie side by side and be whole",
        _ => "it may be damaged or cut off: get it again",
    }
}

/// Finds out how to open a file, and what it declares of its encoding. `notes` gets what was left out or
/// mended.
///
/// # Errors
/// [`ImportError::Unreadable`] if a file beside it cannot be read or copied, or an archive holds nothing of
/// use.
pub(super) fn prepare(
    path: &Path,
    format: Format,
    notes: &mut Vec<String>,
) -> Result<(Opener, Declared, Option<Drawing>), ImportError> {
    let opener = Opener {
        path: path.to_owned(),
        format,
        options: Vec::new(),
        config: Vec::new(),
        records: None,
        incomplete: false,
        mid_rows: None,
        dbf: None,
        rows_beyond: None,
        misplaced: Vec::new(),
        copies: Vec::new(),
    };
    let declared = Declared {
        by_bytes: false,
        encoding: None,
        how: format!("{format:?} is UTF-8"),
        numbers: BTreeMap::new(),
    };
    let mut way = Way { opener, declared };
    let mut drawing = None;
    let shown = path.display().to_string();
    let failed = |error: std::io::Error| {
        ImportError::unreadable(
            &shown,
            format!("cannot be read ({error})"),
            "check the files beside it and the room for temporary files",
        )
    };
    trust::check_references(path, format, &shown)?;
    match format {
        Format::GeoPackage => way.geopackage(path, &shown)?,
        Format::Shapefile => way.shapefile(path, notes).map_err(failed)?,
        Format::Dbf => way.table(path, notes).map_err(failed)?,
        Format::MapInfo => way.mapinfo(path, notes).map_err(failed)?,
        Format::Dxf => drawing = Some(way.drawing(path).map_err(failed)?),
        Format::Dgn => way.declared.by_bytes = true,
        Format::Gml => way.gml(path).map_err(failed)?,
        Format::Kml => way.kml(path, notes).map_err(failed)?,
        Format::Gpx => way.gpx(path).map_err(failed)?,
        _ => {}
    }
    Ok((way.opener, way.declared, drawing))
}

/// How to open a file, as far as it is known.
pub(super) struct Way {
    pub opener: Opener,
    pub declared: Declared,
}

impl Way {
    /// A GeoPackage that holds only data; a copy of it where it keeps a write-ahead log.
    fn geopackage(&mut self, path: &Path, shown: &str) -> Result<(), ImportError> {
        let checked = trust::check_sqlite(path, shown)?;
        self.opener.path = checked.path;
        self.opener.copies.extend(checked.copy);
        Ok(())
    }

    /// GML on its own: without a schema beside it, without anything that it refers to, and with every value
    /// as text. GDAL would take a code such as `007` for a number.
    fn gml(&mut self, path: &Path) -> std::io::Result<()> {
        let folder = tempfile::tempdir()?;
        self.opener.path = folder.path().join(path.file_name().unwrap_or_default());
        let looked = gml::Looked::of(path)?;
        if !looked.write_marked(path, &self.opener.path)? {
            std::os::unix::fs::symlink(std::path::absolute(path)?, &self.opener.path)?;
        }
        self.opener.misplaced = looked.reasons;
        self.opener.keep(folder);
        let own = ["DOWNLOAD_SCHEMA=NO", "EXPOSE_GML_ID=YES"];
        self.opener.options.extend(own.map(str::to_owned));
        self.opener.config.push(("GML_SKIP_RESOLVE_ELEMS", "ALL"));
        self.opener.config.push(("GML_FIELDTYPES", "ALWAYS_STRING"));
        if let Some(template) = self.gml_template(&looked.properties)? {
            self.opener.options.push(format!("GFS_TEMPLATE={}", template.display()));
        }
        self.opener.options.push("WRITE_GFS=NO".into());
        Ok(())
    }

    /// A template for GML whose features have several geometries, of which GDAL would keep the last; none
    /// where each has one, or GDAL finds no features.
    fn gml_template(&mut self, properties: &gml::Properties) -> std::io::Result<Option<PathBuf>> {
        if properties.is_empty() {
            return Ok(None);
        }
        // GDAL writes what it finds beside the file; the template must have another name to be taken.
        if self.opener.open_with("WRITE_GFS=YES").is_err() {
            return Ok(None);
        }
        let written = self.opener.path.with_extension("gfs");
        if !written.is_file() || !gml::list_geometries(&written, properties)? {
            return Ok(None);
        }
        let template = written.with_file_name("geometries.template");
        fs::rename(&written, &template)?;
        Ok(Some(template))
    }

    pub(super) fn declare(&mut self, charset: Charset) {
        match charset {
            Charset::Foreign(how) => self.declared.how = format!("converted by GDAL: {how}"),
            Charset::Ours(encoding, how) => {
                self.declared.encoding = Some((encoding, how));
                self.declared.by_bytes = true;
            }
            Charset::Unsaid => self.declared.by_bytes = true,
        }
    }

    /// A drawing by its bytes, unless it names a page that is GDAL's to convert.
    fn drawing(&mut self, path: &Path) -> std::io::Result<Drawing> {
        let drawing = Drawing::of(path)?;
        // From AutoCAD 2007 on drawings are UTF-8 whatever the page says; their bytes then are, too.
        let unicode = drawing.version.as_deref().is_some_and(|version| version >= "AC1021");
        match drawing.code_page.as_deref().map(str::to_ascii_uppercase).as_deref() {
            _ if unicode => self.declared.encoding = Some((Encoding::Utf8, "$ACADVER of the drawing".into())),
            Some("ANSI_1258") => {
                self.declared.encoding = Some((Encoding::Cp1258, "$DWGCODEPAGE of the drawing".into()));
            }
            // The page of every program whatever the fonts were.
            None | Some("" | "ANSI_1252" | "DOS437" | "DOS850" | "ASCII") => {}
            Some(page) => {
                self.declared.how = format!("converted by GDAL: $DWGCODEPAGE of the drawing is {page}");
                return Ok(drawing);
            }
        }
        self.opener.config.push(("DXF_ENCODING", "ISO-8859-1"));
        self.declared.by_bytes = true;
        Ok(drawing)
    }

    fn mapinfo(&mut self, path: &Path, notes: &mut Vec<String>) -> std::io::Result<()> {
        let (copy, name, charset) = mapinfo_by_bytes(path)?;
        self.opener.path = copy.path().join(name);
        if path.extension().is_some_and(|e| e.eq_ignore_ascii_case("mif")) {
            self.declared.numbers = numbers_as_text(&self.opener.path)?;
            self.opener.mid_rows = beside(path, "mid").map(|mid| mid_rows(&mid)).transpose()?;
            if self.opener.mid_rows.is_none() {
                notes.push("the .mid file is missing: the layer has geometry and no attributes".into());
            }
        } else if let Some(dat) = beside(&self.opener.path, "dat") {
            let names = Some(tab_names(&fs::read(&self.opener.path)?));
            self.opener.dbf = Some(dbf::Source { path: dat, names, first: 1 });
        }
        self.opener.keep(copy);
        self.declared.by_bytes = true;
        self.declared.encoding = charset;
        Ok(())
    }
}

fn copy_beside(path: &Path, extensions: &[&str]) -> std::io::Result<TempDir> {
    let folder = tempfile::tempdir()?;
    for side in extensions.iter().filter_map(|extension| beside(path, extension)) {
        if let Some(name) = side.file_name() {
            parts::copy(&side, &folder.path().join(name))?;
        }
    }
    Ok(folder)
}

/// What a Shapefile says of the encoding of its texts.
pub(super) enum Charset {
    Unsaid,
    Ours(Encoding, String),
    Foreign(String),
}

impl Charset {
    /// What the `.cpg` says, else the head of the `.dbf`.
    pub(super) fn of_dbf(dbf: &Path, cpg: Option<&Path>) -> std::io::Result<Self> {
        if let Some(cpg) = cpg {
            let text = fs::read_to_string(cpg).unwrap_or_default();
            let text = text.trim();
            if !text.is_empty() {
                return Ok(match text.parse() {
                    Ok(encoding) => Self::Ours(encoding, format!("the .cpg file (`{text}`)")),
                    Err(_unknown) => Self::Foreign(format!("the .cpg file says `{text}`")),
                });
            }
        }
        let mut head = [0_u8; 32];
        std::io::Read::read_exact(&mut fs::File::open(dbf)?, &mut head).or_else(|error| {
            if error.kind() == std::io::ErrorKind::UnexpectedEof { Ok(()) } else { Err(error) }
        })?;
        // Programs write 0x03 and 0x57 ("ANSI") whatever the text is in; they tell nothing.
        Ok(match head[29] {
            0 | 0x03 | 0x57 => Self::Unsaid,
            id => Self::Foreign(format!("language driver 0x{id:02X} of the .dbf")),
        })
    }
}

/// A copy of a MapInfo file whose declared charset gives each byte as one character.
#[allow(clippy::type_complexity)]
fn mapinfo_by_bytes(path: &Path) -> std::io::Result<(TempDir, String, Option<(Encoding, String)>)> {
    let is_mif = path.extension().is_some_and(|e| e.eq_ignore_ascii_case("mif"));
    let sides: &[&str] = if is_mif { &["mif", "mid"] } else { &["tab", "dat", "map", "id", "ind"] };
    let folder = copy_beside(path, sides)?;
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let main = folder.path().join(&name);
    let bytes = fs::read(&main)?;
    let head = latin1(&bytes[..bytes.len().min(4_096)]);
    let mut charset = None;
    // `!charset WindowsVietnamese` in a .tab, `Charset "WindowsVietnamese"` in a .mif.
    if let Some(start) = head.to_lowercase().find("charset") {
        let line = &head[start..head[start..].find(['\n', '\r']).map_or(head.len(), |end| start + end)];
        let said = line["charset".len()..].trim().trim_matches('"').to_owned();
        charset = match said.to_lowercase().as_str() {
            "windowsvietnamese" => Some((Encoding::Cp1258, format!("charset {said}"))),
            "utf-8" | "utf8" => Some((Encoding::Utf8, format!("charset {said}"))),
            // Written by every program whatever the fonts were.
            _ => None,
        };
        let new = if is_mif { "Charset \"ISO8859_1\"" } else { "charset ISO8859_1" };
        let mut changed = bytes[..start].to_vec();
        changed.extend_from_slice(new.as_bytes());
        changed.extend_from_slice(&bytes[start + line.len()..]);
        make_writable(&main)?;
        fs::write(&main, changed)?;
    }
    Ok((folder, name, charset))
}

/// How many rows a `.mid` holds. A text in quotes may go on in the next line.
fn mid_rows(mid: &Path) -> std::io::Result<u64> {
    let (mut rows, mut is_open) = (0, false);
    for line in fs::read(mid)?.split(|byte| *byte == b'\n') {
        let quotes = line.iter().filter(|byte| **byte == b'"').count();
        let is_odd = !quotes.is_multiple_of(2);
        if !is_open && !line.trim_ascii().is_empty() {
            rows += 1;
        }
        is_open ^= is_odd;
    }
    Ok(rows)
}

/// The names of the fields that a `.tab` lists, byte by byte: its `.dat` has the first ten letters.
fn tab_names(tab: &[u8]) -> Vec<String> {
    let text = latin1(tab);
    let mut lines = text.lines().map(str::trim);
    let count = lines
        .find_map(|line| {
            line.to_lowercase().strip_prefix("fields ").and_then(|rest| rest.trim().parse().ok())
        })
        .unwrap_or(0);
    lines.filter_map(|line| line.split_whitespace().next().map(str::to_owned)).take(count).collect()
}

/// Declares the columns of numbers in a `.mif` as text, and gives the types that they had.
fn numbers_as_text(mif: &Path) -> std::io::Result<BTreeMap<String, FieldType>> {
    let bytes = fs::read(mif)?;
    let mut numbers = BTreeMap::new();
    let mut changed = Vec::with_capacity(bytes.len() + 1_024);
    // Lines of columns that are still to come; the rest of the file is geometry.
    let mut left = None;
    let mut lines = bytes.split_inclusive(|byte| *byte == b'\n');
    for line in lines.by_ref() {
        let text = latin1(line);
        let mut words = text.split_whitespace();
        let (first, second) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        let mut own = None;
        match left {
            None if first.eq_ignore_ascii_case("columns") => left = Some(second.parse().unwrap_or(0)),
            Some(1_u32..) if !first.is_empty() => {
                left = left.map(|count| count - 1);
                let kind = second.split('(').next().unwrap_or_default().to_lowercase();
                own = match kind.as_str() {
                    "integer" | "smallint" | "largeint" => Some(FieldType::Int),
                    "decimal" | "float" => Some(FieldType::Real),
                    _ => None,
                };
            }
            _ => {}
        }
        match own {
            Some(own) => {
                changed.extend(b"  ");
                changed.extend(first.chars().filter_map(|c| u8::try_from(u32::from(c)).ok()));
                changed.extend(b" Char(254)\n");
                numbers.insert(first.to_owned(), own);
            }
            None => changed.extend(line),
        }
        if left == Some(0) || first.eq_ignore_ascii_case("data") {
            break;
        }
    }
    if !numbers.is_empty() {
        lines.for_each(|line| changed.extend(line));
        make_writable(mif)?;
        fs::write(mif, changed)?;
    }
    Ok(numbers)
}

/// A copy keeps the original's read-only bit.
fn make_writable(path: &Path) -> std::io::Result<()> {
    fs::remove_file(path)
}

fn latin1(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| char::from(*byte)).collect()
}
