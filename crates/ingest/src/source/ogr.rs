//! Files that GDAL reads.

use std::{
    fs,
    path::{Path, PathBuf},
};

use citymap_model::{Field, GeometryKind, Value};
use gdal::{
    Dataset, DatasetOptions, GdalOpenFlags,
    vector::{Layer, LayerAccess, OGRFieldType, OGRwkbGeometryType, geometry_type_flatten},
};
use tempfile::TempDir;

use super::{
    Body, Format, Raw, Sink, SourceLayer, distinct,
    ogr_value::{How, value},
    survey::{SAMPLE, Survey, from_latin1, latin1_bytes, settle, unicode},
};
use crate::{ImportError, Request, encoding::Encoding, gdal_log, srs, wkb};

/// A file that GDAL has open, or rather can open again: each reading opens it anew, on its own thread.
pub(crate) struct OgrSource {
    pub driver: String,
    pub notes: Vec<String>,
    pub layers: Vec<OgrLayer>,
    shown: String,
    opener: Opener,
}

/// A layer and how to read it.
pub(crate) struct OgrLayer {
    pub layer: SourceLayer,
    position: usize,
    fields: Vec<How>,
    /// Texts come byte by byte and are in this encoding.
    bytes: Option<Encoding>,
}

struct Opener {
    path: PathBuf,
    format: Format,
    options: Vec<String>,
    config: Vec<(&'static str, &'static str)>,
    /// Holds a copy where the original would not open as it is.
    _copy: Option<TempDir>,
}

impl Opener {
    fn open(&self) -> Result<Dataset, String> {
        for (key, setting) in &self.config {
            gdal::config::set_thread_local_config_option(key, setting).map_err(|e| e.to_string())?;
        }
        let options: Vec<&str> = self.options.iter().map(String::as_str).collect();
        gdal_log::take();
        Dataset::open_ex(
            &self.path,
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

/// Drivers whose empty text means that there is none: they leave such fields unset.
fn blank_is_null(driver: &str) -> bool {
    matches!(driver, "LIBKML" | "KML" | "GPX" | "DXF" | "DGN" | "XLSX" | "ODS" | "FlatGeobuf")
}

impl OgrSource {
    pub(crate) fn open(path: &Path, format: Format, request: &Request) -> Result<Self, ImportError> {
        let shown = path.display().to_string();
        let mut notes = Vec::new();
        let (opener, declared) = prepare(path, format, &mut notes)?;
        let dataset = opener.open().map_err(|reason| {
            ImportError::unreadable(
                &shown,
                format!("cannot be opened as {format:?}: {reason}"),
                advice(format),
            )
        })?;
        let driver = dataset.driver().short_name();
        let mut layers = Vec::new();
        for position in 0..dataset.layer_count() {
            let layer = dataset.layer(position).map_err(|e| {
                ImportError::malformed(&shown, format!("layer {}", position + 1), e.to_string())
            })?;
            let name = layer.name();
            // GeoPackage keeps styles beside the data.
            if name == "layer_styles" {
                notes.push("the table `layer_styles` (QGIS styles) was left out".into());
                continue;
            }
            layers.push(look_through(&dataset, layer, position, &driver, &declared, request, &shown)?);
        }
        if layers.is_empty() {
            return Err(ImportError::unreadable(&shown, "holds no layer", "check that it is the right file"));
        }
        // Empty layers of a source of several (GPX has five, always) say nothing.
        let filled = layers.iter().filter(|layer| layer.layer.count != Some(0)).count();
        if filled > 0 && filled < layers.len() {
            let empty: Vec<&str> =
                layers.iter().filter(|l| l.layer.count == Some(0)).map(|l| l.layer.name.as_str()).collect();
            notes.push(format!("empty layers were left out: {}", empty.join(", ")));
            layers.retain(|layer| layer.layer.count != Some(0));
        } else if filled == 0 {
            layers.truncate(1);
        }
        Ok(Self { driver, notes, layers, shown, opener })
    }

    pub(crate) fn read(&self, layer: usize, sink: &mut Sink<'_>) -> Result<(), ImportError> {
        let Some(plan) = self.layers.get(layer) else { return Ok(()) };
        let place = |index: u64| format!("layer `{}`, feature {index}", plan.layer.name);
        let dataset = self.opener.open().map_err(|reason| {
            ImportError::unreadable(
                &self.shown,
                format!("cannot be opened again: {reason}"),
                "it may have been changed meanwhile: import it again",
            )
        })?;
        let mut ogr = dataset
            .layer(plan.position)
            .map_err(|error| ImportError::malformed(&self.shown, place(1), error.to_string()))?;
        let blank = blank_is_null(&self.driver);
        gdal_log::take();
        let mut index = 0;
        for feature in ogr.features() {
            index += 1;
            let mut fault =
                gdal_log::take().into_iter().find(|message| message.error).map(|message| message.text);
            let mut values = Vec::with_capacity(plan.fields.len());
            for (field, how) in plan.fields.iter().enumerate() {
                values.push(value(&feature, field, *how, blank).unwrap_or_else(|reason| {
                    let name = plan.layer.fields.get(field).map_or("", |f| f.name.as_str());
                    fault.get_or_insert(format!("field `{name}`: {reason}"));
                    Value::Null
                }));
            }
            let mut bytes = None;
            if plan.layer.kind != GeometryKind::None
                && let Ok(geometry) = feature.geometry_by_index(0)
            {
                match geometry.iso_wkb() {
                    Ok(wkb) => bytes = Some(wkb),
                    Err(error) => {
                        fault = fault.or_else(|| Some(format!("its geometry cannot be read: {error}")))
                    }
                }
            }
            // A null geometry is an error to GDAL's own bookkeeping and none to us.
            gdal_log::take();
            let id = feature.fid().map(|fid| fid.to_string());
            if !sink(Raw { index, line: None, body: Body::Ogr { id, wkb: bytes, values, fault } }) {
                return Ok(());
            }
        }
        if let Some(message) = gdal_log::take().into_iter().find(|message| message.error) {
            return Err(ImportError::malformed(
                &self.shown,
                format!("{} (after which reading stopped)", place(index)),
                format!("{}; the file is cut off or damaged: get it again", message.text),
            ));
        }
        if let Some(count) = plan.layer.count
            && count > index
        {
            return Err(ImportError::malformed(
                &self.shown,
                place(index),
                format!(
                    "the layer says that it holds {count} features, but only {index} could be read; the file is cut off or damaged: get it again"
                ),
            ));
        }
        Ok(())
    }

    /// Turns byte texts into Unicode.
    pub(crate) fn decode(&self, layer: usize, mut values: Vec<Value>) -> Vec<Value> {
        if let Some(encoding) = self.layers.get(layer).and_then(|layer| layer.bytes) {
            for value in &mut values {
                if let Value::Text(text) = value {
                    *text = from_latin1(text, encoding);
                }
            }
        } else {
            for value in &mut values {
                if let Value::Text(text) = value
                    && !unicode_normalization::is_nfc(text)
                {
                    *text = unicode_normalization::UnicodeNormalization::nfc(text.as_str()).collect();
                }
            }
        }
        values
    }
}

/// What a file declares of its encoding, and whether texts come byte by byte.
struct Declared {
    by_bytes: bool,
    encoding: Option<(Encoding, String)>,
    how: String,
}

fn advice(format: Format) -> &'static str {
    match format {
        Format::Shapefile => "the .shp, .shx and .dbf files must lie side by side and be whole",
        Format::Zip => "unpack it and name the file inside",
        Format::MapInfo => "the .tab, .dat, .map and .id files must lie side by side and be whole",
        _ => "it may be damaged or cut off: get it again",
    }
}

fn prepare(path: &Path, format: Format, notes: &mut Vec<String>) -> Result<(Opener, Declared), ImportError> {
    let shown = path.display().to_string();
    let mut opener =
        Opener { path: path.to_owned(), format, options: Vec::new(), config: Vec::new(), _copy: None };
    let mut declared = Declared { by_bytes: false, encoding: None, how: format!("{format:?} is UTF-8") };
    let failed = |error: std::io::Error| {
        ImportError::unreadable(
            &shown,
            format!("cannot be read ({error})"),
            "check the files beside it and the room for temporary files",
        )
    };
    match format {
        Format::Shapefile => {
            let side = |extension: &str| beside(path, extension);
            if side("shx").is_none() {
                let copy = copy_beside(path, &["shp", "dbf", "prj", "cpg"]).map_err(failed)?;
                opener.path = copy.path().join(path.file_name().unwrap_or_default());
                opener._copy = Some(copy);
                opener.config.push(("SHAPE_RESTORE_SHX", "YES"));
                notes.push("the .shx file is missing; it was made again from the .shp".into());
            }
            match side("dbf") {
                None => {
                    notes.push("the .dbf file is missing: the layer has geometry and no attributes".into())
                }
                Some(dbf) => match declared_by_dbf(&dbf, side("cpg").as_deref()).map_err(failed)? {
                    Charset::Foreign(how) => declared.how = format!("converted by GDAL: {how}"),
                    Charset::Ours(encoding, how) => {
                        declared.encoding = Some((encoding, how));
                        declared.by_bytes = true;
                    }
                    Charset::Unsaid => declared.by_bytes = true,
                },
            }
            if declared.by_bytes {
                // One byte, one character: nothing is lost, and the bytes come back from it.
                opener.options.push("ENCODING=ISO-8859-1".into());
            }
        }
        Format::MapInfo => {
            let (copy, name, charset) = mapinfo_by_bytes(path).map_err(failed)?;
            opener.path = copy.path().join(name);
            opener._copy = Some(copy);
            declared.by_bytes = true;
            declared.encoding = charset;
        }
        Format::Dxf => {
            // Newer drawings are UTF-8 whatever this says; their bytes then are, too.
            opener.config.push(("DXF_ENCODING", "ISO-8859-1"));
            declared.by_bytes = true;
        }
        Format::Dgn => declared.how = "as GDAL reads DGN".into(),
        Format::Zip => {
            let inside = PathBuf::from(format!("/vsizip/{shown}"));
            let names = gdal::vsi::read_dir(&inside, true).unwrap_or_default();
            let wanted = |extension: &str| {
                names
                    .iter()
                    .find(|name| name.extension().is_some_and(|e| e.eq_ignore_ascii_case(extension)))
                    .cloned()
            };
            // Its encoding is detected: a .cpg inside the archive is out of reach here.
            if let Some(shp) = wanted("shp") {
                notes.push(format!("`{}` was taken from the archive", shp.display()));
                opener.path = inside.join(shp);
                opener.options.push("ENCODING=ISO-8859-1".into());
                declared.by_bytes = true;
            } else if let Some(gpkg) = wanted("gpkg") {
                notes.push(format!("`{}` was taken from the archive", gpkg.display()));
                opener.path = inside.join(gpkg);
            } else if let Some(gdb) = names.iter().find_map(|name| {
                name.ancestors().find(|a| a.extension().is_some_and(|e| e.eq_ignore_ascii_case("gdb")))
            }) {
                opener.path = inside.join(gdb);
            } else {
                return Err(ImportError::unreadable(
                    &shown,
                    "is a zip archive without a Shapefile, GeoPackage or File Geodatabase",
                    "unpack it and name the file inside",
                ));
            }
        }
        _ => {}
    }
    Ok((opener, declared))
}

/// The file of that name with another extension, in either case.
fn beside(path: &Path, extension: &str) -> Option<PathBuf> {
    [extension.to_lowercase(), extension.to_uppercase()]
        .into_iter()
        .map(|e| path.with_extension(e))
        .find(|p| p.exists())
}

fn copy_beside(path: &Path, extensions: &[&str]) -> std::io::Result<TempDir> {
    let folder = tempfile::tempdir()?;
    for side in extensions.iter().filter_map(|extension| beside(path, extension)) {
        if let Some(name) = side.file_name() {
            fs::copy(&side, folder.path().join(name))?;
        }
    }
    Ok(folder)
}

enum Charset {
    Unsaid,
    Ours(Encoding, String),
    Foreign(String),
}

fn declared_by_dbf(dbf: &Path, cpg: Option<&Path>) -> std::io::Result<Charset> {
    if let Some(cpg) = cpg {
        let text = fs::read_to_string(cpg).unwrap_or_default();
        let text = text.trim();
        if !text.is_empty() {
            return Ok(match text.parse() {
                Ok(encoding) => Charset::Ours(encoding, format!("the .cpg file (`{text}`)")),
                Err(_unknown) => Charset::Foreign(format!("the .cpg file says `{text}`")),
            });
        }
    }
    let mut head = [0_u8; 32];
    std::io::Read::read_exact(&mut fs::File::open(dbf)?, &mut head).or_else(|error| {
        if error.kind() == std::io::ErrorKind::UnexpectedEof { Ok(()) } else { Err(error) }
    })?;
    // Programs write 0x03 and 0x57 ("ANSI") whatever the text is in; they tell nothing.
    Ok(match head[29] {
        0 | 0x03 | 0x57 => Charset::Unsaid,
        id => Charset::Foreign(format!("language driver 0x{id:02X} of the .dbf")),
    })
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

/// A copy keeps the original's read-only bit.
fn make_writable(path: &Path) -> std::io::Result<()> {
    fs::remove_file(path)
}

fn latin1(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| char::from(*byte)).collect()
}

fn look_through(
    dataset: &Dataset,
    mut ogr: Layer<'_>,
    position: usize,
    driver: &str,
    declared: &Declared,
    request: &Request,
    shown: &str,
) -> Result<OgrLayer, ImportError> {
    let name = ogr.name();
    let mut warnings = Vec::new();
    let booleans = if driver == "GPKG" { gpkg_booleans(dataset, &name) } else { Vec::new() };
    let mut names = Vec::new();
    let mut hows = Vec::new();
    for field in ogr.defn().fields() {
        let (mut how, note) = How::of(field.field_type());
        let field_name = field.name();
        if field.field_type() == OGRFieldType::OFTInteger && booleans.contains(&field_name) {
            how = How::Bool;
        }
        if let Some(note) = note {
            warnings.push(format!("field `{field_name}`: {note}"));
        }
        names.push(field_name);
        hows.push(how);
    }
    let kind = declared_kind(ogr.defn().geometry_type());
    let has_geometry = kind != Some(GeometryKind::None);
    if ogr.defn().geom_fields().count() > 1 {
        warnings.push("the layer has several geometry columns; the first one was read".into());
    }
    let blank = blank_is_null(driver);

    // One look through: all of it where kinds or bytes must be known, else the beginning.
    let whole = kind.is_none() || declared.by_bytes;
    let mut survey = Survey::default();
    let mut texts: Vec<Vec<u8>> = names.iter().map(|name| latin1_bytes(name)).collect();
    let mut ended = true;
    for feature in ogr.features() {
        if !whole && survey.sample.len() >= SAMPLE {
            ended = false;
            break;
        }
        let values: Vec<Value> = hows
            .iter()
            .enumerate()
            .map(|(i, how)| value(&feature, i, *how, blank).unwrap_or_default())
            .collect();
        if declared.by_bytes {
            texts.extend(values.iter().filter_map(|v| match v {
                Value::Text(text) if !text.is_ascii() && text.chars().all(|c| u32::from(c) < 256) => {
                    Some(latin1_bytes(text))
                }
                _ => None,
            }));
        }
        survey.values(&values);
        if has_geometry
            && (kind.is_none() || survey.points.len() < SAMPLE)
            && let Ok(geometry) = feature.geometry_by_index(0)
            && let Ok(bytes) = geometry.iso_wkb()
            && let Ok(read) = wkb::read(&bytes)
        {
            survey.geometry(&read.geometry);
        }
    }
    let errors: Vec<String> = gdal_log::take()
        .into_iter()
        .filter(|m| m.error && !m.text.contains("NULL"))
        .map(|m| m.text)
        .collect();
    if let (true, Some(error)) = (survey.count == 0, errors.first()) {
        return Err(ImportError::malformed(
            shown,
            format!("layer `{name}`"),
            format!("{error}; the file is cut off or damaged: get it again"),
        ));
    }

    let encoding = if declared.by_bytes {
        let asked = request.encoding;
        let report = settle(&texts, asked, declared.encoding.clone(), &mut warnings);
        for name in &mut names {
            *name = from_latin1(name, report.encoding);
        }
        for value in survey.sample.iter_mut().flatten() {
            if let Value::Text(text) = value {
                *text = from_latin1(text, report.encoding);
            }
        }
        report
    } else {
        if request.encoding.is_some_and(|asked| asked != Encoding::Utf8) {
            warnings.push(format!("--encoding has no effect here: {}", declared.how));
        }
        unicode(&declared.how)
    };
    warnings.extend(distinct(&mut names));
    let kind = kind.or(survey.kind).unwrap_or(GeometryKind::None);
    let srs = if kind == GeometryKind::None {
        srs::Srs::None
    } else {
        srs::identify(ogr.spatial_ref().as_ref(), said(driver))
    };
    let fields = names.into_iter().zip(&hows).map(|(name, how)| Field::new(name, how.field_type())).collect();
    // What a Shapefile says of its number counts deleted rows; what was seen to the end is exact.
    let count = if ended {
        Some(survey.count)
    } else {
        ogr.try_feature_count().filter(|_| driver != "ESRI Shapefile")
    };
    Ok(OgrLayer {
        bytes: declared.by_bytes.then_some(encoding.encoding),
        layer: SourceLayer {
            name,
            fields,
            kind,
            srs,
            points: survey.points,
            encoding,
            count,
            sample: survey.sample,
            role: None,
            warnings,
            attribution: None,
        },
        position,
        fields: hows,
    })
}

fn said(driver: &str) -> &'static str {
    match driver {
        "ESRI Shapefile" => "the .prj file",
        "LIBKML" | "KML" | "GPX" => "the format",
        _ => "the file",
    }
}

/// GDAL's geometry types as ours; `None` where the layer may hold anything.
fn declared_kind(kind: OGRwkbGeometryType::Type) -> Option<GeometryKind> {
    Some(match geometry_type_flatten(kind) {
        OGRwkbGeometryType::wkbPoint | OGRwkbGeometryType::wkbMultiPoint => GeometryKind::Point,
        OGRwkbGeometryType::wkbLineString
        | OGRwkbGeometryType::wkbMultiLineString
        | OGRwkbGeometryType::wkbCircularString
        | OGRwkbGeometryType::wkbCompoundCurve
        | OGRwkbGeometryType::wkbMultiCurve => GeometryKind::Line,
        OGRwkbGeometryType::wkbPolygon
        | OGRwkbGeometryType::wkbMultiPolygon
        | OGRwkbGeometryType::wkbCurvePolygon
        | OGRwkbGeometryType::wkbMultiSurface
        | OGRwkbGeometryType::wkbPolyhedralSurface
        | OGRwkbGeometryType::wkbTIN
        | OGRwkbGeometryType::wkbTriangle => GeometryKind::Polygon,
        OGRwkbGeometryType::wkbGeometryCollection => GeometryKind::Mixed,
        OGRwkbGeometryType::wkbNone => GeometryKind::None,
        _ => return None,
    })
}

/// The boolean columns of a GeoPackage table: GDAL gives them as integers.
fn gpkg_booleans(dataset: &Dataset, table: &str) -> Vec<String> {
    let sql = format!(
        "SELECT name FROM pragma_table_info('{}') WHERE upper(type) = 'BOOLEAN'",
        table.replace('\'', "''")
    );
    let Ok(Some(mut rows)) = dataset.execute_sql(sql, None, gdal::vector::sql::Dialect::DEFAULT) else {
        return Vec::new();
    };
    rows.features().filter_map(|row| row.field_as_string(0).ok().flatten()).collect()
}
