//! What an import reports: files, layers with counts, and issues. The report is for people and, as JSON, for
//! programs; it holds no value of a personal field.

use citymap_model::{Field, GeometryKind, LayerChange, LayerId, Mode, RevisionNumber, Role, Theme, Title};
use serde::{Deserialize, Serialize};

use crate::{PersonalField, RepairTolerance, Stages, encoding::Encoding};

/// What an import did.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// The files that were read, in the order of the request.
    pub files: Vec<FileReport>,
    /// The layers, in the order in which they were written.
    pub layers: Vec<LayerReport>,
    /// How features met those that were there.
    pub mode: Mode,
    /// Whether the commit was left out on purpose.
    pub dry_run: bool,
    /// Features read from all layers.
    pub read: u64,
    /// How many features were accepted.
    pub accepted: u64,
    /// Features rejected; `read = accepted + rejected` always.
    pub rejected: u64,
    /// How far repairs may change areas.
    pub repair_tolerance: RepairTolerance,
    /// Where the rejected features are, if there are any.
    pub rejects_file: Option<String>,
    /// The tables of that file that this import has written; the others are of earlier ones.
    pub rejects_tables: Vec<String>,
    /// A rejects file of earlier imports at the place where this one would have written its rejects.
    pub earlier_rejects_file: Option<String>,
    /// What failed after the commit, which stands.
    pub warnings: Vec<String>,
    /// The revision that this import became; none for a dry run.
    pub revision: Option<RevisionNumber>,
    /// Wall-clock time of the import in seconds.
    pub seconds: f64,
    /// Features read a second.
    pub features_per_second: f64,
    /// Where that time went.
    pub stages: Stages,
}

impl Report {
    /// The exit code for scripts: 0 all accepted, 3 accepted with rejects or from incomplete files.
    pub fn exit_code(&self) -> u8 {
        if self.rejected == 0 && !self.files.iter().any(|file| file.incomplete) { 0 } else { 3 }
    }
}

/// A file of an import.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct FileReport {
    /// Its path as given.
    pub path: String,
    /// How it was read: GDAL's driver, or our own reader (`GeoJSON`, `GeoJSONSeq`, `CSV`).
    pub driver: String,
    /// SHA-256 of the file and, for formats of several files, of those beside it, by name.
    pub sha256: String,
    /// Bytes of all those files.
    pub bytes: u64,
    /// What there is to say of the file as a whole.
    pub notes: Vec<String>,
    /// Whether one part of the file lacks what another one has, such as the rows of some shapes: the features
    /// were taken as far as they are there, and a note tells.
    pub incomplete: bool,
}

/// The encoding of a layer's texts, and how it is known.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EncodingReport {
    /// The encoding by which bytes became text.
    pub encoding: Encoding,
    /// How it is known: `the format is UTF-8`, `.cpg`, `--encoding`, `detected`, …
    pub how: String,
    /// From 0 to 1, where it was detected.
    pub confidence: Option<f64>,
    /// A few texts with letters beyond ASCII, as converted.
    pub sample: Vec<String>,
}

/// The coordinate system of a layer, and how it is known.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CrsReport {
    /// The system as `EPSG:n`.
    pub crs: String,
    /// How it is known.
    pub how: String,
}

/// What became of a source layer.
#[derive(Clone, Debug, Serialize)]
pub struct LayerReport {
    /// The layer it became.
    pub id: LayerId,
    /// Its name in the source.
    pub source: String,
    /// The file it is from.
    pub file: String,
    /// Its title for people.
    pub title: Title,
    /// What it is to the city.
    pub role: Role,
    /// Its kind of geometry.
    pub geometry: GeometryKind,
    /// Its coordinate system; none for a table.
    pub crs: Option<CrsReport>,
    /// The encoding of its texts.
    pub encoding: EncodingReport,
    /// What it shows, where its role does not say it.
    pub theme: Option<Theme>,
    /// Its fields with their types and meanings.
    pub fields: Vec<Field>,
    /// The names of the fields that anybody will see.
    pub public_fields: Vec<String>,
    /// The fields that hold personal data and are shown to nobody, each with the reason.
    pub personal_fields: Vec<PersonalField>,
    /// The field that holds the key.
    pub key: Option<String>,
    /// The field that names features.
    pub label: Option<String>,
    /// Fields whose values are all there and all different: they could be the key.
    pub unique_fields: Vec<String>,
    /// How many features the source layer held.
    pub read: u64,
    /// How many features were accepted.
    pub accepted: u64,
    /// How many features were rejected.
    pub rejected: u64,
    /// Accepted features that are new in the layer.
    pub added: u64,
    /// Accepted features that the layer had with other values or another geometry.
    pub changed: u64,
    /// Accepted features that the layer had just so.
    pub unchanged: u64,
    /// Features that the layer had and has no more.
    pub removed: u64,
    /// Features accepted after a repair.
    pub repaired: u64,
    /// Accepted features without geometry.
    pub null_geometry: u64,
    /// Accepted features whose geometry is empty.
    pub empty_geometry: u64,
    /// Features whose heights or measures were dropped.
    pub z_dropped: u64,
    /// Features whose arcs became straight pieces.
    pub curves_linearised: u64,
    /// Features whose key another one has already.
    pub duplicate_keys: u64,
    /// Some of those keys.
    pub duplicate_key_examples: Vec<String>,
    /// Features without a key, where the layer has one.
    pub missing_keys: u64,
    /// What is wrong, was repaired, or is worth knowing, in the order of the source.
    pub issues: Vec<Issue>,
    /// Issues beyond the first 100 000: counted above, left out here (rejects are all in the rejects file).
    pub issues_left_out: u64,
}

impl LayerReport {
    /// Notes what became of the features that the layer had.
    pub(crate) fn count(&mut self, change: &LayerChange) {
        (self.added, self.changed, self.removed) = (change.added, change.changed, change.removed);
        self.unchanged = self.accepted.saturating_sub(change.added + change.changed);
    }
}

/// What kind of thing an issue is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum IssueKind {
    /// The feature was not taken.
    Reject,
    /// The feature was taken after a repair.
    Repair,
    /// The feature, or the layer, was taken; but know this.
    Warning,
}

/// Something to know about a feature or a layer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Issue {
    /// What kind of thing.
    pub kind: IssueKind,
    /// Why, in a sentence.
    pub reason: String,
    /// The feature's number in its source layer, from 1; none for the layer as a whole.
    pub feature: Option<u64>,
    /// The feature's key, or its id in the source.
    pub key: Option<String>,
    /// The line in the file, for text formats, from 1.
    pub line: Option<u64>,
    /// Where it is: x, y in the source's coordinate system.
    pub place: Option<[f64; 2]>,
    /// Where it is: longitude, latitude (WGS 84, degrees).
    pub lonlat: Option<[f64; 2]>,
    /// The area before the repair, m² on the ellipsoid.
    pub area_before: Option<f64>,
    /// The area after it.
    pub area_after: Option<f64>,
}

impl Issue {
    pub(crate) fn new(kind: IssueKind, reason: impl Into<String>) -> Self {
        Self {
            kind,
            reason: reason.into(),
            feature: None,
            key: None,
            line: None,
            place: None,
            lonlat: None,
            area_before: None,
            area_after: None,
        }
    }
}
