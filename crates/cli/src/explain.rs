//! `citymap explain`: how the features of a filter are found.

use std::{process::ExitCode, time::Instant};

use citymap_access::Audience;
use citymap_cql2::Expr;
use citymap_engine::{Filter, IndexUse, Query};
use citymap_live::read_layer;
use citymap_model::LayerId;
use clap::Args;
use serde_json::json;

use crate::{
    database,
    failure::Failure,
    global::Global,
    output::{self, counted, say},
    values::{AsOfArg, filter},
};

/// The arguments of `citymap explain`.
#[derive(Debug, Args)]
pub(crate) struct ExplainArgs {
    /// The layer that the filter is of.
    #[arg(value_name = "LAYER")]
    layer: LayerId,

    /// A CQL2 expression, for instance "loai_dat = 'ODT' AND dien_tich > 100"; text, or JSON that begins with
    /// `{`.
    #[arg(long = "where", value_name = "CQL2", value_parser = filter)]
    filter: Expr,

    /// Stop after this many features, as a page of `/items` does. Default: find all.
    #[arg(long, value_name = "N")]
    limit: Option<usize>,

    #[command(flatten)]
    at: AsOfArg,
}

pub(crate) fn run(global: &Global, args: &ExplainArgs) -> Result<ExitCode, Failure> {
    let store = database::open(global, false)?;
    let view = database::view(store.as_ref(), args.at.as_of)?;
    let entry = view.layers()?.into_iter().find(|entry| entry.layer.id == args.layer);
    let entry = entry.ok_or_else(|| Failure::no_layer(&args.layer))?;
    let snapshot = read_layer(view.as_ref(), entry)?;
    let filter = Filter::check(&args.filter, snapshot.layer(), &Audience::Public)
        .map_err(|error| Failure::because("the filter cannot be used", error))?;
    let query = Query { filters: vec![filter], limit: args.limit, ..Query::default() };
    let start = Instant::now();
    let (page, plan) = snapshot.select_explained(&query);
    let milliseconds = start.elapsed().as_secs_f64() * 1e3;
    if global.json {
        output::print_json(&json!({
            "layer": args.layer, "features": snapshot.len(), "filter": args.filter.to_text(),
            "index": plan.index.as_str(), "candidates": plan.candidates, "tested": plan.tested,
            "found": page.rows.len(), "more": page.next.is_some(), "milliseconds": milliseconds,
        }))?;
        return Ok(ExitCode::SUCCESS);
    }
    let index = match plan.index {
        IndexUse::Key => "the index of the key",
        IndexUse::Space => "the spatial index",
        IndexUse::Only => "a list of ids",
        IndexUse::None => "no index: every feature is a candidate",
    };
    say!("filter      {}", args.filter.to_text())?;
    say!("index       {index}")?;
    let features = counted(snapshot.len() as u64, "feature", "features");
    say!("candidates  {} of {features} in {}", plan.candidates, args.layer)?;
    say!("tested      {}", plan.tested)?;
    let more = if page.next.is_some() { ", and there are more" } else { "" };
    say!("found       {}{more}", page.rows.len())?;
    say!("time        {milliseconds:.2} ms")?;
    Ok(ExitCode::SUCCESS)
}
