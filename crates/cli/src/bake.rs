//! `citymap bake`: tiles of all zooms, written into one PMTiles archive.

use std::{
    collections::HashSet,
    fs::File,
    io::{self, Read as _},
    ops::RangeInclusive,
    path::{Path, PathBuf},
    process::ExitCode,
    time::Instant,
};

use citymap_engine::{Bbox, LayerSnapshot};
use citymap_files::FileError;
use citymap_live::Live;
use citymap_tile::{
    ContentEncoding, MAX_ZOOM, TileOptions, Tiler,
    archive::{BakeOptions, Baked, Progress, bake},
};
use clap::Args;

use crate::{
    database,
    failure::Failure,
    global::Global,
    output::{self, counted, say, thousands},
    progress::Bar,
    values::AsOfArg,
};

/// How a PMTiles archive begins.
const MAGIC: &[u8] = b"PMTiles";

/// The arguments of `citymap bake`.
#[derive(Debug, Args)]
pub(crate) struct BakeArgs {
    /// Layers to bake, separated by commas; `all` for all of them.
    #[arg(long, value_delimiter = ',', default_value = "all", value_name = "ID,…")]
    pub(crate) layers: Vec<String>,

    /// Zooms to bake: the lowest and the highest.
    #[arg(long, default_value = "8-16", value_parser = zooms, value_name = "LOW-HIGH")]
    pub(crate) zooms: RangeInclusive<u8>,

    /// Bake only tiles that intersect this box: west, south, east, north in degrees.
    #[arg(long, value_parser = bbox, allow_hyphen_values = true, value_name = "W,S,E,N")]
    pub(crate) bbox: Option<Bbox>,

    /// The archive to write; one of an earlier bake is replaced.
    #[arg(long, default_value = "tiles.pmtiles", value_name = "FILE")]
    pub(crate) out: PathBuf,

    /// How tiles are compressed.
    #[arg(long, value_enum, default_value = "gzip")]
    pub(crate) packing: PackingArg,

    #[command(flatten)]
    pub(crate) at: AsOfArg,

    /// Discard the tiles of an unfinished bake of the same archive.
    #[arg(long)]
    pub(crate) anew: bool,
}

pub(crate) fn run(global: &Global, args: &BakeArgs) -> Result<ExitCode, Failure> {
    refuse_foreign(&args.out)?;
    let bar = Bar::new(global.json);
    bar.set("reading the city", 0, 0);
    let live = Live::open(database::open(global, false)?)?;
    let city_snapshot = match args.at.as_of {
        None => live.snapshot(),
        Some(as_of) => live.snapshot_at(database::number(live.store(), as_of)?)?,
    };
    let city = &city_snapshot.city;
    let all = args.layers.iter().any(|name| name == "all");
    if let Some(name) =
        args.layers.iter().find(|name| !all && city.layers.keys().all(|id| id.as_str() != *name))
    {
        return Err(Failure::no_layer(name));
    }
    let asked: HashSet<&str> = args.layers.iter().map(String::as_str).collect();
    let layers: Vec<&LayerSnapshot> = city
        .layers
        .iter()
        .filter(|(id, _)| all || asked.contains(id.as_str()))
        .map(|(_, layer)| layer.as_ref())
        .collect();
    let options = BakeOptions {
        zooms: args.zooms.clone(),
        bbox: args.bbox,
        encoding: args.packing.into(),
        tiles: TileOptions::default(),
        anew: args.anew,
    };
    if let Some(folder) = args.out.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let clock = Instant::now();
    let baked = bake(&Tiler::new(), &layers, &args.out, &options, &|Progress { done, total }| {
        bar.set("tiles", done, total);
    })?;
    bar.clear();
    let seconds = clock.elapsed().as_secs_f64();
    report(global, args, &Done { layers: &layers, revision: city.revision, baked, seconds })?;
    Ok(ExitCode::SUCCESS)
}

/// Refuses to bake over a file that is no archive of tiles, such as the store.
fn refuse_foreign(out: &Path) -> Result<(), Failure> {
    let mut start = Vec::new();
    match File::open(out).and_then(|file| file.take(MAGIC.len() as u64).read_to_end(&mut start)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Ok(_) if start.is_empty() || start == MAGIC => Ok(()),
        _ => Err(Failure::from(FileError::Foreign {
            option: "--out".to_owned(),
            path: out.to_owned(),
            expected: "a PMTiles archive".to_owned(),
        })),
    }
}

/// What `report` prints about a finished bake.
struct Done<'a> {
    layers: &'a [&'a LayerSnapshot],
    revision: u64,
    baked: Baked,
    seconds: f64,
}

fn report(
    global: &Global,
    args: &BakeArgs,
    Done { layers, revision, baked, seconds }: &Done<'_>,
) -> Result<(), Failure> {
    if global.json {
        let ids: Vec<&str> = layers.iter().map(|layer| layer.layer().id.as_str()).collect();
        output::print_json(&serde_json::json!({
            "out": args.out,
            "revision": revision,
            "layers": ids,
            "zooms": [args.zooms.start(), args.zooms.end()],
            "tiles": baked.tiles,
            "entries": baked.entries,
            "contents": baked.contents,
            "bytes": baked.bytes,
            "taken_over": baked.taken_over,
            "begun_anew": baked.begun_anew,
            "seconds": seconds,
        }))?;
        return Ok(());
    }
    if let Some(reason) = &baked.begun_anew {
        say!("restarted the unfinished bake: {reason}")?;
    }
    if baked.taken_over > 0 {
        say!("continued after {} of an unfinished bake", counted(baked.taken_over, "tile", "tiles"))?;
    }
    say!(
        "{}: zooms {}–{} of {} at revision {revision}; {}, {} of them distinct, {:.1} MB; \
         {seconds:.1} s, {} tiles/s",
        args.out.display(),
        args.zooms.start(),
        args.zooms.end(),
        counted(layers.len() as u64, "layer", "layers"),
        counted(baked.tiles, "tile", "tiles"),
        thousands(baked.contents),
        baked.bytes as f64 / 1e6,
        thousands((baked.tiles as f64 / seconds.max(1e-3)) as u64),
    )?;
    Ok(())
}

/// The values of `--packing`.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
pub(crate) enum PackingArg {
    /// Every reader of archives supports it.
    Gzip,
    /// Smaller and faster, but not supported by every browser.
    Zstd,
    /// The smallest archive, the slowest bake.
    Brotli,
    /// No compression, for servers that compress tiles themselves.
    None,
}

impl From<PackingArg> for ContentEncoding {
    fn from(packing: PackingArg) -> Self {
        match packing {
            PackingArg::Gzip => Self::Gzip,
            PackingArg::Zstd => Self::Zstd,
            PackingArg::Brotli => Self::Brotli,
            PackingArg::None => Self::Identity,
        }
    }
}

/// Parses a range of zooms, `8-16`, or a single zoom, `12`.
pub(crate) fn zooms(text: &str) -> Result<RangeInclusive<u8>, String> {
    let (low, high) = text.split_once('-').unwrap_or((text, text));
    let zoom = |text: &str| text.trim().parse::<u8>().ok().filter(|&zoom| zoom <= MAX_ZOOM);
    match (zoom(low), zoom(high)) {
        (Some(low), Some(high)) if low <= high => Ok(low..=high),
        _ => Err(format!("give the lowest and the highest zoom, 0 to {MAX_ZOOM}: 8-16")),
    }
}

/// Parses west, south, east, north in degrees. A box across the 180th meridian is refused.
pub(crate) fn bbox(text: &str) -> Result<Bbox, String> {
    let numbers: Vec<f64> = text.split(',').filter_map(|number| number.trim().parse().ok()).collect();
    match numbers[..] {
        [west, south, east, north]
            if west < east
                && south < north
                && west >= -180.0
                && east <= 180.0
                && south >= -90.0
                && north <= 90.0 =>
        {
            Ok(Bbox::new(west, south, east, north))
        }
        _ => Err("give west, south, east, north in degrees: 106.6,10.7,106.8,10.9".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zooms_and_boxes_are_read_or_refused() {
        assert_eq!(zooms("8-16"), Ok(8..=16));
        assert_eq!(zooms("12"), Ok(12..=12));
        for text in ["16-8", "a", "8-23", "", "1-2-3", "-4"] {
            assert!(zooms(text).is_err(), "{text}");
        }
        assert_eq!(bbox("106.6, 10.7,106.8,10.9"), Ok(Bbox::new(106.6, 10.7, 106.8, 10.9)));
        for text in ["1,2,3", "1,2,3,x", "106.8,10.7,106.6,10.9", "1,2,3,4,5", "nan,1,2,3"] {
            assert!(bbox(text).is_err(), "{text}");
        }
    }
}
