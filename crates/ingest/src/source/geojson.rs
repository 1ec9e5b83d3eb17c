//! GeoJSON (RFC 7946) and its newline-delimited sort, by our own reader: GDAL's leaves out what is wrong
//! without a word, and then features read and features accepted would not add up.
//!
//! Foreign members and the winding of rings are taken as they come. The legacy `crs` member is honoured.

use std::{
    collections::{HashMap, HashSet, hash_map::RandomState},
    hash::BuildHasher,
    path::Path,
};

use citymap_crs::Crs;
use citymap_model::{Field, FieldType, GeometryKind, Value, counted, quote::described};
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value as Json};

use super::{
    Body, Original, Parsed, Raw, Reader, Shape, Sink, SourceLayer, broken, foreign,
    geojson_geometry::{self, GlanceGeometry, RawGeometry},
    join_kinds,
    json_input::{Input, One, each, plain},
    json_text,
    record::{Guess, ValueReader},
    survey,
};
use crate::{
    EncodingReport, ImportError, Request, UnknownCrs,
    dates::{DateStyle, DatesSeen},
    find_crs,
    srs::Srs,
};

/// A GeoJSON file, looked through once for its fields.
pub(crate) struct GeoJsonReader {
    pub notes: Vec<String>,
    pub layer: SourceLayer,
    input: Input,
    lines: bool,
    /// Where each property goes.
    positions: HashMap<String, usize>,
    /// Where the features' own `id` goes, if it is a field.
    id: Option<usize>,
    reader: ValueReader,
    /// How the dates of each field are written, where they are not as ISO 8601 has them.
    styles: Vec<Option<DateStyle>>,
}

#[allow(clippy::option_option, reason = "absent, null and a value are three things")]
#[derive(Deserialize)]
struct RawFeature {
    #[serde(rename = "type")]
    kind: Option<Json>,
    #[serde(default, deserialize_with = "present")]
    geometry: Option<Option<RawGeometry>>,
    #[serde(default, deserialize_with = "present")]
    properties: Option<Option<Json>>,
    id: Option<Json>,
    bbox: Option<Json>,
}

/// As much of a feature as the first look needs. A member that is wrong says nothing, and hides no other one.
#[derive(Deserialize)]
struct Glance {
    geometry: Option<GlanceGeometry>,
    properties: Option<Json>,
    id: Option<Json>,
}

/// Tells `null` from a member that is not there.
fn present<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

impl Reader for GeoJsonReader {
    fn driver(&self) -> &str {
        if self.lines { "GeoJSONSeq" } else { "GeoJSON" }
    }

    fn notes(&self) -> &[String] {
        &self.notes
    }

    fn layers(&self) -> Vec<&SourceLayer> {
        vec![&self.layer]
    }

    fn read(&self, _layer: usize, sink: &mut Sink<'_>) -> Result<Vec<String>, ImportError> {
        let mut index = 0;
        each(&self.input, self.lines, &mut |piece| {
            index += 1;
            let (line, body) = match piece {
                One::Feature { text, line } => (line, Body::Json(text)),
                One::Broken { text, line, reason } => (line, Body::Broken { text, reason }),
            };
            sink(Raw { index, line: Some(line), body })
        })?;
        Ok(Vec::new())
    }

    fn parse(&self, _layer: usize, body: Body) -> Parsed {
        match body {
            Body::Json(text) => self.feature(&text),
            other => foreign(other),
        }
    }
}

impl GeoJsonReader {
    pub(crate) fn open(path: &Path, lines: bool, request: &Request) -> Result<Self, ImportError> {
        let reader = ValueReader::of(request);
        let mut look = Look::default();
        let (mut notes, mut warnings) = (Vec::new(), Vec::new());
        let mut input = Input::open(path, &mut notes)?;
        let top = each(&input, lines, &mut |piece| {
            if let Some(text) = piece.text() {
                look.at(text);
            }
            true
        })?;
        let encoding = look.again(&mut input, request, &mut warnings);
        let srs = match top.as_ref().and_then(|top| top.crs.as_ref()) {
            None => Srs::Known {
                crs: Crs::WGS84,
                how: "GeoJSON is WGS 84 (RFC 7946)".into(),
                warnings: Vec::new(),
            },
            Some(crs) => legacy_crs(crs),
        };
        let id = (look.ids.count() > 0).then(|| {
            if look.positions.contains_key("id") {
                notes.push(
                    "the features have an `id` of their own beside the property `id`; the property was kept"
                        .into(),
                );
                return None;
            }
            notes.extend(look.ids.note(look.count));
            look.names.insert(0, "id".into());
            look.guesses.insert(0, look.ids.guess);
            look.dates.insert(0, DatesSeen::default());
            look.positions.values_mut().for_each(|position| *position += 1);
            Some(0)
        });
        let mut names = look.names.clone();
        warnings.extend(super::distinct(&mut names));
        let (fields, styles): (Vec<Field>, Vec<Option<DateStyle>>) = names
            .into_iter()
            .zip(look.guesses.iter().zip(&look.dates))
            .map(|(name, (guess, dates))| {
                if guess.nested {
                    warnings
                        .push(format!("field `{name}` holds lists or objects; they are kept as JSON text"));
                }
                warnings.extend(guess.local_note(&name, reader));
                // A text that is asked for is made of what is written.
                let text = request.asked_type_of(&name) == Some(FieldType::Text);
                let own = if text { FieldType::Text } else { guess.field_type() };
                let chosen = dates.choose(request.date_wish(&name, "feature"));
                if own != FieldType::Text {
                    return (Field::new(name, own), None);
                }
                warnings.extend(chosen.note);
                match chosen.reading {
                    Some((own, style)) => (Field::new(name, own), Some(style)),
                    None => (Field::new(name, own), None),
                }
            })
            .unzip();
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let mut source = Self {
            notes,
            layer: SourceLayer {
                name,
                fields,
                kind: look.kind.unwrap_or(GeometryKind::None),
                srs,
                systems: Vec::new(),
                exchangeable: None,
                points: survey::SeenPoints::default(),
                encoding,
                count: Some(look.count),
                sample: Vec::new(),
                role: None,
                warnings,
                title: None,
                attribution: None,
            },
            input,
            lines,
            positions: look.positions,
            id: id.flatten(),
            reader,
            styles,
        };
        source.sample()?;
        Ok(source)
    }

    /// Keeps the first features' values, and places from the whole file.
    fn sample(&mut self) -> Result<(), ImportError> {
        let mut found = survey::Survey::default();
        each(&self.input, self.lines, &mut |piece| {
            if let Some(text) = piece.text() {
                if found.count >= survey::SAMPLE as u64 {
                    found.points.take_later(|| match self.feature(text).geometry {
                        Shape::Good(geometry) => survey::first_position(&geometry),
                        _ => None,
                    });
                    return true;
                }
                let parsed = self.feature(text);
                if parsed.fault.is_none() {
                    found.values(&parsed.values);
                }
                if let Shape::Good(geometry) = &parsed.geometry {
                    found.geometry(geometry, None);
                }
            }
            true
        })?;
        self.layer.sample = found.sample;
        self.layer.points = found.points;
        Ok(())
    }

    /// One feature of the file, from its text.
    fn feature(&self, text: &[u8]) -> Parsed {
        // A number, a text, a list: what is no object has no members to complain of.
        if !text.trim_ascii_start().starts_with(b"{") {
            let what = described(&String::from_utf8_lossy(text.trim_ascii()));
            return broken(text, format!("every feature must be an object, and this is {what}"));
        }
        let mut warnings = Vec::new();
        let text = &*self.input.utf8(text, &mut warnings);
        let scanned = json_text::scan(text);
        let raw: RawFeature = match serde_json::from_slice(&scanned.text) {
            Ok(raw) => raw,
            Err(_no_json) if scanned.bare.is_some() => {
                let word = bare(&scanned.bare.unwrap_or_default());
                return broken(text, format!("{word} is no JSON value; write null where there is no number"));
            }
            Err(error) => {
                let line =
                    if error.line() > 1 { format!(", {} lines on", error.line() - 1) } else { String::new() };
                return broken(text, format!("{}{line}", plain(&error)));
            }
        };
        let mut parsed = Parsed {
            id: None,
            geometry: Shape::Null,
            values: vec![Value::Null; self.layer.fields.len()],
            fault: None,
            warnings,
            dropped_z: false,
            curved: false,
            system: None,
        };
        parsed.warnings.extend(
            scanned.repeated.iter().map(|name| {
                format!("its property `{name}` is there more than once; the last value was taken")
            }),
        );
        let mut fault = None;
        match raw.kind {
            Some(Json::String(kind)) if kind == "Feature" => {}
            Some(Json::String(kind)) => {
                fault = Some(format!("its type is {} and must be `Feature`", described(&kind)));
            }
            Some(_) => fault = Some("its type must be the text `Feature`".to_owned()),
            None => fault = Some("it has no type; it must be `Feature`".to_owned()),
        }
        match raw.id {
            None | Some(Json::Null) => {}
            Some(Json::String(id)) => self.own_id(&mut parsed, id.clone().into(), id),
            Some(Json::Number(id)) => {
                let written = scanned.id().unwrap_or_else(|| id.to_string());
                self.own_id(&mut parsed, id.into(), written);
            }
            Some(_) => fault = fault.or_else(|| Some("its id must be a text or a number".to_owned())),
        }
        match raw.properties {
            Some(Some(Json::Object(properties))) => {
                for (name, value) in properties {
                    if let Some(&position) = self.positions.get(&name)
                        && let Some(slot) = parsed.values.get_mut(position)
                    {
                        let field_type = self.layer.fields[position].field_type;
                        *slot = match (value, self.styles.get(position).copied().flatten()) {
                            (Json::String(text), Some(style)) => {
                                self.reader.dated(text, field_type, Some(style))
                            }
                            (value, _) => self.reader.json(value, field_type, || scanned.property(&name)),
                        };
                    }
                }
            }
            Some(None) => {}
            None => parsed.warnings.push("it has no properties member".into()),
            Some(Some(_)) => {
                fault = fault.or_else(|| Some("its properties must be an object or null".to_owned()));
            }
        }
        if let Some(bbox) = raw.bbox
            && !bbox.as_array().is_some_and(|b| matches!(b.len(), 4 | 6) && b.iter().all(Json::is_number))
        {
            parsed.warnings.push("its bbox is not four or six numbers; it was not used anyway".into());
        }
        match raw.geometry {
            None => parsed.warnings.push("it has no geometry member; that was taken as null".into()),
            Some(None) => {}
            Some(Some(geometry)) => match geojson_geometry::read(geometry) {
                Ok(Some(read)) => {
                    parsed.dropped_z = read.dropped_z;
                    parsed.geometry = Shape::Good(read.geometry);
                }
                Ok(None) => {
                    parsed.warnings.push("its geometry is an empty list; that was taken as null".into());
                }
                Err(fault) => {
                    parsed.geometry =
                        Shape::Bad(fault, Original::Text(String::from_utf8_lossy(text).into_owned()));
                }
            },
        }
        parsed.fault = fault;
        parsed
    }

    /// Takes a feature's own id. `shown` is it as the file has it.
    fn own_id(&self, parsed: &mut Parsed, json: Json, shown: String) {
        if let Some(position) = self.id
            && let Some(slot) = parsed.values.get_mut(position)
        {
            let field_type =
                self.layer.fields.get(position).map_or(FieldType::Text, |field| field.field_type);
            *slot = self.reader.json(json, field_type, || Some(shown.clone()));
        }
        parsed.id = Some(shown);
    }
}

/// What stands where a JSON value should: a word that programs write for a number that is none, or what else.
fn bare(word: &str) -> String {
    match word.trim_start_matches('-') {
        "NaN" | "nan" | "Infinity" | "inf" | "undefined" | "None" | "True" | "False" => format!("`{word}`"),
        _ => described(word),
    }
}

#[derive(Default)]
struct Look {
    names: Vec<String>,
    positions: HashMap<String, usize>,
    guesses: Vec<Guess>,
    dates: Vec<DatesSeen>,
    kind: Option<GeometryKind>,
    count: u64,
    /// Features that are not UTF-8.
    undecoded: survey::ByteTexts,
    ids: Ids,
}

/// The features' own ids.
#[derive(Default)]
struct Ids {
    guess: Guess,
    numbers: u64,
    texts: u64,
    /// Ids that an earlier feature has, as texts: the number 1 and the text `1` are one.
    repeated: u64,
    /// Hashes of the ids so far.
    seen: HashSet<u64>,
    hasher: RandomState,
}

impl Ids {
    fn see(&mut self, id: &Json) {
        let text = match id {
            Json::Number(number) => {
                self.numbers += 1;
                number.to_string()
            }
            Json::String(text) => {
                self.texts += 1;
                text.clone()
            }
            _ => return,
        };
        self.guess.see_json(id);
        self.repeated += u64::from(!self.seen.insert(self.hasher.hash_one(text)));
    }

    fn count(&self) -> u64 {
        self.numbers + self.texts
    }

    /// What there is to say where not every feature has an id of its own and of one type.
    fn note(&self, features: u64) -> Option<String> {
        let without = features.saturating_sub(self.count());
        if self.count() == 0 || without == 0 && self.repeated == 0 && (self.numbers == 0 || self.texts == 0) {
            return None;
        }
        let mut parts = Vec::new();
        if self.numbers > 0 && self.texts > 0 {
            let (numbers, texts) =
                (counted(self.numbers, "is a number", "are numbers"), counted(self.texts, "a text", "texts"));
            parts.push(format!("{numbers} and {texts}, so all are kept as texts"));
        }
        if without > 0 {
            parts.push(counted(without, "feature has none", "features have none"));
        }
        if self.repeated > 0 {
            parts.push(counted(
                self.repeated,
                "is that of an earlier feature",
                "are those of earlier features",
            ));
        }
        Some(format!("the features' own ids are kept in the field `id`: {}", parts.join("; ")))
    }
}

impl Look {
    /// Looks at the features that are not UTF-8, once it is known how they are read.
    fn again(&mut self, input: &mut Input, request: &Request, warnings: &mut Vec<String>) -> EncodingReport {
        let undecoded = std::mem::take(&mut self.undecoded);
        let encoding = input.settle(&undecoded, request, warnings);
        self.count -= undecoded.texts.len() as u64;
        for text in &undecoded.texts {
            self.at(&input.utf8(text, &mut Vec::new()));
        }
        encoding
    }

    fn at(&mut self, text: &[u8]) {
        self.count += 1;
        if std::str::from_utf8(text).is_err() {
            self.undecoded.push(self.count, text.to_vec());
            return;
        }
        let scanned = json_text::scan(text);
        let text = &*scanned.text;
        // What is wrong says nothing of the fields; it is reported when it is read.
        let Ok(glance) = serde_json::from_slice::<Glance>(text) else { return };
        if let Some(id) = &glance.id {
            self.ids.see(id);
        }
        let properties = match glance.properties {
            Some(Json::Object(properties)) => properties,
            _ => Map::new(),
        };
        for (name, value) in properties {
            let position = match self.positions.get(&name) {
                Some(position) => *position,
                None => {
                    self.names.push(name.clone());
                    self.guesses.push(Guess::default());
                    self.dates.push(DatesSeen::default());
                    self.positions.insert(name, self.names.len() - 1);
                    self.names.len() - 1
                }
            };
            self.guesses[position].see_json(&value);
            match &value {
                Json::Null => {}
                Json::String(text) => self.dates[position].see(text, self.count),
                // No date, whatever it is.
                _ => self.dates[position].see("-", self.count),
            }
        }
        let kind = match glance.geometry.and_then(|geometry| geometry.0).as_deref() {
            Some("Point" | "MultiPoint") => GeometryKind::Point,
            Some("LineString" | "MultiLineString") => GeometryKind::Line,
            Some("Polygon" | "MultiPolygon") => GeometryKind::Polygon,
            Some("GeometryCollection") => GeometryKind::Mixed,
            _ => return,
        };
        self.kind = join_kinds(self.kind, kind);
    }
}

/// The `crs` member of GeoJSON 2008: `{"type":"name","properties":{"name":"urn:ogc:def:crs:EPSG::9210"}}`.
fn legacy_crs(member: &Json) -> Srs {
    let Some(name) = member.pointer("/properties/name").and_then(Json::as_str) else {
        return if member.is_null() {
            Srs::Unknown("its `crs` member is null, which says that the system is unknown".into())
        } else {
            Srs::Unknown("its `crs` member cannot be understood".into())
        };
    };
    if name.contains("CRS84") {
        return Srs::Known { crs: Crs::WGS84, how: "its `crs` member: CRS84".into(), warnings: Vec::new() };
    }
    match find_crs(name) {
        Ok(crs) => Srs::Known { crs, how: format!("its `crs` member: {crs}"), warnings: Vec::new() },
        Err(UnknownCrs::Name { proposals, .. }) => Srs::Unknown(format!(
            "its `crs` member is not the name of one coordinate system ({}); it may mean {}",
            described(name),
            proposals.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
        )),
        Err(_unknown) => {
            Srs::Unknown(format!("its `crs` member names no known system ({})", described(name)))
        }
    }
}
