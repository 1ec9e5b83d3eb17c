//! The look through a layer before its features are read for good.

mod seen;

use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use citymap_model::{Field, FieldType, GeometryKind, Title, Value, text::tidy_name};
use gdal::{
    Dataset,
    vector::{Feature, Layer, LayerAccess, OGRFieldType},
};

use super::{
    OgrLayer,
    added::Added,
    blank_is_null,
    cells::{CellReading, OddCells},
    dbf, dgn, esri_json,
    fid::FidColumn,
    geometries::{GeometryColumn, declared_kind, read_geometry, spread_points},
    gpx,
    prepare::Declared,
    reading::{SystemCodes, is_on_paper, number, paper_space},
    value::{How, value},
};
use seen::{Columns, Seen, values_of};

use crate::{
    EncodingReport, ImportError, Request,
    dates::DatesSeen,
    encoding::{Encoding, TextDecoder},
    gdal_log,
    source::systems::{SystemCensus, Systems},
    source::{
        SourceLayer, chosen_column, distinct, other_columns,
        parts::beside,
        record::{Guess, ValueReader},
        survey::{ByteTexts, SAMPLE, Survey, first_position, from_latin1, latin1_bytes, settle, unicode},
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
    /// Why positions of KML, GPX and GML could not be read.
    pub misplaced: &'a [String],
    pub request: &'a Request,
    /// The file as messages name it.
    pub shown: &'a str,
    /// The columns of a FlatGeobuf that hold nothing but days, where that is known, and how many.
    pub days: Option<BTreeMap<usize, u64>>,
    /// The names of the geometry columns of the layers so far.
    pub geometry_columns: RefCell<Vec<String>>,
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
            ("GML", How::Text) => (own != FieldType::Text).then_some(How::Guessed(own)),
            ("GPX", How::Marked(_)) => match self.declared.numbers.get(name) {
                Some(FieldType::Text) => None,
                Some(FieldType::Bool | FieldType::Int | FieldType::Real) => None,
                _ => Some(How::Marked(own)),
            },
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
        let column = self.geometry_column(&ogr, &mut warnings);
        let declared_kind = column.kind;
        let mut seen = self.features(&mut ogr, &columns, &column);
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
        let mut systems = None;
        let srs = if kind == GeometryKind::None {
            srs::Srs::None
        } else if column.srs.is_none() && seen.systems.has_any() {
            let asked = self.request.asked_crs(&name);
            let settled = Systems::settle("srsName of the geometries", &seen.systems, asked, None);
            warnings.extend(settled.note);
            systems = Some(settled.systems);
            settled.srs
        } else if self.driver == "TopoJSON" {
            let how = "TopoJSON is WGS 84, as GeoJSON is".to_owned();
            srs::Srs::Known { crs: citymap_crs::Crs::WGS84, how, warnings: Vec::new() }
        } else if column.srs.is_none() && self.driver == "ESRI Shapefile" && !self.has_prj() {
            srs::Srs::Unknown("there is no .prj file that names the coordinate system".to_owned())
        } else {
            srs::identify(column.srs.as_ref(), said(self.driver))
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
                systems: systems.as_ref().map_or_else(Vec::new, Systems::kept),
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
            geometries: column.geometries,
            systems,
        })
    }

    /// The geometry column that is read: the one that was asked for, or the first.
    fn geometry_column(&self, ogr: &Layer<'_>, warnings: &mut Vec<String>) -> GeometryColumn {
        let defn = ogr.defn();
        let names: Vec<String> = defn.geom_fields().map(|field| field.name()).collect();
        let asked = self.request.columns.geometry.as_deref();
        let chosen = asked.and_then(|asked| chosen_column(&names, asked, self.shown).ok());
        let position = chosen.and_then(|name| names.iter().position(|own| *own == name)).unwrap_or(0);
        if names.len() > 1 {
            let others: Vec<String> =
                (0..names.len()).filter(|own| *own != position).map(|own| names[own].clone()).collect();
            warnings.push(other_columns(&names[position], &others));
        }
        self.geometry_columns.borrow_mut().extend(names.iter().cloned());
        let is_read = |own: usize| asked.is_none() || own == position;
        let geometries: Vec<(String, usize)> =
            names.into_iter().zip(0..).filter(|(_, own)| is_read(*own)).collect();
        if position == 0 {
            return GeometryColumn {
                geometries,
                kind: declared_kind(defn.geometry_type()),
                srs: ogr.spatial_ref(),
            };
        }
        let field = defn.geom_fields().nth(position);
        GeometryColumn {
            geometries,
            kind: field.as_ref().and_then(|field| declared_kind(field.field_type())),
            srs: field.and_then(|field| field.spatial_ref().ok()),
        }
    }

    /// Refuses a geometry column that no layer has.
    ///
    /// # Errors
    /// [`ImportError::Usage`] naming those that there are.
    pub(super) fn refuse_unknown_column(&self) -> Result<(), ImportError> {
        let Some(asked) = &self.request.columns.geometry else { return Ok(()) };
        let mut names = self.geometry_columns.borrow().clone();
        names.retain(|name| !name.is_empty());
        names.dedup();
        chosen_column(&names, asked, self.shown).map(drop)
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
    fn features(&self, ogr: &mut Layer<'_>, columns: &Columns, column: &GeometryColumn) -> Seen {
        let kind = column.kind;
        // Only GML names systems of single geometries.
        let has_systems = self.driver == "GML" && column.srs.is_none();
        let geometry = |feature: &Feature<'_>| read_geometry(feature, &column.geometries, self.misplaced);
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
            systems: SystemCensus::default(),
            ended: true,
        };
        let mut codes = SystemCodes::default();
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
            if kind == Some(GeometryKind::None) {
                continue;
            }
            if kind.is_none() || seen.survey.points.first.len() < SAMPLE {
                if let Some(geometry) = geometry(&feature) {
                    let code = has_systems.then(|| codes.of(&feature, &column.geometries)).flatten();
                    if has_systems {
                        seen.systems.take(code);
                    }
                    let system = code.and_then(|code| citymap_crs::Crs::new(code).ok());
                    seen.survey.geometry(&geometry, system);
                }
            } else {
                seen.survey.points.take_later(|| first_position(&geometry(&feature)?));
            }
        }
        if !seen.ended && kind != Some(GeometryKind::None) {
            spread_points(ogr, &mut seen.survey.points, &geometry);
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
            let own = self.is_by_bytes(name).unwrap_or_else(|| name.clone());
            let is_text = self.request.asked_type_of(&tidy_name(&own)) == Some(FieldType::Text);
            // Texts, days and instants of GPX are not numbers that the format declares.
            if is_text || !matches!(declared, FieldType::Bool | FieldType::Int | FieldType::Real) {
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
            columns.hows[position] = match columns.hows[position] {
                How::Marked(_) => How::Marked(own),
                _ => How::Guessed(own),
            };
            for value in seen.survey.sample.iter_mut().filter_map(|row| row.get_mut(position)) {
                if let Value::Text(text) = value {
                    *value = reader.text(text.trim().to_owned(), own);
                }
            }
        }
        notes
    }

    fn has_prj(&self) -> bool {
        beside(Path::new(self.shown), "prj").is_some()
    }

    /// The name of a field that came byte by byte, if it is UTF-8.
    fn is_by_bytes(&self, name: &str) -> Option<String> {
        String::from_utf8(latin1_bytes(name)).ok().filter(|_| self.declared.by_bytes)
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
