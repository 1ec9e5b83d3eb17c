//! `citymap report`: what is planned on parcels, one report a line, or one PDF file a parcel.

use std::{
    fs::{File, OpenOptions},
    io::{self, BufRead, BufReader, BufWriter, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
    process::ExitCode,
    time::Instant,
};

use chrono::{NaiveDate, NaiveTime, Utc};
use citymap_engine::{Area, Cancel, City, LayerSnapshot, Row, TimeInterval};
use citymap_model::{Layer, LayerId, Role};
use citymap_planning::{ParcelReport, ReportOptions};
use citymap_render::{report::style_id, styles::StyleBook};
use citymap_server::verification_link;
use clap::Args;
use rayon::prelude::*;
use serde_json::json;

use crate::{
    database,
    failure::Failure,
    global::Global,
    output::{self, counted, say},
    overlay::polygon,
    progress::Bar,
    signals,
    values::AsOfArg,
};

mod pdf;

/// Reports that are made in parallel before they are written.
const CHUNK: usize = 256;

/// The arguments of `citymap report`.
#[derive(Debug, Args)]
pub(crate) struct ReportArgs {
    /// The ids of parcels.
    #[arg(value_name = "PARCEL", required_unless_present_any = ["list", "within", "all"])]
    parcels: Vec<String>,

    /// A file with the ids of parcels, one a line.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["parcels", "within", "all"])]
    list: Option<PathBuf>,

    /// The parcels that share a point with the polygon in this GeoJSON file.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["parcels", "all"])]
    within: Option<PathBuf>,

    /// All parcels of the layer.
    #[arg(long, conflicts_with = "parcels")]
    all: bool,

    /// The layer of the parcels, if there are several.
    #[arg(long, value_name = "LAYER")]
    layer: Option<LayerId>,

    /// What is written: one JSON document a line, or one PDF file (A4) for each parcel.
    #[arg(long, default_value = "ndjson", value_parser = ["ndjson", "pdf"])]
    format: String,

    /// The file to write; without it, standard output. For PDF a folder, in which each file has the name of
    /// the parcel's id, or for one parcel a file that ends in .pdf. The file must not exist, and the folder
    /// must be empty.
    #[arg(long, value_name = "FILE", required_if_eq("format", "pdf"))]
    out: Option<PathBuf>,

    /// Go on where an earlier run with the same arguments was interrupted: keep the reports that are in the
    /// file or in the folder.
    #[arg(long = "continue", requires = "out")]
    resume: bool,

    /// Plans and roads that are valid on this day; without it, today in the city's time.
    #[arg(long, value_name = "YYYY-MM-DD")]
    valid_on: Option<NaiveDate>,

    /// The address under which people reach the server: each report then has the link that confirms it.
    #[arg(long, value_parser = citymap_server::parse_base_url, value_name = "URL")]
    base_url: Option<String>,

    /// The language of PDF files.
    #[arg(long, default_value = "vi", value_parser = ["vi", "en"])]
    lang: String,

    /// What the operator writes on PDF files: a JSON file (docs/pictures.md).
    #[arg(long, value_name = "FILE")]
    template: Option<PathBuf>,

    /// A folder with styles of your own for the maps of PDF files, as for `citymap serve` (docs/styles.md).
    #[arg(long, env = "CITYMAP_STYLES", value_name = "FOLDER")]
    styles: Option<PathBuf>,

    #[command(flatten)]
    at: AsOfArg,
}

pub(crate) fn run(global: &Global, args: &ReportArgs) -> Result<ExitCode, Failure> {
    if args.out.is_none() && global.json {
        return Err(Failure::new("`--json` prints a summary and needs `--out FILE` for the reports"));
    }
    let bar = Bar::new(global.json || args.out.is_none());
    bar.set("reading the layers", 0, 0);
    let store = database::open(global, false)?;
    let book = if args.format == "pdf" { Some(StyleBook::load(args.styles.as_deref())?) } else { None };
    let is_drawn = |layer: &Layer| {
        book.as_ref().is_some_and(|book| style_id(book).is_some_and(|id| book.draws(id, layer)))
    };
    let is_read = |layer: &Layer| {
        matches!(layer.role, Role::Parcel | Role::Zone | Role::Road | Role::AdminUnit) || is_drawn(layer)
    };
    let city = database::city(store.as_ref(), args.at.as_of, is_read)?;
    let parcels = parcels(&city, args.layer.as_ref())?;
    let wanted = wanted(args, parcels)?;
    let day = args.valid_on.unwrap_or_else(|| city.profile.day_of(Utc::now()));
    let start = Some(day.and_time(NaiveTime::MIN).and_utc());
    let options =
        ReportOptions { time: Some(TimeInterval { start, end: start }), ..ReportOptions::default() };
    let cancel = Cancel::new();
    let stopped = cancel.clone();
    signals::on_stop(move || stopped.cancel())?;
    let clock = Instant::now();
    let work = Work { city: &city, parcels, options, base_url: args.base_url.as_deref(), cancel };
    if let Some(book) = &book {
        return pdf::run(global, args, (&work, book), &wanted, &bar);
    }
    let (done, failed) = match &args.out {
        None => write(&work, &wanted, 0, &mut io::stdout().lock(), &bar)?,
        Some(path) => {
            let (file, kept) = if args.resume { reopen(path, &work, &wanted)? } else { (create(path)?, 0) };
            let mut file = BufWriter::new(file);
            let outcome = write(&work, &wanted, kept, &mut file, &bar)?;
            file.into_inner().map_err(io::IntoInnerError::into_error)?.sync_all()?;
            outcome
        }
    };
    bar.clear();
    summary(global, args, (done, failed, wanted.len()), clock.elapsed().as_secs_f64())?;
    Ok(ExitCode::from(u8::from(failed > 0 || done < wanted.len())))
}

fn summary(
    global: &Global,
    args: &ReportArgs,
    (done, failed, wanted): (usize, usize, usize),
    seconds: f64,
) -> Result<(), Failure> {
    let Some(path) = &args.out else { return Ok(()) };
    let reports = done - failed;
    if global.json {
        return output::print_json(&json!({
            "file": path, "reports": reports, "failed": failed, "left": wanted - done, "seconds": seconds,
        }));
    }
    let (reports, failed) = (reports as u64, failed as u64);
    say!("{} in {}, {seconds:.1} s", counted(reports, "report", "reports"), path.display())?;
    if failed > 0 {
        say!("{} without a report; the file says why", counted(failed, "parcel", "parcels"))?;
    }
    if done < wanted {
        let left = counted((wanted - done) as u64, "parcel is", "parcels are");
        say!("stopped; {left} left: run the command again with --continue")?;
    }
    Ok(())
}

/// What all reports of a run share.
struct Work<'a> {
    city: &'a City,
    parcels: &'a LayerSnapshot,
    options: ReportOptions,
    base_url: Option<&'a str>,
    cancel: Cancel,
}

/// A parcel that was asked for; without a row where there is none with this id.
struct Wanted {
    id: String,
    row: Option<Row>,
}

/// The layer of parcels that is meant.
fn parcels<'a>(city: &'a City, named: Option<&LayerId>) -> Result<&'a LayerSnapshot, Failure> {
    let all: Vec<&LayerSnapshot> =
        city.layers.values().map(AsRef::as_ref).filter(|own| own.layer().role == Role::Parcel).collect();
    let names = || all.iter().map(|own| own.layer().id.as_str()).collect::<Vec<_>>().join(", ");
    match (named, &all[..]) {
        (Some(id), _) => {
            let found = all.iter().find(|own| own.layer().id == *id).copied();
            found.ok_or_else(|| {
                Failure::new(format!(
                    "`{id}` is no layer of parcels; layers with the role `parcel`: {}",
                    names()
                ))
            })
        }
        (None, [only]) => Ok(only),
        (None, []) => Err(Failure::new(
            "the city has no layer with the role `parcel`; `citymap doctor planning` says what is missing",
        )),
        (None, _) => Err(Failure::new(format!(
            "there are several layers of parcels ({}); choose with --layer",
            names()
        ))),
    }
}

/// The parcels that were asked for: in the order in which they were named, else by number.
fn wanted(args: &ReportArgs, parcels: &LayerSnapshot) -> Result<Vec<Wanted>, Failure> {
    let named = |id: &str| Wanted { id: id.to_owned(), row: parcels.row_of_id(id) };
    let of_row = |row: Row| Wanted { id: parcels.id(row).to_string(), row: Some(row) };
    if let Some(path) = &args.list {
        let text = std::fs::read_to_string(path)
            .map_err(|error| Failure::because(format!("{} cannot be read", path.display()), error))?;
        let ids = text.trim_start_matches('\u{feff}').lines().map(str::trim).filter(|id| !id.is_empty());
        return Ok(ids.map(named).collect());
    }
    if let Some(path) = &args.within {
        let share = parcels.within(&Area::new(polygon(path)?)?)?;
        return Ok(share.rows.into_iter().map(of_row).collect());
    }
    if args.all {
        return Ok(parcels.rows().map(of_row).collect());
    }
    Ok(args.parcels.iter().map(|id| named(id)).collect())
}

/// Makes the reports from position `from` on and writes them in order. Returns how many lines there are then,
/// and how many of the new ones are errors. After a signal it ends with the chunk at hand.
fn write(
    work: &Work<'_>,
    wanted: &[Wanted],
    from: usize,
    out: &mut impl Write,
    bar: &Bar,
) -> Result<(usize, usize), Failure> {
    let (mut done, mut failed) = (from, 0);
    for chunk in wanted[from..].chunks(CHUNK) {
        bar.set("reports", done as u64, wanted.len() as u64);
        let lines: Vec<(String, bool)> = chunk.par_iter().map(|own| line(work, own)).collect();
        if work.cancel.is_cancelled() {
            break;
        }
        for (line, is_report) in lines {
            writeln!(out, "{line}")?;
            failed += usize::from(!is_report);
        }
        out.flush()?;
        done += chunk.len();
    }
    Ok((done, failed))
}

/// The report on a parcel as one line, or why there is none; and whether it is a report.
fn line(work: &Work<'_>, wanted: &Wanted) -> (String, bool) {
    let made = made(work, wanted)
        .and_then(|(report, _)| serde_json::to_string(&report).map_err(|error| error.to_string()));
    match made {
        Ok(line) => (line, true),
        Err(error) => (refusal(wanted, &error), false),
    }
}

/// Why there is no report on a parcel, as a line.
fn refusal(wanted: &Wanted, error: &str) -> String {
    json!({"id": wanted.id, "error": error}).to_string()
}

/// The report on a parcel and its row, or why there is none.
fn made(work: &Work<'_>, wanted: &Wanted) -> Result<(ParcelReport, Row), String> {
    let row = wanted.row.ok_or("no parcel has this id")?;
    let report = ParcelReport::make(work.city, (work.parcels, row), &work.options, &work.cancel);
    let mut report = report.map_err(|error| error.to_string())?;
    report.verification.link = work.base_url.map(|base| verification_link(base, &report));
    Ok((report, row))
}

fn create(path: &Path) -> Result<File, Failure> {
    OpenOptions::new().write(true).create_new(true).open(path).map_err(|error| {
        let advice = if error.kind() == io::ErrorKind::AlreadyExists {
            "exists; name another file, or go on with --continue"
        } else {
            "cannot be made"
        };
        Failure::because(format!("{} {advice}", path.display()), error)
    })
}

/// Opens the file of an interrupted run behind its last whole line, and says how many lines it has.
fn reopen(path: &Path, work: &Work<'_>, wanted: &[Wanted]) -> Result<(File, usize), Failure> {
    let other = |line: usize| {
        Failure::new(format!(
            "{}: line {line} is not of a run with these arguments at this revision; name another file",
            path.display()
        ))
    };
    let mut file = OpenOptions::new()
        .read(true)
        .write(true)
        .open(path)
        .map_err(|error| Failure::because(format!("{} cannot be read", path.display()), error))?;
    let mut reader = BufReader::new(&mut file);
    let (mut kept, mut end, mut line) = (0, 0, Vec::new());
    loop {
        line.clear();
        let length = reader.read_until(b'\n', &mut line)?;
        if length == 0 || line.last() != Some(&b'\n') {
            break;
        }
        let own = wanted.get(kept).ok_or_else(|| other(kept + 1))?;
        // The report is made again where the file says something about the run: in the first line.
        let expected = if kept == 0 { Some(self::line(work, own).0) } else { None };
        let text = String::from_utf8_lossy(&line);
        let matches = match expected {
            Some(expected) => expected == text.trim_end(),
            None => has_id(&text, work, own),
        };
        if !matches {
            return Err(other(kept + 1));
        }
        kept += 1;
        end += length as u64;
    }
    file.set_len(end)?;
    file.seek(SeekFrom::Start(end))?;
    Ok((file, kept))
}

/// Whether a line is of the parcel, report or error.
fn has_id(line: &str, work: &Work<'_>, wanted: &Wanted) -> bool {
    let id = match wanted.row {
        Some(row) => work.parcels.id(row).to_json(),
        None => wanted.id.clone().into(),
    };
    let id = format!("\"id\":{id}");
    line.contains(&id)
}
