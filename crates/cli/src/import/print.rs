//! The report of an import on the screen.

use citymap_ingest::{IssueKind, LayerReport, Report};
use citymap_model::plural;

use crate::{
    database,
    failure::Failure,
    global::Global,
    output::{counted, say, thousands},
};

/// Maximum number of issues of a kind that are printed; the report file and the rejects file hold all.
const PRINTED: usize = 10;

/// Prints what the import did: each layer, then the files, then the whole.
pub(super) fn report(global: &Global, report: &Report) -> Result<(), Failure> {
    for layer in &report.layers {
        say!("{} ← {} ({})", layer.id, layer.source, layer.file)?;
        if let Some(crs) = &layer.crs {
            say!("  coordinate system  {} ({})", crs.crs, crs.how)?;
        }
        let sample =
            layer.encoding.sample.first().map(|sample| format!(", such as “{sample}”")).unwrap_or_default();
        say!("  texts              {} ({}){sample}", layer.encoding.encoding, layer.encoding.how)?;
        say!(
            "  features           {} read = {} accepted + {} rejected",
            thousands(layer.read),
            thousands(layer.accepted),
            thousands(layer.rejected)
        )?;
        say!(
            "  in the layer       {} added, {} changed, {} unchanged, {} removed",
            thousands(layer.added),
            thousands(layer.changed),
            thousands(layer.unchanged),
            thousands(layer.removed)
        )?;
        for (count, what) in [
            (layer.repaired, "repaired"),
            (layer.null_geometry, "without geometry"),
            (layer.empty_geometry, "with empty geometry"),
            (layer.z_dropped, "whose heights or measures were dropped"),
            (layer.curves_linearised, "whose arcs became straight segments"),
            (layer.duplicate_keys, "with a key that another feature has"),
            (layer.missing_keys, "without a key"),
        ] {
            if count > 0 {
                say!("                     {} {what}", thousands(count))?;
            }
        }
        if let Some(theme) = layer.theme {
            say!("  shows              {theme}")?;
        }
        fields(layer)?;
        meanings(layer)?;
        if layer.key.is_none() && !layer.unique_fields.is_empty() {
            say!("  no key given       these fields could be the key: {}", layer.unique_fields.join(", "))?;
        }
        issues(layer)?;
    }
    for file in &report.files {
        for note in &file.notes {
            say!("note: {}: {note}", file.path)?;
        }
    }
    say!(
        "{} read = {} accepted + {} rejected, in {:.1} s ({} a second)",
        thousands(report.read),
        thousands(report.accepted),
        thousands(report.rejected),
        report.seconds,
        counted(report.features_per_second as u64, "feature", "features")
    )?;
    if let Some(rejects) = &report.rejects_file {
        say!("the rejected features, with reasons: {rejects} (table {})", report.rejects_tables.join(", "))?;
    }
    if let Some(earlier) = &report.earlier_rejects_file {
        say!("note: {earlier} holds rejects of earlier imports, none of this one")?;
    }
    for warning in &report.warnings {
        say!("warning: {warning}")?;
    }
    match report.revision {
        Some(revision) => say!("{} is at revision {revision}", database::shown(&global.store))?,
        None => say!("dry run: {} is unchanged", database::shown(&global.store))?,
    }
    Ok(())
}

/// What fields were taken to mean: `so_to = sheet, so_thua = parcel_number`.
fn meanings(layer: &LayerReport) -> Result<(), Failure> {
    let meanings: Vec<String> = layer
        .fields
        .iter()
        .filter_map(|field| Some(format!("{} = {}", field.name, field.meaning?)))
        .collect();
    if !meanings.is_empty() {
        say!("  fields that mean   {}", meanings.join(", "))?;
        say!("                     (`citymap layer set {} --meaning FIELD=MEANING` changes it)", layer.id)?;
    }
    Ok(())
}

/// Which fields everybody will see, and which nobody.
fn fields(layer: &LayerReport) -> Result<(), Failure> {
    let public =
        if layer.public_fields.is_empty() { "none".to_owned() } else { layer.public_fields.join(", ") };
    say!("  public fields      {public}")?;
    for (position, own) in layer.personal_fields.iter().enumerate() {
        let head = if position == 0 { "personal fields" } else { "" };
        say!("  {head:<18} {} ({})", own.field, own.reason)?;
    }
    if !layer.personal_fields.is_empty() {
        say!("                     (kept and shown to nobody; `--public FIELD,…` shows one)")?;
    }
    Ok(())
}

/// Prints the first rejects, repairs and notes of a layer.
pub(super) fn issues(layer: &LayerReport) -> Result<(), Failure> {
    for (kind, word) in
        [(IssueKind::Reject, "rejected"), (IssueKind::Repair, "repaired"), (IssueKind::Warning, "note")]
    {
        let mut found = layer.issues.iter().filter(|issue| issue.kind == kind);
        for issue in found.by_ref().take(PRINTED) {
            let mut at = String::new();
            if let Some(feature) = issue.feature {
                at.push_str(&format!(" feature {feature}"));
            }
            if let Some(key) = &issue.key {
                at.push_str(&format!(" ({key})"));
            }
            if let Some(line) = issue.line {
                at.push_str(&format!(", line {line}"));
            }
            if let Some([x, y]) = issue.lonlat.or(issue.place) {
                at.push_str(&format!(" at {x:.6}, {y:.6}"));
            }
            say!("  {word}:{at} {}", issue.reason)?;
        }
        let more = found.count() as u64;
        if more > 0 {
            let what = if kind == IssueKind::Warning { plural(more, "note", "notes") } else { word };
            say!("  … and {} more {what}; --report FILE lists all", thousands(more))?;
        }
    }
    Ok(())
}
