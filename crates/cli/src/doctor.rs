//! `citymap doctor`.

use std::process::ExitCode;

use citymap_crs::{Crs, Transform};
use citymap_store::{Finding, Severity, StoreError};

use crate::{
    args::Cli,
    database,
    output::{self, Failure},
};

pub(crate) fn run(cli: &Cli) -> Result<ExitCode, Failure> {
    let mut findings = vec![gdal(), datum_shift()];
    match database::open(cli, false) {
        Ok(store) => {
            findings.push(good(format!("store: {} at revision {}", store.location(), store.revision()?)));
            findings.extend(store.check()?);
        }
        Err(error @ StoreError::Missing { .. }) => findings.push(warning(error.to_string())),
        Err(error) => findings.push(Finding { severity: Severity::Error, message: error.to_string() }),
    }
    let errors = findings.iter().filter(|finding| finding.severity == Severity::Error).count();
    if cli.json {
        let list: Vec<_> = findings
            .iter()
            .map(|finding| serde_json::json!({ "severity": word(finding.severity), "message": finding.message }))
            .collect();
        output::print_json(&serde_json::json!({ "errors": errors, "findings": list }));
    } else {
        for finding in &findings {
            println!("{:8} {}", word(finding.severity), finding.message);
        }
    }
    Ok(ExitCode::from(u8::from(errors > 0)))
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

/// Bến Thành market through the pinned datum shift; a PROJ that chose its own would be 0.80 m off.
fn datum_shift() -> Finding {
    let mut point = [[106.698, 10.7725]];
    let outcome = Transform::new(Crs::WGS84, Crs::HOME).and_then(|transform| transform.apply(&mut point));
    let off = (point[0][0] - 603_481.588).hypot(point[0][1] - 1_191_454.611);
    match outcome {
        Ok(()) if off < 0.002 => good("coordinates: VN-2000 by the legal datum shift (EPSG:6960)".to_owned()),
        Ok(()) => Finding {
            severity: Severity::Error,
            message: format!(
                "coordinates: the control point at Bến Thành is {off:.3} m off; PROJ's installation is not sound"
            ),
        },
        Err(error) => Finding { severity: Severity::Error, message: format!("coordinates: {error}") },
    }
}
