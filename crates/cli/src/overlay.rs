//! `citymap overlay`.

use std::{
    path::Path,
    process::ExitCode,
    sync::atomic::{AtomicU64, Ordering},
    time::Instant,
};

use citymap_engine::{
    Cancel, Comparison, EngineError, Filter, LayerSnapshot, Method, Operand, Overlay, OverlayError,
    OverlayOptions, Progress, SnapshotBuilder, Summary,
};
use citymap_model::{Geometry, LayerId, Value};
use citymap_output::{Format, Output};
use citymap_store::{StoreError, View};
use geojson::GeoJson;

use crate::{
    args::{Cli, OverlayArgs},
    database,
    output::{self, Failure, thousands},
    progress::Bar,
};

pub(crate) fn run(cli: &Cli, args: &OverlayArgs) -> Result<ExitCode, Failure> {
    let format = match Format::of(&args.out)? {
        Format::Csv { .. } => Format::Csv { excel: args.excel },
        format => format,
    };
    let within = args.within.as_deref().map(polygon).transpose()?;
    let bar = Bar::new(cli.json);
    bar.set("reading the layers", 0, 0);
    let store = database::open(cli, false)?;
    let view = database::view(store.as_ref(), args.as_of)?;
    let a = layer(view.as_ref(), &args.first)?;
    let b = if args.second == args.first { a.clone() } else { layer(view.as_ref(), &args.second)? };
    let mut first = Operand::new(&a).filtered(filters(&a, &args.filter, &args.second)?).meeting(within);
    if let Some(id) = &args.feature {
        let row = a.row_of_id(id).ok_or_else(|| {
            Failure(format!(
                "`{}` has no feature `{id}`; `citymap serve` and /api/search find ids",
                args.first
            ))
        })?;
        first = first.rows(vec![row]);
    }
    let second = Operand::new(&b).filtered(filters(&b, &args.filter, &args.first)?);
    let overlay = Overlay::new(first, second)?.min_measure(args.min_area);
    let clock = Instant::now();
    let cancel = Cancel::new();
    stop_on_signal(cancel.clone())?;
    let (summary, bytes) = write(overlay, args, format, &bar, cancel)?;
    bar.clear();
    report(cli, args, &a, &b, &summary, bytes, clock.elapsed().as_secs_f64());
    Ok(ExitCode::SUCCESS)
}

/// Writes the file; what came of it, and its length.
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
        bar.set("features laid over", now.done, now.total);
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
        Err(OverlayError::Cancelled(_)) => Err(Failure("stopped; nothing was written".to_owned())),
        Err(OverlayError::Engine(error)) => Err(error.into()),
        Err(OverlayError::Sink(error)) => Err(Failure::from(error)),
        Err(error) => Err(Failure(error.to_string())),
    }
}

fn report(
    cli: &Cli,
    args: &OverlayArgs,
    a: &LayerSnapshot,
    b: &LayerSnapshot,
    summary: &Summary,
    bytes: u64,
    seconds: f64,
) {
    let extent = [a, b].iter().filter_map(|layer| layer.extent()).reduce(citymap_engine::Bbox::union);
    let method = match Method::within(extent) {
        Method::Grid(crs) => format!("on the grid {crs}"),
        Method::Ellipsoid => "on the ellipsoid".to_owned(),
    };
    if cli.json {
        output::print_json(&serde_json::json!({
            "file": args.out, "bytes": bytes, "rowsA": summary.rows_a, "rowsB": summary.rows_b, "pairs": summary.pairs,
            "pieces": summary.pieces, "contacts": summary.contacts, "area": summary.area, "length": summary.length,
            "count": summary.count, "method": method, "seconds": seconds,
        }));
        return;
    }
    println!(
        "{} pieces of {} {} and {} {} in {seconds:.1} s: {} ({} bytes)",
        thousands(summary.pieces),
        thousands(summary.rows_a),
        args.first,
        thousands(summary.rows_b),
        args.second,
        args.out.display(),
        thousands(bytes)
    );
    if summary.area > 0.0 {
        println!("area {:.4} m² {method}", summary.area);
    }
    if summary.length > 0.0 {
        println!("length {:.4} m {method}", summary.length);
    }
    if summary.count > 0 {
        println!("points {}", thousands(summary.count));
    }
    println!("{} pairs were looked at; {} only touch", thousands(summary.pairs), thousands(summary.contacts));
}

/// Reads one layer of the record.
fn layer(view: &dyn View, id: &LayerId) -> Result<LayerSnapshot, Failure> {
    let entries = view.layers()?;
    let Some(entry) = entries.into_iter().find(|entry| entry.layer.id == *id) else {
        return Err(Failure(format!("there is no layer `{id}`; `citymap layers` lists them")));
    };
    let mut builder = SnapshotBuilder::new(entry.layer);
    let mut failure: Option<EngineError> = None;
    let outcome = view.read(id, &mut |feature| {
        builder.push(&feature).map_err(|error| {
            let stopped = StoreError::Stopped(error.to_string());
            failure = Some(error);
            stopped
        })
    });
    if let Some(error) = failure {
        return Err(error.into());
    }
    outcome?;
    Ok(builder.finish(entry.revision))
}

/// The filters that name this layer, or no layer where `other` does not have the field.
fn filters(layer: &LayerSnapshot, given: &[String], other: &LayerId) -> Result<Vec<Filter>, Failure> {
    let own = layer.layer();
    let mut filters = Vec::new();
    for text in given {
        let advice = || {
            Failure(format!(
                "`{text}` is no filter; write LAYER.FIELD=VALUE, parcels.loai_dat=ODT for instance"
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
            Failure(format!("`{layer_name}` has no field `{field}`; `citymap layers --json` lists them"))
        })?;
        let field_type = own.fields[index].field_type;
        let value = if value.is_empty() {
            Value::Null
        } else {
            Value::parse(value, field_type).ok_or_else(|| {
                Failure(format!("`{value}` is no value of `{field}`, which is {field_type:?}"))
            })?
        };
        filters.push(Filter { field: index, comparison: Comparison::Eq, value });
    }
    Ok(filters)
}

/// The polygon in a GeoJSON file.
fn polygon(path: &Path) -> Result<Geometry, Failure> {
    let text =
        std::fs::read_to_string(path).map_err(|error| Failure(format!("{}: {error}", path.display())))?;
    let no_polygon = || Failure(format!("{} holds no GeoJSON polygon (longitude, latitude)", path.display()));
    let geometry = match text
        .parse::<GeoJson>()
        .map_err(|error| Failure(format!("{}: {error}", path.display())))?
    {
        GeoJson::Geometry(geometry) => Some(geometry),
        GeoJson::Feature(feature) => feature.geometry,
        GeoJson::FeatureCollection(all) => all.features.into_iter().next().and_then(|first| first.geometry),
    };
    let geometry = Geometry::try_from(geometry.ok_or_else(no_polygon)?)?;
    // Checked as every area that somebody draws.
    let area = citymap_engine::Area::new(geometry)?;
    Ok(area.polygons().clone().into())
}

/// Sets the flag at Ctrl-C or SIGTERM: the work ends, and nothing is left of the file.
fn stop_on_signal(cancel: Cancel) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    std::thread::Builder::new().name("signals".to_owned()).spawn(move || {
        runtime.block_on(async {
            let mut terminate =
                tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()).ok();
            let terminated = async {
                match &mut terminate {
                    Some(signal) => {
                        signal.recv().await;
                    }
                    None => std::future::pending::<()>().await,
                }
            };
            tokio::select! {
                _ = tokio::signal::ctrl_c() => {}
                () = terminated => {}
            }
        });
        cancel.cancel();
    })?;
    Ok(())
}
