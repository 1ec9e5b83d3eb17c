//! What holds of any city, tried on the synthetic one.

mod labels;
mod legend;

use std::{
    error::Error,
    sync::{Arc, LazyLock},
};

use citymap_crs::{Crs, Transform};
use citymap_demo::{Recipe, Sink, generate};
use citymap_engine::{City, SnapshotBuilder};
use citymap_model::{Feature, Layer, NewFeature};
use citymap_render::raster::View;

/// A dense quarter of the synthetic city.
const CORE: [f64; 2] = [106.698, 10.7725];

static CITY: LazyLock<City> = LazyLock::new(|| {
    let mut sink = Snapshots(City::default());
    generate(&Recipe { parcels: 3_000, seed: 1 }, &mut sink, &mut |_, _, _| {}).unwrap();
    sink.0
});

struct Snapshots(City);

impl Sink for Snapshots {
    fn layer(
        &mut self,
        layer: &Layer,
        features: &mut dyn Iterator<Item = NewFeature>,
    ) -> Result<(), Box<dyn Error + Send + Sync>> {
        let mut builder = SnapshotBuilder::new(layer.clone());
        for (position, NewFeature { geometry, values }) in features.enumerate() {
            builder.push(&Feature { fid: position as i64 + 1, geometry, values })?;
        }
        self.0.layers.insert(layer.id.clone(), Arc::new(builder.finish(1)));
        Ok(())
    }
}

/// A square picture of the core, as the web map shows it at a zoom.
fn view_of_core(zoom: u32, side: u32) -> View {
    let middle = Transform::new(Crs::WGS84, Crs::WEB_MERCATOR).unwrap().point(CORE).unwrap();
    let metres = 40_075_016.685_578_49 / f64::from(512 << zoom) * CORE[1].to_radians().cos();
    let view = View::centered(Crs::WEB_MERCATOR, middle, metres, [side; 2]).unwrap();
    assert!((view.zoom() - f64::from(zoom)).abs() < 1e-6);
    view
}
