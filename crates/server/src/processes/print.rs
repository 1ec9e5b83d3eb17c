//! The process `print`: a map on paper as PDF, one sheet or a series.

use std::{
    fs::File,
    io::{BufWriter, Write},
    str::FromStr,
    sync::Arc,
};

use citymap_engine::{Bbox, Cancel, City, EngineError, TimeInterval};
use citymap_live::CitySnapshot;
use citymap_model::{AsOf, Role, counted};
use citymap_planning::PlanLevel;
use citymap_render::{
    print::{
        Highlight, Orientation, Paper, PrintArea, PrintError, PrintInfo, PrintLimits, PrintOrder, PrintPlan,
        PrintProgress, PrintSource, SCALES, Sheet, USUAL_SCALES, ViewAddress, frame_size, styled,
        view_address, write,
    },
    raster::{RenderError, Source},
    styles::{Appearance, LEVEL_NAMES, StyleRequest, level_named},
};
use serde_json::{Map, Value, json};

use super::process::{Description, ExecuteRequest, Execution, Input, Process, ResponseForm};
use crate::{
    app::App,
    config::Limits,
    http::{datetime::interval, problem::Problem, request::RequestContext},
    jobs::job::{Job, ResultFile},
    styles::lists::no_style,
};

/// The media type of the result.
pub(crate) const PDF: &str = "application/pdf";

/// The name of the output.
const MAP: &str = "map";
/// Maximum number of characters of a title.
const TITLE_MAX: usize = 200;

fn text_schema() -> Value {
    json!({"type": "string"})
}

fn title_schema() -> Value {
    json!({"type": "string", "maxLength": TITLE_MAX})
}

fn point_schema() -> Value {
    json!({"type": "array", "items": {"type": "number"}, "minItems": 2, "maxItems": 2})
}

fn box_schema() -> Value {
    json!({"type": "array", "items": {"type": "number"}, "minItems": 4, "maxItems": 4})
}

fn scale_schema() -> Value {
    json!({"type": "number", "minimum": SCALES[0], "maximum": SCALES[1]})
}

fn bearing_schema() -> Value {
    json!({"type": "number", "minimum": -360, "maximum": 360, "default": 0})
}

fn paper_schema() -> Value {
    json!({"type": "string", "enum": Paper::NAMES, "default": "A4"})
}

fn orientation_schema() -> Value {
    json!({"type": "string", "enum": Orientation::NAMES, "default": "portrait"})
}

fn lang_schema() -> Value {
    json!({"type": "string", "enum": ["vi", "en"], "default": "vi"})
}

fn level_schema() -> Value {
    json!({"type": "string", "enum": LEVEL_NAMES})
}

fn revision_schema() -> Value {
    json!({"type": "integer", "minimum": 0})
}

/// An input that may be missing.
const fn optional(name: &'static str, title: &'static str, schema: fn() -> Value) -> Input {
    Input { name, title, required: false, schema, openapi: schema }
}

const INPUTS: &[Input] = &[
    optional("center", "The middle of the sheet: longitude, latitude", point_schema),
    optional("bbox", "The area to print: west, south, east, north; one sheet or a series", box_schema),
    optional("parcel", "The parcel to print, by its id; it is outlined", text_schema),
    optional("layer", "The layer of the parcel, if several have the id", text_schema),
    optional(
        "scale",
        "The denominator of the scale; without it the largest usual one at which the area fits on a sheet",
        scale_schema,
    ),
    optional("paper", "The size of the paper", paper_schema),
    optional("orientation", "How the paper is turned", orientation_schema),
    optional("bearing", "Degrees from grid north to the direction that is up, clockwise", bearing_schema),
    optional("style", "The id of the style; the first of /api/styles if it is missing", text_schema),
    optional("level", "The only level of plans that is drawn", level_schema),
    optional("lang", "The language of the sheet", lang_schema),
    optional("title", "The title of the sheet", title_schema),
    optional("datetime", "Only what is valid then: a day, an instant or an interval", text_schema),
    optional("revision", "The state of the record; the newest one if it is missing", revision_schema),
];

/// The process `print`: a place, a scale and a paper in, a PDF file out.
pub(crate) struct PrintProcess;

impl Process for PrintProcess {
    fn id(&self) -> &'static str {
        "print"
    }

    fn describe(&self) -> Description {
        Description {
            title: "Print a map",
            description: "A map at an exact scale as PDF, with grid, scale bar, legend and sources; one \
                sheet, or a series over an area with an index sheet",
            start: "Print a map; one sheet is answered at once, a series as a job",
            summary: "What a print takes and gives",
            inputs: INPUTS,
            quick: true,
            outputs: json!({MAP: {
                "title": "The sheets",
                "schema": {"type": "string", "format": "binary", "contentMediaType": PDF},
            }}),
        }
    }

    /// What a dialogue needs: how large the map of a sheet is, in millimetres, and the usual scales.
    fn additions(&self) -> Map<String, Value> {
        let frames = |paper: Paper| -> Map<String, Value> {
            let sizes = Orientation::ALL.into_iter().zip(Orientation::NAMES);
            sizes.map(|(own, name)| ((*name).to_owned(), json!(frame_size(paper, own)))).collect()
        };
        let papers: Map<String, Value> =
            Paper::ALL.into_iter().map(|paper| (paper.to_string(), frames(paper).into())).collect();
        Map::from_iter([
            ("citymap:papers".to_owned(), papers.into()),
            ("citymap:scales".to_owned(), json!(USUAL_SCALES)),
        ])
    }

    fn example(&self, _layer: &str) -> Value {
        json!({"inputs": {"center": [106.698, 10.7725], "scale": 1000, "paper": "A4", "lang": "vi"}})
    }

    fn revision(&self, inputs: &Map<String, Value>) -> Result<Option<AsOf>, Problem> {
        match inputs.get("revision") {
            None | Some(Value::Null) => Ok(None),
            Some(value) => value
                .as_u64()
                .map(|number| Some(AsOf::Revision(number)))
                .ok_or_else(|| Problem::body("`revision` must be the number of a revision")),
        }
    }

    fn read_inputs(
        &self,
        request: &ExecuteRequest<'_>,
        city: &CitySnapshot,
        limits: &Limits,
    ) -> Result<Box<dyn Execution>, Problem> {
        let context = request.context;
        let inputs = Inputs(request.inputs);
        let app = Arc::clone(&context.app);
        let city = Arc::clone(&city.city);
        let limits = PrintLimits { sheets_max: limits.print_sheets_max, bytes_max: limits.print_bytes_max };
        let scale = inputs.number("scale", SCALES)?;
        let highlight = inputs.parcel(context)?;
        let area = match (inputs.numbers("center")?, inputs.numbers("bbox")?, &highlight) {
            (Some([lon, lat]), None, _) => PrintArea::Around([lon, lat]),
            (None, Some([west, south, east, north]), _) => {
                PrintArea::Box(Bbox::new(west, south, east, north))
            }
            (None, None, Some(highlight)) => highlight.area(scale),
            (Some(_), Some(_), _) => {
                return Err(Problem::body("give `center` or `bbox`, not both"));
            }
            (None, None, None) => {
                let example = self.example("");
                return Err(Problem::body(format!(
                    "give `center`, `bbox` or `parcel`; for example {example}"
                )));
            }
        };
        let style = inputs.text("style", TITLE_MAX)?;
        let style = match style {
            Some(style) => style.to_owned(),
            None => app.styles.book.entries().first().map(|own| own.id.to_owned()).unwrap_or_default(),
        };
        if app.styles.book.entry(&style).is_none() {
            return Err(Problem::body(no_style(context, &style).detail()));
        }
        let order = PrintOrder {
            area,
            scale,
            paper: inputs.choice("paper")?.unwrap_or(Paper::A4),
            orientation: inputs.choice("orientation")?.unwrap_or(Orientation::Portrait),
            bearing: inputs.number("bearing", [-360.0, 360.0])?.unwrap_or(0.0),
        };
        let plan = PrintPlan::new(&order, &limits).map_err(refusal)?;
        let level = inputs.one_of("level", LEVEL_NAMES)?.and_then(level_named);
        let lang = inputs.one_of("lang", &["vi", "en"])?.unwrap_or("vi");
        let datetime = inputs.text("datetime", TITLE_MAX)?;
        Ok(Box::new(PrintExecution {
            time: datetime.map(interval).transpose()?,
            valid_on: datetime.map(str::to_owned),
            title: inputs.text("title", TITLE_MAX)?.unwrap_or_default().to_owned(),
            page: format!("{}/", context.base().as_str()),
            response: request.response,
            app,
            city,
            plan,
            limits,
            style,
            level,
            lang,
            highlight,
        }))
    }
}

/// The inputs of a print by name.
struct Inputs<'a>(&'a Map<String, Value>);

impl<'a> Inputs<'a> {
    fn given(&self, name: &str) -> Option<&'a Value> {
        self.0.get(name).filter(|value| !value.is_null())
    }

    fn text(&self, name: &str, max: usize) -> Result<Option<&'a str>, Problem> {
        match self.given(name) {
            None => Ok(None),
            Some(Value::String(text)) if text.chars().count() <= max => Ok(Some(text)),
            Some(_) => Err(Problem::body(format!("`{name}` must be a text of at most {max} characters"))),
        }
    }

    fn one_of(&self, name: &str, known: &'static [&'static str]) -> Result<Option<&'static str>, Problem> {
        let Some(text) = self.text(name, TITLE_MAX)? else { return Ok(None) };
        let found = known.iter().find(|own| **own == text).copied();
        found.map(Some).ok_or_else(|| Problem::body(format!("`{name}` must be one of {}", known.join(", "))))
    }

    fn choice<T: FromStr<Err = String>>(&self, name: &str) -> Result<Option<T>, Problem> {
        let text = self.text(name, TITLE_MAX)?;
        text.map(|text| text.parse().map_err(|why: String| Problem::body(format!("`{name}`: {why}"))))
            .transpose()
    }

    fn number(&self, name: &str, [min, max]: [f64; 2]) -> Result<Option<f64>, Problem> {
        let Some(value) = self.given(name) else { return Ok(None) };
        let number = value.as_f64().filter(|number| (min..=max).contains(number));
        number
            .map(Some)
            .ok_or_else(|| Problem::body(format!("`{name}` must be a number from {min} to {max}")))
    }

    fn numbers<const N: usize>(&self, name: &str) -> Result<Option<[f64; N]>, Problem> {
        let Some(value) = self.given(name) else { return Ok(None) };
        let numbers: Option<Vec<f64>> =
            value.as_array().map(|list| list.iter().filter_map(Value::as_f64).collect());
        let numbers = numbers.and_then(|list| <[f64; N]>::try_from(list).ok());
        numbers.map(Some).ok_or_else(|| {
            Problem::body(format!("`{name}` must be a list of {N} numbers in degrees, longitude first"))
        })
    }

    /// The parcel that is outlined.
    fn parcel(&self, context: &RequestContext) -> Result<Option<Highlight>, Problem> {
        let Some(id) = self.text("parcel", TITLE_MAX)? else { return Ok(None) };
        let layers = context.layers(self.text("layer", TITLE_MAX)?)?;
        let mut parcels = layers.iter().filter(|own| own.layer().role == Role::Parcel);
        let found = parcels.find_map(|own| Highlight::of(own, own.row_of_id(id)?));
        found.map(Some).ok_or_else(|| {
            Problem::body("no parcel has this id; /api/search finds one by its commune, sheet and number")
        })
    }
}

/// A print that is to run.
struct PrintExecution {
    app: Arc<App>,
    city: Arc<City>,
    plan: PrintPlan,
    limits: PrintLimits,
    style: String,
    level: Option<PlanLevel>,
    lang: &'static str,
    title: String,
    time: Option<TimeInterval>,
    /// The valid time as it was asked for.
    valid_on: Option<String>,
    /// The address of the web map.
    page: String,
    highlight: Option<Highlight>,
    response: ResponseForm,
}

impl PrintExecution {
    /// Draws all sheets, one after the other.
    fn write<W: Write>(
        &self,
        out: W,
        bytes_max: u64,
        (progress, cancel): (&mut dyn FnMut(PrintProgress), &Cancel),
    ) -> Result<W, Problem> {
        let (appearance, layers) = (Appearance::Light, None);
        let request = StyleRequest { appearance, lang: self.lang, level: self.level, layers };
        let book = &self.app.styles.book;
        let styled = styled(book, &self.style, (&self.city, self.time), &request)
            .ok_or_else(|| Problem::not_found("the style does not exist; /api/styles lists them"))?;
        let source = Source { city: &self.city, tiler: self.app.tiles.tiler(), time: self.time, cancel };
        // Only a day is a part of the page's address.
        let day = self.valid_on.as_deref().filter(|text| text.len() == 10);
        let address = ViewAddress {
            page: &self.page,
            revision: self.city.revision,
            valid_on: day,
            style: &self.style,
            level: self.level,
            lang: self.lang,
        };
        let address = |sheet: &Sheet| view_address(&address, sheet);
        let info = PrintInfo {
            title: &self.title,
            lang: self.lang,
            template: &self.app.print_template,
            valid_on: self.valid_on.as_deref(),
            address: Some(&address),
            highlight: self.highlight.as_ref(),
        };
        let limits = PrintLimits { bytes_max: self.limits.bytes_max.min(bytes_max), ..self.limits };
        let source = PrintSource { source: &source, styled: &styled };
        write(&self.plan, &source, (&info, &limits), progress, out).map_err(refusal)
    }
}

impl Execution for PrintExecution {
    fn is_brief(&self) -> bool {
        self.plan.pages() == 1 && self.response == ResponseForm::Raw
    }

    fn make(&self, cancel: &Cancel) -> Result<Vec<u8>, Problem> {
        self.write(Vec::new(), u64::MAX, (&mut |_| (), cancel))
    }

    fn result(&self) -> ResultFile {
        ResultFile {
            media_type: PDF,
            name: format!("map-{}.pdf", self.city.revision),
            extension: "pdf",
            referred_as: (self.response == ResponseForm::Document).then_some(MAP),
        }
    }

    fn run(&self, job: &Job, bytes_max: u64, cancel: &Cancel) -> Result<(), Problem> {
        let failed = |error: std::io::Error| {
            tracing::error!(error = &error as &dyn std::error::Error, "a print could not be written");
            Problem::unavailable("the result could not be written; see the server's log", 60)
        };
        let file = File::create(&job.file).map_err(failed)?;
        let mut progress = |now: PrintProgress| {
            job.update(|status| {
                status.progress = (now.done * 99 / now.total.max(1)) as u8;
                status.message = format!("{} of {}", now.done, counted(now.total, "page", "pages"));
            });
        };
        match self.write(BufWriter::new(file), bytes_max, (&mut progress, cancel)) {
            Ok(file) => file.into_inner().map(drop).map_err(|error| failed(error.into_error()))?,
            Err(_) if cancel.is_cancelled() => {
                job.dismiss();
                return Ok(());
            }
            Err(problem) => {
                job.remove_file();
                return Err(problem);
            }
        }
        let pages = self.plan.pages();
        let figures = [("pages", pages), ("sheets", self.plan.sheets().len())];
        let figures = figures.into_iter().map(|(name, count)| (name.to_owned(), Value::from(count)));
        job.succeed(counted(pages, "page", "pages"), figures.collect());
        Ok(())
    }
}

/// The problem of a map that cannot be printed.
pub(crate) fn refusal(error: PrintError) -> Problem {
    match error {
        PrintError::Render(RenderError::Cancelled(cancelled)) => EngineError::from(cancelled).into(),
        PrintError::Scale(_)
        | PrintError::TooFar
        | PrintError::TooManySheets { .. }
        | PrintError::Area(_)
        | PrintError::Code(_)
        | PrintError::Render(RenderError::TooLarge { .. } | RenderError::Outside(_)) => {
            Problem::body(error.to_string())
        }
        PrintError::Style(_) | PrintError::Render(RenderError::Font { .. }) => {
            Problem::unprocessable(error.to_string())
        }
        PrintError::Pdf(citymap_render::pdf::PdfError::TooLarge { .. }) => {
            Problem::picture_too_large(error.to_string())
        }
        other => Problem::internal(other.to_string()),
    }
}
