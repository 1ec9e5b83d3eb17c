//! `citymap overlay`: what two layers share, computed exactly and written to a file.

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
    sync::atomic::{AtomicU64, Ordering},
    time::Instant,
};

use citymap_engine::{
    Cancel, Comparison, Filter, LayerSnapshot, Method, Operand, Overlay, OverlayError, OverlayOptions,
    Progress, Summary,
};
use citymap_live::read_layer;
use citymap_model::{Geometry, LayerId, Value, plural};
use citymap_output::{Format, Output};
use citymap_store::ReadView;
use clap::Args;
use geojson::GeoJson;

use crate::{
    database,
    failure::Failure,
    global::Global,
    output::{self, counted, say, thousands},
    progress::Bar,
    signals,
    values::AsOfArg,
};

/// The arguments of `citymap overlay`.
#[derive(Debug, Args)]
pub(crate) struct OverlayArgs {
    /// The first layer, parcels for instance.
    #[arg(value_name = "LAYER")]
    pub(crate) first: LayerId,

    /// The second layer, zones for instance. One of the two must have polygons.
    #[arg(value_name = "LAYER")]
    pub(crate) second: LayerId,

    /// The file to write: .parquet (GeoParquet), .gpkg or .csv. It must not exist.
    #[arg(long, value_name = "FILE")]
    pub(crate) out: PathBuf,

    /// Only features of the first layer that share a point with the polygon in this GeoJSON file. The
    /// features are not clipped by it.
    #[arg(long, value_name = "FILE")]
    pub(crate) within: Option<PathBuf>,

    /// Only this feature of the first layer, by its id.
    #[arg(long, value_name = "ID")]
    pub(crate) feature: Option<String>,

    /// Only features of a layer whose field has this value; an empty value finds features without a value.
    /// May be repeated.
    #[arg(long, value_name = "LAYER.FIELD=VALUE")]
    pub(crate) filter: Vec<String>,

    /// Write the geometry of each piece (the default).
    #[arg(long, default_value_t = true, overrides_with = "no_geometry")]
    pub(crate) geometry: bool,

    /// Leave the geometry out and write measures only, which is much faster.
    #[arg(long)]
    pub(crate) no_geometry: bool,

    #[command(flatten)]
    pub(crate) at: AsOfArg,

    /// Leave out pieces of at most this many square metres (or metres).
    #[arg(long, default_value_t = 1e-6, value_name = "M2")]
    pub(crate) min_area: f64,

    /// Make a .csv file safe for Excel: a byte order mark, so that it reads UTF-8, and an apostrophe before
    /// texts that it would take for formulas.
    #[arg(long)]
    pub(crate) excel: bool,
}

pub(crate) fn run(global: &Global, args: &OverlayArgs) -> Result<ExitCode, Failure> {
    let format = match Format::of(&args.out)? {
        Format::Csv { .. } => Format::Csv { excel: args.excel },
        format => format,
    };
    let within = args.within.as_deref().map(polygon).transpose()?;
    let bar = Bar::new(global.json);
    bar.set("reading the layers", 0, 0);
    let store = database::open(global, false)?;
    let view = database::view(store.as_ref(), args.at.as_of)?;
    let a = layer(view.as_ref(), &args.first)?;
    let b = if args.second == args.first { a.clone() } else { layer(view.as_ref(), &args.second)? };
    let mut first = Operand::new(&a).filtered(filters(&a, &args.filter, &args.second)?).meeting(within);
    if let Some(id) = &args.feature {
        let row = a.row_of_id(id).ok_or_else(|| {
            Failure::new(format!(
                "`{}` has no feature `{id}`; find ids with `citymap serve` and /api/search",
                args.first
            ))
        })?;
        first = first.rows(vec![row]);
    }
    let second = Operand::new(&b).filtered(filters(&b, &args.filter, &args.first)?);
    let overlay = Overlay::new(first, second)?.min_measure(args.min_area);
    let grid_excess = overlay.grid_excess();
    let clock = Instant::now();
    let cancel = Cancel::new();
    let stopped = cancel.clone();
    signals::on_stop(move || stopped.cancel())?;
    let (summary, bytes) = write(overlay, args, format, &bar, cancel)?;
    bar.clear();
    let extent = [&a, &b].iter().filter_map(|layer| layer.extent()).reduce(citymap_engine::Bbox::union);
    let method = Method::within(extent);
    report(
        global,
        args,
        &Done { summary, bytes, method, grid_excess, seconds: clock.elapsed().as_secs_f64() },
    )?;
    Ok(ExitCode::SUCCESS)
}

/// Computes the overlay and writes the file; returns what was found, and the length of the file in bytes.
fn write(
    overlay: Overlay<'_>,
    args: &OverlayArgs,
    format: Format,
    bar: &Bar,
    cancel: Cancel,
) -> Result<(Summary, u64), Failure> {
    let rows = citymap_output::pieces(&overlay, args.geometry && !args.no_geometry);
    let mut file = Output::create(&args.out, format, rows.table())?;
    let shown = AtomicU64::new(0);
    let progress = |now: Progress| {
        shown.store(now.pieces, Ordering::Relaxed);
        bar.set("features overlaid", now.done, now.total);
    };
    let options = OverlayOptions { cancel, progress: Some(&progress) };
    let shapes = overlay.shapes();
    let outcome = overlay
        .run(&options, |pieces| pieces.iter().try_for_each(|piece| rows.write(&shapes, piece, &mut file)));
    match outcome {
        Ok(summary) => {
            bar.set("finishing the file", summary.rows_a, summary.rows_a);
            file.finish()?;
            Ok((summary, std::fs::metadata(&args.out)?.len()))
        }
        Err(OverlayError::Cancelled(_)) => Err(Failure::new("stopped; nothing was written")),
        Err(OverlayError::Engine(error)) => Err(error.into()),
        Err(OverlayError::Sink(error)) => Err(Failure::from(error)),
        Err(error) => Err(error.into()),
    }
}

/// What `report` prints about a finished overlay.
struct Done {
    summary: Summary,
    /// Length of the file.
    bytes: u64,
    method: Method,
    /// How much larger areas are on the grid than on the ellipsoid, as a fraction.
    grid_excess: Option<f64>,
    seconds: f64,
}

fn report(
    global: &Global,
    args: &OverlayArgs,
    Done { summary, bytes, method, grid_excess, seconds }: &Done,
) -> Result<(), Failure> {
    let method = match method {
        Method::Grid(crs) => format!("on the grid {crs}"),
        Method::Ellipsoid => "on the ellipsoid".to_owned(),
    };
    if global.json {
        return output::print_json(&serde_json::json!({
            "file": args.out,
            "bytes": bytes,
            "rowsA": summary.rows_a,
            "rowsB": summary.rows_b,
            "pairs": summary.pairs,
            "pieces": summary.pieces,
            "contacts": summary.contacts,
            "area": summary.area,
            "length": summary.length,
            "count": summary.count,
            "method": method,
            "gridExcess": grid_excess,
            "seconds": seconds,
        }));
    }
    say!(
        "{} of {} {} and {} {} in {seconds:.1} s: {} ({})",
        counted(summary.pieces, "piece", "pieces"),
        thousands(summary.rows_a),
        args.first,
        thousands(summary.rows_b),
        args.second,
        args.out.display(),
        counted(*bytes, "byte", "bytes")
    )?;
    if summary.area > 0.0 {
        say!("area {:.4} m² {method}", summary.area)?;
    }
    if let Some(excess) = grid_excess.filter(|excess| excess.abs() >= 5e-4) {
        say!("areas on the grid are up to {:.2} % larger than on the ellipsoid", excess * 100.0)?;
    }
    if summary.length > 0.0 {
        say!("length {:.4} m {method}", summary.length)?;
    }
    if summary.count > 0 {
        say!("points {}", thousands(summary.count))?;
    }
    say!(
        "{} compared; {} only {}",
        counted(summary.pairs, "pair was", "pairs were"),
        thousands(summary.contacts),
        plural(summary.contacts, "touches", "touch")
    )
}

/// Reads one layer from the store.
fn layer(view: &dyn ReadView, id: &LayerId) -> Result<LayerSnapshot, Failure> {
    let entries = view.layers()?;
    let Some(entry) = entries.into_iter().find(|entry| entry.layer.id == *id) else {
        return Err(Failure::no_layer(id));
    };
    Ok(read_layer(view, entry)?)
}

/// The filters in `given` that are for this layer. Those for the `other` layer are skipped.
fn filters(layer: &LayerSnapshot, given: &[String], other: &LayerId) -> Result<Vec<Filter>, Failure> {
    let own = layer.layer();
    let mut filters = Vec::new();
    for text in given {
        let advice = || {
            Failure::new(format!(
                "`{text}` is not a filter; write LAYER.FIELD=VALUE, parcels.loai_dat=ODT for instance"
            ))
        };
        let (name, value) = text.split_once('=').ok_or_else(advice)?;
        let (layer_name, field) = name.split_once('.').ok_or_else(advice)?;
        if layer_name != own.id.as_str() {
            if layer_name != other.as_str() {
                return Err(advice());
            }
            continue;
        }
        let index = own.field_index(field).ok_or_else(|| {
            Failure::new(format!("`{layer_name}` has no field `{field}`; `citymap layers --json` lists them"))
        })?;
        let field_type = own.fields[index].field_type;
        let value = if value.is_empty() {
            Value::Null
        } else {
            Value::parse(value, field_type).ok_or_else(|| {
                Failure::new(format!("`{value}` is not a value of `{field}`, whose type is {field_type:?}"))
            })?
        };
        filters.push(Filter::compare(index, Comparison::Eq, value));
    }
    Ok(filters)
}

/// Reads a polygon or multipolygon (longitude, latitude) from a GeoJSON file; of a collection, the first
/// feature.
pub(crate) fn polygon(path: &Path) -> Result<Geometry, Failure> {
    let text = std::fs::read_to_string(path)
        .map_err(|error| Failure::because(format!("{} cannot be read", path.display()), error))?;
    let no_polygon =
        || Failure::new(format!("{} has no GeoJSON polygon (longitude, latitude)", path.display()));
    let geometry = match text
        .parse::<GeoJson>()
        .map_err(|error| Failure::because(format!("{} is not GeoJSON", path.display()), error))?
    {
        GeoJson::Geometry(geometry) => Some(geometry),
        GeoJson::Feature(feature) => feature.geometry,
        GeoJson::FeatureCollection(all) => all.features.into_iter().next().and_then(|first| first.geometry),
    };
    let geometry = Geometry::try_from(geometry.ok_or_else(no_polygon)?)?;
    // The same checks as for an area that is drawn on the map.
    let area = citymap_engine::Area::new(geometry)?;
    Ok(area.polygons().clone().into())
}
