//! The kinds of query parameters, and the parameters that several routes share.

use citymap_crs::{Crs, NamedCrs};
use citymap_engine::TimeInterval;
use citymap_model::AsOf;
use serde_json::{Value, json};

use crate::{
    config::Limits,
    http::{
        coords::{named_crs, position},
        datetime::interval,
        negotiate::Representation,
        problem::Problem,
        query::{Declared, Parameter, ParameterKind, QueryReader, QuerySource},
    },
};

/// Any text; `None` if the parameter is missing.
pub(crate) struct Text;

impl ParameterKind for Text {
    type Value = Option<String>;

    fn read(&self, name: &str, reader: &mut QueryReader<'_>) -> Result<Self::Value, Problem> {
        reader.params.take(name)
    }

    fn schema(&self, _limits: &Limits) -> Value {
        json!({"type": "string", "minLength": 1})
    }
}

/// A list of texts, separated by commas; `None` if the parameter is missing.
pub(crate) struct TextList {
    /// The texts that are known; any text if there are none.
    pub(crate) values: &'static [&'static str],
}

impl ParameterKind for TextList {
    type Value = Option<Vec<String>>;

    fn read(&self, name: &str, reader: &mut QueryReader<'_>) -> Result<Self::Value, Problem> {
        let Some(given) = reader.params.take(name)? else { return Ok(None) };
        let list: Vec<String> = given.split(',').map(|text| text.trim().to_owned()).collect();
        let unknown =
            list.iter().find(|text| !self.values.is_empty() && !self.values.contains(&text.as_str()));
        match unknown {
            None => Ok(Some(list)),
            Some(unknown) => {
                let unknown: String = unknown.chars().take(40).collect();
                let detail =
                    format!("`{name}={unknown}` cannot be used; write some of {}", self.values.join(","));
                Err(Problem::parameter(detail))
            }
        }
    }

    fn schema(&self, _limits: &Limits) -> Value {
        let mut items = json!({"type": "string", "minLength": 1});
        if !self.values.is_empty() {
            items = json!({"type": "string", "enum": self.values});
        }
        json!({"type": "array", "items": items, "minItems": 1})
    }

    fn style(&self) -> Option<Value> {
        Some(json!({"style": "form", "explode": false}))
    }
}

/// A whole number from 0; 0 if it is missing.
pub(crate) struct Count;

impl ParameterKind for Count {
    type Value = u64;

    fn read(&self, name: &str, reader: &mut QueryReader<'_>) -> Result<u64, Problem> {
        Ok(reader.params.number(name, 0, u64::from(u32::MAX))?.unwrap_or(0))
    }

    fn schema(&self, _limits: &Limits) -> Value {
        json!({"type": "integer", "minimum": 0, "maximum": u32::MAX, "default": 0})
    }
}

/// A text that must be given.
pub(crate) struct RequiredText {
    /// What to write, for the message of a query without it.
    pub(crate) advice: &'static str,
}

impl ParameterKind for RequiredText {
    type Value = String;

    fn read(&self, name: &str, reader: &mut QueryReader<'_>) -> Result<String, Problem> {
        let text = reader.params.take(name)?;
        text.ok_or_else(|| Problem::parameter(format!("`{name}` is missing; write {}", self.advice)))
    }

    fn schema(&self, _limits: &Limits) -> Value {
        json!({"type": "string", "minLength": 1})
    }
}

/// A text as it was given, which the handler reads further; with a schema of its own.
pub(crate) struct Raw {
    pub(crate) schema: fn() -> Value,
    /// Members of the parameter object beside the schema.
    pub(crate) style: fn() -> Value,
}

impl ParameterKind for Raw {
    type Value = Option<String>;

    fn read(&self, name: &str, reader: &mut QueryReader<'_>) -> Result<Self::Value, Problem> {
        reader.params.take(name)
    }

    fn schema(&self, _limits: &Limits) -> Value {
        (self.schema)()
    }

    fn style(&self) -> Option<Value> {
        Some((self.style)())
    }
}

/// A whole number between two bounds, both included.
pub(crate) struct Integer {
    pub(crate) min: u64,
    pub(crate) max: u64,
    /// Whether the schema states the maximum; one that only the type sets is left out.
    pub(crate) states_max: bool,
}

impl ParameterKind for Integer {
    type Value = Option<u64>;

    fn read(&self, name: &str, reader: &mut QueryReader<'_>) -> Result<Self::Value, Problem> {
        reader.params.number(name, self.min, self.max)
    }

    fn schema(&self, _limits: &Limits) -> Value {
        let mut schema = json!({"type": "integer", "minimum": self.min});
        if self.states_max {
            schema["maximum"] = self.max.into();
        }
        schema
    }
}

/// A number from 0 to a limit of the server, with a default.
pub(crate) struct Distance {
    pub(crate) max: fn(&Limits) -> f64,
    pub(crate) default: f64,
}

impl ParameterKind for Distance {
    type Value = f64;

    fn read(&self, name: &str, reader: &mut QueryReader<'_>) -> Result<f64, Problem> {
        let max = (self.max)(reader.limits);
        Ok(reader.params.number(name, 0.0, max)?.unwrap_or(self.default.min(max)))
    }

    fn schema(&self, limits: &Limits) -> Value {
        json!({"type": "number", "minimum": 0, "maximum": (self.max)(limits), "default": self.default})
    }
}

/// The maximum number of results, `limit`. A larger one counts as the maximum, as OGC API – Features
/// requires.
pub(crate) struct Limit {
    pub(crate) default: fn(&Limits) -> usize,
    pub(crate) max: fn(&Limits) -> usize,
}

impl ParameterKind for Limit {
    type Value = usize;

    fn read(&self, _name: &str, reader: &mut QueryReader<'_>) -> Result<usize, Problem> {
        reader.params.limit((self.default)(reader.limits), (self.max)(reader.limits))
    }

    fn schema(&self, limits: &Limits) -> Value {
        let (default, max) = ((self.default)(limits), (self.max)(limits));
        json!({"type": "integer", "minimum": 1, "maximum": max, "default": default.min(max)})
    }
}

/// `true` or `false`; false if it is missing.
pub(crate) struct Flag;

impl ParameterKind for Flag {
    type Value = bool;

    fn read(&self, name: &str, reader: &mut QueryReader<'_>) -> Result<bool, Problem> {
        reader.params.flag(name)
    }

    fn schema(&self, _limits: &Limits) -> Value {
        json!({"type": "boolean", "default": false})
    }
}

/// A system in which features are offered; CRS84 if it is missing.
pub(crate) struct OfferedCrs;

impl ParameterKind for OfferedCrs {
    type Value = NamedCrs;

    fn read(&self, name: &str, reader: &mut QueryReader<'_>) -> Result<NamedCrs, Problem> {
        reader.params.take(name)?.map_or_else(|| Ok(NamedCrs::crs84()), |text| named_crs(name, &text))
    }

    fn schema(&self, _limits: &Limits) -> Value {
        let systems: Vec<_> = NamedCrs::all().into_iter().map(|crs| crs.uri).collect();
        json!({"type": "string", "enum": systems})
    }
}

/// Any system that PROJ knows.
pub(crate) struct AnyCrs;

impl ParameterKind for AnyCrs {
    type Value = Option<Crs>;

    fn read(&self, name: &str, reader: &mut QueryReader<'_>) -> Result<Self::Value, Problem> {
        Ok(reader.params.take(name)?.map(|text| text.parse()).transpose()?)
    }

    fn schema(&self, _limits: &Limits) -> Value {
        json!({"type": "string", "minLength": 1})
    }
}

/// A number of degrees or metres on one axis, from `-max` to `max`.
pub(crate) struct Ordinate {
    pub(crate) max: f64,
    pub(crate) states_bounds: bool,
}

impl ParameterKind for Ordinate {
    type Value = Option<f64>;

    fn read(&self, name: &str, reader: &mut QueryReader<'_>) -> Result<Self::Value, Problem> {
        reader.params.number(name, -self.max, self.max)
    }

    fn schema(&self, _limits: &Limits) -> Value {
        if self.states_bounds {
            json!({"type": "number", "minimum": -self.max, "maximum": self.max})
        } else {
            json!({"type": "number"})
        }
    }
}

/// A valid time: an instant, a day or an interval.
pub(crate) struct ValidTime;

impl ParameterKind for ValidTime {
    type Value = Option<TimeInterval>;

    fn read(&self, name: &str, reader: &mut QueryReader<'_>) -> Result<Self::Value, Problem> {
        reader.params.take(name)?.map(|text| interval(&text)).transpose()
    }

    fn schema(&self, _limits: &Limits) -> Value {
        json!({"type": "string", "minLength": 1})
    }
}

/// A state of the record: a revision number, an instant or a day.
pub(crate) struct RecordState;

impl ParameterKind for RecordState {
    type Value = Option<AsOf>;

    fn read(&self, name: &str, reader: &mut QueryReader<'_>) -> Result<Self::Value, Problem> {
        let Some(text) = reader.params.take(name)? else { return Ok(None) };
        // In a query an unescaped `+07:00` arrives as ` 07:00`.
        let state = text.replace(' ', "+").parse();
        state.map(Some).map_err(|error| Problem::parameter(format!("`{name}`: {error}")))
    }

    fn schema(&self, _limits: &Limits) -> Value {
        json!({"type": "string", "pattern": "^[0-9][0-9TtZz:.+ -]*$"})
    }
}

/// A text of which only some values are known.
pub(crate) struct Choice {
    pub(crate) values: &'static [&'static str],
    pub(crate) default: Option<&'static str>,
}

impl Choice {
    /// The message for a value that is not one of them.
    fn refuse(&self, name: &str, given: &str) -> Problem {
        Problem::parameter(format!("`{name}={given}` cannot be used; write {}", self.values.join(" or ")))
    }
}

impl ParameterKind for Choice {
    type Value = Option<&'static str>;

    fn read(&self, name: &str, reader: &mut QueryReader<'_>) -> Result<Self::Value, Problem> {
        let Some(given) = reader.params.take(name)? else { return Ok(self.default) };
        let known = self.values.iter().find(|value| **value == given);
        known.map(|value| Some(*value)).ok_or_else(|| self.refuse(name, &given))
    }

    fn schema(&self, _limits: &Limits) -> Value {
        let mut schema = json!({"type": "string", "enum": self.values});
        if let Some(default) = self.default {
            schema["default"] = default.into();
        }
        schema
    }
}

/// A parameter that the middleware has read already; it is declared here for messages and OpenAPI.
pub(crate) struct ReadBefore {
    pub(crate) schema: fn() -> Value,
}

impl ParameterKind for ReadBefore {
    type Value = ();

    fn read(&self, name: &str, reader: &mut QueryReader<'_>) -> Result<(), Problem> {
        reader.params.take(name)?;
        Ok(())
    }

    fn schema(&self, _limits: &Limits) -> Value {
        (self.schema)()
    }
}

pub(crate) static LAYERS: Parameter<Text> =
    Parameter::new("layers", "Layers, separated by commas; all if it is missing", Text);

pub(crate) static DATETIME: Parameter<ValidTime> = Parameter::new(
    "datetime",
    "A day or an instant, or an interval with / (.. is an open end): features valid at some instant of it. \
        Layers without valid time ignore it, but for `/items`: there it selects by the field that the \
        collection names as `temporal`.",
    ValidTime,
)
.example("2025-07-01/..");

pub(crate) static REVISION: Parameter<RecordState> = Parameter::new(
    "revision",
    "The state of the record: a revision number, an instant, or a day (its end in the city's time); the \
        newest if it is missing",
    RecordState,
);

pub(crate) static MIN_REVISION: Parameter<ReadBefore> = Parameter::new(
    crate::http::params::MIN_REVISION,
    "The smallest revision that the answer may show: waits some seconds for it, then 503",
    ReadBefore { schema: || json!({"type": "integer", "minimum": 0}) },
);

/// The state of the record that an answer shows: `revision`, and `min-revision`, for which the middleware has
/// waited.
pub(crate) struct AsOfSource;

/// The source of a field of type `Option<AsOf>`.
pub(crate) static AS_OF: AsOfSource = AsOfSource;

impl QuerySource for AsOfSource {
    type Value = Option<AsOf>;

    fn take(&self, reader: &mut QueryReader<'_>) -> Result<Self::Value, Problem> {
        MIN_REVISION.take(reader)?;
        REVISION.take(reader)
    }

    fn declare(&'static self, list: &mut Vec<&'static dyn Declared>) {
        REVISION.declare(list);
        MIN_REVISION.declare(list);
    }
}

pub(crate) static CRS: Parameter<OfferedCrs> =
    Parameter::new("crs", "The system of the answer's coordinates", OfferedCrs);

/// `crs` of a question: the system of the coordinates in the question, not of those in the answer.
pub(crate) static QUESTION_CRS: Parameter<AnyCrs> = Parameter::new(
    "crs",
    "The system of the coordinates in the question: EPSG:9210, 9210, CRS84 or an OGC URI; x is easting or \
        longitude always",
    AnyCrs,
)
.component("question-crs")
.example("EPSG:9210");

pub(crate) static SINCE: Parameter<Integer> = Parameter::new(
    "since",
    "Only revisions above this one, from 0 to the newest revision",
    Integer { min: 0, max: u64::MAX - 1, states_max: false },
);

pub(crate) static F: Parameter<Choice> =
    Parameter::new("f", "Format, instead of Accept", Choice { values: &["json", "html"], default: None });

pub(crate) static LANG: Parameter<Choice> = Parameter::new(
    "lang",
    "Language of titles, instead of Accept-Language",
    Choice { values: &["vi", "en"], default: None },
);

/// Format and language: `f` and `lang`, else what the headers ask for.
pub(crate) struct RepresentationSource;

/// The source of a field of type [`Representation`].
pub(crate) static REPRESENTATION: RepresentationSource = RepresentationSource;

impl QuerySource for RepresentationSource {
    type Value = Representation;

    fn take(&self, reader: &mut QueryReader<'_>) -> Result<Representation, Problem> {
        Ok(Representation::choose(F.take(reader)?, LANG.take(reader)?, reader.headers))
    }

    fn declare(&'static self, list: &mut Vec<&'static dyn Declared>) {
        F.declare(list);
        LANG.declare(list);
    }
}

static LON: Parameter<Ordinate> = Parameter::new(
    "lon",
    "Longitude, degrees, WGS 84; with lat",
    Ordinate { max: 180.0, states_bounds: true },
);
static LAT: Parameter<Ordinate> =
    Parameter::new("lat", "Latitude, degrees, WGS 84; with lon", Ordinate { max: 90.0, states_bounds: true });
static X: Parameter<Ordinate> = Parameter::new(
    "x",
    "Easting (or longitude) in `crs`; instead of lon and lat",
    Ordinate { max: 1e9, states_bounds: false },
);
static Y: Parameter<Ordinate> =
    Parameter::new("y", "Northing (or latitude) in `crs`", Ordinate { max: 1e9, states_bounds: false });

/// A position that may be missing: `lon` and `lat`, or `x`, `y` and `crs`. WGS 84 longitude and latitude,
/// degrees.
pub(crate) struct OptionalPosition;

/// The source of a position that may be missing.
pub(crate) static OPTIONAL_POSITION: OptionalPosition = OptionalPosition;

impl QuerySource for OptionalPosition {
    type Value = Option<[f64; 2]>;

    fn take(&self, reader: &mut QueryReader<'_>) -> Result<Self::Value, Problem> {
        let (lon, lat) = (LON.take(reader)?, LAT.take(reader)?);
        let (x, y) = (X.take(reader)?, Y.take(reader)?);
        position([lon, lat], [x, y], QUESTION_CRS.take(reader)?)
    }

    fn declare(&'static self, list: &mut Vec<&'static dyn Declared>) {
        for ordinate in [&LON, &LAT, &X, &Y] {
            ordinate.declare(list);
        }
        QUESTION_CRS.declare(list);
    }
}

/// A position that must be given; otherwise as [`OptionalPosition`].
pub(crate) struct Position;

/// The source of a position that must be given.
pub(crate) static POSITION: Position = Position;

impl QuerySource for Position {
    type Value = [f64; 2];

    fn take(&self, reader: &mut QueryReader<'_>) -> Result<[f64; 2], Problem> {
        OPTIONAL_POSITION.take(reader)?.ok_or_else(|| {
            Problem::parameter(
                "the position is missing; write lon=106.698&lat=10.7725 or \
                    x=603481.588&y=1191454.611&crs=EPSG:9210",
            )
        })
    }

    fn declare(&'static self, list: &mut Vec<&'static dyn Declared>) {
        OPTIONAL_POSITION.declare(list);
    }
}
