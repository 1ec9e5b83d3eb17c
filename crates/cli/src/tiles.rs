//! `citymap tiles`: what a tile shows and why, and the rules that say so.

use std::process::ExitCode;

use citymap_live::read_layer;
use citymap_model::{CommitMeta, LayerId, Mode, TileRule};
use citymap_tile::{TileId, TileOptions, Tiler};
use clap::Subcommand;
use serde_json::{Value as Json, json};

use crate::{
    database,
    failure::Failure,
    global::Global,
    output::{self, counted, say},
};

/// What to do with tiles.
#[derive(Debug, Subcommand)]
pub(crate) enum TilesCommand {
    /// Explain what a tile shows of each layer, how it was generalised, and why.
    Explain {
        /// Zoom, column and row of the tile.
        #[arg(value_name = "Z/X/Y", value_parser = tile)]
        tile: TileId,

        /// Only these layers, separated by commas.
        #[arg(long, value_delimiter = ',', value_name = "ID,…")]
        layers: Vec<LayerId>,
    },
    /// Show how a layer is generalised in tiles, or change that, which makes a revision.
    Rule {
        /// The layer whose rule is shown or changed.
        #[arg(value_name = "LAYER")]
        layer: LayerId,

        /// Parts of the rule to change, as JSON: detail_zoom, class, class_zooms, simplify (pixels), budget
        /// (bytes). Other parts stay.
        #[arg(long, value_name = "JSON", conflicts_with = "reset")]
        set: Option<String>,

        /// Return to the rule that follows from the layer's role and fields.
        #[arg(long)]
        reset: bool,

        /// Who changes the rule, for the log.
        #[arg(long, default_value = "citymap", value_name = "NAME")]
        author: String,
    },
}

fn tile(text: &str) -> Result<TileId, String> {
    let parts: Vec<u32> = text.split('/').filter_map(|part| part.parse().ok()).collect();
    match parts[..] {
        [z, x, y] if text.split('/').count() == 3 => {
            TileId::new(u8::try_from(z).unwrap_or(u8::MAX), x, y).map_err(|error| error.to_string())
        }
        _ => Err(format!("`{text}` is not a tile: write zoom/column/row, 14/13049/7699 for instance")),
    }
}

pub(crate) fn run(global: &Global, command: &TilesCommand) -> Result<ExitCode, Failure> {
    match command {
        TilesCommand::Explain { tile, layers } => explain(global, *tile, layers),
        TilesCommand::Rule { layer, set, reset, author } => {
            rule(global, layer, set.as_deref(), *reset, author)
        }
    }
}

fn explain(global: &Global, tile: TileId, wanted: &[LayerId]) -> Result<ExitCode, Failure> {
    let store = database::open(global, false)?;
    let view = store.view()?;
    let entries = view.layers()?;
    if let Some(missing) = wanted.iter().find(|id| !entries.iter().any(|entry| entry.layer.id == **id)) {
        return Err(Failure::no_layer(missing));
    }
    let tiler = Tiler::new();
    let mut all = Vec::new();
    for entry in entries {
        if wanted.is_empty() || wanted.contains(&entry.layer.id) {
            // One layer at a time, so that memory holds no more than one.
            let snapshot = read_layer(view.as_ref(), entry)?;
            all.extend(tiler.explain(&[&snapshot], tile, &TileOptions::default()));
        }
    }
    if global.json {
        output::print_json(&json!({ "tile": tile.to_string(), "layers": all }))?;
        return Ok(ExitCode::SUCCESS);
    }
    say!("tile {tile}")?;
    for explanation in &all {
        say!("\n{explanation}")?;
    }
    let bytes = all.iter().map(|layer| layer.gzip).sum::<u64>();
    say!("\n{} in total with gzip", counted(bytes, "byte", "bytes"))?;
    Ok(ExitCode::SUCCESS)
}

fn rule(
    global: &Global,
    id: &LayerId,
    set: Option<&str>,
    reset: bool,
    author: &str,
) -> Result<ExitCode, Failure> {
    let is_change = set.is_some() || reset;
    let store = if is_change { database::open_to_write(global)? } else { database::open(global, false)? };
    let entry = store.view()?.layers()?.into_iter().find(|entry| entry.layer.id == *id);
    let mut layer = entry.ok_or_else(|| Failure::no_layer(id))?.layer;
    let changed = if let Some(text) = set {
        let rule = merged(&layer.tile_rule(), text)?;
        rule.check(&layer)?;
        layer.tiles = Some(rule);
        true
    } else if reset {
        layer.tiles = None;
        true
    } else {
        false
    };
    let mut revision = None;
    if changed {
        let message = format!("Change how tiles generalise {id}");
        let meta = CommitMeta { author: author.to_owned(), message, source: None, source_sha256: None };
        let mut transaction = store.begin(meta)?;
        transaction.layer(&layer, Mode::Edit)?;
        revision = Some(transaction.commit()?.number);
    }
    let rule =
        json!({ "layer": id, "own": layer.tiles.is_some(), "rule": layer.tile_rule(), "revision": revision });
    if global.json {
        output::print_json(&rule)?;
        return Ok(ExitCode::SUCCESS);
    }
    let origin = if layer.tiles.is_some() { "its definition" } else { "its role and fields" };
    say!("{id} is generalised by this rule, from {origin}:")?;
    say!("{:#}", rule["rule"])?;
    if let Some(revision) = revision {
        say!("changed by revision {revision}; `citymap rollback --to {}` undoes it", revision - 1)?;
    }
    Ok(ExitCode::SUCCESS)
}

/// The rule with the parts that the JSON object `text` names replaced.
fn merged(rule: &TileRule, text: &str) -> Result<TileRule, Failure> {
    let change: serde_json::Map<String, Json> = serde_json::from_str(text).map_err(|error| {
        Failure::because("the rule must be a JSON object, {\"detail_zoom\": 14} for instance", error)
    })?;
    let known = ["detail_zoom", "class", "class_zooms", "simplify", "budget"];
    if let Some(unknown) = change.keys().find(|key| !known.contains(&key.as_str())) {
        return Err(Failure::new(format!("a rule has no part `{unknown}`; it has {}", known.join(", "))));
    }
    let mut whole = serde_json::to_value(rule)?;
    for (key, value) in change {
        whole[key] = value;
    }
    Ok(serde_json::from_value(whole)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tiles_are_read_and_nonsense_is_not() {
        assert_eq!(tile("14/13049/7699"), Ok(TileId::new(14, 13049, 7699).unwrap()));
        for bad in ["", "14", "14/1", "a/b/c", "14/1/2/3", "2/4/0", "300/0/0"] {
            assert!(tile(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_rule_keeps_what_is_not_named() {
        let rule = TileRule { detail_zoom: 15, budget: 9_000, ..TileRule::everything() };
        let changed = merged(&rule, r#"{"detail_zoom": 14, "class": "kind"}"#).unwrap();
        assert_eq!(changed, TileRule { detail_zoom: 14, class: Some("kind".into()), ..rule.clone() });
        assert!(merged(&rule, r#"{"detail": 14}"#).is_err());
        assert!(merged(&rule, "[]").is_err());
    }
}
