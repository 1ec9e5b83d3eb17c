//! `citymap doctor`: checks of the store and of the libraries that the program depends on.

use std::{path::PathBuf, process::ExitCode};

use citymap_crs::{Crs, Transform, vn2000};
use citymap_files::exposure;
use citymap_ingest::worker;
use citymap_model::{Layer, LayerId};
use citymap_planning::{Readiness, readiness};
use citymap_store::{Finding, Severity, Store, StoreError};
use clap::{Args, ValueEnum};

use crate::{
    database,
    failure::Failure,
    global::Global,
    output::{self, say},
    snapshots,
};

/// The arguments of `citymap doctor`.
#[derive(Debug, Args)]
pub(crate) struct DoctorArgs {
    /// What to check instead of the store.
    topic: Option<Topic>,
}

/// A subject that can be checked by itself.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Topic {
    /// Which answers about plans the layers of the city can give, and what the others lack.
    Planning,
}

pub(crate) fn run(global: &Global, args: &DoctorArgs) -> Result<ExitCode, Failure> {
    let findings = match args.topic {
        None => all(global)?,
        Some(Topic::Planning) => planning(global)?,
    };
    print(global, &findings)
}

/// What reports on parcels can say, from the definitions of the layers.
fn planning(global: &Global) -> Result<Vec<Finding>, Failure> {
    let store = database::open(global, false)?;
    let layers: Vec<Layer> = store.view()?.layers()?.into_iter().map(|entry| entry.layer).collect();
    let finding = |own: Readiness| {
        let message = format!("{}: {}", own.answer, own.message);
        if own.ready { good(message) } else { warning(message) }
    };
    Ok(readiness(&layers).into_iter().map(finding).collect())
}

fn all(global: &Global) -> Result<Vec<Finding>, Failure> {
    let mut findings = vec![gdal(), datum_shift()];
    match database::open(global, false) {
        Ok(store) => {
            findings.push(good(format!("store: {} at revision {}", store.location(), store.revision()?)));
            findings.extend(store.check()?);
            findings.extend(meanings(store.as_ref())?);
        }
        Err(error @ StoreError::Missing { .. }) => findings.push(warning(error.to_string())),
        Err(error) => findings.push(Finding { severity: Severity::Error, message: error.to_string() }),
    }
    findings.push(confinement());
    findings.extend(open_files(global));
    Ok(findings)
}

fn print(global: &Global, findings: &[Finding]) -> Result<ExitCode, Failure> {
    let errors = findings.iter().filter(|finding| finding.severity == Severity::Error).count();
    if global.json {
        let list: Vec<_> = findings
            .iter()
            .map(|finding| {
                let (severity, message) = (word(finding.severity), &finding.message);
                serde_json::json!({ "severity": severity, "message": message })
            })
            .collect();
        output::print_json(&serde_json::json!({ "errors": errors, "findings": list }))?;
    } else {
        for finding in findings {
            say!("{:8} {}", word(finding.severity), finding.message)?;
        }
    }
    Ok(ExitCode::from(u8::from(errors > 0)))
}

/// The store and the folder of its snapshot files, where other users of this machine can read or change them:
/// personal data and the secrets of webhooks are in them.
fn open_files(global: &Global) -> Vec<Finding> {
    let mut paths: Vec<PathBuf> = snapshots::folder(None, &global.store).into_iter().collect();
    if !citymap_store::is_database(&global.store) {
        paths.insert(0, PathBuf::from(&global.store));
    }
    let told = |path: &PathBuf| {
        let exposure = exposure(path).ok().flatten()?;
        Some(warning(format!("{}: {exposure}; personal data may be in it", path.display())))
    };
    paths.iter().filter_map(told).collect()
}

/// Definitions from before fields had meanings are read with the proposed ones, but nobody can see them
/// there.
fn meanings(store: &dyn Store) -> Result<Option<Finding>, StoreError> {
    let former = store.former_definitions()?;
    let names: Vec<&str> = former.iter().map(LayerId::as_str).collect();
    Ok((!former.is_empty()).then(|| {
        warning(format!(
            "the definitions of {} are from before fields had meanings; `citymap migrate` writes them anew",
            names.join(", ")
        ))
    }))
}

fn word(severity: Severity) -> &'static str {
    match severity {
        Severity::Good => "good",
        Severity::Warning => "warning",
        Severity::Error => "error",
    }
}

fn good(message: String) -> Finding {
    Finding { severity: Severity::Good, message }
}

fn warning(message: String) -> Finding {
    Finding { severity: Severity::Warning, message }
}

fn gdal() -> Finding {
    good(format!("GDAL {}", gdal::version::version_info("RELEASE_NAME")))
}

/// Whether the kernel keeps the process that reads files from doing anything else.
fn confinement() -> Finding {
    match worker::confinement().missing() {
        None => good("imports read files in a confined process (Landlock and seccomp)".into()),
        Some(missing) => warning(missing),
    }
}

/// Transforms Bến Thành market by the pinned datum shift; a PROJ that chose its own would be 0.80 m off.
fn datum_shift() -> Finding {
    let mut point = [[106.698, 10.7725]];
    let zone = vn2000::ZONES.iter().find(|zone| zone.central_meridian == 105.75 && zone.scale == 0.9999);
    let grid = zone.map_or_else(Crs::home, |zone| zone.crs);
    let outcome = Transform::new(Crs::WGS84, grid).and_then(|transform| transform.apply(&mut point));
    let off = (point[0][0] - 603_481.588).hypot(point[0][1] - 1_191_454.611);
    match outcome {
        Ok(()) if off < 0.002 => good("coordinates: VN-2000 by the legal datum shift (EPSG:6960)".to_owned()),
        Ok(()) => Finding {
            severity: Severity::Error,
            message: format!(
                "coordinates: the control point at Bến Thành is {off:.3} m off; the installation of PROJ is \
                 not usable"
            ),
        },
        Err(error) => Finding { severity: Severity::Error, message: format!("coordinates: {error}") },
    }
}
