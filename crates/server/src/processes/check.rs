//! A check of the whole city as a job: its faults, written to a file.

use std::sync::Arc;

use citymap_engine::{Cancel, City, EngineError, TimeInterval};
use citymap_live::CitySnapshot;
use citymap_model::{Geometry, RevisionNumber, counted};
use citymap_output::{Format, Output, faults};
use citymap_planning::{
    CheckError, CheckHooks, CheckKind, CheckOptions, CheckProgress, CheckResult, Fault, FaultState, check,
    compare,
};
use serde_json::{Map, Value, json};

use super::{
    overlay::{inputs::polygon, too_large, write_failed},
    process::{Description, ExecuteRequest, Execution, Input, Process, ResponseForm},
};
use crate::{
    config::Limits,
    http::{
        base::{query, segment},
        datetime::interval,
        problem::Problem,
    },
    jobs::job::{Job, ResultFile},
    questions::report::today,
};

/// The name of the output.
const FAULTS: &str = "faults";

/// Faults that are written before the size of the result is checked again.
const SIZE_CHECK_ROWS: usize = 256;

fn kind_schema() -> Value {
    json!({"type": "string", "enum": CheckKind::ALL.map(CheckKind::as_str)})
}

fn text_schema() -> Value {
    json!({"type": "string"})
}

fn measure_schema() -> Value {
    json!({"type": "number", "minimum": 0})
}

fn revision_schema() -> Value {
    json!({"type": "integer", "minimum": 0})
}

fn format_schema() -> Value {
    json!({"type": "string", "enum": ["geojson", "gpkg", "csv", "parquet"], "default": "geojson"})
}

/// The inputs of the process.
const INPUTS: &[Input] = &[
    Input {
        name: "check",
        title: "What is checked",
        required: true,
        schema: kind_schema,
        openapi: kind_schema,
    },
    Input {
        name: "datetime",
        title: "Only what is valid then: a day, an instant or an interval; today if it is missing",
        required: false,
        schema: text_schema,
        openapi: text_schema,
    },
    Input {
        name: "within",
        title: "Only parcels and zones that share a point with this polygon",
        required: false,
        schema: || json!({"format": "geojson-geometry"}),
        openapi: || json!({"type": "object", "description": "A GeoJSON polygon"}),
    },
    Input {
        name: "minArea",
        title: "Overlaps, cuts and conflicts of at most this many m² do not count; 0.01 if it is missing",
        required: false,
        schema: measure_schema,
        openapi: measure_schema,
    },
    Input {
        name: "gapWidth",
        title: "Enclosed holes up to this mean width in m are gaps; 0.5 if it is missing",
        required: false,
        schema: measure_schema,
        openapi: measure_schema,
    },
    Input {
        name: "distance",
        title: "Boundaries up to this distance in m nearly meet; 0.1 if it is missing",
        required: false,
        schema: measure_schema,
        openapi: measure_schema,
    },
    Input {
        name: "compareTo",
        title: "A former revision: each fault says whether it is new, the same or gone",
        required: false,
        schema: revision_schema,
        openapi: revision_schema,
    },
    Input {
        name: "format",
        title: "The format of the result",
        required: false,
        schema: format_schema,
        openapi: format_schema,
    },
];

/// The process `check`: a check of the city, its faults out.
pub(crate) struct CheckProcess;

impl Process for CheckProcess {
    fn id(&self) -> &'static str {
        "check"
    }

    fn describe(&self) -> Description {
        let file = |kind: &str| json!({"type": "string", "contentMediaType": kind});
        Description {
            title: "Check the city",
            description: "Finds what contradicts itself in plans, parcels and rights-of-way: each fault with \
                its place, its reason and a link",
            start: "Check the city, as a job; one job runs at a time, few wait",
            summary: "What a check takes and gives",
            inputs: INPUTS,
            quick: false,
            outputs: json!({FAULTS: {
                "title": "The faults",
                "description": "A row for each fault: the features that it concerns, the reason in both \
                    languages, its area or distance, a link, its shape (WGS 84)",
                "schema": {"oneOf": [file("application/geo+json"),
                    file("application/geopackage+sqlite3"), file("text/csv"),
                    file("application/vnd.apache.parquet")]},
            }}),
        }
    }

    fn example(&self, _layer: &str) -> Value {
        json!({"inputs": {"check": CheckKind::ParcelOverlaps.as_str(), "format": "geojson"}})
    }

    fn former_revision(&self, inputs: &Map<String, Value>) -> Result<Option<RevisionNumber>, Problem> {
        let Some(given) = inputs.get("compareTo").filter(|value| !value.is_null()) else { return Ok(None) };
        let wrong = || Problem::body("`compareTo` must be the number of a revision; /api/changes lists them");
        given.as_u64().ok_or_else(wrong).map(Some)
    }

    fn read_inputs(
        &self,
        request: &ExecuteRequest<'_>,
        city: &CitySnapshot,
        limits: &Limits,
    ) -> Result<Box<dyn Execution>, Problem> {
        let given = |name: &str| request.inputs.get(name).filter(|value| !value.is_null());
        let text = |name: &str| match given(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.as_str())),
            Some(_) => Err(Problem::body(format!("`{name}` must be a string"))),
        };
        let number = |name: &str, default: f64, max: f64| match given(name) {
            None => Ok(default),
            Some(value) => value
                .as_f64()
                .filter(|value| (0.0..=max).contains(value))
                .ok_or_else(|| Problem::body(format!("`{name}` must be a number from 0 to {max}"))),
        };
        let names = CheckKind::ALL.map(CheckKind::as_str).join(", ");
        let kind = text("check")?.and_then(CheckKind::from_name);
        let kind = kind.ok_or_else(|| Problem::body(format!("`check` must be one of {names}")))?;
        let format = match text("format")?.unwrap_or("geojson") {
            "geojson" => Format::GeoJson,
            "gpkg" => Format::GeoPackage,
            "csv" => Format::Csv { excel: false },
            "parquet" => Format::GeoParquet,
            _ => return Err(Problem::body("`format` must be geojson, gpkg, csv or parquet")),
        };
        let default = CheckOptions::default();
        let time: TimeInterval = match text("datetime")? {
            Some(text) => interval(text)?,
            None => today(&city.city),
        };
        let within: Option<Geometry> = given("within").map(|value| polygon(value, limits)).transpose()?;
        let options = CheckOptions {
            time: Some(time),
            within,
            area_tolerance: number("minArea", default.area_tolerance, 1e6)?,
            gap_width: number("gapWidth", default.gap_width, 100.0)?,
            near_distance: number("distance", default.near_distance, 10.0)?,
            ..default
        };
        Ok(Box::new(CheckExecution {
            city: Arc::clone(&city.city),
            former: request.former.as_ref().map(|former| Arc::clone(&former.city)),
            kind,
            options,
            format,
            response: request.response,
            base_url: request.context.base().as_str().to_owned(),
        }))
    }
}

/// A check that is to run, and the form in which its result is wanted.
struct CheckExecution {
    city: Arc<City>,
    former: Option<Arc<City>>,
    kind: CheckKind,
    options: CheckOptions,
    format: Format,
    response: ResponseForm,
    base_url: String,
}

/// The address where a reader sees a fault: its first feature, else what is at its place.
pub fn fault_link(base_url: &str, fault: &Fault) -> String {
    let base_url = base_url.trim_end_matches('/');
    if let Some(own) = fault.subjects.first() {
        return format!(
            "{base_url}/api/collections/{}/items/{}",
            segment(own.layer.as_str()),
            segment(&own.id)
        );
    }
    let at = geo::BoundingRect::bounding_rect(&fault.geometry).map(|rect| rect.center());
    let [lon, lat] = at.map_or([0.0; 2], |at| [at.x, at.y]).map(|degrees| format!("{degrees:.7}"));
    format!("{base_url}/api/at{}", query([("lon", lon.as_str()), ("lat", lat.as_str())]))
}

impl CheckExecution {
    /// Checks a city; `share` is the part of the job's progress that it takes, from and to percent.
    fn check(
        &self,
        city: &City,
        job: &Job,
        cancel: &Cancel,
        share: [u64; 2],
    ) -> Result<CheckResult, CheckError> {
        let progress = |now: CheckProgress| {
            job.update(|status| {
                let [from, to] = share;
                status.progress = (from + now.done.min(now.total) * (to - from) / now.total.max(1)) as u8;
                let features = counted(now.total, "feature", "features");
                let faults = counted(now.found, "fault", "faults");
                status.message = format!("{} of {features}, {faults}", now.done);
            });
        };
        let hooks = CheckHooks { cancel: cancel.clone(), progress: Some(&progress) };
        check(city, self.kind, &self.options, &hooks)
    }

    /// The faults with how each compares with the former city, and the figures of the result.
    fn faults(
        &self,
        job: &Job,
        cancel: &Cancel,
    ) -> Result<(Vec<ComparedFault>, Map<String, Value>), CheckError> {
        let before = match &self.former {
            Some(former) => Some(self.check(former, job, cancel, [0, 49])?),
            None => None,
        };
        let from = if before.is_some() { 49 } else { 0 };
        let now = self.check(&self.city, job, cancel, [from, 98])?;
        let measure = if self.kind.unit() == "m" { "distanceMax" } else { "area" };
        let mut figures = Map::new();
        figures.insert("check".to_owned(), self.kind.as_str().into());
        figures.insert("checked".to_owned(), now.checked.into());
        figures.insert("found".to_owned(), now.found.into());
        figures.insert(measure.to_owned(), now.measure.into());
        let listed = now.faults.len();
        let Some(before) = before else {
            figures.insert("listed".to_owned(), listed.into());
            return Ok((now.faults.into_iter().map(|fault| (fault, None)).collect(), figures));
        };
        let cut = [&before, &now].iter().any(|result| result.found > result.faults.len() as u64);
        if cut {
            return Err(CheckError::TooMany { max: self.options.faults_max });
        }
        let compared = compare(before.faults, now.faults);
        for state in [FaultState::New, FaultState::Same, FaultState::Gone] {
            let count = compared.iter().filter(|(_, own)| *own == state).count();
            figures.insert(state.as_str().to_owned(), count.into());
        }
        figures.insert("listed".to_owned(), compared.len().into());
        Ok((compared.into_iter().map(|(fault, state)| (fault, Some(state))).collect(), figures))
    }
}

/// A fault, and how it compares with an earlier run.
type ComparedFault = (Fault, Option<FaultState>);

impl Execution for CheckExecution {
    fn result(&self) -> ResultFile {
        let extension = self.format.ending();
        ResultFile {
            media_type: self.format.media_type(),
            name: format!("{}.{extension}", self.kind.as_str()),
            extension,
            referred_as: (self.response == ResponseForm::Document).then_some(FAULTS),
        }
    }

    fn run(&self, job: &Job, bytes_max: u64, cancel: &Cancel) -> Result<(), Problem> {
        let (found, figures) = match self.faults(job, cancel) {
            Ok(found) => found,
            Err(CheckError::Engine(EngineError::Cancelled(_))) => {
                job.dismiss();
                return Ok(());
            }
            Err(CheckError::Engine(error)) => return Err(error.into()),
            Err(error) => return Err(Problem::body(error.to_string())),
        };
        let rows = faults(self.kind, self.former.is_some()).map_err(write_failed)?;
        let mut file = Output::create(&job.file, self.format, rows.table()).map_err(write_failed)?;
        for some in found.chunks(SIZE_CHECK_ROWS) {
            if cancel.is_cancelled() {
                job.dismiss();
                return Ok(());
            }
            for (fault, state) in some {
                let link = fault_link(&self.base_url, fault);
                rows.write(fault, &link, *state, &mut file).map_err(write_failed)?;
            }
            if file.bytes() > bytes_max {
                return Err(too_large(bytes_max));
            }
        }
        file.finish().map_err(write_failed)?;
        // What a format keeps until the end is in the file now.
        if std::fs::metadata(&job.file).is_ok_and(|found| found.len() > bytes_max) {
            job.remove_file();
            return Err(too_large(bytes_max));
        }
        let message = figures.get("found").and_then(Value::as_u64).unwrap_or_default();
        job.succeed(counted(message, "fault", "faults"), figures);
        Ok(())
    }
}
