//! What part of the world a picture shows, in which coordinate system, and at which scale.

use citymap_crs::{Crs, CrsError, Transform};
use citymap_engine::{Bbox, mercator};

/// Length of the equator in metres, on the sphere of Web Mercator.
const EQUATOR: f64 = 40_075_016.685_578_49;

/// Width of a pixel in metres that OGC standards assume for scales.
pub const PIXEL_M: f64 = 0.000_28;

/// The part of the world that a picture shows.
///
/// # Examples
/// ```
/// use citymap_crs::Crs;
/// use citymap_render::raster::View;
///
/// // 512 m × 512 m of the home grid (EPSG:9210), one metre to a pixel.
/// let grid: Crs = "EPSG:9210".parse().unwrap();
/// let view = View::new(grid, [[603_000.0, 1_191_000.0], [603_512.0, 1_191_512.0]], [512, 512]).unwrap();
/// assert!((view.metres_per_pixel() - 1.0).abs() < 1e-9);
/// assert!((view.scale_denominator() - 3571.4).abs() < 0.1);
/// ```
#[derive(Clone, Debug)]
pub struct View {
    crs: Crs,
    low: [f64; 2],
    high: [f64; 2],
    size: [u32; 2],
    ratio: f64,
    /// Degrees from the north of the system to the direction that is up in the picture, clockwise.
    bearing: f64,
    center: [f64; 2],
    per_metre: [f64; 2],
    to_crs: Transform,
    search: Bbox,
}

/// How many units of a system are one metre on the ground near a point of the system, along x and y.
///
/// # Errors
/// [`CrsError`] if the point has no place on earth.
pub fn units_per_metre(crs: Crs, point: [f64; 2]) -> Result<[f64; 2], CrsError> {
    let [_, lat] = Transform::new(crs, Crs::WGS84)?.point(point)?;
    // At the poles a metre would be infinitely many degrees.
    let cos = lat.to_radians().cos().max(1e-3);
    let degree = EQUATOR / 360.0;
    Ok(if crs.is_geographic() {
        [1.0 / (degree * cos), 1.0 / degree]
    } else if crs == Crs::WEB_MERCATOR {
        [1.0 / cos; 2]
    } else {
        [1.0; 2]
    })
}

/// Why there is no such view.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ViewError {
    /// The box is empty or not finite.
    #[error("the box has no area; its minima must be less than its maxima on both axes")]
    Empty,
    /// The picture has no pixels.
    #[error("the picture has no pixels; give a width and a height of at least 1")]
    NoPixels,
    /// The middle of the box is beyond the square world of Web Mercator.
    #[error("the middle of the box is beyond the world, which ends at ±20 037 508 m")]
    Beyond,
    /// A part of the box has no place on earth.
    #[error("the box reaches where its coordinate system is not defined: {0}")]
    Outside(#[from] CrsError),
}

impl View {
    /// How far beyond the picture features are read and drawn, in pixels: strokes and symbols reach in from
    /// there.
    pub const MARGIN: f64 = 96.0;

    /// A view of the box from `low` to `high`, easting (longitude) first, in units of the system, on a
    /// picture of `size` pixels (width, height).
    ///
    /// # Errors
    /// [`ViewError`] if the box is empty, or reaches where its system is not defined.
    pub fn new(crs: Crs, [low, high]: [[f64; 2]; 2], size: [u32; 2]) -> Result<Self, ViewError> {
        let finite = low.iter().chain(&high).all(|value| value.is_finite());
        if !finite || low[0] >= high[0] || low[1] >= high[1] {
            return Err(ViewError::Empty);
        }
        if size.contains(&0) {
            return Err(ViewError::NoPixels);
        }
        let middle = [0, 1].map(|axis| (low[axis] + high[axis]) / 2.0);
        if crs == Crs::WEB_MERCATOR && middle.iter().any(|value| value.abs() > EQUATOR / 2.0) {
            return Err(ViewError::Beyond);
        }
        let to_lonlat = Transform::new(crs, Crs::WGS84)?;
        let to_crs = Transform::new(Crs::WGS84, crs)?;
        let (center, per_metre) = (to_lonlat.point(middle)?, units_per_metre(crs, middle)?);
        let search = Bbox::new(0.0, 0.0, 0.0, 0.0);
        let mut view =
            Self { crs, low, high, size, ratio: 1.0, bearing: 0.0, center, per_metre, to_crs, search };
        view.search = view.grown(Self::MARGIN, &to_lonlat)?;
        Ok(view)
    }

    /// A view around a point of the system (easting or longitude first) at a scale, in metres on the ground
    /// to a pixel.
    ///
    /// # Errors
    /// [`ViewError`] if the view has no pixels, or reaches where its system is not defined.
    pub fn centered(
        crs: Crs,
        center: [f64; 2],
        metres_per_pixel: f64,
        size: [u32; 2],
    ) -> Result<Self, ViewError> {
        let [x, y] = units_per_metre(crs, center)?;
        let half = [
            f64::from(size[0]) / 2.0 * metres_per_pixel * x,
            f64::from(size[1]) / 2.0 * metres_per_pixel * y,
        ];
        let low = [0, 1].map(|axis| center[axis] - half[axis]);
        let high = [0, 1].map(|axis| center[axis] + half[axis]);
        Self::new(crs, [low, high], size)
    }

    /// The system, and its box: the minima and the maxima, easting or longitude first.
    pub fn extent(&self) -> (Crs, [[f64; 2]; 2]) {
        (self.crs, [self.low, self.high])
    }

    /// The view with `ratio` pixels of the picture to a pixel of the style: 2 for a screen of high density or
    /// for print, where lines and texts must have twice as many pixels.
    #[must_use]
    pub fn with_ratio(mut self, ratio: f64) -> Self {
        self.ratio = ratio.clamp(0.25, 16.0);
        self
    }

    /// The view turned about its middle: the direction `bearing` degrees clockwise from the north of the
    /// system is up. [`extent`](Self::extent) stays the box before the turn.
    ///
    /// # Errors
    /// [`ViewError`] if a part of it then has no place on earth.
    pub fn turned(mut self, bearing: f64) -> Result<Self, ViewError> {
        self.bearing = bearing.rem_euclid(360.0);
        self.search = self.grown(Self::MARGIN, &Transform::new(self.crs, Crs::WGS84)?)?;
        Ok(self)
    }

    /// Degrees from the north of the system to the direction that is up, clockwise, from 0 to 360.
    pub fn bearing(&self) -> f64 {
        self.bearing
    }

    /// Turns pixels of the picture before the turn into those after it.
    fn turn(&self, points: &mut [[f64; 2]]) {
        if self.bearing == 0.0 {
            return;
        }
        let (sin, cos) = self.bearing.to_radians().sin_cos();
        let [cx, cy] = self.size.map(|side| f64::from(side) / 2.0);
        for point in points {
            let [x, y] = [point[0] - cx, point[1] - cy];
            *point = [cx + x * cos + y * sin, cy - x * sin + y * cos];
        }
    }

    /// Width and height in pixels.
    pub fn size(&self) -> [u32; 2] {
        self.size
    }

    /// Pixels of the picture to a pixel of the style.
    pub fn ratio(&self) -> f64 {
        self.ratio
    }

    /// The middle in WGS 84 degrees.
    pub fn center(&self) -> [f64; 2] {
        self.center
    }

    /// The box of what the picture shows and of the margin around it, in WGS 84 degrees.
    pub fn search_box(&self) -> Bbox {
        self.search
    }

    /// Metres on the ground to a pixel of the picture, in the middle.
    pub fn metres_per_pixel(&self) -> f64 {
        let [x, y] = self.units_per_pixel();
        (x / self.per_metre[0] * (y / self.per_metre[1])).sqrt()
    }

    /// The denominator of the scale for pixels of 0.28 mm, as OGC standards define it.
    pub fn scale_denominator(&self) -> f64 {
        self.metres_per_pixel() / PIXEL_M
    }

    /// The zoom at which the style is drawn: that at which the web map has the same scale in the middle.
    pub fn zoom(&self) -> f64 {
        let cos = self.center[1].to_radians().cos().max(1e-6);
        let zoom = (EQUATOR * cos / (512.0 * self.metres_per_pixel() * self.ratio)).log2();
        // A layer that begins at zoom 16 must not miss it by the last digit.
        (zoom * 1e6).round() / 1e6
    }

    fn units_per_pixel(&self) -> [f64; 2] {
        [0, 1].map(|axis| (self.high[axis] - self.low[axis]) / f64::from(self.size[axis]))
    }

    /// A box in degrees around the picture and `margin` pixels more: from many points of its edges, which are
    /// curves in degrees.
    fn grown(&self, margin: f64, to_lonlat: &Transform) -> Result<Bbox, CrsError> {
        const STEPS: u32 = 16;
        let unit = self.units_per_pixel();
        let mut points = Vec::with_capacity(4 * STEPS as usize + 4);
        let low = [0, 1].map(|axis| self.low[axis] - margin * unit[axis]);
        let high = [0, 1].map(|axis| self.high[axis] + margin * unit[axis]);
        for step in 0..=STEPS {
            let t = f64::from(step) / f64::from(STEPS);
            let [x, y] = [0, 1].map(|axis| low[axis] + (high[axis] - low[axis]) * t);
            points.extend([[x, low[1]], [x, high[1]], [low[0], y], [high[0], y]]);
        }
        if self.bearing != 0.0 {
            let middle = [0, 1].map(|axis| (self.low[axis] + self.high[axis]) / 2.0);
            let (sin, cos) = self.bearing.to_radians().sin_cos();
            for point in &mut points {
                let [x, y] = [0, 1].map(|axis| (point[axis] - middle[axis]) / unit[axis]);
                *point =
                    [middle[0] + (x * cos + y * sin) * unit[0], middle[1] + (y * cos - x * sin) * unit[1]];
            }
        }
        if self.crs.is_geographic() {
            // The margin may reach beyond the world.
            points.iter_mut().for_each(|point| {
                *point = [point[0].clamp(-180.0, 180.0), point[1].clamp(-90.0, 90.0)];
            });
        } else if self.crs == Crs::WEB_MERCATOR {
            let edge = EQUATOR / 2.0 * (1.0 - 1e-12);
            points.iter_mut().for_each(|point| *point = point.map(|value| value.clamp(-edge, edge)));
        }
        to_lonlat.apply(&mut points)?;
        let mut bbox = Bbox { min: points[0], max: points[0] };
        for point in points {
            bbox = bbox.union(Bbox { min: point, max: point });
        }
        // Curves bulge a little between the points.
        let slack = [0, 1].map(|axis| (bbox.max[axis] - bbox.min[axis]) * 1e-3);
        Ok(Bbox {
            min: [bbox.min[0] - slack[0], bbox.min[1] - slack[1]],
            max: [bbox.max[0] + slack[0], bbox.max[1] + slack[1]],
        })
    }

    /// Converts Web Mercator world units ([`mercator`]) to pixels, right and down from the top left corner.
    pub(crate) fn pixels_of_mercator(
        &self,
        world: impl Iterator<Item = [f64; 2]>,
        out: &mut Vec<[f64; 2]>,
    ) -> Result<(), CrsError> {
        out.clear();
        if self.crs == Crs::WEB_MERCATOR {
            let unit = EQUATOR / 4_294_967_296.0;
            let scale = self.units_per_pixel().map(|pixel| unit / pixel);
            let corner = [(self.low[0] + EQUATOR / 2.0) / unit, (EQUATOR / 2.0 - self.high[1]) / unit];
            out.extend(world.map(|[x, y]| [(x - corner[0]) * scale[0], (y - corner[1]) * scale[1]]));
            self.turn(out);
            return Ok(());
        }
        out.extend(world.map(mercator::unproject));
        self.to_pixels(out)
    }

    /// Converts longitude and latitude to pixels.
    pub(crate) fn pixels_of_lonlat(
        &self,
        lonlat: &[[f64; 2]],
        out: &mut Vec<[f64; 2]>,
    ) -> Result<(), CrsError> {
        out.clear();
        out.extend_from_slice(lonlat);
        self.to_pixels(out)
    }

    fn to_pixels(&self, points: &mut [[f64; 2]]) -> Result<(), CrsError> {
        self.to_crs.apply(points)?;
        let unit = self.units_per_pixel();
        for point in &mut *points {
            *point = [(point[0] - self.low[0]) / unit[0], (self.high[1] - point[1]) / unit[1]];
        }
        self.turn(points);
        Ok(())
    }

    /// Where rows of a pattern begin, in pixels: at a fixed place of the world, so that pictures of
    /// neighbouring areas fit together. Patterns are at most 64 pixels wide and high.
    pub(crate) fn pattern_origin(&self) -> [f32; 2] {
        // A multiple of the sides of all patterns of the sprite (8, 10, 12, 20) and of twice as many pixels.
        const PERIOD: f64 = 240.0;
        let unit = self.units_per_pixel();
        let left = -(self.low[0] / unit[0]).rem_euclid(PERIOD);
        let top = (self.high[1] / unit[1]).rem_euclid(PERIOD) - PERIOD;
        [left as f32, top as f32]
    }

    /// Whether the system is Web Mercator, whose pixels follow from world units directly.
    pub(crate) fn is_mercator(&self) -> bool {
        self.crs == Crs::WEB_MERCATOR
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tile_of_the_web_map_has_its_zoom() {
        let half = EQUATOR / 2.0;
        for zoom in [0, 8, 16] {
            let side = EQUATOR / f64::from(1u32 << zoom);
            let low = [half - side, 0.0];
            let view = View::new(Crs::WEB_MERCATOR, [low, [low[0] + side, side.min(half)]], [512, 512]);
            let view = view.unwrap();
            assert!((view.zoom() - f64::from(zoom)).abs() < 0.51, "{zoom}: {}", view.zoom());
        }
        let low = [11_878_000.0, 1_205_000.0];
        let view = View::new(Crs::WEB_MERCATOR, [low, low.map(|value| value + 512.0)], [512, 512]).unwrap();
        let mut pixels = Vec::new();
        view.pixels_of_lonlat(&[view.center()], &mut pixels).unwrap();
        assert!((pixels[0][0] - 256.0).abs() < 1e-6 && (pixels[0][1] - 256.0).abs() < 1e-6, "{pixels:?}");
        let [x, y] = mercator::project(view.center());
        let world = std::iter::once([f64::from(x), f64::from(y)]);
        view.pixels_of_mercator(world, &mut pixels).unwrap();
        assert!((pixels[0][0] - 256.0).abs() < 0.02 && (pixels[0][1] - 256.0).abs() < 0.02, "{pixels:?}");
        let twice = view.clone().with_ratio(2.0);
        assert!((view.zoom() - twice.zoom() - 1.0).abs() < 1e-9);
    }

    #[test]
    fn a_view_around_a_point_has_the_scale() {
        for (crs, center) in [
            (Crs::WGS84, [106.7, 10.77]),
            (Crs::WEB_MERCATOR, [11_878_000.0, 1_205_000.0]),
            (Crs::home(), [603_000.0, 1_191_000.0]),
        ] {
            let view = View::centered(crs, center, 1.4, [300, 200]).unwrap();
            assert!((view.metres_per_pixel() - 1.4).abs() < 1e-6, "{crs}: {}", view.metres_per_pixel());
            assert!((view.scale_denominator() - 5_000.0).abs() < 0.01);
        }
    }

    #[test]
    fn a_turned_view_has_its_bearing_up() {
        let (center, east) = ([603_000.0, 1_191_000.0], [603_050.0, 1_191_000.0]);
        let view = View::centered(Crs::home(), center, 1.0, [200, 400]).unwrap().turned(90.0).unwrap();
        let lonlat = Transform::new(Crs::home(), Crs::WGS84).unwrap().point(east).unwrap();
        let mut pixels = Vec::new();
        view.pixels_of_lonlat(&[lonlat], &mut pixels).unwrap();
        // East is up: 50 m above the middle.
        assert!((pixels[0][0] - 100.0).abs() < 0.01 && (pixels[0][1] - 150.0).abs() < 0.01, "{pixels:?}");
        // The longer side now lies along the easting.
        let bbox = view.search_box();
        assert!(bbox.max[0] - bbox.min[0] > bbox.max[1] - bbox.min[1], "{bbox:?}");
    }

    #[test]
    fn a_box_without_area_or_place_is_refused() {
        let view = |low, high, size| View::new(Crs::WGS84, [low, high], size);
        assert!(matches!(view([1.0, 1.0], [1.0, 2.0], [9, 9]), Err(ViewError::Empty)));
        assert!(matches!(view([1.0, f64::NAN], [2.0, 2.0], [9, 9]), Err(ViewError::Empty)));
        assert!(matches!(view([1.0, 1.0], [2.0, 2.0], [9, 0]), Err(ViewError::NoPixels)));
        let far = View::new(Crs::WEB_MERCATOR, [[0.0, 0.0], [9e9, 9e9]], [9, 9]);
        assert!(matches!(far, Err(ViewError::Beyond)));
        let outside = View::new(Crs::WGS84, [[170.0, 0.0], [200.0, 10.0]], [9, 9]);
        assert!(matches!(outside, Err(ViewError::Outside(_))), "{outside:?}");
    }
}
