//! The look through a layer before its features are read for good.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use citymap_geometry::wkb;
use citymap_model::{Field, FieldType, GeometryKind, Title, Value, text::tidy_name};
use gdal::{
    Dataset,
    vector::{Feature, Layer, LayerAccess, OGRFieldType, OGRwkbGeometryType, geometry_type_flatten},
};

use super::{
    OgrLayer,
    added::Added,
    blank_is_null,
    cells::{CellReading, OddCells},
    dbf, dgn, esri_json,
    fid::FidColumn,
    gpx, kml,
    prepare::Declared,
    reading::{is_on_paper, number, paper_space},
    value::{How, is_day, is_local, value},
};
use crate::{
    EncodingReport, ImportError, Request,
    dates::DatesSeen,
    encoding::{Encoding, TextDecoder},
    gdal_log,
    source::{
        SourceLayer, distinct,
        record::{Guess, ValueReader},
        survey::{ByteTexts, SAMPLE, Survey, from_latin1, latin1_bytes, settle, unicode},
    },
    srs,
};

/// What the looks through the layers of one file have in common.
pub(super) struct Look<'a> {
    pub dataset: &'a Dataset,
    /// GDAL's short name of the driver.
    pub driver: &'a str,
    pub dgn_texts: &'a dgn::Texts,
    pub digits: Option<&'a dbf::Digits>,
    pub cells: &'a OddCells,
    /// The file that is open.
    pub path: &'a Path,
    pub declared: &'a Declared,
    /// Why positions of a KML file could not be read.
    pub misplaced: &'a [String],
    pub request: &'a Request,
    /// The file as messages name it.
    pub shown: &'a str,
    /// The columns of a FlatGeobuf that hold nothing but days, where that is known, and how many.
    pub days: Option<BTreeMap<usize, u64>>,
}

/// The columns of a layer as GDAL declares them.
#[derive(Default)]
struct Columns {
    /// The name of the numbering column first, if it is kept.
    names: Vec<String>,
    /// What people read in place of the name (an alias), or nothing; without the numbering column.
    titles: Vec<String>,
    hows: Vec<How>,
    /// The positions of the columns in GDAL's.
    positions: Vec<usize>,
    /// Whether the numbering column is kept.
    number: bool,
}

/// How many values a feature has.
fn values_of(columns: &Columns) -> usize {
    columns.hows.len() + usize::from(columns.number)
}

/// What the features of a layer showed.
struct Seen {
    survey: Survey,
    /// Texts as bytes, where the encoding has to be found out.
    texts: ByteTexts,
    /// What the values of each field could be, where the format has no types.
    guesses: Vec<Guess>,
    /// Columns with instants that do not state their offset from UTC.
    local: Vec<usize>,
    /// Columns in which every instant so far is a midnight without an offset, and how many there are.
    days: BTreeMap<usize, u64>,
    /// Which texts of each column are dates, in formats without a type for them.
    dates: Vec<DatesSeen>,
    /// Fields that the format has for every feature.
    added: Option<Added>,
    /// Whether the layer was read to its end.
    ended: bool,
}

impl Seen {
    /// Looks at the columns of a feature that hold instants and are not yet known to state their offsets, and
    /// to hold times other than midnights.
    fn instants(&mut self, feature: &Feature<'_>, columns: &[usize]) {
        for column in columns {
            if self.local.contains(column) && !self.days.contains_key(column) {
                continue;
            }
            let text = feature.field_as_string(*column).ok().flatten().unwrap_or_default();
            if !text.is_empty() {
                match self.days.get_mut(column) {
                    Some(count) if is_day(&text) => *count += 1,
                    _ => drop(self.days.remove(column)),
                }
            }
            if !self.local.contains(column) && is_local(&text) {
                self.local.push(*column);
            }
        }
    }

    /// Leaves out the columns that the format adds and that say nothing, and gives the others the names of
    /// fields.
    fn settle_columns(&mut self, columns: &mut Columns) {
        let Some(added) = &self.added else { return };
        let kept: Vec<usize> = (0..columns.names.len()).filter(|column| added.keeps(*column)).collect();
        fn of<T: Clone>(all: &[T], kept: &[usize]) -> Vec<T> {
            kept.iter().filter_map(|column| all.get(*column).cloned()).collect()
        }
        columns.names = kept.iter().map(|column| Added::name(&columns.names, *column)).collect();
        columns.titles = of(&columns.titles, &kept);
        columns.hows = of(&columns.hows, &kept);
        columns.positions = of(&columns.positions, &kept);
        self.guesses = of(&self.guesses, &kept);
        self.dates = of(&self.dates, &kept);
        self.local = self.local.iter().filter_map(|own| kept.iter().position(|one| one == own)).collect();
        self.survey.sample.iter_mut().for_each(|row| *row = of(row, &kept));
    }

    /// Makes days of instants that are nothing else, in a format without a type for days.
    fn settle_days(&mut self, columns: &mut Columns, reader: ValueReader) -> Vec<String> {
        let mut notes = Vec::new();
        for position in self.days.iter().filter(|(_, count)| **count > 0).map(|(position, _)| *position) {
            columns.hows[position] = How::Date;
            self.local.retain(|own| *own != position);
            let column = position + usize::from(columns.number);
            for value in self.survey.sample.iter_mut().filter_map(|row| row.get_mut(column)) {
                if let Value::DateTime(at) = value {
                    let earlier = reader.offset().to_utc(at.naive_utc());
                    *value = earlier
                        .map_or(Value::Null, |earlier| Value::Date((*at + (*at - earlier)).date_naive()));
                }
            }
            let name = columns.names.get(column).map_or("", String::as_str);
            notes.push(format!(
                "field `{name}` holds midnights without an offset only: they were read as days"
            ));
        }
        notes
    }

    /// Gives text fields the types that all their values fit, as far as `typed` has some, and converts the
    /// sample. Gives what there is to say of them.
    fn settle_types(
        &mut self,
        columns: &mut Columns,
        reader: ValueReader,
        typed: impl Fn(&str, How, &Guess) -> Option<How>,
    ) -> Vec<String> {
        let mut notes = Vec::new();
        for (position, (how, guess)) in columns.hows.iter_mut().zip(&self.guesses).enumerate() {
            let Some(new) = typed(&columns.names[position], *how, guess) else { continue };
            *how = new;
            notes.extend(guess.local_note(&columns.names[position], reader));
            for value in self.survey.sample.iter_mut().filter_map(|row| row.get_mut(position)) {
                if let Value::Text(text) = value {
                    *value = reader.text(std::mem::take(text), new.field_type());
                }
            }
        }
        notes
    }
}

impl Look<'_> {
    /// Whether all values of the format are text.
    fn is_untyped(&self) -> bool {
        self.driver == "GML"
    }

    /// Whether days, or instants at least, are written as text.
    fn writes_dates_as_text(&self) -> bool {
        let mapinfo = self.driver == "MapInfo File";
        mapinfo || matches!(self.driver, "ESRI Shapefile" | "GML" | "LIBKML" | "KML" | "GPX")
    }

    /// Reads columns of text as dates where they plainly are, or are asked for.
    fn settle_dates(&self, names: &[String], hows: &mut [How], seen: &mut Seen, number: bool) -> Vec<String> {
        let reader = ValueReader::of(self.request);
        let mut notes = Vec::new();
        let first = usize::from(number);
        for (column, dates) in seen.dates.iter().enumerate().skip(first) {
            let (Some(how), Some(name)) = (hows.get_mut(column - first), names.get(column)) else { continue };
            let text =
                matches!(how, How::Text | How::Guessed(FieldType::Text) | How::Marked(FieldType::Text));
            let chosen = dates.choose(self.request.date_wish(&tidy_name(name), "feature"));
            if !text || (seen.guesses.get(column).is_some_and(Guess::is_iso)) {
                continue;
            }
            notes.extend(chosen.note);
            let Some((own, style)) = chosen.reading else { continue };
            *how = How::Dated(own, style);
            for value in seen.survey.sample.iter_mut().filter_map(|row| row.get_mut(column)) {
                if let Value::Text(text) = value {
                    *value = reader.dated(std::mem::take(text).trim().to_owned(), own, Some(style));
                }
            }
        }
        notes
    }

    /// How a column of text whose values look like `guess` is read; none if as it is.
    fn typed(&self, name: &str, how: How, guess: &Guess) -> Option<How> {
        let own = guess.field_type();
        match (self.driver, how) {
            ("GML", How::Text) => Some(How::Guessed(own)),
            ("GPX", How::Marked(_)) => Some(How::Marked(own)),
            // KML declares numbers, and has no type for days and times.
            ("LIBKML" | "KML", How::Text) if !self.declared.numbers.contains_key(name) => {
                matches!(own, FieldType::Date | FieldType::DateTime).then_some(How::Guessed(own))
            }
            _ => None,
        }
    }

    /// Finds out a layer's fields, kind of geometry, coordinate system and encoding.
    ///
    /// # Errors
    /// [`ImportError::Malformed`] if not one feature can be read although there should be some.
    pub(super) fn layer(&self, mut ogr: Layer<'_>, position: usize) -> Result<OgrLayer, ImportError> {
        let name = ogr.name();
        let mut warnings = Vec::new();
        let fid = FidColumn::of(self.dataset, self.driver, &name, self.request);
        let mut columns = self.columns(&ogr, &name, &mut warnings);
        columns.number = fid.as_ref().is_some_and(|column| column.kept);
        if let Some(FidColumn { name, kept: true }) = &fid {
            columns.names.insert(0, name.clone());
        }
        let declared_kind = declared_kind(ogr.defn().geometry_type());
        if ogr.defn().geom_fields().count() > 1 {
            warnings.push("the layer has several geometry columns; the first one was read".into());
        }
        let mut seen = self.features(&mut ogr, &columns, declared_kind);
        self.refuse_damage(&name, &seen.survey)?;
        let reader = ValueReader::of(self.request);
        seen.settle_columns(&mut columns);
        warnings
            .extend(seen.settle_types(&mut columns, reader, |name, how, guess| self.typed(name, how, guess)));
        warnings.extend(seen.settle_days(&mut columns, reader));
        warnings.extend(self.settle_numbers(&mut columns, &mut seen, reader));
        warnings.extend(
            seen.local
                .iter()
                .filter_map(|i| columns.names.get(i + usize::from(columns.number)))
                .map(|name| reader.local_note(name)),
        );
        let Columns { mut names, titles, mut hows, positions, number } = columns;
        let raw_names = names.clone();
        let (encoding, decoder) = self.encoding(&mut names, &mut seen, &mut warnings);
        warnings.extend(distinct(&mut names));
        warnings.extend(self.settle_dates(&names, &mut hows, &mut seen, number));
        let survey = seen.survey;
        let kind = declared_kind.or(survey.kind).unwrap_or(GeometryKind::None);
        let srs = if kind == GeometryKind::None {
            srs::Srs::None
        } else if self.driver == "TopoJSON" {
            let how = "TopoJSON is WGS 84, as GeoJSON is".to_owned();
            srs::Srs::Known { crs: citymap_crs::Crs::WGS84, how, warnings: Vec::new() }
        } else {
            srs::identify(ogr.spatial_ref().as_ref(), said(self.driver))
        };
        let types =
            number.then_some(FieldType::Int).into_iter().chain(hows.iter().map(|how| how.field_type()));
        let read = positions.into_iter().zip(hows.iter().copied()).collect();
        let titles = number.then(String::new).into_iter().chain(titles);
        let fields = names
            .into_iter()
            .zip(types)
            .zip(titles)
            .map(|((name, own), title)| {
                let mut field = Field::new(name, own);
                if !title.is_empty() && title != field.name {
                    field.title = Title::same(title);
                }
                field
            })
            .collect();
        // What a Shapefile says of its number counts deleted rows; what was seen to the end is exact.
        let count = if seen.ended {
            Some(survey.count)
        } else {
            ogr.try_feature_count().filter(|_| self.driver != "ESRI Shapefile")
        };
        Ok(OgrLayer {
            bytes: self.declared.by_bytes.then_some(decoder),
            layer: SourceLayer {
                name,
                fields,
                kind,
                srs,
                exchangeable: None,
                points: survey.points,
                encoding,
                count,
                sample: survey.sample,
                role: None,
                warnings,
                title: None,
                attribution: None,
            },
            position,
            fields: read,
            raw_names,
            fid,
        })
    }

    fn columns(&self, ogr: &Layer<'_>, name: &str, warnings: &mut Vec<String>) -> Columns {
        let booleans = if self.driver == "GPKG" { gpkg_booleans(self.dataset, name) } else { Vec::new() };
        let mut columns = Columns::default();
        let dates = if self.driver == "ESRIJSON" {
            esri_json::dates(Path::new(self.shown)).unwrap_or_default()
        } else {
            BTreeSet::new()
        };
        for field in ogr.defn().fields() {
            let (mut how, note) = How::of(field.field_type());
            let field_name = field.name();
            if field.field_type() == OGRFieldType::OFTInteger && booleans.contains(&field_name) {
                how = How::Bool;
            }
            let by_digits = self.digits.and_then(|digits| digits.type_of(&field_name));
            match by_digits.or_else(|| self.cells.type_of(name, &field_name)) {
                Some(FieldType::Int) => how = How::Int,
                Some(FieldType::Real) => how = How::Real,
                Some(_) => how = How::Text,
                None => {}
            }
            if dates.contains(&field_name) {
                how = How::Millis;
            }
            if self.driver == "GPX" && how == How::Text && gpx::is_own(&field_name) {
                how = How::Marked(FieldType::Text);
            }
            if let Some(note) = note {
                warnings.push(format!("field `{field_name}`: {note}"));
            }
            columns.titles.push(field.alternative_name());
            columns.positions.push(columns.hows.len());
            columns.names.push(field_name);
            columns.hows.push(how);
        }
        columns
    }

    /// One look through the features: all of them where kinds, values or days must be known, else the first
    /// ones. Beyond the sample it reads only what must be known.
    fn features(&self, ogr: &mut Layer<'_>, columns: &Columns, kind: Option<GeometryKind>) -> Seen {
        let added = Added::of(self.driver, &columns.names, self.request);
        let mut texts = ByteTexts::default();
        columns.names.iter().for_each(|name| texts.push(0, latin1_bytes(name)));
        let guesses = if self.is_untyped() || added.is_some() || !self.declared.numbers.is_empty() {
            vec![Guess::default(); columns.hows.len()]
        } else {
            Vec::new()
        };
        let all_values = self.declared.by_bytes || self.writes_dates_as_text() || !guesses.is_empty();
        let mut seen = Seen {
            survey: Survey::default(),
            texts,
            guesses,
            local: Vec::new(),
            days: BTreeMap::new(),
            dates: vec![
                DatesSeen::default();
                if self.writes_dates_as_text() { values_of(columns) } else { 0 }
            ],
            added,
            ended: true,
        };
        let fields = columns.hows.iter().enumerate();
        let instants: Vec<usize> =
            fields.filter(|(_, how)| **how == How::DateTime).map(|(position, _)| position).collect();
        let days_are_known = self.driver != "FlatGeobuf" || self.days.is_some();
        seen.days = match &self.days {
            Some(days) => days.clone(),
            None if days_are_known => BTreeMap::new(),
            None => instants.iter().map(|position| (*position, 0)).collect(),
        };
        let paper = paper_space(self.driver, ogr);
        // Where they cannot be read, the reading says so.
        let cells = self.cells.reading(self.path, &ogr.name()).ok().flatten();
        for feature in ogr.features() {
            if is_on_paper(&feature, paper) {
                continue;
            }
            let sampled = seen.survey.sample.len() >= SAMPLE;
            if sampled && !all_values && kind.is_some() && (days_are_known || seen.days.is_empty()) {
                seen.ended = false;
                break;
            }
            seen.instants(&feature, &instants);
            if sampled && !all_values {
                seen.survey.pass();
            } else {
                self.values(&feature, columns, &cells, &mut seen);
            }
            if kind != Some(GeometryKind::None)
                && (kind.is_none() || seen.survey.points.len() < SAMPLE)
                && let Ok(geometry) = feature.geometry_by_index(0)
                && let Ok(bytes) = geometry.iso_wkb()
                && kml::misplaced(&bytes, self.misplaced).is_none()
                && let Ok(read) = wkb::read_source(&bytes)
            {
                seen.survey.geometry(&read.geometry);
            }
        }
        seen
    }

    /// Looks at the values of a feature.
    fn values(
        &self,
        feature: &Feature<'_>,
        columns: &Columns,
        cells: &Option<CellReading<'_>>,
        seen: &mut Seen,
    ) {
        let blank = blank_is_null(self.driver);
        let reader = ValueReader::of(self.request);
        let fields = columns.hows.iter().enumerate();
        let fields = fields.map(|(i, how)| value(feature, i, *how, blank, reader).unwrap_or_default());
        let number = columns.number.then(|| number(feature.fid()));
        let mut values: Vec<Value> = number.into_iter().chain(fields).collect();
        let names = columns.names.iter().map(String::as_str);
        dgn::put_back(self.dgn_texts, feature, names, &mut values);
        if let Some(digits) = self.digits {
            digits.put_back(feature.fid(), &columns.names, &mut values);
        }
        if let Some(cells) = cells {
            let _ = cells.put_back(feature.fid(), &columns.names, &mut values);
        }
        if self.declared.by_bytes {
            for value in &values {
                if let Value::Text(text) = value
                    && !text.is_ascii()
                    && text.chars().all(|c| u32::from(c) < 256)
                {
                    seen.texts.push(seen.survey.count + 1, latin1_bytes(text));
                }
            }
        }
        for (guess, value) in seen.guesses.iter_mut().zip(&values) {
            if let Value::Text(text) = value {
                let text = if self.is_untyped() { text } else { text.trim() };
                guess.see_text(text, seen.survey.count + 1);
            }
        }
        for (dates, value) in seen.dates.iter_mut().zip(&values) {
            if let Value::Text(text) = value {
                dates.see(text.trim(), seen.survey.count + 1);
            }
        }
        if let Some(added) = &mut seen.added {
            added.see(&columns.names, &values);
        }
        seen.survey.values(&values);
    }

    /// Makes numbers of columns that are declared as numbers and were read as text, where all cells are some.
    fn settle_numbers(&self, columns: &mut Columns, seen: &mut Seen, reader: ValueReader) -> Vec<String> {
        let mut notes = Vec::new();
        for position in 0..columns.hows.len() {
            let name = &columns.names[position];
            let Some(declared) = self.declared.numbers.get(name) else { continue };
            let own = String::from_utf8(latin1_bytes(name)).unwrap_or_else(|_| name.clone());
            if self.request.asked_type_of(&tidy_name(&own)) == Some(FieldType::Text) {
                continue;
            }
            let Some(guess) = seen.guesses.get(position) else { continue };
            let own = guess.declared_type(*declared).unwrap_or_else(|why| {
                notes.push(format!(
                    "field `{name}` is declared as a number and is text, as it is written: {why}; --type \
                     {name}=real makes it a number"
                ));
                FieldType::Text
            });
            columns.hows[position] = How::Guessed(own);
            for value in seen.survey.sample.iter_mut().filter_map(|row| row.get_mut(position)) {
                if let Value::Text(text) = value {
                    *value = reader.text(text.trim().to_owned(), own);
                }
            }
        }
        notes
    }

    /// A layer of which GDAL reads nothing but errors is damaged.
    fn refuse_damage(&self, name: &str, survey: &Survey) -> Result<(), ImportError> {
        let error = gdal_log::take().into_iter().find(|m| m.error && !m.text.contains("NULL"));
        match error {
            // An entity of a drawing that cannot be read is rejected alone.
            Some(error) if survey.count == 0 && self.driver != "DXF" => Err(ImportError::malformed(
                self.shown,
                format!("layer `{name}`"),
                format!("{}; the file is cut off or damaged: get it again", error.text),
            )),
            _ => Ok(()),
        }
    }

    /// Settles the encoding, and converts the names and the sample from it.
    fn encoding(
        &self,
        names: &mut [String],
        seen: &mut Seen,
        warnings: &mut Vec<String>,
    ) -> (EncodingReport, TextDecoder) {
        let asked = self.request.encoding;
        if !self.declared.by_bytes {
            if asked.is_some_and(|asked| asked != Encoding::Utf8) {
                warnings.push(format!("--encoding has no effect here: {}", self.declared.how));
            }
            return (unicode(&self.declared.how), TextDecoder::only(Encoding::Utf8));
        }
        let (report, decoder) = settle(&seen.texts, asked, self.declared.encoding.clone(), warnings);
        for name in names {
            *name = from_latin1(name, decoder).text;
        }
        for value in seen.survey.sample.iter_mut().flatten() {
            if let Value::Text(text) = value {
                *text = from_latin1(text, decoder).text;
            }
        }
        (report, decoder)
    }
}

/// What names the coordinate system in files of a driver, as reports say it.
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
