//! The report of how a layer was drawn in a tile, as [`Tiler::explain`](crate::Tiler::explain) returns it.

use std::{collections::BTreeMap, fmt};

use citymap_model::{LayerId, TileRule};
use serde::Serialize;

/// How a layer was drawn in a tile.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Method {
    /// Every feature with its exact geometry and all public fields.
    Whole,
    /// Polygons are merged by class along their exact borders; each border is simplified once for both sides.
    Areas,
    /// Polygons are merged by class on a raster and traced to polygons again.
    Raster,
    /// Lines are thinned by class and simplified.
    Lines,
    /// Points near each other are drawn as one, with their number.
    Clusters,
}

/// What was done with a layer in a tile, and why.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Explanation {
    /// Id of the layer that was drawn.
    pub layer: LayerId,
    /// The tile rule that was applied.
    pub rule: TileRule,
    /// Whether the rule is part of the layer's definition; otherwise it was derived from the layer's role and
    /// fields.
    pub own_rule: bool,
    /// The method that was used to draw the layer.
    pub method: Method,
    /// The reasons for the method, as sentences.
    pub why: Vec<String>,
    /// Number of features whose boxes meet the tile.
    pub candidates: u64,
    /// Number of features drawn individually.
    pub drawn: u64,
    /// Number of areas or clusters, each of which stands for several features.
    pub merged: u64,
    /// Number of features that are not drawn, by class; under an empty name those that are too small.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub dropped: BTreeMap<String, u64>,
    /// Number of vertices that were removed from borders and lines.
    pub simplified_vertices: u64,
    /// Size of the layer in the tile, in bytes.
    pub bytes: u64,
    /// Size of the layer in the tile compressed with gzip, in bytes.
    pub gzip: u64,
    /// Time taken in milliseconds. Work that is done once for many tiles counts if it was not done before.
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
