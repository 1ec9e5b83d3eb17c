//! `citymap diff`.

use std::{
    fs::File,
    io::{BufWriter, Write},
    path::Path,
    process::ExitCode,
};

use citymap_access::{Audience, visible};
use citymap_model::{Feature, Layer, LayerId, RevisionNumber};
use citymap_store::{Change, Store, StoreError, View};
use serde_json::{Value as Json, json};

use crate::{
    args::{Cli, DiffArgs},
    database,
    output::{self, Failure, thousands},
};

/// What differs in one layer.
struct LayerDiff {
    layer: LayerId,
    added: u64,
    changed: u64,
    removed: u64,
    /// The first few, for people.
    listed: Vec<Json>,
}

pub(crate) fn run(cli: &Cli, args: &DiffArgs) -> Result<ExitCode, Failure> {
    let store = database::open(cli, false)?;
    let from = database::number(store.as_ref(), args.from)?;
    let to = match args.to {
        Some(to) => database::number(store.as_ref(), to)?,
        None => store.revision()?,
    };
    if from > to {
        return Err(Failure(format!(
            "revision {from} is later than {to}; give the former one first: `citymap diff {to} {from}`"
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
    if cli.json {
        let layers: Vec<Json> = diffs
            .iter()
            .map(|diff| {
                json!({
                    "layer": diff.layer, "added": diff.added, "changed": diff.changed, "removed": diff.removed,
                    "features": diff.listed,
                })
            })
            .collect();
        output::print_json(&json!({ "from": from, "to": to, "layers": layers }));
        return Ok(ExitCode::SUCCESS);
    }
    print(&diffs, from, to);
    Ok(ExitCode::SUCCESS)
}

/// The layers that a revision after `from`, up to `to`, touched.
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
    let definition = |view: &dyn View| -> Result<Option<Layer>, StoreError> {
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
                return Err(StoreError::Stopped("the file could not be written".to_owned()));
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

/// What is said of a feature: its layer, number, key, what happened, and the values that differ. Personal fields are
/// left out.
fn properties([before, after]: &[Option<Layer>; 2], change: &Change, op: &str) -> Json {
    let side = |layer: &Option<Layer>, feature: &Option<Feature>, other: &Option<Feature>, same: bool| {
        let (Some(layer), Some(feature)) = (layer, feature) else { return Json::Null };
        let mut values = serde_json::Map::new();
        for (index, field) in visible(layer, &Audience::Public).iter() {
            let there = other.as_ref().and_then(|other| other.values.get(index));
            if !same || there != feature.values.get(index) {
                values.insert(field.name.clone(), feature.values[index].to_json());
            }
        }
        Json::Object(values)
    };
    // Where the fields are the same ones, only the values that differ are worth a look.
    let same = before.as_ref().zip(after.as_ref()).is_some_and(|(a, b)| a.fields == b.fields)
        && change.before.is_some()
        && change.after.is_some();
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
        "before": side(before, &change.before, &change.after, same),
        "after": side(after, &change.after, &change.before, same),
    })
}

fn print(diffs: &[LayerDiff], from: RevisionNumber, to: RevisionNumber) {
    if diffs.is_empty() {
        println!("revisions {from} and {to} hold the same");
        return;
    }
    let head = ["LAYER", "ADDED", "CHANGED", "REMOVED"];
    let mut rows = vec![head.map(String::from).to_vec()];
    for diff in diffs {
        let counts = [diff.added, diff.changed, diff.removed].map(thousands);
        rows.push([diff.layer.to_string()].into_iter().chain(counts).collect());
    }
    output::print_table(&rows);
    for diff in diffs {
        println!("\n{}", diff.layer);
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
            println!("{line}");
        }
        let more = diff.added + diff.changed + diff.removed - diff.listed.len() as u64;
        if more > 0 {
            println!("  … and {} more; --limit N or --geojson FILE gives them", thousands(more));
        }
    }
}

/// A feature collection on its way into a file: under a temporary name until it is whole.
struct GeoJson {
    out: BufWriter<File>,
    path: std::path::PathBuf,
    written: u64,
}

impl GeoJson {
    fn create(path: &Path) -> Result<Self, Failure> {
        let failed = |error| Failure(format!("{} cannot be written: {error}", path.display()));
        let mut out = BufWriter::new(File::create(temporary(path)).map_err(failed)?);
        out.write_all(b"{\"type\":\"FeatureCollection\",\"features\":[\n").map_err(failed)?;
        Ok(Self { out, path: path.to_owned(), written: 0 })
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
        self.out.get_ref().sync_all()?;
        std::fs::rename(temporary(&self.path), &self.path)?;
        Ok(())
    }
}

fn temporary(path: &Path) -> std::path::PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".part");
    name.into()
}
