//! `citymap import`: reads data files into the store, in a child process with limits, and prints the report.

mod print;

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
    time::Duration,
};

use chrono::NaiveDate;
use citymap_crs::Crs;
use citymap_ingest::{
    BuildPolygons, BuildPreset, ColumnChoice, DateOrder, FeatureLimits, ImportError, RepairBounds, Report,
    ReportFile, Request,
    encoding::Encoding,
    find_crs,
    worker::{self, Bounds, Stop},
};
use citymap_model::{FieldType, LayerId, Meaning, Mode, Role, UnknownMode};
use clap::Args;

use crate::{
    database, failure::Failure, global::Global, meanings::field_meaning, output, progress::Bar, signals,
    values::CommitArgs,
};

/// The arguments of `citymap import`.
#[derive(Debug, Args)]
pub(crate) struct ImportArgs {
    /// Files to read (a File Geodatabase is a folder; a .zip is opened).
    #[arg(required = true, value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,

    /// Id of the layer. Default: from the file's name. A source with several layers makes one layer ID_name
    /// of each.
    #[arg(long, value_name = "ID")]
    pub(crate) layer: Option<LayerId>,

    /// What the layer is: parcel, zone, road, building, address, admin_unit, utility, place, report, other.
    #[arg(long)]
    pub(crate) role: Option<Role>,

    /// Coordinate system of the source, for instance EPSG:9210 or "VN-2000 / TM-3 105-45"; overrides what
    /// the file says. NAME=EPSG:n is that of one layer of the source (may be repeated). Where rows of a table
    /// name different systems, or some name none, those that name one keep it.
    #[arg(long = "crs", value_name = "[NAME=]EPSG:n", value_parser = layer_crs)]
    pub(crate) systems: Vec<(Option<String>, Crs)>,

    /// Import only the layer of this name in the source (may be repeated).
    #[arg(long = "layer-name", value_name = "NAME")]
    pub(crate) layer_names: Vec<String>,

    /// Import only this file of a .zip or .kmz (may be repeated).
    #[arg(long = "member", value_name = "NAME")]
    pub(crate) members: Vec<String>,

    /// Exchange x and y of every position (Vietnamese papers write X for the northing).
    #[arg(long)]
    pub(crate) swap_xy: bool,

    /// The column of a table with x, longitude or easting; goes with --y. Without it, columns are found by
    /// name.
    #[arg(long, value_name = "FIELD", requires = "y")]
    pub(crate) x: Option<String>,

    /// The column of a table with y, latitude or northing; goes with --x.
    #[arg(long, value_name = "FIELD", requires = "x")]
    pub(crate) y: Option<String>,

    /// The column of a table with WKT or EWKT.
    #[arg(long, value_name = "FIELD", conflicts_with_all = ["x", "y"])]
    pub(crate) wkt: Option<String>,

    /// The column of a table with geometry as WKT, EWKT, hexadecimal WKB or GeoJSON; in GML and GeoParquet,
    /// one of several geometries.
    #[arg(long, value_name = "FIELD", conflicts_with_all = ["x", "y", "wkt"])]
    pub(crate) geometry_column: Option<String>,

    /// Encoding of the source's texts; overrides what the file says and what its bytes suggest:
    /// utf-8, tcvn3, vni, viscii, vps, cp1258, cp1252.
    #[arg(long, value_name = "NAME")]
    pub(crate) encoding: Option<Encoding>,

    /// The order of day and month in dates written as text (31/12/2025): dmy, mdy or ymd. Without it,
    /// columns that have a day above 12 say it themselves, and others stay text.
    #[arg(long, value_name = "ORDER")]
    pub(crate) date_order: Option<DateOrder>,

    /// The field that holds the key. It need not be unique; repeated keys are reported.
    #[arg(long, value_name = "FIELD")]
    pub(crate) key: Option<String>,

    /// Fields that hold personal data: they are kept, and shown to nobody. Others are proposed by their names
    /// and values.
    #[arg(long, value_name = "FIELD,…", value_delimiter = ',')]
    pub(crate) personal: Vec<String>,

    /// Fields that everybody may see, although they look personal or are so in the record.
    #[arg(long, value_name = "FIELD,…", value_delimiter = ',')]
    pub(crate) public: Vec<String>,

    /// Let a source that lacks personal fields of the layer replace it, so that their values go. An export
    /// without --personal lacks them.
    #[arg(long)]
    pub(crate) allow_drop_personal: bool,

    /// What a field means, over what its name suggests (may be repeated): so_to=sheet; FIELD=none for
    /// nothing. The report lists what was understood; `citymap layer set` changes it later.
    #[arg(long = "meaning", value_name = "FIELD=MEANING", value_parser = field_meaning)]
    pub(crate) meanings: Vec<(String, Option<Meaning>)>,

    /// Give a field of the source another name (may be repeated); other options use the new one.
    #[arg(long = "field", value_name = "OLD=NEW", value_parser = renamed_field)]
    pub(crate) renames: Vec<(String, String)>,

    /// Leave a field of the source out (may be repeated).
    #[arg(long = "drop-field", value_name = "FIELD")]
    pub(crate) drop_fields: Vec<String>,

    /// The type of a field, whatever its values look like (may be repeated): bool, int, real, text, date,
    /// datetime. A feature whose value is none is rejected.
    #[arg(long = "type", value_name = "FIELD=TYPE", value_parser = typed_field)]
    pub(crate) types: Vec<(String, FieldType)>,

    /// What happens to the features that the layer has: replace, append, upsert (by key).
    #[arg(long, default_value = "replace", value_parser = import_mode)]
    pub(crate) mode: Mode,

    /// Let a source without features, or with none that can be accepted, empty a layer that has some.
    #[arg(long)]
    pub(crate) allow_empty: bool,

    /// The layer's title, as people read it.
    #[arg(long, value_name = "TEXT")]
    pub(crate) title: Option<String>,

    /// The date whose state the data shows, YYYY-MM-DD.
    #[arg(long, value_name = "DATE")]
    pub(crate) data_date: Option<NaiveDate>,

    #[command(flatten)]
    pub(crate) commit: CommitArgs,

    /// Do everything except change the store.
    #[arg(long)]
    pub(crate) dry_run: bool,

    /// Write the report as JSON to this file; the report of an earlier import is replaced.
    #[arg(long, value_name = "FILE")]
    pub(crate) report: Option<PathBuf>,

    /// GeoPackage file for rejected features. Default: next to the report, else next to the store. Those of
    /// earlier imports stay in it.
    #[arg(long, value_name = "FILE")]
    pub(crate) rejects: Option<PathBuf>,

    /// Build polygons of the lines in the files, and give them the fields of the points in them: `lines`
    /// takes all lines and points, `dgn-cadastral` the levels of cadastral drawings (Circular
    /// 26/2024/TT-BTNMT).
    #[arg(long, value_name = "PRESET")]
    pub(crate) build_polygons: Option<BuildPreset>,

    /// With --build-polygons: metres within which ends of lines become one.
    #[arg(long, default_value_t = 0.01, value_name = "METRES", value_parser = metres)]
    #[arg(requires = "build_polygons")]
    pub(crate) snap: f64,

    /// How often the edges of one polygon may cross each other for it to be repaired; beyond, it is rejected.
    #[arg(long, default_value_t = RepairBounds::CROSSINGS, value_name = "N")]
    pub(crate) max_repair_crossings: usize,

    /// Maximum memory of the process that reads the files, in MiB; 0 for no limit. Default: half of the
    /// machine's memory.
    #[arg(long, value_name = "MIB")]
    pub(crate) max_memory: Option<u64>,

    /// Maximum size of all temporary files together (members of archives, copies, indexes), in bytes; 0 for
    /// no limit. Default: half of what is free on their disk (TMPDIR).
    #[arg(long, value_name = "BYTES")]
    pub(crate) max_temporary: Option<u64>,

    /// Maximum time until the files are read, in seconds; 0 for no limit.
    #[arg(long, default_value_t = 3_600, value_name = "SECONDS")]
    pub(crate) max_time: u64,

    /// Maximum number of corners of one geometry; a feature with more is rejected.
    #[arg(long, default_value_t = FeatureLimits::default().corners, value_name = "N", value_parser = corners)]
    pub(crate) max_corners: usize,

    /// Maximum size of one text in bytes; a feature with a longer one is rejected.
    #[arg(long, default_value_t = FeatureLimits::default().value, value_name = "BYTES", value_parser = value)]
    pub(crate) max_value: usize,
}

fn corners(text: &str) -> Result<usize, String> {
    up_to(text, FeatureLimits::CORNERS_MAX)
}

fn value(text: &str) -> Result<usize, String> {
    up_to(text, FeatureLimits::VALUE_MAX)
}

/// Parses a number from 1 to `maximum`.
fn up_to(text: &str, maximum: usize) -> Result<usize, String> {
    match text.parse() {
        Ok(number) if (1..=maximum).contains(&number) => Ok(number),
        _ => Err(format!("`{text}` is not a number from 1 to {maximum}")),
    }
}

/// Parses `EPSG:n` or the name of a system, or `NAME=EPSG:n` for one layer of the source.
fn layer_crs(text: &str) -> Result<(Option<String>, Crs), String> {
    let (layer, code) = match text.rsplit_once('=') {
        Some((layer, code)) => (Some(layer.to_owned()), code),
        None => (None, text),
    };
    Ok((layer, find_crs(code).map_err(|error| error.to_string())?))
}

/// Parses a distance in metres from 0 to 100.
fn metres(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(metres) if (0.0..=100.0).contains(&metres) => Ok(metres),
        _ => Err(format!("`{text}` is not a distance; give metres from 0 to 100")),
    }
}

/// Parses a mode, and refuses those that only edits and restores have.
fn import_mode(text: &str) -> Result<Mode, String> {
    let mode = text.parse().map_err(|error: UnknownMode| error.to_string())?;
    if Mode::IMPORT.contains(&mode) { Ok(mode) } else { Err(UnknownMode(text.to_owned()).to_string()) }
}

/// Parses `OLD=NEW`, the names of a field.
fn renamed_field(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((old, new)) if !old.is_empty() && !new.is_empty() => Ok((old.to_owned(), new.to_owned())),
        _ => Err("give the name in the source and the new one: OLD=NEW".to_owned()),
    }
}

/// Parses `FIELD=TYPE`, the type by its name.
fn typed_field(text: &str) -> Result<(String, FieldType), String> {
    let advice = || {
        let all: Vec<&str> = FieldType::ALL.iter().map(|own| own.as_str()).collect();
        format!("give a field and its type: FIELD=TYPE; the types are {}", all.join(", "))
    };
    let (field, name) = text.rsplit_once('=').filter(|(field, _)| !field.is_empty()).ok_or_else(advice)?;
    let found = FieldType::ALL.into_iter().find(|own| own.as_str() == name).ok_or_else(advice)?;
    Ok((field.to_owned(), found))
}

pub(crate) fn run(global: &Global, args: &ImportArgs) -> Result<ExitCode, Failure> {
    let memory = args.max_memory.map_or_else(worker::default_memory, |mib| mib.saturating_mul(1 << 20));
    let temporary = args.max_temporary.unwrap_or_else(worker::default_temporary);
    let stop = Stop::default();
    let stopped = stop.clone();
    signals::on_stop(move || stopped.stop())?;
    let bounds = Bounds { memory, time: Duration::from_secs(args.max_time), temporary, stop };
    let request = request(global, args);
    let report_file = report_file(global, args, &request)?;
    let bar = Bar::new(global.json);
    let outcome = store_and_import(global, &request, &bounds, &bar);
    bar.clear();
    match outcome {
        Ok(report) => {
            // From here on nothing fails the command: a script that repeats it would import twice.
            let printed = || match global.json {
                true => output::print_json(&serde_json::to_value(&report)?),
                false => print::report(global, &report),
            };
            for outcome in [write_report(report_file, &report), printed()] {
                if let Err(failure) = outcome {
                    output::write_error(format_args!("warning: {}: {failure}", stands(global, &report)));
                }
            }
            Ok(ExitCode::from(report.exit_code()))
        }
        Err(error) => {
            if let ImportError::NothingAccepted { report, .. } = &error {
                write_report(report_file, report)?;
                if !global.json {
                    report.layers.iter().try_for_each(print::issues)?;
                }
            }
            Err(error.into())
        }
    }
}

fn store_and_import(
    global: &Global,
    request: &Request,
    bounds: &Bounds,
    bar: &Bar,
) -> Result<Report, ImportError> {
    // A dry run or a failed import leaves no new file behind.
    let made = !citymap_store::is_database(&global.store) && !Path::new(&global.store).exists();
    let store = database::open(global, true)?;
    if !request.dry_run {
        database::bring_up_to_date(global, store.as_ref())?;
    }
    let outcome = worker::import(request, store.as_ref(), bounds, &mut |progress| {
        let what = if progress.layer.is_empty() { &progress.file } else { &progress.layer };
        bar.set(what, progress.done, progress.total.unwrap_or(0));
    });
    let untouched = made && store.revision().is_ok_and(|revision| revision == 0);
    drop(store);
    if untouched {
        // An empty store is harmless, so a fault here does not matter.
        let _ = std::fs::remove_file(&global.store);
    }
    outcome
}

fn request(global: &Global, args: &ImportArgs) -> Request {
    Request {
        layer: args.layer.clone(),
        role: args.role,
        crs: args.systems.iter().rev().find(|(layer, _)| layer.is_none()).map(|(_, crs)| *crs),
        layer_crs: args.systems.iter().filter_map(|(layer, crs)| Some((layer.clone()?, *crs))).collect(),
        layer_names: args.layer_names.clone(),
        members: args.members.clone(),
        swap_xy: args.swap_xy,
        columns: ColumnChoice {
            x: args.x.clone(),
            y: args.y.clone(),
            wkt: args.wkt.clone(),
            geometry: args.geometry_column.clone(),
        },
        encoding: args.encoding,
        date_order: args.date_order,
        key: args.key.clone(),
        meanings: args.meanings.clone(),
        renames: args.renames.clone(),
        drop_fields: args.drop_fields.clone(),
        types: args.types.clone(),
        mode: args.mode,
        allow_empty: args.allow_empty,
        personal: args.personal.clone(),
        public: args.public.clone(),
        allow_drop_personal: args.allow_drop_personal,
        title: args.title.clone(),
        data_date: args.data_date,
        author: args.commit.author.clone(),
        message: args.commit.message.clone(),
        dry_run: args.dry_run,
        feature_limits: FeatureLimits { corners: args.max_corners, value: args.max_value },
        build_polygons: args.build_polygons.map(|preset| BuildPolygons { preset, snap: args.snap }),
        repair: RepairBounds { crossings: args.max_repair_crossings, ..RepairBounds::default() },
        rejects: args.rejects.clone().or_else(|| Some(default_rejects(global, args))),
        ..Request::new(args.files.clone())
    }
}

/// The rejects file if none is named: `REPORT.rejects.gpkg` next to the report; without a report, or if it
/// is a device or a pipe, `FILE.rejects.gpkg` next to the store, or in the current folder if the store is a
/// database.
fn default_rejects(global: &Global, args: &ImportArgs) -> PathBuf {
    let is_special = |path: &Path| path.metadata().is_ok_and(|found| !found.is_file());
    if let Some(report) = args.report.as_ref().filter(|report| !is_special(report)) {
        return report.with_extension("rejects.gpkg");
    }
    let stem = args.files.first().and_then(|file| file.file_stem()).unwrap_or_default();
    let folder = if citymap_store::is_database(&global.store) {
        Path::new("")
    } else {
        Path::new(&global.store).parent().unwrap_or(Path::new(""))
    };
    let mut name = stem.to_owned();
    name.push(".rejects.gpkg");
    folder.join(name)
}

/// Opens the report's file, before anything is imported.
fn report_file(global: &Global, args: &ImportArgs, request: &Request) -> Result<Option<ReportFile>, Failure> {
    let Some(path) = &args.report else { return Ok(None) };
    let mut protected = citymap_ingest::protected(&request.files, &global.store);
    if let Some(rejects) = &request.rejects {
        protected.add("the rejects file", rejects);
    }
    Ok(Some(ReportFile::open(path, &protected)?))
}

fn write_report(file: Option<ReportFile>, report: &Report) -> Result<(), Failure> {
    Ok(file.map_or(Ok(()), |file| file.write(report))?)
}

/// What is true whatever fails after the commit.
fn stands(global: &Global, report: &Report) -> String {
    match report.revision {
        Some(revision) => format!(
            "the import is complete, and {} is at revision {revision}, but what follows failed",
            database::shown(&global.store)
        ),
        None => "the dry run is complete, but what follows failed".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use clap::{CommandFactory, Parser};

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        args: ImportArgs,
    }

    #[test]
    fn the_limits_are_those_of_the_documentation() {
        let page = include_str!("../../../docs/limits.md");
        let command = Line::command();
        for name in ["max_time", "max_corners", "max_value"] {
            let option = command.get_arguments().find(|option| option.get_id() == name).unwrap();
            let default = option.get_default_values()[0].to_string_lossy();
            let row = format!("| `--{}` | {default} |", name.replace('_', "-"));
            assert!(page.contains(&row), "docs/limits.md must have {row}");
        }
        for maximum in [FeatureLimits::CORNERS_MAX, FeatureLimits::VALUE_MAX] {
            assert!(page.contains(&output::thousands(maximum as u64)), "{maximum}");
        }
        assert_eq!(page.contains("half of the machine's memory"), worker::MACHINE_PART == 2);
        assert_eq!(page.contains("half of the free disk"), worker::DISK_PART == 2);
    }

    #[test]
    fn a_limit_beyond_its_maximum_is_refused() {
        for bad in ["--max-corners=0", "--max-corners=10000001", "--max-value=x", "--max-value=67108865"] {
            assert!(Line::try_parse_from(["import", "a.csv", bad]).is_err(), "{bad}");
        }
        let line = Line::try_parse_from(["import", "a.csv", "--max-corners=10"]).unwrap();
        assert_eq!((line.args.max_corners, line.args.max_memory), (10, None));
    }
}
