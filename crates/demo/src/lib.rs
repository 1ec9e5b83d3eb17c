//! A synthetic city from a seed: Ho Chi Minh City's place and names, nothing of its land register.
//!
//! The plan is made of convex polygons cut by straight lines (`geom`): arterials as rings and
//! spokes (`mesh`), quarters, blocks, alleys (`cell`), rows of tube-house lots (`lots`). A
//! smooth displacement (`warp`) then bends all of it. Everything is in metres on VN-2000 / TM-3
//! 105-45 (EPSG:9210) until the last step, which converts it to longitudes and latitudes (`frame`).
//!
//! Cells are built in parallel, each from its own stream of random numbers, and handed over in
//! order: the same seed gives the same features, however many threads work.
//!
//! ```
//! use citymap_demo::{Recipe, Sink, generate};
//! use citymap_model::{Layer, NewFeature};
//!
//! struct Count(u64);
//! impl Sink for Count {
//!     fn layer(
//!         &mut self,
//!         _: &Layer,
//!         features: &mut dyn Iterator<Item = NewFeature>,
//!     ) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
//!         self.0 += features.count() as u64;
//!         Ok(())
//!     }
//! }
//!
//! let mut count = Count(0);
//! let summary = generate(&Recipe { parcels: 50, seed: 1 }, &mut count, &mut |_, _, _| {}).unwrap();
//! assert_eq!(summary.count("parcels"), 50);
//! assert_eq!(summary.count("communes"), 168);
//! ```

use std::error::Error;

use citymap_crs::CrsError;
use citymap_model::{InvalidLayerId, Layer, LayerId, NewFeature};

mod building;
mod cell;
mod city;
mod communes;
mod dice;
mod emit;
mod frame;
mod geom;
mod land;
mod layers;
mod lots;
mod mesh;
mod networks;
mod part;
mod quarter;
mod road;
mod style;
mod text;
mod values;
mod warp;
mod water;
mod zones;

/// What city to make.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Recipe {
    /// The exact number of parcels. 100 000 make a city about 13 km across.
    pub parcels: u32,
    /// The same seed and number of parcels give the same city, feature by feature.
    pub seed: u64,
}

/// What receives the city: a store, a file, a test.
pub trait Sink {
    /// Receives one layer with all its features in order; coordinates are WGS 84 longitude and latitude in
    /// degrees.
    ///
    /// # Errors
    /// The sink's own error if any feature is not accepted; the generation then ends with
    /// [`DemoError::Sink`].
    fn layer(
        &mut self,
        layer: &Layer,
        features: &mut dyn Iterator<Item = NewFeature>,
    ) -> Result<(), Box<dyn Error + Send + Sync>>;
}

/// Why a city could not be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DemoError {
    /// Coordinates could not be transformed.
    #[error("the coordinates of the demo city cannot be computed: {0}")]
    Crs(#[from] CrsError),
    /// The name of a layer is not valid.
    #[error(transparent)]
    Layer(#[from] InvalidLayerId),
    /// The plan has no room for so many parcels.
    #[error("the plan has no room for {wanted} parcels; ask for fewer")]
    TooFewLots {
        /// How many were asked for.
        wanted: u32,
    },
    /// The sink refused a layer.
    #[error("layer {layer}: {source}")]
    Sink {
        /// The layer that was refused.
        layer: LayerId,
        /// The sink's own error.
        source: Box<dyn Error + Send + Sync>,
    },
}

/// How many features a generated city has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Summary {
    /// Features of each layer, in the order in which the sink got them.
    pub layers: Vec<(LayerId, u64)>,
}

impl Summary {
    /// The features of one layer; 0 for a layer that is not there.
    pub fn count(&self, layer: &str) -> u64 {
        self.layers.iter().find(|(id, _)| id.as_str() == layer).map_or(0, |(_, count)| *count)
    }

    /// The features of all layers.
    pub fn features(&self) -> u64 {
        self.layers.iter().map(|(_, count)| count).sum()
    }
}

/// Makes a city and hands it to `sink`, layer by layer.
///
/// `progress` is called with the name of the step, how much of it is done and how much there is.
///
/// # Errors
/// [`DemoError`]. The sink then holds a part of the city and should discard it.
pub fn generate(
    recipe: &Recipe,
    sink: &mut dyn Sink,
    progress: &mut dyn FnMut(&str, u64, u64),
) -> Result<Summary, DemoError> {
    let city = city::City::build(recipe, progress)?;
    emit::all(&city, sink, progress)
}
