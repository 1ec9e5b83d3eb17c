//! The look through a layer before its features are read for good.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    path::Path,
};

use citymap_geometry::wkb;
use citymap_model::{Field, FieldType, GeometryKind, Title, Value};
use gdal::{
    Dataset,
    vector::{Layer, LayerAccess, OGRFieldType, OGRwkbGeometryType, geometry_type_flatten},
};

use super::{
    OgrLayer, blank_is_null, dbf, dgn, esri_json,
    fid::FidColumn,
    prepare::Declared,
    reading::{is_on_paper, number, paper_space},
    titles,
    value::{How, is_day, is_local, value},
};
use crate::{
    EncodingReport, ImportError, Request,
    encoding::{Encoding, TextDecoder},
    gdal_log,
    source::{
        SourceLayer, distinct,
        record::{Guess, ValueReader},
        survey::{SAMPLE, Survey, from_latin1, latin1_bytes, settle, unicode},
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
    pub declared: &'a Declared,
    pub request: &'a Request,
    /// The file as messages name it.
    pub shown: &'a str,
}

/// The columns of a layer as GDAL declares them.
#[derive(Default)]
struct Columns {
    /// The name of the numbering column first, if it is kept.
    names: Vec<String>,
    /// What people read in place of the name (an alias), or nothing; without the numbering column.
    titles: Vec<String>,
    hows: Vec<How>,
    /// Whether the numbering column is kept.
    number: bool,
}

/// What the features of a layer showed.
struct Seen {
    survey: Survey,
    /// Texts as bytes, where the encoding has to be found out.
    texts: Vec<Vec<u8>>,
    /// What the values of each field could be, where the format has no types.
    guesses: Vec<Guess>,
    /// Columns with instants that do not state their offset from UTC.
    local: Vec<usize>,
    /// Columns in which every instant so far is a midnight without an offset, and how many there are.
    days: BTreeMap<usize, u64>,
    /// Whether the layer was read to its end.
    ended: bool,
}

impl Seen {
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

    /// Gives text fields the types that all their values fit, and converts the sample.
    fn settle_types(&mut self, columns: &mut Columns, reader: ValueReader) {
        for (position, (how, guess)) in columns.hows.iter_mut().zip(&self.guesses).enumerate() {
            if *how != How::Text {
                continue;
            }
            let own = guess.field_type();
            *how = How::Guessed(own);
            for value in self.survey.sample.iter_mut().filter_map(|row| row.get_mut(position)) {
                if let Value::Text(text) = value {
                    *value = reader.text(std::mem::take(text), own);
                }
            }
        }
    }
}

impl Look<'_> {
    /// Whether all values of the format are text.
    fn is_untyped(&self) -> bool {
        self.driver == "GML"
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
        if self.is_untyped() {
            seen.settle_types(&mut columns, reader);
        }
        warnings.extend(seen.settle_days(&mut columns, reader));
        warnings.extend(self.settle_numbers(&mut columns, &mut seen, reader));
        warnings.extend(
            seen.local
                .iter()
                .filter_map(|i| columns.names.get(i + usize::from(columns.number)))
                .map(|name| reader.local_note(name)),
        );
        let Columns { mut names, titles, hows, number } = columns;
        let raw_names = names.clone();
        let (encoding, decoder) = self.encoding(&mut names, &mut seen, &mut warnings);
        warnings.extend(distinct(&mut names));
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
            fields: hows,
            raw_names,
            fid,
        })
    }

    fn columns(&self, ogr: &Layer<'_>, name: &str, warnings: &mut Vec<String>) -> Columns {
        let booleans = if self.driver == "GPKG" { gpkg_booleans(self.dataset, name) } else { Vec::new() };
        let mut columns = Columns::default();
        let mut titles =
            if self.driver == "GPKG" { titles::of_geopackage(self.dataset, name) } else { HashMap::new() };
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
            match self.digits.and_then(|digits| digits.type_of(&field_name)) {
                Some(FieldType::Int) => how = How::Int,
                Some(FieldType::Real) => how = How::Real,
                Some(_) => how = How::Text,
                None => {}
            }
            if dates.contains(&field_name) {
                how = How::Millis;
            }
            if let Some(note) = note {
                warnings.push(format!("field `{field_name}`: {note}"));
            }
            columns.titles.push(titles.remove(&field_name).unwrap_or_else(|| field.alternative_name()));
            columns.names.push(field_name);
            columns.hows.push(how);
        }
        columns
    }

    /// One look through the features: all of them where kinds or bytes must be known, else the first ones.
    fn features(&self, ogr: &mut Layer<'_>, columns: &Columns, kind: Option<GeometryKind>) -> Seen {
        let blank = blank_is_null(self.driver);
        let by_bytes = self.declared.by_bytes;
        let reader = ValueReader::of(self.request);
        let plain: Vec<Field> = columns.names.iter().map(|name| Field::new(name, FieldType::Text)).collect();
        let whole = kind.is_none() || by_bytes || self.is_untyped();
        let texts = columns.names.iter().map(|name| latin1_bytes(name)).collect();
        let guesses = if self.is_untyped() || !self.declared.numbers.is_empty() {
            vec![Guess::default(); columns.hows.len()]
        } else {
            Vec::new()
        };
        let mut seen = Seen {
            survey: Survey::default(),
            texts,
            guesses,
            local: Vec::new(),
            days: BTreeMap::new(),
            ended: true,
        };
        if self.driver == "FlatGeobuf" {
            let instants = columns.hows.iter().enumerate().filter(|(_, how)| **how == How::DateTime);
            seen.days = instants.map(|(position, _)| (position, 0)).collect();
        }
        let paper = paper_space(self.driver, ogr);
        for feature in ogr.features() {
            if is_on_paper(&feature, paper) {
                continue;
            }
            if !whole && seen.days.is_empty() && seen.survey.sample.len() >= SAMPLE {
                seen.ended = false;
                break;
            }
            let fields = columns.hows.iter().enumerate();
            let fields = fields.map(|(i, how)| value(&feature, i, *how, blank, reader).unwrap_or_default());
            let instants = columns.hows.iter().enumerate().filter(|(_, how)| **how == How::DateTime);
            for i in instants.map(|(i, _)| i) {
                let text = feature.field_as_string(i).ok().flatten().unwrap_or_default();
                if !text.is_empty() {
                    match seen.days.get_mut(&i) {
                        Some(count) if is_day(&text) => *count += 1,
                        _ => drop(seen.days.remove(&i)),
                    }
                }
                if !seen.local.contains(&i) && is_local(&text) {
                    seen.local.push(i);
                }
            }
            let number = columns.number.then(|| number(feature.fid()));
            let mut values: Vec<Value> = number.into_iter().chain(fields).collect();
            dgn::put_back(self.dgn_texts, &feature, &plain, &mut values);
            if let Some(digits) = self.digits {
                digits.put_back(feature.fid(), &columns.names, &mut values);
            }
            if by_bytes {
                seen.texts.extend(values.iter().filter_map(|v| match v {
                    Value::Text(text) if !text.is_ascii() && text.chars().all(|c| u32::from(c) < 256) => {
                        Some(latin1_bytes(text))
                    }
                    _ => None,
                }));
            }
            for (guess, value) in seen.guesses.iter_mut().zip(&values) {
                if let Value::Text(text) = value {
                    let text = if self.is_untyped() { text } else { text.trim() };
                    guess.see_text(text, seen.survey.count + 1);
                }
            }
            seen.survey.values(&values);
            if kind != Some(GeometryKind::None)
                && (kind.is_none() || seen.survey.points.len() < SAMPLE)
                && let Ok(geometry) = feature.geometry_by_index(0)
                && let Ok(bytes) = geometry.iso_wkb()
                && let Ok(read) = wkb::read_source(&bytes)
            {
                seen.survey.geometry(&read.geometry);
            }
        }
        seen
    }

    /// Makes numbers of columns that are declared as numbers and were read as text, where all cells are some.
    fn settle_numbers(&self, columns: &mut Columns, seen: &mut Seen, reader: ValueReader) -> Vec<String> {
        let mut notes = Vec::new();
        for position in 0..columns.hows.len() {
            let name = &columns.names[position];
            let Some(declared) = self.declared.numbers.get(name) else { continue };
            let Some(guess) = seen.guesses.get(position) else { continue };
            let own = match guess.number_type() {
                Some(FieldType::Int) => *declared,
                Some(own) => own,
                None if guess.is_empty() => *declared,
                None => {
                    notes.push(format!(
                        "field `{name}` is declared as a number and is text, as it is written{}; --type \
                         {name}=real makes it a number",
                        guess.first_other().map_or_else(String::new, |row| format!(
                            ": the cell of feature {row} is no plain number"
                        ))
                    ));
                    FieldType::Text
                }
            };
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
