//! How the features in one coordinate system come to WGS 84, and where they are expected.

use citymap_crs::{Crs, Transform};
use citymap_geometry::wkb;
use citymap_model::quote;
use geo::CoordsIter;
use geo_types::Geometry;

use super::Frame;
use crate::{
    source::{Original, exchange},
    srs,
};

/// How the features of one coordinate system are taken.
#[derive(Clone, Debug)]
pub(crate) struct Placing {
    /// None for a table without geometry.
    crs: Option<Crs>,
    /// To WGS 84; none for data that is in it.
    transform: Option<Transform>,
    /// To the system of the layer, in which rejects are kept; none for features that are in it.
    to_layer: Option<Transform>,
    /// Whether x and y are exchanged first.
    swap: bool,
    /// What odd features are known by; none where nothing can be said.
    frame: Option<Frame>,
}

impl Placing {
    /// The features in the system of their layer.
    ///
    /// # Errors
    /// [`citymap_crs::CrsError`] if PROJ cannot make the transformation.
    pub(crate) fn of_layer(
        crs: Option<Crs>,
        swap: bool,
        frame: Option<Frame>,
    ) -> Result<Self, citymap_crs::CrsError> {
        let transform = crs.map_or(Ok(None), srs::to_wgs84)?;
        Ok(Self { crs, transform, to_layer: None, swap, frame })
    }

    /// The features of the same layer that are in another system.
    ///
    /// # Errors
    /// [`citymap_crs::CrsError`] if PROJ cannot make the transformation.
    pub(crate) fn of_row(&self, own: Crs, frame: Option<Frame>) -> Result<Self, citymap_crs::CrsError> {
        let to_layer = self.crs.map(|layer| Transform::new(own, layer)).transpose()?;
        Ok(Self { crs: Some(own), transform: srs::to_wgs84(own)?, to_layer, swap: self.swap, frame })
    }

    pub(crate) fn crs(&self) -> Option<Crs> {
        self.crs
    }

    pub(crate) fn frame(&self) -> Option<&Frame> {
        self.frame.as_ref()
    }

    /// Whether coordinates are degrees.
    pub(crate) fn is_in_degrees(&self) -> bool {
        self.transform.as_ref().is_none_or(|transform| transform.from().is_geographic())
    }

    /// Whether coordinates change on their way to WGS 84.
    pub(crate) fn is_transformed(&self) -> bool {
        self.transform.is_some()
    }

    /// Puts x before y.
    pub(crate) fn order(&self, geometry: &mut Geometry<f64>) {
        if self.swap {
            exchange(geometry);
        }
    }

    /// A place of the source in longitude and latitude, if it has an image there.
    pub(crate) fn lonlat_point(&self, at: [f64; 2]) -> Option<[f64; 2]> {
        match &self.transform {
            None => (at[0].abs() <= 180.0 && at[1].abs() <= 90.0).then_some(at),
            Some(transform) => transform.point(at).ok(),
        }
    }

    /// A geometry in longitude and latitude; none if it is so already.
    ///
    /// # Errors
    /// Why it has no image there, for people.
    pub(crate) fn moved(&self, geometry: &Geometry<f64>) -> Result<Option<Geometry<f64>>, String> {
        let Some(transform) = &self.transform else {
            return match geometry.coords_iter().find(|c| !(c.x.abs() <= 180.0 && c.y.abs() <= 90.0)) {
                None => Ok(None),
                Some(bad) => Err(format!(
                    "{} is no longitude and latitude; if the data is in another system, say it with \
                     --crs, and if x and y are exchanged, with --swap-xy",
                    quote::coordinate([bad.x, bad.y])
                )),
            };
        };
        let mut moved = geometry.clone();
        transform.geometry(&mut moved).map_err(|error| srs::immovable(&error))?;
        Ok(Some(moved))
    }

    /// A geometry in longitude and latitude.
    ///
    /// # Errors
    /// As [`Placing::moved`].
    pub(crate) fn to_lonlat(&self, geometry: &Geometry<f64>) -> Result<Geometry<f64>, String> {
        Ok(self.moved(geometry)?.unwrap_or_else(|| geometry.clone()))
    }

    /// A geometry as rejects keep it: in the system of the layer, or else as EWKT, which names its own.
    pub(crate) fn original(&self, geometry: &Geometry<f64>) -> Original {
        let Some(to_layer) = &self.to_layer else { return Original::Wkb(wkb::to_wkb(geometry)) };
        let mut moved = geometry.clone();
        if to_layer.geometry(&mut moved).is_ok() {
            return Original::Wkb(wkb::to_wkb(&moved));
        }
        let text = gdal::vector::Geometry::from_wkb(&wkb::to_wkb(geometry)).and_then(|own| own.wkt());
        match (text, self.crs) {
            (Ok(text), Some(crs)) => Original::Text(format!("SRID={};{text}", crs.code())),
            _ => Original::Wkb(wkb::to_wkb(geometry)),
        }
    }
}
