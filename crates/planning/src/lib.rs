//! The city's questions about land and plans.
//!
//! [`ParcelReport`] says what is planned on a parcel: which zones of which plans share area with it, which of
//! them prevails where, what the rights-of-way of roads cut off, and where its corners are on the home grid.
//! It works on the layers' roles and on the meanings of their fields; it knows no names of layers or fields.
//!
//! # What prevails
//!
//! Plans of several levels cover the same land. A finer plan prevails over a coarser one, and a local
//! adjustment over the plan that it adjusts ([`Precedence`], Law on Urban and Rural Planning 47/2024/QH15).
//! Within a level the plan that was decided later prevails; this is a house rule, and the report names the
//! area that zones of one level share. So each square metre of a parcel belongs to at most one zone that
//! prevails, and the areas of these pieces and of the rest add up to the area of the parcel.
//!
//! # Precision
//!
//! Areas are planar areas on the home grid. What a zone shares with the parcel is accurate to 1e-6 m²
//! ([`citymap_engine::Overlay`]). The pieces that prevail are cut on a lattice of some tenths of a
//! micrometre, and add up to the parcel within 1e-3 m².
//!
//! # Examples
//!
//! ```
//! use citymap_planning::{PlanLevel, Precedence};
//!
//! let precedence = Precedence::default();
//! let rank = |text: &str| precedence.rank(PlanLevel::read(text));
//! assert!(rank("QHCT") < rank("QHPK") && rank("QHPK") < rank("QHC"));
//! assert!(rank("ĐCCB") < rank("Quy hoạch chi tiết 1/500"));
//! ```

mod checks;
mod codes;
mod corners;
mod draft;
mod level;
mod lineage;
mod partition;
mod readiness;
mod report;
mod right_of_way;
mod since;
mod verification;
pub mod wording;

pub use checks::{
    CheckError, CheckHooks, CheckKind, CheckOptions, CheckProgress, CheckResult, Fault, FaultState,
    FaultSubject, NOISE, check, compare,
};
pub use codes::Coded;
pub use corners::Corner;
pub use draft::{
    Draft, DraftCut, DraftError, DraftImpact, DraftOptions, DraftPart, ImpactGroup, ImpactTotals,
    LayerImpact, PlanConflict, Population, cut_of,
};
pub use level::{PlanLevel, Precedence};
pub use lineage::{Lineage, LineageFinder, LineageKind, LineageParcel, LineageShare, NOISE_WIDTH};
pub use partition::{Indicator, Plans, Prevailing, ZonePiece};
pub use readiness::{Readiness, readiness};
pub use report::{
    Areas, Identification, ParcelReport, ReportError, ReportLink, ReportOptions, Source, Status, ValidTime,
};
pub use right_of_way::{RightOfWay, RoadCut};
pub use since::{ReportChange, Theme};
pub use verification::{Difference, Verification, differences, report_hash};

/// An area in m², rounded to a tenth of a square millimetre less than it is computed to.
fn rounded(value: f64) -> f64 {
    (value * 1e4).round() / 1e4
}
