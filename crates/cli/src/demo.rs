//! `citymap demo`: a synthetic city, written into the store as one revision.

use std::{error::Error, process::ExitCode, time::Instant};

use citymap_demo::{Recipe, Sink};
use citymap_model::{CommitMeta, Layer, Mode, NewFeature};
use citymap_store::{Put, Transaction};
use clap::Args;

use crate::{
    database,
    failure::Failure,
    global::Global,
    output::{self, counted, say, thousands},
    progress::Bar,
};

/// The arguments of `citymap demo`.
#[derive(Debug, Args)]
pub(crate) struct DemoArgs {
    /// Number of parcels in the city.
    #[arg(long, default_value_t = 100_000, value_parser = clap::value_parser!(u32).range(100..=5_000_000))]
    pub(crate) parcels: u32,

    /// Seed of the random numbers; the same seed makes the same city.
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,
}

/// Writes each layer of the demo city into one transaction.
struct Writer<'a> {
    transaction: Box<dyn Transaction + 'a>,
}

impl Sink for Writer<'_> {
    fn layer(
        &mut self,
        layer: &Layer,
        features: &mut dyn Iterator<Item = NewFeature>,
    ) -> Result<(), Box<dyn Error + Send + Sync>> {
        self.transaction.layer(layer, Mode::Replace)?;
        for feature in features {
            if let Put::Rejected(reason) = self.transaction.put(feature)? {
                return Err(format!("layer {}: {reason}", layer.id).into());
            }
        }
        Ok(())
    }
}

pub(crate) fn run(global: &Global, args: &DemoArgs) -> Result<ExitCode, Failure> {
    let start = Instant::now();
    let store = database::open(global, true)?;
    let meta = CommitMeta {
        author: "citymap demo".into(),
        message: format!(
            "Synthetic city of {} from seed {}",
            counted(u64::from(args.parcels), "parcel", "parcels"),
            args.seed
        ),
        source: None,
        source_sha256: None,
    };
    let mut writer = Writer { transaction: store.begin(meta)? };
    let bar = Bar::new(global.json);
    let recipe = Recipe { parcels: args.parcels, seed: args.seed };
    let outcome =
        citymap_demo::generate(&recipe, &mut writer, &mut |what, done, total| bar.set(what, done, total));
    bar.clear();
    outcome?;
    let revision = writer.transaction.commit()?;
    let features: u64 = revision.changes.iter().map(|change| change.added + change.changed).sum();
    let seconds = start.elapsed().as_secs_f64();
    if global.json {
        output::print_json(&serde_json::json!({ "revision": revision, "seconds": seconds }))?;
        return Ok(ExitCode::SUCCESS);
    }
    for change in &revision.changes {
        say!("{:16} {:>12}", change.layer.as_str(), thousands(change.added + change.changed))?;
    }
    say!(
        "a synthetic city of {} in {seconds:.1} s; {} is at revision {}",
        counted(features, "feature", "features"),
        store.location(),
        revision.number
    )?;
    Ok(ExitCode::SUCCESS)
}
