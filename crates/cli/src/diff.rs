//! `citymap diff`: what differs between two revisions, as text, JSON or a GeoJSON file.

use std::{
    fs::File,
    io::{self, BufWriter, Write},
    path::{Path, PathBuf},
    process::ExitCode,
};

use citymap_access::{Audience, visible};
use citymap_files::PartialFile;
use citymap_model::{AsOf, Feature, Layer, LayerId, RevisionNumber};
use citymap_store::{Change, ReadView, Store, StoreError};
use clap::Args;
use serde_json::{Value as Json, json};

use crate::{
    database,
    failure::Failure,
    global::Global,
    output::{self, say, thousands},
};

/// The arguments of `citymap diff`.
#[derive(Debug, Args)]
pub(crate) struct DiffArgs {
    /// The earlier state: a revision number, a date (the end of that day) or an instant.
    #[arg(value_name = "FROM")]
    pub(crate) from: AsOf,

    /// The later state. Default: the newest revision.
    #[arg(value_name = "TO")]
    pub(crate) to: Option<AsOf>,

    /// Compare only this layer.
    #[arg(long, value_name = "ID")]
    pub(crate) layer: Option<LayerId>,

    /// Write all differences to this GeoJSON file: each feature as it is now (or was, if removed), with the
    /// values of both states.
    #[arg(long, value_name = "FILE")]
    pub(crate) geojson: Option<PathBuf>,

    /// Maximum number of features that are listed for each layer.
    #[arg(long, default_value_t = 20, value_name = "N")]
    pub(crate) limit: usize,
}

/// The differences in one layer.
struct LayerDiff {
    layer: LayerId,
    added: u64,
    changed: u64,
    removed: u64,
    /// The first few differences, with the values that differ.
    listed: Vec<Json>,
}

pub(crate) fn run(global: &Global, args: &DiffArgs) -> Result<ExitCode, Failure> {
    let store = database::open(global, false)?;
    let from = database::number(store.as_ref(), args.from)?;
    let to = match args.to {
        Some(to) => database::number(store.as_ref(), to)?,
        None => store.revision()?,
    };
    if from > to {
        return Err(Failure::new(format!(
            "revision {from} is later than {to}; give the earlier one first: `citymap diff {to} {from}`"
        )));
    }
    let mut file = args.geojson.as_deref().map(GeoJson::create).transpose()?;
    let layers = differing(store.as_ref(), from, to, args.layer.as_ref())?;
    let mut diffs = Vec::new();
    for id in layers {
        diffs.push(one(store.as_ref(), &id, [from, to], args.limit, file.as_mut())?);
    }
    diffs.retain(|diff| diff.added + diff.changed + diff.removed > 0);
    if let Some(file) = file {
        file.finish()?;
    }
    if global.json {
        let layers: Vec<Json> = diffs
            .iter()
            .map(|diff| {
                json!({
                    "layer": diff.layer,
                    "added": diff.added,
                    "changed": diff.changed,
                    "removed": diff.removed,
                    "features": diff.listed,
                })
            })
            .collect();
        output::print_json(&json!({ "from": from, "to": to, "layers": layers }))?;
        return Ok(ExitCode::SUCCESS);
    }
    print(&diffs, from, to)?;
    Ok(ExitCode::SUCCESS)
}

/// The layers that a revision after `from`, up to `to`, changed.
fn differing(
    store: &dyn Store,
    from: RevisionNumber,
    to: RevisionNumber,
    only: Option<&LayerId>,
) -> Result<Vec<LayerId>, StoreError> {
    let (former, latter) = (store.view_at(from)?.layers()?, store.view_at(to)?.layers()?);
    let mut ids: Vec<LayerId> = latter
        .iter()
        .filter(|entry| entry.revision > from)
        .chain(former.iter().filter(|old| latter.iter().all(|entry| entry.layer.id != old.layer.id)))
        .map(|entry| entry.layer.id.clone())
        .collect();
    if let Some(only) = only {
        let known = former.iter().chain(&latter).any(|entry| entry.layer.id == *only);
        if !known {
            return Err(StoreError::NoLayer(only.clone()));
        }
        ids.retain(|id| id == only);
    }
    ids.sort_unstable();
    Ok(ids)
}

fn one(
    store: &dyn Store,
    id: &LayerId,
    [from, to]: [RevisionNumber; 2],
    limit: usize,
    mut file: Option<&mut GeoJson>,
) -> Result<LayerDiff, Failure> {
    let view = store.view_at(to)?;
    let definition = |view: &dyn ReadView| -> Result<Option<Layer>, StoreError> {
        Ok(view.layers()?.into_iter().map(|entry| entry.layer).find(|layer| layer.id == *id))
    };
    let definitions = [definition(store.view_at(from)?.as_ref())?, definition(view.as_ref())?];
    let mut diff = LayerDiff { layer: id.clone(), added: 0, changed: 0, removed: 0, listed: Vec::new() };
    let mut failure = None;
    let outcome = view.changes(id, from, &mut |change| {
        let op = match (&change.before, &change.after) {
            (None, _) => {
                diff.added += 1;
                "added"
            }
            (_, None) => {
                diff.removed += 1;
                "removed"
            }
            _ => {
                diff.changed += 1;
                "changed"
            }
        };
        if diff.listed.len() < limit || file.is_some() {
            let properties = properties(&definitions, &change, op);
            if let Some(file) = &mut file
                && let Err(error) = file.put(&change, &properties)
            {
                failure = Some(error);
                return Err(StoreError::Stopped("the file cannot be written".to_owned()));
            }
            if diff.listed.len() < limit {
                diff.listed.push(properties);
            }
        }
        Ok(())
    });
    if let Some(failure) = failure {
        return Err(failure);
    }
    outcome?;
    Ok(diff)
}

/// One difference as JSON: layer, number and key of the feature, what happened, and the values that differ.
/// Personal fields are left out.
fn properties([before, after]: &[Option<Layer>; 2], change: &Change, op: &str) -> Json {
    let [sides_before, sides_after] = [(before, &change.before), (after, &change.after)];
    let side = |one: (&Option<Layer>, &Option<Feature>), other: (&Option<Layer>, &Option<Feature>)| {
        let (Some(layer), Some(feature)) = one else { return Json::Null };
        let mut values = serde_json::Map::new();
        for (index, field) in visible(layer, &Audience::Public).iter() {
            // The definitions may differ: a field is the one with its name.
            let there = other.0.as_ref().and_then(|layer| layer.field_index(&field.name));
            let there = there.zip(other.1.as_ref()).and_then(|(index, feature)| feature.values.get(index));
            if there != feature.values.get(index) {
                values.insert(field.name.clone(), feature.values[index].to_json());
            }
        }
        Json::Object(values)
    };
    let key = |layer: &Option<Layer>, feature: &Option<Feature>| {
        let (layer, feature) = (layer.as_ref()?, feature.as_ref()?);
        let index = visible(layer, &Audience::Public).key_index()?;
        feature.values[index].to_key()
    };
    let layer = before.as_ref().or(after.as_ref()).map(|layer| layer.id.as_str());
    let moved = match (&change.before, &change.after) {
        (Some(before), Some(after)) => before.geometry != after.geometry,
        _ => false,
    };
    json!({
        "layer": layer,
        "fid": change.fid,
        "key": key(after, &change.after).or_else(|| key(before, &change.before)),
        "op": op,
        "geometryChanged": moved,
        "before": side(sides_before, sides_after),
        "after": side(sides_after, sides_before),
    })
}

fn print(diffs: &[LayerDiff], from: RevisionNumber, to: RevisionNumber) -> Result<(), Failure> {
    if diffs.is_empty() {
        say!("revisions {from} and {to} are equal")?;
        return Ok(());
    }
    let head = ["LAYER", "ADDED", "CHANGED", "REMOVED"];
    let mut rows = vec![head.map(String::from).to_vec()];
    for diff in diffs {
        let counts = [diff.added, diff.changed, diff.removed].map(thousands);
        rows.push([diff.layer.to_string()].into_iter().chain(counts).collect());
    }
    output::print_table(&rows)?;
    for diff in diffs {
        say!("\n{}", diff.layer)?;
        for feature in &diff.listed {
            let name = feature["key"].as_str().map_or_else(|| format!("#{}", feature["fid"]), str::to_owned);
            let mut line = format!("  {:8} {name}", feature["op"].as_str().unwrap_or_default());
            if feature["op"] == "changed" {
                let (before, after) = (&feature["before"], &feature["after"]);
                for (field, value) in after.as_object().into_iter().flatten() {
                    line.push_str(&format!("; {field}: {} → {value}", before[field]));
                }
                if feature["geometryChanged"] == true {
                    line.push_str("; geometry");
                }
            }
            say!("{line}")?;
        }
        let more = diff.added + diff.changed + diff.removed - diff.listed.len() as u64;
        if more > 0 {
            say!("  … and {} more; see them with --limit N or --geojson FILE", thousands(more))?;
        }
    }
    Ok(())
}

/// A GeoJSON feature collection that is being written, under a temporary name until it is complete.
struct GeoJson {
    out: BufWriter<File>,
    file: PartialFile,
    written: u64,
}

impl GeoJson {
    fn create(path: &Path) -> Result<Self, Failure> {
        let failed =
            |error: io::Error| Failure::because(format!("{} cannot be written", path.display()), error);
        let file = PartialFile::new(path)?;
        let mut out = BufWriter::new(File::create_new(file.path()).map_err(failed)?);
        out.write_all(b"{\"type\":\"FeatureCollection\",\"features\":[\n").map_err(failed)?;
        Ok(Self { out, file, written: 0 })
    }

    fn put(&mut self, change: &Change, properties: &Json) -> Result<(), Failure> {
        let feature = change.after.as_ref().or(change.before.as_ref());
        let geometry = feature
            .and_then(|feature| feature.geometry.as_ref())
            .map_or(Json::Null, |geometry| json!(geojson::Geometry::from(geometry)));
        let comma = if self.written > 0 { ",\n" } else { "" };
        let line = json!({ "type": "Feature", "properties": properties, "geometry": geometry });
        write!(self.out, "{comma}{line}")?;
        self.written += 1;
        Ok(())
    }

    fn finish(mut self) -> Result<(), Failure> {
        self.out.write_all(b"\n]}\n")?;
        self.out.flush()?;
        Ok(self.file.reveal()?)
    }
}
