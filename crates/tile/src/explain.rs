use std::{collections::BTreeMap, fmt};

use citymap_model::{LayerId, TileRule};
use serde::Serialize;

/// How a layer was drawn in a tile.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Method {
    /// Every feature, as it is, with all public fields.
    Whole,
    /// Polygons merged by class along their exact borders, these simplified once for both sides.
    Areas,
    /// Polygons merged by class on a raster, traced to polygons again.
    Raster,
    /// Lines thinned by class and simplified.
    Lines,
    /// Points near each other as one, with their number.
    Clusters,
}

/// What was done with a layer in a tile, and why.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Explanation {
    /// The layer.
    pub layer: LayerId,
    /// The rule it is drawn by.
    pub rule: TileRule,
    /// Whether the rule stands in the layer's definition; if not, it follows from the layer's role and fields.
    pub own_rule: bool,
    /// How it was drawn.
    pub method: Method,
    /// Why so.
    pub why: Vec<String>,
    /// Features that were looked at.
    pub candidates: u64,
    /// Features drawn as themselves.
    pub drawn: u64,
    /// Areas or clusters drawn for several features each.
    pub merged: u64,
    /// Features that are not drawn, by class; under an empty name those that are too small.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub dropped: BTreeMap<String, u64>,
    /// Vertices left out of borders and lines.
    pub simplified_vertices: u64,
    /// Bytes of the layer in the tile.
    pub bytes: u64,
    /// The same as gzip.
    pub gzip: u64,
    /// How long it took, milliseconds; what is derived once for many tiles counts where it was missing.
    pub milliseconds: f64,
}

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let method = match self.method {
            Method::Whole => "whole",
            Method::Areas => "merged areas",
            Method::Raster => "merged raster",
            Method::Lines => "thinned lines",
            Method::Clusters => "clusters",
        };
        writeln!(f, "{}: {method}", self.layer)?;
        for why in &self.why {
            writeln!(f, "  because {why}")?;
        }
        let origin = if self.own_rule { "its definition" } else { "its role and fields" };
        let class = self.rule.class.as_deref().unwrap_or("none");
        writeln!(
            f,
            "  rule (from {origin}): everything from zoom {}, class {class}, simplified to {} px",
            self.rule.detail_zoom, self.rule.simplify
        )?;
        writeln!(f, "  features: {} looked at, {} drawn as they are", self.candidates, self.drawn)?;
        if self.merged > 0 {
            let what = if self.method == Method::Clusters { "clusters" } else { "areas" };
            writeln!(f, "  merged into {} {what}", self.merged)?;
        }
        for (class, count) in &self.dropped {
            if class.is_empty() {
                writeln!(f, "  not drawn: {count} that are too small")?;
            } else {
                writeln!(f, "  not drawn: {count} of class {class}")?;
            }
        }
        if self.simplified_vertices > 0 {
            writeln!(f, "  left out: {} vertices", self.simplified_vertices)?;
        }
        write!(
            f,
            "  {} bytes, {} as gzip, of a budget of {}; {:.1} ms",
            self.bytes, self.gzip, self.rule.budget, self.milliseconds
        )
    }
}
