//! `citymap backup`, `restore` and `copy`. A backup is a GeoPackage store with a list of checksums in it: one
//! file, which QGIS opens, and which can also be served as it is.

use std::{
    fs,
    path::{Path, PathBuf},
    process::ExitCode,
    time::Instant,
};

use citymap_files::PartialFile;
use citymap_model::CityProfile;
use citymap_store::{Checksum, GeoPackage, Store, StoreError, checksum};
use clap::Args;
use serde::{Deserialize, Serialize};

use crate::{
    database,
    failure::Failure,
    global::Global,
    output::{self, counted, say},
    progress::Bar,
};

/// The arguments of `citymap backup`.
#[derive(Debug, Args)]
pub(crate) struct BackupArgs {
    /// The file to write; it must not exist.
    #[arg(value_name = "FILE.gpkg")]
    pub(crate) file: PathBuf,
}

/// The arguments of `citymap restore`.
#[derive(Debug, Args)]
pub(crate) struct RestoreArgs {
    /// The backup to restore.
    #[arg(value_name = "FILE.gpkg")]
    pub(crate) file: PathBuf,
}

/// The arguments of `citymap copy`.
#[derive(Debug, Args)]
pub(crate) struct CopyArgs {
    /// The other store: the path of a GeoPackage file (created if it does not exist) or a database.
    #[arg(long, env = "CITYMAP_COPY_TO", hide_env_values = true, value_name = "PATH|URL")]
    pub(crate) to: String,
}

/// The name of the document with the checksums.
const MANIFEST: &str = "backup/manifest";

/// What a backup holds: every layer with its checksum.
#[derive(Debug, Serialize, Deserialize, PartialEq)]
struct Manifest {
    /// The newest revision in the backup.
    revision: u64,
    /// Every layer as of that revision.
    layers: Vec<Sum>,
}

#[derive(Debug, Serialize, Deserialize, PartialEq)]
struct Sum {
    layer: String,
    revision: u64,
    count: u64,
    sha256: String,
}

impl Manifest {
    fn of(store: &dyn Store) -> Result<Self, StoreError> {
        let view = store.view()?;
        let mut layers = Vec::new();
        for entry in view.layers()? {
            let Checksum { count, sha256 } = checksum(view.as_ref(), &entry.layer.id)?;
            layers.push(Sum { layer: entry.layer.id.to_string(), revision: entry.revision, count, sha256 });
        }
        Ok(Self { revision: view.revision(), layers })
    }

    /// How another store differs from this manifest, one sentence for each difference.
    fn differences(&self, other: &Self) -> Vec<String> {
        let mut found = Vec::new();
        if self.revision != other.revision {
            found.push(format!("revision {} in place of {}", other.revision, self.revision));
        }
        for sum in &self.layers {
            match other.layers.iter().find(|held| held.layer == sum.layer) {
                None => found.push(format!("layer {} is missing", sum.layer)),
                Some(held) if held != sum => found.push(format!(
                    "layer {} has {} with checksum {}…, not {} with {}…",
                    sum.layer,
                    counted(held.count, "feature", "features"),
                    &held.sha256[..12],
                    sum.count,
                    &sum.sha256[..12]
                )),
                Some(_) => {}
            }
        }
        let extra = other.layers.iter().filter(|held| self.layers.iter().all(|sum| sum.layer != held.layer));
        found.extend(extra.map(|held| format!("layer {} is not in the backup", held.layer)));
        found
    }

    fn features(&self) -> u64 {
        self.layers.iter().map(|sum| sum.count).sum()
    }
}

pub(crate) fn back_up(global: &Global, args: &BackupArgs) -> Result<ExitCode, Failure> {
    let start = Instant::now();
    let part = PartialFile::new(&args.file)?;
    let manifest = match write_backup(global, part.path()) {
        Ok(manifest) => manifest,
        Err(failure) => {
            for suffix in ["-wal", "-shm"] {
                let _ = fs::remove_file(with_suffix(part.path(), suffix));
            }
            return Err(failure);
        }
    };
    part.make_private()?;
    // The file gets its name only when it is complete and on disk.
    part.reveal()?;
    let seconds = start.elapsed().as_secs_f64();
    if global.json {
        output::print_json(
            &serde_json::json!({ "file": args.file, "manifest": manifest, "seconds": seconds }),
        )?;
    } else {
        say!(
            "{}: {}, {}, revision {} and its history, in {seconds:.1} s",
            args.file.display(),
            counted(manifest.layers.len() as u64, "layer", "layers"),
            counted(manifest.features(), "feature", "features"),
            manifest.revision
        )?;
    }
    Ok(ExitCode::SUCCESS)
}

fn write_backup(global: &Global, part: &Path) -> Result<Manifest, Failure> {
    if citymap_store::is_database(&global.store) {
        let from = database::open(global, false)?;
        let to = GeoPackage::open_or_create(part)?;
        copy_with_bar(global, from.as_ref(), &to)?;
        copy_documents(from.as_ref(), &to)?;
    } else {
        GeoPackage::open(Path::new(&global.store))?.back_up(part)?;
    }
    let backup = GeoPackage::open(part)?;
    let manifest = Manifest::of(&backup)?;
    let version = backup.document(MANIFEST)?.map_or(0, |document| document.version);
    backup.put_document(MANIFEST, version, Some(&serde_json::to_string(&manifest)?))?;
    Ok(manifest)
}

pub(crate) fn restore(global: &Global, args: &RestoreArgs) -> Result<ExitCode, Failure> {
    let start = Instant::now();
    let backup = GeoPackage::open(&args.file)?;
    let document = backup.document(MANIFEST)?.ok_or_else(|| {
        Failure::new(format!(
            "{} is a store but not a backup: it has no list of checksums; \
             `citymap --store {0} copy --to …` copies a store",
            args.file.display()
        ))
    })?;
    let manifest: Manifest = serde_json::from_str(&document.body)?;
    let damaged = manifest.differences(&Manifest::of(&backup)?);
    if !damaged.is_empty() {
        return Err(Failure::new(format!(
            "{} is damaged, and nothing was restored: {}",
            args.file.display(),
            damaged.join("; ")
        )));
    }
    if !citymap_store::is_database(&global.store) && Path::new(&global.store).exists() {
        return Err(Failure::new(format!(
            "{} exists already; restore into a new file, then move it to its place",
            global.store
        )));
    }
    let to = database::open(global, true)?;
    let newest = to.revision()?;
    if newest > 0 {
        return Err(Failure::new(format!(
            "{} already has {}; restore into an empty database",
            to.location(),
            counted(newest, "revision", "revisions")
        )));
    }
    copy_with_bar(global, &backup, to.as_ref())?;
    copy_documents(&backup, to.as_ref())?;
    let differences = manifest.differences(&Manifest::of(to.as_ref())?);
    if !differences.is_empty() {
        return Err(Failure::new(format!(
            "{} does not hold what the backup holds: {}; do not use it, and please report this",
            to.location(),
            differences.join("; ")
        )));
    }
    let seconds = start.elapsed().as_secs_f64();
    if global.json {
        output::print_json(
            &serde_json::json!({ "store": to.location(), "manifest": manifest, "seconds": seconds }),
        )?;
    } else {
        say!(
            "{}: {}, {}, revision {}, every checksum as in the backup, in {seconds:.1} s",
            to.location(),
            counted(manifest.layers.len() as u64, "layer", "layers"),
            counted(manifest.features(), "feature", "features"),
            manifest.revision
        )?;
    }
    Ok(ExitCode::SUCCESS)
}

pub(crate) fn copy(global: &Global, args: &CopyArgs) -> Result<ExitCode, Failure> {
    let start = Instant::now();
    let from = database::open(global, false)?;
    let options = citymap_store::Options { create: true, ..database::options(global) };
    let to = citymap_store::open_with(&args.to, &options)?;
    // First, so that whoever sees a revision there finds the profile that it is of.
    copy_city(from.as_ref(), to.as_ref())?;
    let copied = copy_with_bar(global, from.as_ref(), to.as_ref())?;
    let (ours, theirs) = (Manifest::of(from.as_ref())?, Manifest::of(to.as_ref())?);
    let differences = ours.differences(&theirs);
    if !differences.is_empty() {
        return Err(Failure::new(format!(
            "{} differs from {}: {}; if something was committed in the meantime, run the same command again",
            to.location(),
            from.location(),
            differences.join("; ")
        )));
    }
    let seconds = start.elapsed().as_secs_f64();
    if global.json {
        output::print_json(&serde_json::json!({ "copied": copied, "manifest": ours, "seconds": seconds }))?;
    } else {
        say!(
            "{} copied; {} and {} hold the same {} at revision {}, \
             in {seconds:.1} s",
            counted(copied, "revision", "revisions"),
            from.location(),
            to.location(),
            counted(ours.features(), "feature", "features"),
            ours.revision
        )?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Copies the city profile, which is what the record is of, and not what a server does with it.
fn copy_city(from: &dyn Store, to: &dyn Store) -> Result<(), Failure> {
    let Some(ours) = from.document(CityProfile::DOCUMENT)? else { return Ok(()) };
    let theirs = to.document(CityProfile::DOCUMENT)?;
    if theirs.as_ref().is_some_and(|theirs| theirs.body == ours.body) {
        return Ok(());
    }
    let version = theirs.map_or(0, |document| document.version);
    if to.put_document(CityProfile::DOCUMENT, version, Some(&ours.body))? {
        return Ok(());
    }
    Err(Failure::new(format!(
        "the city profile of {} was changed at the same time; run the same command again",
        to.location()
    )))
}

/// Copies the documents that belong to the record: webhook subscriptions and how far each has been served.
/// `citymap copy` leaves them out, since two stores would then both call the subscribers.
fn copy_documents(from: &dyn Store, to: &dyn Store) -> Result<(), Failure> {
    for name in from.document_names()? {
        // A lease belongs to a running server, not to the city.
        if name == MANIFEST || name.ends_with("/lease") {
            continue;
        }
        let Some(document) = from.document(&name)? else { continue };
        if !to.put_document(&name, 0, Some(&document.body))? {
            return Err(Failure::new(format!("{} already has a document `{name}`", to.location())));
        }
    }
    Ok(())
}

fn copy_with_bar(global: &Global, from: &dyn Store, to: &dyn Store) -> Result<u64, Failure> {
    let bar = Bar::new(global.json);
    let outcome = citymap_store::copy(from, to, &mut |next, newest| bar.set("revision", next, newest));
    bar.clear();
    Ok(outcome?)
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}
