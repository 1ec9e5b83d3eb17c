//! One sheet: where it is on the home grid, and how its frame and the grid belong together.

use citymap_crs::{Crs, Transform};
use geo::{LineString, Polygon};

use super::{PrintError, RATIO, paper::Layout};
use crate::{
    pdf::UNITS_PER_MM,
    raster::{View, units_per_metre},
};

/// Pixels of a screen that is as wide as the longer side of a sheet's frame.
const SCREEN: f64 = 1_000.0;

/// A sheet of a print: a part of the home grid at a scale.
#[derive(Clone, Debug)]
pub struct Sheet {
    view: View,
    scale: f64,
    /// The middle on the home grid, easting and northing.
    middle: [f64; 2],
    /// Width and height of the frame in units.
    size: [u32; 2],
    /// The number of the sheet from 1, and its row and column from 0.
    number: usize,
    cell: [usize; 2],
}

/// The middle of a sheet on the home grid, its scale, and the direction that is up.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SheetPlace {
    pub(crate) middle: [f64; 2],
    pub(crate) scale: f64,
    pub(crate) bearing: f64,
}

impl Sheet {
    pub(crate) fn new(layout: &Layout, place: SheetPlace) -> Result<Self, PrintError> {
        let SheetPlace { middle, scale, bearing } = place;
        let size = layout.map();
        let crs = Crs::home();
        // On a grid a metre is a unit; the scale is that of the grid.
        let [x, y] = units_per_metre(crs, middle)?;
        let half = size.map(|side| f64::from(side) / 2.0 * metres_per_unit(scale));
        let low = [middle[0] - half[0] * x, middle[1] - half[1] * y];
        let high = [middle[0] + half[0] * x, middle[1] + half[1] * y];
        let view = View::new(crs, [low, high], size)?.with_ratio(RATIO).turned(bearing)?;
        Ok(Self { view, scale, middle, size, number: 1, cell: [0, 0] })
    }

    pub(crate) fn numbered(mut self, number: usize, cell: [usize; 2]) -> Self {
        self.number = number;
        self.cell = cell;
        self
    }

    /// What the frame shows, for the renderer.
    pub fn view(&self) -> &View {
        &self.view
    }

    /// The denominator of the scale.
    pub fn scale(&self) -> f64 {
        self.scale
    }

    /// The number of the sheet in its series, from 1.
    pub fn number(&self) -> usize {
        self.number
    }

    /// The row and the column of the sheet in its series, from 0.
    pub(crate) fn cell(&self) -> [usize; 2] {
        self.cell
    }

    /// Degrees from grid north to the direction that is up, clockwise.
    pub fn bearing(&self) -> f64 {
        self.view.bearing()
    }

    /// The middle in WGS 84 degrees.
    pub fn center(&self) -> [f64; 2] {
        self.view.center()
    }

    /// The zoom of the web map at which a screen shows what the sheet shows.
    pub fn screen_zoom(&self) -> f64 {
        let longer = f64::from(self.size[0].max(self.size[1]));
        // The view's zoom is that of its style pixels.
        self.view.zoom() + (SCREEN / (longer / RATIO)).log2()
    }

    /// Width and height of the frame in units.
    pub(crate) fn size(&self) -> [f32; 2] {
        self.size.map(|side| side as f32)
    }

    /// Where a point of the home grid is in the frame, in units from its top left corner.
    pub(crate) fn place(&self, [easting, northing]: [f64; 2]) -> [f64; 2] {
        let (sin, cos) = self.bearing().to_radians().sin_cos();
        let [e, n] = [easting - self.middle[0], northing - self.middle[1]];
        let unit = metres_per_unit(self.scale);
        let [width, height] = self.size.map(f64::from);
        [width / 2.0 + (e * cos - n * sin) / unit, height / 2.0 - (e * sin + n * cos) / unit]
    }

    /// The point of the home grid at a place of the frame.
    pub(crate) fn grid(&self, [x, y]: [f64; 2]) -> [f64; 2] {
        let (sin, cos) = self.bearing().to_radians().sin_cos();
        let unit = metres_per_unit(self.scale);
        let [width, height] = self.size.map(f64::from);
        let [right, up] = [(x - width / 2.0) * unit, (height / 2.0 - y) * unit];
        [self.middle[0] + right * cos + up * sin, self.middle[1] - right * sin + up * cos]
    }

    /// The corners of the frame on the home grid, clockwise from the top left one.
    pub(crate) fn corners(&self) -> [[f64; 2]; 4] {
        let [width, height] = self.size.map(f64::from);
        [[0.0, 0.0], [width, 0.0], [width, height], [0.0, height]].map(|corner| self.grid(corner))
    }

    /// What the frame shows, in WGS 84 degrees.
    pub(crate) fn outline(&self) -> Result<Polygon<f64>, PrintError> {
        let mut corners = self.corners().to_vec();
        corners.push(corners[0]);
        Transform::new(Crs::home(), Crs::WGS84)?.apply(&mut corners)?;
        Ok(Polygon::new(LineString::from_iter(corners), Vec::new()))
    }
}

/// Metres of the grid to a unit of the page, at a scale.
pub(crate) fn metres_per_unit(scale: f64) -> f64 {
    scale / 1e3 / f64::from(UNITS_PER_MM)
}
