//! `citymap check`: what contradicts itself in a city's plans, parcels and rights-of-way.

use std::{path::PathBuf, process::ExitCode, time::Instant};

use chrono::{NaiveDate, NaiveTime, Utc};
use citymap_engine::{Cancel, City, EngineError, TimeInterval};
use citymap_model::{AsOf, Layer, Role};
use citymap_output::{Format, Output, faults};
use citymap_planning::{
    CheckError, CheckHooks, CheckKind, CheckOptions, CheckProgress, CheckResult, Fault, FaultState, check,
    compare,
};
use citymap_server::fault_link;
use clap::{Args, builder::PossibleValuesParser};
use serde_json::{Map, Value, json};

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

/// The exit code of a check that found faults.
const FAULTS: u8 = 3;

/// The arguments of `citymap check`.
#[derive(Debug, Args)]
pub(crate) struct CheckArgs {
    /// What the check looks for.
    #[arg(value_name = "CHECK", value_parser = kinds())]
    kind: String,

    /// The file to write: .geojson, .gpkg, .csv or .parquet. It must not exist.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,

    /// Only parcels and zones that share a point with the polygon in this GeoJSON file.
    #[arg(long, value_name = "FILE")]
    within: Option<PathBuf>,

    /// What is valid on this day; without it, today in the city's time.
    #[arg(long, value_name = "YYYY-MM-DD")]
    valid_on: Option<NaiveDate>,

    /// Overlaps, cuts and conflicts of at most this many square metres do not count.
    #[arg(long, default_value_t = CheckOptions::default().area_tolerance, value_name = "M2")]
    min_area: f64,

    /// Enclosed holes up to this mean width in metres are gaps; wider ones are streets and courtyards.
    #[arg(long, default_value_t = CheckOptions::default().gap_width, value_name = "METRES")]
    gap_width: f64,

    /// Boundaries up to this distance in metres nearly meet.
    #[arg(long, default_value_t = CheckOptions::default().near_distance, value_name = "METRES")]
    distance: f64,

    /// Compare with the same check of this earlier revision (or day): each fault is new, the same or gone.
    #[arg(long, value_name = "REVISION")]
    compare_to: Option<AsOf>,

    /// The address under which people reach the server, for the links; without it they begin with /api.
    #[arg(long, value_parser = citymap_server::parse_base_url, value_name = "URL")]
    base_url: Option<String>,

    #[command(flatten)]
    at: AsOfArg,
}

/// Whether a check reads the layer.
fn is_checked(layer: &Layer) -> bool {
    matches!(layer.role, Role::Parcel | Role::Zone | Role::Road)
}

/// The names of checks.
fn kinds() -> PossibleValuesParser {
    PossibleValuesParser::new(CheckKind::ALL.map(CheckKind::as_str))
}

pub(crate) fn run(global: &Global, args: &CheckArgs) -> Result<ExitCode, Failure> {
    let format = Format::of(&args.out)?;
    let kind = CheckKind::from_name(&args.kind)
        .ok_or_else(|| Failure::new("there is no such check; `citymap check --help` lists them"))?;
    let within = args.within.as_deref().map(polygon).transpose()?;
    let bar = Bar::new(global.json);
    bar.set("reading the layers", 0, 0);
    let store = database::open(global, false)?;
    let city = database::city(store.as_ref(), args.at.as_of, is_checked)?;
    let day = args.valid_on.unwrap_or_else(|| city.profile.day_of(Utc::now()));
    let start = Some(day.and_time(NaiveTime::MIN).and_utc());
    let options = CheckOptions {
        time: Some(TimeInterval { start, end: start }),
        within,
        area_tolerance: args.min_area,
        gap_width: args.gap_width,
        near_distance: args.distance,
        ..CheckOptions::default()
    };
    let cancel = Cancel::new();
    let stopped = cancel.clone();
    signals::on_stop(move || stopped.cancel())?;
    let clock = Instant::now();
    let work = Work { kind, options, cancel, bar: &bar };
    let before = match args.compare_to {
        Some(revision) => Some(work.check(&database::city(store.as_ref(), Some(revision), is_checked)?)?),
        None => None,
    };
    let now = work.check(&city)?;
    let figures = Figures { checked: now.checked, found: now.found, measure: now.measure };
    let compared = compared(before, now, &work)?;
    let states = write(args, format, kind, &compared)?;
    bar.clear();
    summary(global, args, (kind, &figures, &states), clock.elapsed().as_secs_f64())?;
    Ok(ExitCode::from(if figures.found > 0 { FAULTS } else { 0 }))
}

/// What all runs of one command share.
struct Work<'a> {
    kind: CheckKind,
    options: CheckOptions,
    cancel: Cancel,
    bar: &'a Bar,
}

impl Work<'_> {
    fn check(&self, city: &City) -> Result<CheckResult, Failure> {
        let progress = |now: CheckProgress| self.bar.set("features checked", now.done, now.total);
        let hooks = CheckHooks { cancel: self.cancel.clone(), progress: Some(&progress) };
        check(city, self.kind, &self.options, &hooks).map_err(|error| match error {
            CheckError::Engine(EngineError::Cancelled(_)) => Failure::new("stopped; nothing was written"),
            error => error.into(),
        })
    }
}

/// The totals of a check.
struct Figures {
    checked: u64,
    found: u64,
    measure: f64,
}

/// A fault, and how it compares with the earlier run.
type ComparedFault = (Fault, Option<FaultState>);

fn compared(
    before: Option<CheckResult>,
    now: CheckResult,
    work: &Work<'_>,
) -> Result<Vec<ComparedFault>, Failure> {
    let Some(before) = before else {
        return Ok(now.faults.into_iter().map(|fault| (fault, None)).collect());
    };
    if [&before, &now].iter().any(|result| result.found > result.faults.len() as u64) {
        return Err(CheckError::TooMany { max: work.options.faults_max }.into());
    }
    let compared = compare(before.faults, now.faults);
    Ok(compared.into_iter().map(|(fault, state)| (fault, Some(state))).collect())
}

/// Writes the file; returns how many faults have each state, if two runs were compared, and how many are
/// listed.
fn write(
    args: &CheckArgs,
    format: Format,
    kind: CheckKind,
    found: &[ComparedFault],
) -> Result<Map<String, Value>, Failure> {
    let rows = faults(kind, args.compare_to.is_some())?;
    let mut file = Output::create(&args.out, format, rows.table())?;
    let base = args.base_url.as_deref().unwrap_or_default();
    let mut states = Map::new();
    for (fault, state) in found {
        rows.write(fault, &fault_link(base, fault), *state, &mut file)?;
    }
    file.finish()?;
    states.insert("listed".to_owned(), found.len().into());
    if args.compare_to.is_some() {
        for state in [FaultState::New, FaultState::Same, FaultState::Gone] {
            let count = found.iter().filter(|(_, own)| *own == Some(state)).count();
            states.insert(state.as_str().to_owned(), count.into());
        }
    }
    Ok(states)
}

fn summary(
    global: &Global,
    args: &CheckArgs,
    (kind, figures, states): (CheckKind, &Figures, &Map<String, Value>),
    seconds: f64,
) -> Result<(), Failure> {
    let Figures { checked, found, measure } = *figures;
    let in_metres = kind.unit() == "m";
    if global.json {
        let mut document = json!({
            "file": args.out, "check": kind.as_str(), "checked": checked, "found": found,
            "seconds": seconds,
        });
        document[if in_metres { "distanceMax" } else { "area" }] = measure.into();
        for (name, count) in states {
            document[name] = count.clone();
        }
        return output::print_json(&document);
    }
    say!(
        "{} of {} checked in {seconds:.1} s: {}",
        counted(found, "fault", "faults"),
        counted(checked, "feature", "features"),
        args.out.display()
    )?;
    if found > 0 && in_metres {
        say!("the largest distance is {measure:.3} m")?;
    } else if found > 0 {
        say!("area {measure:.4} m²")?;
    }
    let count = |name: &str| states.get(name).and_then(Value::as_u64).unwrap_or_default();
    if args.compare_to.is_some() {
        say!("{} new, {} the same, {} gone", count("new"), count("same"), count("gone"))?;
    } else if count("listed") < found {
        say!("the file lists the first {}", counted(count("listed"), "fault", "faults"))?;
    }
    Ok(())
}
