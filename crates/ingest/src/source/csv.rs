//! Tables of text: delimiter, quotes, line ends and encoding found out; points from two columns, or geometry
//! from a column of WKT or GeoJSON.

use std::{fs, path::Path};

use citymap_crs::Crs;
use citymap_geometry::{GeometryFault, wkb};
use citymap_model::{Field, GeometryKind, text::without_diacritics};
use gdal::vector::Geometry as Ogr;
use geo_types::Point;

use super::{
    Body, Original, Parsed, Raw, Reader, Shape, Sink, SourceLayer, distinct, foreign, geojson_geometry,
    record::{Guess, from_text},
    survey::{Survey, settle},
};
use crate::{ImportError, Request, encoding::Encoding, gdal_log, srs::Srs};

mod rows;

use rows::{Rows, delimiter};

/// A table, held in memory.
pub(crate) struct CsvReader {
    pub notes: Vec<String>,
    pub layer: SourceLayer,
    bytes: Vec<u8>,
    /// Where the rows begin, and on which line.
    start: (usize, u64),
    delimiter: u8,
    encoding: Encoding,
    place: Place,
}

/// Where the geometry is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    None,
    Columns { x: usize, y: usize },
    Wkt(usize),
    GeoJson(usize),
}

impl Reader for CsvReader {
    fn driver(&self) -> &str {
        "CSV"
    }

    fn notes(&self) -> &[String] {
        &self.notes
    }

    fn layers(&self) -> Vec<&SourceLayer> {
        vec![&self.layer]
    }

    fn read(&self, _layer: usize, sink: &mut Sink<'_>) -> Result<Vec<String>, ImportError> {
        let mut index = 0;
        for row in Rows::new(&self.bytes, self.start.0, self.start.1, self.delimiter) {
            if row.is_blank() {
                continue;
            }
            index += 1;
            let line = row.line;
            let body = match row.cells {
                Ok(cells) => Body::Row(
                    Ok(cells.iter().map(|cell| self.encoding.decode(cell).text).collect()),
                    String::new(),
                ),
                Err(reason) => Body::Row(Err(reason), self.encoding.decode(row.text).text),
            };
            if !sink(Raw { index, line: Some(line), body }) {
                break;
            }
        }
        Ok(Vec::new())
    }

    fn parse(&self, _layer: usize, body: Body) -> Parsed {
        match body {
            Body::Row(row, text) => self.feature(row, text),
            other => foreign(other),
        }
    }
}

impl CsvReader {
    /// Opens a table: finds out its delimiter, header, encoding, types and coordinates, with one look at
    /// every row.
    ///
    /// # Errors
    /// [`ImportError`] if the file cannot be read, is UTF-16 or has no line with the columns' names.
    pub(crate) fn open(path: &Path, request: &Request) -> Result<Self, ImportError> {
        let shown = path.display().to_string();
        let bytes = text_of(path, &shown)?;
        let delimiter = delimiter(&bytes);
        let header = Header::read(&bytes, delimiter, &shown)?;
        let (mut notes, mut warnings) = (Vec::new(), Vec::new());
        let texts: Vec<Vec<u8>> = bytes
            .split(|b| matches!(b, b'\n' | b'\r'))
            .filter(|line| !line.is_ascii())
            .map(<[u8]>::to_vec)
            .collect();
        let encoding = settle(&texts, request.encoding, None, &mut warnings);
        let names = header.names(encoding.encoding, &shown, &mut warnings)?;
        let seen = SeenRows::of(
            Rows::new(&bytes, header.end.0, header.end.1, delimiter),
            names.len(),
            encoding.encoding,
        );
        if seen.blank > 0 {
            notes.push(format!("{} rows of nothing but delimiters were left out", seen.blank));
        }
        let mut place = find_place(&names, &seen.first, &mut warnings);
        let srs = srs_of(&names, &seen.first, &mut place, &mut warnings);
        if place == Place::None {
            notes.push(NO_PLACE.into());
        }
        let is_geometry =
            |column: usize| matches!(place, Place::Wkt(own) | Place::GeoJson(own) if own == column);
        let fields = names
            .iter()
            .zip(&seen.guesses)
            .enumerate()
            .filter(|(column, _)| !is_geometry(*column))
            .map(|(_, (name, guess))| Field::new(name.clone(), guess.field_type()))
            .collect();
        let points = matches!(place, Place::Columns { .. });
        let mut source = Self {
            notes,
            layer: SourceLayer {
                name: path.file_stem().unwrap_or_default().to_string_lossy().into_owned(),
                fields,
                kind: if points { GeometryKind::Point } else { GeometryKind::None },
                srs,
                points: Vec::new(),
                encoding: encoding.clone(),
                count: Some(seen.count),
                sample: Vec::new(),
                role: None,
                warnings,
                title: None,
                attribution: None,
            },
            bytes,
            start: header.end,
            delimiter,
            encoding: encoding.encoding,
            place,
        };
        source.look();
        Ok(source)
    }

    /// Kinds of geometry and some places, through the same eyes as the reading.
    fn look(&mut self) {
        let mut survey = Survey::default();
        for row in Rows::new(&self.bytes, self.start.0, self.start.1, self.delimiter) {
            if row.is_blank() {
                continue;
            }
            if matches!(self.place, Place::None | Place::Columns { .. })
                && survey.sample.len() >= super::survey::SAMPLE
            {
                break;
            }
            let Ok(cells) = row.cells else { continue };
            let parsed = self.feature(
                Ok(cells.iter().map(|cell| self.encoding.decode(cell).text).collect()),
                String::new(),
            );
            if parsed.fault.is_none() {
                survey.values(&parsed.values);
            }
            if let Shape::Good(geometry) = &parsed.geometry {
                survey.geometry(geometry);
            }
        }
        if let Some(kind) = survey.kind {
            self.layer.kind = kind;
        }
        self.layer.points = survey.points;
        self.layer.sample = survey.sample;
    }

    /// One feature of the file, from its cells, or from the text of a row that has none.
    fn feature(&self, row: Result<Vec<String>, String>, text: String) -> Parsed {
        let mut cells = match row {
            Ok(cells) => cells,
            Err(reason) => return super::broken(text.as_bytes(), reason),
        };
        let columns =
            self.layer.fields.len() + usize::from(matches!(self.place, Place::Wkt(_) | Place::GeoJson(_)));
        if cells.len() > columns {
            if cells[columns..].iter().any(|cell| !cell.is_empty()) {
                let reason = format!(
                    "the row has {} columns and the header {columns}; a text with the delimiter in it must \
                     stand in quotes (\")",
                    cells.len()
                );
                return super::broken(cells.join(" | ").as_bytes(), reason);
            }
            cells.truncate(columns);
        }
        let mut warnings = Vec::new();
        if cells.len() < columns {
            warnings.push(format!(
                "the row has {} columns and the header {columns}; the missing ones are null",
                cells.len()
            ));
            cells.resize(columns, String::new());
        }
        let (geometry, dropped_z) = self.geometry(&mut cells);
        let values = cells
            .into_iter()
            .zip(&self.layer.fields)
            .map(|(cell, field)| from_text(cell, field.field_type))
            .collect();
        Parsed { id: None, geometry, values, fault: None, warnings, dropped_z, curved: false }
    }

    fn geometry(&self, cells: &mut Vec<String>) -> (Shape, bool) {
        match self.place {
            Place::None => (Shape::Null, false),
            Place::Columns { x, y } => {
                let (x_text, y_text) = (cells[x].trim(), cells[y].trim());
                if x_text.is_empty() && y_text.is_empty() {
                    return (Shape::Null, false);
                }
                match (self.number(x_text), self.number(y_text)) {
                    (Some(x), Some(y)) => (Shape::Good(Point::new(x, y).into()), false),
                    (x_number, _) => {
                        let (column, text) = if x_number.is_none() { (x, x_text) } else { (y, y_text) };
                        let name = &self.layer.fields[column].name;
                        (
                            Shape::Bad(
                                GeometryFault::new(format!("`{text}` in column `{name}` is no number")),
                                Original::Text(format!("{x_text} {y_text}")),
                            ),
                            false,
                        )
                    }
                }
            }
            Place::Wkt(column) => {
                let text = cells.remove(column);
                if text.trim().is_empty() {
                    return (Shape::Null, false);
                }
                let plain = text.trim();
                // EWKT's prefix says the system, which was looked at before.
                let plain = match plain.split_once(';') {
                    Some((srid, rest)) if srid.len() < 12 && srid.to_uppercase().starts_with("SRID=") => rest,
                    _ => plain,
                };
                gdal_log::take();
                match Ogr::from_wkt(plain).and_then(|geometry| geometry.iso_wkb()) {
                    Ok(bytes) => match wkb::read_source(&bytes) {
                        Ok(read) => (Shape::Good(read.geometry), read.dropped_z),
                        Err(fault) => (Shape::Bad(fault, Original::Wkb(bytes)), false),
                    },
                    Err(_unclear) => (
                        Shape::Bad(GeometryFault::new("its WKT cannot be understood"), Original::Text(text)),
                        false,
                    ),
                }
            }
            Place::GeoJson(column) => {
                let text = cells.remove(column);
                if text.trim().is_empty() {
                    return (Shape::Null, false);
                }
                let read = serde_json::from_str(&text)
                    .map_err(|error| GeometryFault::new(format!("its GeoJSON cannot be understood: {error}")))
                    .and_then(geojson_geometry::read);
                match read {
                    Ok(Some(read)) => (Shape::Good(read.geometry), read.dropped_z),
                    Ok(None) => (Shape::Null, false),
                    Err(fault) => (Shape::Bad(fault, Original::Text(text)), false),
                }
            }
        }
    }

    /// A coordinate; with a decimal comma only where commas do not part columns.
    fn number(&self, text: &str) -> Option<f64> {
        text.parse().ok().or_else(|| {
            (self.delimiter != b',' && text.matches(',').count() == 1)
                .then(|| text.replace(',', ".").parse().ok())
                .flatten()
        })
    }
}

/// What is said where no columns hold coordinates.
const NO_PLACE: &str = "no columns of coordinates were found \
     (x and y, lon and lat, easting and northing, kinh_do and vi_do, wkt, geojson): it is a table without \
     geometry";

/// The bytes of a table, without a mark of UTF-8 at its beginning.
fn text_of(path: &Path, shown: &str) -> Result<Vec<u8>, ImportError> {
    let mut bytes = fs::read(path).map_err(|error| {
        ImportError::unreadable(shown, format!("cannot be read ({error})"), "check the disk it is on")
    })?;
    if bytes.starts_with(&[0xFF, 0xFE]) || bytes.starts_with(&[0xFE, 0xFF]) {
        return Err(ImportError::unreadable(shown, "is UTF-16 text", "save it as UTF-8"));
    }
    if bytes.starts_with(b"\xEF\xBB\xBF") {
        bytes.drain(..3);
    }
    Ok(bytes)
}

/// The first line that is not empty.
struct Header {
    cells: Vec<Vec<u8>>,
    line: u64,
    /// Where the rows begin, and on which line.
    end: (usize, u64),
}

impl Header {
    fn read(bytes: &[u8], delimiter: u8, shown: &str) -> Result<Self, ImportError> {
        let mut rows = Rows::new(bytes, 0, 1, delimiter);
        let header = loop {
            match rows.next() {
                None => {
                    return Err(ImportError::unreadable(
                        shown,
                        "holds nothing but empty lines",
                        "a first line with the columns' names is needed",
                    ));
                }
                Some(row) if row.is_blank() => {}
                Some(row) => break row,
            }
        };
        let line = header.line;
        let cells = header
            .cells
            .map_err(|reason| ImportError::malformed(shown, format!("line {line}"), reason))?
            .iter()
            .map(|cell| cell.to_vec())
            .collect();
        Ok(Self { cells, line, end: (rows.position(), rows.line()) })
    }

    /// The columns' names, each given and different.
    fn names(
        &self,
        encoding: Encoding,
        shown: &str,
        warnings: &mut Vec<String>,
    ) -> Result<Vec<String>, ImportError> {
        let mut names: Vec<String> = self.cells.iter().map(|cell| encoding.decode(cell).text).collect();
        check_header(&names, shown, self.line)?;
        for (i, name) in names.iter_mut().enumerate() {
            if name.is_empty() {
                *name = format!("field_{}", i + 1);
                warnings.push(format!("column {} has no name; it is called `{name}`", i + 1));
            }
        }
        warnings.extend(distinct(&mut names));
        Ok(names)
    }
}

/// What one look at every row shows.
struct SeenRows {
    /// What each column's values look like.
    guesses: Vec<Guess>,
    /// The first rows as text.
    first: Vec<Vec<String>>,
    /// Rows that are not blank.
    count: u64,
    /// Rows of nothing but delimiters.
    blank: u64,
}

impl SeenRows {
    fn of(rows: Rows<'_>, columns: usize, encoding: Encoding) -> Self {
        let mut seen =
            Self { guesses: vec![Guess::default(); columns], first: Vec::new(), count: 0, blank: 0 };
        for row in rows {
            if row.is_blank() {
                seen.blank += u64::from(row.has_delimiters());
                continue;
            }
            seen.count += 1;
            let Ok(cells) = row.cells else { continue };
            if cells.len() > columns && cells[columns..].iter().any(|cell| !cell.is_empty()) {
                continue;
            }
            let cells: Vec<String> = cells.iter().map(|cell| encoding.decode(cell).text).collect();
            for (guess, cell) in seen.guesses.iter_mut().zip(&cells) {
                guess.see_text(cell);
            }
            if seen.first.len() < super::survey::SAMPLE {
                seen.first.push(cells);
            }
        }
        seen
    }
}

fn check_header(names: &[String], shown: &str, line: u64) -> Result<(), ImportError> {
    let numbers = names.iter().filter(|name| name.parse::<f64>().is_ok()).count();
    let coordinates = names.iter().any(|name| X.contains(&plain(name).as_str()) || is_geometry_name(name));
    if numbers >= 2 && !coordinates {
        return Err(ImportError::malformed(
            shown,
            format!("line {line}"),
            format!(
                "the first line ({}) looks like data; a line with the columns' names must stand before it",
                names.join(", ")
            ),
        ));
    }
    Ok(())
}

const X: [&str; 13] = [
    "x",
    "lon",
    "long",
    "lng",
    "longitude",
    "kinh_do",
    "kinhdo",
    "easting",
    "east",
    "toa_do_x",
    "toado_x",
    "xcoord",
    "x_coord",
];
const Y: [&str; 13] = [
    "y", "lat", "lat", "lat", "latitude", "vi_do", "vido", "northing", "north", "toa_do_y", "toado_y",
    "ycoord", "y_coord",
];

fn plain(name: &str) -> String {
    without_diacritics(name.trim())
}

fn is_geometry_name(name: &str) -> bool {
    matches!(
        plain(name).as_str(),
        "wkt" | "geom" | "geometry" | "the_geom" | "shape" | "geojson" | "wkt_geom" | "_wkt"
    )
}

fn find_place(names: &[String], rows: &[Vec<String>], warnings: &mut Vec<String>) -> Place {
    let folded: Vec<String> = names.iter().map(|name| plain(name)).collect();
    if let Some(column) = names.iter().position(|name| is_geometry_name(name)) {
        let json = rows
            .iter()
            .filter_map(|row| row.get(column))
            .find(|cell| !cell.is_empty())
            .is_some_and(|cell| cell.trim_start().starts_with('{'));
        return if json || folded[column] == "geojson" { Place::GeoJson(column) } else { Place::Wkt(column) };
    }
    let find = |name: &str| folded.iter().position(|column| column == name);
    for (x, y) in X.iter().zip(Y) {
        if let (Some(x), Some(y)) = (find(x), find(y)) {
            return Place::Columns { x, y };
        }
    }
    // `geo_longitude`, `this_is_latitude_yo`: as parts of a name, if there is only one of each.
    let part = |word: &str| {
        let found: Vec<usize> = (0..folded.len()).filter(|i| folded[*i].contains(word)).collect();
        if let [one] = found[..] { Some(one) } else { None }
    };
    if let (Some(x), Some(y)) = (part("longitude"), part("latitude")) {
        warnings.push(format!(
            "the columns `{}` and `{}` were taken as longitude and latitude",
            names[x], names[y]
        ));
        return Place::Columns { x, y };
    }
    Place::None
}

/// What the columns' names and values say of the coordinate system; exchanges x and y where they
/// stand the Vietnamese way.
fn srs_of(names: &[String], rows: &[Vec<String>], place: &mut Place, warnings: &mut Vec<String>) -> Srs {
    match *place {
        Place::None => Srs::None,
        Place::GeoJson(_) => {
            Srs::Known { crs: Crs::WGS84, how: "GeoJSON is WGS 84 (RFC 7946)".into(), warnings: Vec::new() }
        }
        Place::Wkt(column) => {
            let srid = rows.iter().filter_map(|row| row.get(column)).find(|cell| !cell.is_empty()).and_then(
                |cell| {
                    let (srid, _) = cell.trim().split_once(';')?;
                    srid.to_uppercase().strip_prefix("SRID=")?.parse::<u32>().ok()
                },
            );
            match srid.map(Crs::new) {
                Some(Ok(crs)) => Srs::Known {
                    crs,
                    how: format!("SRID={} in column `{}`", crs.code(), names[column]),
                    warnings: Vec::new(),
                },
                _ => Srs::Unknown(format!("column `{}` names no coordinate system", names[column])),
            }
        }
        Place::Columns { x, y } => {
            let number = |row: &Vec<String>, column: usize| {
                row.get(column).and_then(|cell| cell.trim().replace(',', ".").parse::<f64>().ok())
            };
            let pairs: Vec<(f64, f64)> =
                rows.iter().filter_map(|row| Some((number(row, x)?, number(row, y)?))).collect();
            let name = plain(&names[x]);
            let geographic = ["lon", "long", "lng", "kinh_do", "kinhdo"].contains(&name.as_str())
                || name.contains("longitude");
            let degrees = pairs.iter().all(|(x, y)| x.abs() <= 180.0 && y.abs() <= 90.0);
            if geographic && degrees {
                return Srs::Known {
                    crs: Crs::WGS84,
                    how: format!("the columns `{}` and `{}`", names[x], names[y]),
                    warnings: Vec::new(),
                };
            }
            // Northings of Vietnam lie between 0.88 and 2.7 million metres, eastings between 0.1 and 0.9
            // million.
            let vietnamese = !pairs.is_empty()
                && !matches!(name.as_str(), "easting" | "east")
                && pairs
                    .iter()
                    .all(|(x, y)| (880_000.0..2_700_000.0).contains(x) && (100_000.0..900_000.0).contains(y));
            if vietnamese {
                *place = Place::Columns { x: y, y: x };
                warnings.push(format!(
                    "`{}` holds northings and `{}` eastings, as Vietnamese papers write them: they were \
                     exchanged",
                    names[x], names[y]
                ));
            }
            Srs::Unknown(format!("the columns `{}` and `{}` name no coordinate system", names[x], names[y]))
        }
    }
}
