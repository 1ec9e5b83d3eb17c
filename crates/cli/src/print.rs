//! `citymap print`: a map on paper at an exact scale, as a PDF file.

use std::{
    fs::File,
    io::{BufWriter, Write as _},
    path::PathBuf,
    process::ExitCode,
    time::Instant,
};

use chrono::{NaiveDate, NaiveTime};
use citymap_engine::{Bbox, Cancel, City, TimeInterval};
use citymap_files::PartialFile;
use citymap_model::{LayerId, Role};
use citymap_render::{
    print::{
        Highlight, Orientation, Paper, PrintArea, PrintInfo, PrintLimits, PrintOrder, PrintPlan,
        PrintProgress, PrintSource, PrintTemplate, Sheet, ViewAddress, styled, view_address, write,
    },
    raster::Source,
    styles::{Appearance, LEVEL_NAMES, StyleBook, StyleRequest, level_named},
};
use citymap_tile::Tiler;
use clap::{Args, builder::PossibleValuesParser};

use crate::{
    database,
    failure::Failure,
    global::Global,
    output::{self, counted, say},
    progress::Bar,
    signals,
    values::AsOfArg,
};

/// The arguments of `citymap print`.
#[derive(Debug, Args)]
pub(crate) struct PrintArgs {
    /// The middle of the sheet in degrees.
    #[arg(long, value_name = "LON,LAT", value_parser = numbers::<2>, group = "place")]
    center: Option<[f64; 2]>,

    /// The area to print in degrees; one sheet, or a series with an index sheet if it does not fit on one.
    #[arg(long, value_name = "W,S,E,N", value_parser = numbers::<4>, group = "place")]
    bbox: Option<[f64; 4]>,

    /// The parcel to print, by its id; it is outlined.
    #[arg(long, value_name = "ID", required_unless_present = "place")]
    parcel: Option<String>,

    /// The layer of the parcel, if several have the id.
    #[arg(long, value_name = "LAYER", requires = "parcel")]
    layer: Option<LayerId>,

    /// The denominator of the scale, 200 to 25000. Without it, 1000 around a point, or the largest usual
    /// scale at which the area fits on one sheet.
    #[arg(long, value_name = "N")]
    scale: Option<f64>,

    /// The size of the paper: A4, A3, A2, A1 or A0.
    #[arg(long, default_value = "A4")]
    paper: Paper,

    /// How the paper is turned: portrait or landscape.
    #[arg(long, default_value = "portrait")]
    orientation: Orientation,

    /// Degrees from grid north to the direction that is up on the sheet, clockwise.
    #[arg(long, default_value_t = 0.0, value_name = "DEGREES", allow_negative_numbers = true)]
    bearing: f64,

    /// The style of the map: cadastre, plan, streets, utilities, grey, or one of your own.
    #[arg(long, default_value = "cadastre", value_name = "STYLE")]
    theme: String,

    /// The only level of plans that is drawn.
    #[arg(long, value_parser = PossibleValuesParser::new(LEVEL_NAMES.iter().copied()))]
    level: Option<String>,

    /// The language of the sheet.
    #[arg(long, default_value = "vi", value_parser = ["vi", "en"])]
    lang: String,

    /// The title of the sheet, instead of that of the template or of the style.
    #[arg(long, default_value = "", value_name = "TEXT", hide_default_value = true)]
    title: String,

    /// What is written on every sheet: a JSON file (docs/pictures.md).
    #[arg(long, value_name = "FILE")]
    template: Option<PathBuf>,

    /// A folder with styles of your own, as for `citymap serve` (docs/styles.md).
    #[arg(long, env = "CITYMAP_STYLES", value_name = "FOLDER")]
    styles: Option<PathBuf>,

    /// The address of the web map, for a code on the sheet that leads to the same view at the same revision.
    #[arg(long, value_name = "URL")]
    link: Option<String>,

    /// Only what is valid on this day.
    #[arg(long, value_name = "YYYY-MM-DD")]
    valid_on: Option<NaiveDate>,

    /// Maximum number of sheets, without the index sheet.
    #[arg(long, default_value_t = 60, value_name = "N")]
    sheets_max: usize,

    /// Maximum size of the file in MiB.
    #[arg(long, default_value_t = 256, value_name = "MIB")]
    size_max: u64,

    /// The PDF file to write. It must not exist.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,

    #[command(flatten)]
    at: AsOfArg,
}

/// Parses numbers that are separated by commas.
fn numbers<const N: usize>(text: &str) -> Result<[f64; N], String> {
    let list: Result<Vec<f64>, _> = text.split(',').map(|part| part.trim().parse()).collect();
    let numbers = list.ok().filter(|list| list.iter().all(|number| number.is_finite()));
    numbers
        .and_then(|list| list.try_into().ok())
        .ok_or_else(|| format!("write {N} numbers of degrees separated by commas, longitude first"))
}

pub(crate) fn run(global: &Global, args: &PrintArgs) -> Result<ExitCode, Failure> {
    let bar = Bar::new(global.json);
    bar.set("reading the layers", 0, 0);
    let book = StyleBook::load(args.styles.as_deref())?;
    if book.entry(&args.theme).is_none() {
        let known: Vec<&str> = book.entries().iter().map(|entry| entry.id).collect();
        return Err(Failure::new(format!(
            "there is no style `{}`; choose one of {}",
            args.theme,
            known.join(", ")
        )));
    }
    let template = args.template.as_deref().map(PrintTemplate::load).transpose()?.unwrap_or_default();
    let store = database::open(global, false)?;
    let city = database::city(store.as_ref(), args.at.as_of, |layer| {
        book.draws(&args.theme, layer) || (args.parcel.is_some() && layer.role == Role::Parcel)
    })?;
    let highlight = args.parcel.as_deref().map(|id| parcel(&city, id, args.layer.as_ref())).transpose()?;
    let area = match (args.center, args.bbox, &highlight) {
        (Some(center), _, _) => PrintArea::Around(center),
        (_, Some([west, south, east, north]), _) => PrintArea::Box(Bbox::new(west, south, east, north)),
        (None, None, Some(highlight)) => highlight.area(args.scale),
        (None, None, None) => return Err(Failure::new("give --center, --bbox or --parcel")),
    };
    let limits =
        PrintLimits { sheets_max: args.sheets_max, bytes_max: args.size_max.saturating_mul(1 << 20) };
    let (scale, paper, orientation) = (args.scale, args.paper, args.orientation);
    let order = PrintOrder { area, scale, paper, orientation, bearing: args.bearing };
    let plan = PrintPlan::new(&order, &limits)?;
    let clock = Instant::now();
    let bytes = draw(args, (&book, &template), (&city, highlight.as_ref()), (&plan, &limits), &bar)?;
    bar.clear();
    let (pages, seconds) = (plan.pages() as u64, clock.elapsed().as_secs_f64());
    let scale = plan.sheets().first().map(Sheet::scale).unwrap_or_default();
    if global.json {
        output::print_json(&serde_json::json!({
            "file": args.out, "pages": pages, "scale": scale, "bytes": bytes, "seconds": seconds,
            "revision": city.revision,
        }))?;
    } else {
        say!(
            "{} at 1:{scale} in {} ({}), {seconds:.1} s",
            counted(pages, "page", "pages"),
            args.out.display(),
            counted(bytes, "byte", "bytes")
        )?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Writes the file; returns its size in bytes.
fn draw(
    args: &PrintArgs,
    (book, template): (&StyleBook, &PrintTemplate),
    (city, highlight): (&City, Option<&Highlight>),
    (plan, limits): (&PrintPlan, &PrintLimits),
    bar: &Bar,
) -> Result<u64, Failure> {
    let lang = if args.lang == "en" { "en" } else { "vi" };
    let level = args.level.as_deref().and_then(level_named);
    let request = StyleRequest { appearance: Appearance::Light, lang, level, layers: None };
    let day = args.valid_on.map(|day| day.to_string());
    let time = args.valid_on.map(|day| {
        let start = Some(day.and_time(NaiveTime::MIN).and_utc());
        TimeInterval { start, end: start }
    });
    let styled = styled(book, &args.theme, (city, time), &request)
        .ok_or_else(|| Failure::new("the style does not exist; `citymap serve` lists all at /api/styles"))?;
    let cancel = Cancel::new();
    let stopped = cancel.clone();
    signals::on_stop(move || stopped.cancel())?;
    let tiler = Tiler::new();
    let source = Source { city, tiler: &tiler, time, cancel: &cancel };
    let page = args.link.as_deref().map(|link| format!("{}/", link.trim_end_matches('/')));
    let address = page.as_deref().map(|page| {
        let (revision, valid_on, style) = (city.revision, day.as_deref(), args.theme.as_str());
        let view = ViewAddress { page, revision, valid_on, style, level, lang };
        move |sheet: &Sheet| view_address(&view, sheet)
    });
    let info = PrintInfo {
        title: &args.title,
        lang,
        template,
        valid_on: day.as_deref(),
        address: address.as_ref().map(|address| address as &dyn Fn(&Sheet) -> String),
        highlight,
    };
    let partial = PartialFile::new(&args.out)?;
    let file = BufWriter::new(File::create_new(partial.path())?);
    let mut progress = |now: PrintProgress| bar.set("pages", now.done as u64, now.total as u64);
    let drawn = PrintSource { source: &source, styled: &styled };
    let written = write(plan, &drawn, (&info, limits), &mut progress, file);
    let mut file = match written {
        Ok(file) => file,
        Err(_) if cancel.is_cancelled() => return Err(Failure::new("stopped; nothing was written")),
        Err(error) => return Err(error.into()),
    };
    file.flush()?;
    let bytes = file.get_ref().metadata()?.len();
    partial.reveal()?;
    Ok(bytes)
}

/// The parcel with this id.
fn parcel(city: &City, id: &str, layer: Option<&LayerId>) -> Result<Highlight, Failure> {
    let mut parcels = city
        .layers
        .values()
        .filter(|own| own.layer().role == Role::Parcel && layer.is_none_or(|layer| own.layer().id == *layer));
    parcels
        .find_map(|own| Highlight::of(own, own.row_of_id(id)?))
        .ok_or_else(|| Failure::new("no parcel has this id; find it with `citymap serve` and /api/search"))
}
