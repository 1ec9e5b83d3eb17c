//! Which sheets an order needs.

use citymap_crs::{Crs, Transform};
use citymap_engine::Bbox;

use super::{
    Orientation, Paper, PrintError, SCALES, Sheet, USUAL_SCALES,
    paper::Layout,
    sheet::{SheetPlace, metres_per_unit},
};
use crate::raster::ViewError;

/// What is to be printed.
#[derive(Clone, Debug, PartialEq)]
pub struct PrintOrder {
    /// The place that is printed.
    pub area: PrintArea,
    /// The denominator of the scale; without it the largest of [`USUAL_SCALES`] at which the area fits on one
    /// sheet (1:1 000 around a point).
    pub scale: Option<f64>,
    /// The size of the paper.
    pub paper: Paper,
    /// How the paper is turned.
    pub orientation: Orientation,
    /// Degrees from grid north to the direction that is up, clockwise.
    pub bearing: f64,
}

/// The place of a print, in WGS 84 degrees.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum PrintArea {
    /// One sheet with this point in its middle: longitude, latitude.
    Around([f64; 2]),
    /// As many sheets as cover this box.
    Box(Bbox),
}

/// How much may be printed at once.
#[derive(Clone, Copy, Debug)]
pub struct PrintLimits {
    /// Maximum number of sheets, without the index sheet.
    pub sheets_max: usize,
    /// Maximum size of the file in bytes.
    pub bytes_max: u64,
}

/// The sheets of a print.
#[derive(Clone, Debug)]
pub struct PrintPlan {
    pub(super) paper: Paper,
    pub(super) layout: Layout,
    /// The sheet that shows the places of the others; only where there are several.
    pub(super) index: Option<Sheet>,
    pub(super) sheets: Vec<Sheet>,
}

/// The scale around a point, where an order names none.
const USUAL: f64 = 1_000.0;

/// The part of the frame of an index sheet that its sheets fill at most.
const FILLED: f64 = 0.9;

impl PrintPlan {
    /// The sheets that an order needs.
    ///
    /// # Errors
    /// [`PrintError`] if the scale cannot be printed, the area has no place on the home grid, or it needs
    /// more sheets than `limits` allow.
    pub fn new(order: &PrintOrder, limits: &PrintLimits) -> Result<Self, PrintError> {
        let PrintOrder { paper, orientation, bearing, .. } = *order;
        if let Some(scale) = order.scale.filter(|scale| !(SCALES[0]..=SCALES[1]).contains(scale)) {
            return Err(PrintError::Scale(scale));
        }
        let layout = Layout::new(paper, orientation);
        let bbox = match order.area {
            PrintArea::Around(lonlat) => {
                let middle = Transform::new(Crs::WGS84, Crs::home())?.point(lonlat)?;
                let place = SheetPlace { middle, scale: order.scale.unwrap_or(USUAL), bearing };
                let sheets = vec![Sheet::new(&layout, place)?];
                return Ok(Self { paper, layout, index: None, sheets });
            }
            PrintArea::Box(bbox) => bbox,
        };
        let ground = Ground::of(&bbox, bearing)?;
        let frame = layout.map().map(f64::from);
        let fits = |scale: f64, part: f64| {
            (0..2).all(|axis| ground.size[axis] <= frame[axis] * metres_per_unit(scale) * part)
        };
        let scale = match order.scale {
            Some(scale) => scale,
            None => USUAL_SCALES.into_iter().find(|scale| fits(*scale, 1.0)).ok_or(PrintError::TooFar)?,
        };
        // A hair more than a sheet is one sheet.
        let counts = [0, 1].map(|axis| {
            let side = frame[axis] * metres_per_unit(scale);
            (ground.size[axis] / side - 1e-6).ceil().max(1.0) as u64
        });
        let count = counts[0].saturating_mul(counts[1]);
        if count > limits.sheets_max as u64 {
            return Err(PrintError::TooManySheets { count, max: limits.sheets_max });
        }
        let [columns, rows] = counts;
        let mut sheets = Vec::with_capacity(count as usize);
        for row in 0..rows {
            for column in 0..columns {
                let side = frame.map(|side| side * metres_per_unit(scale));
                let right = (column as f64 - (columns - 1) as f64 / 2.0) * side[0];
                let up = ((rows - 1) as f64 / 2.0 - row as f64) * side[1];
                let place = SheetPlace { middle: ground.beside(right, up), scale, bearing };
                let sheet = Sheet::new(&layout, place)?;
                sheets.push(sheet.numbered(sheets.len() + 1, [row as usize, column as usize]));
            }
        }
        let index = if sheets.len() > 1 {
            let covered = [columns as f64 * frame[0], rows as f64 * frame[1]];
            let times = (covered[0] / frame[0]).max(covered[1] / frame[1]) / FILLED;
            let place = SheetPlace { middle: ground.middle, scale: rounded_up(scale * times), bearing };
            Some(Sheet::new(&layout, place)?)
        } else {
            None
        };
        Ok(Self { paper, layout, index, sheets })
    }

    /// The number of pages: the sheets, and the index sheet if there are several.
    pub fn pages(&self) -> usize {
        self.sheets.len() + usize::from(self.index.is_some())
    }

    /// The sheets in rows from the top left.
    pub fn sheets(&self) -> &[Sheet] {
        &self.sheets
    }
}

/// The next scale whose denominator has two digits and zeros.
fn rounded_up(scale: f64) -> f64 {
    let unit = 10_f64.powf(scale.log10().floor() - 1.0);
    (scale / unit - 1e-9).ceil() * unit
}

/// A box on the home grid, seen in the direction that is up.
struct Ground {
    middle: [f64; 2],
    /// Width and height in metres.
    size: [f64; 2],
    bearing: f64,
}

impl Ground {
    fn of(bbox: &Bbox, bearing: f64) -> Result<Self, PrintError> {
        let Bbox { min, max } = *bbox;
        let finite = min.iter().chain(&max).all(|value| value.is_finite());
        if !finite || min[0] >= max[0] || min[1] >= max[1] {
            return Err(ViewError::Empty.into());
        }
        let mut corners = vec![min, [max[0], min[1]], max, [min[0], max[1]]];
        Transform::new(Crs::WGS84, Crs::home())?.apply(&mut corners)?;
        let mut own = Self { middle: [0.0; 2], size: [0.0; 2], bearing };
        let (mut low, mut high) = ([f64::INFINITY; 2], [f64::NEG_INFINITY; 2]);
        for corner in corners {
            let turned = own.seen(corner);
            for axis in 0..2 {
                low[axis] = low[axis].min(turned[axis]);
                high[axis] = high[axis].max(turned[axis]);
            }
        }
        let middle = [0, 1].map(|axis| (low[axis] + high[axis]) / 2.0);
        own.middle = own.beside(middle[0], middle[1]);
        own.size = [0, 1].map(|axis| high[axis] - low[axis]);
        Ok(own)
    }

    /// A point of the grid as its distances to the right and up from the origin of the grid.
    fn seen(&self, [e, n]: [f64; 2]) -> [f64; 2] {
        let (sin, cos) = self.bearing.to_radians().sin_cos();
        [e * cos - n * sin, e * sin + n * cos]
    }

    /// The point that is so many metres to the right of and above the middle.
    fn beside(&self, right: f64, up: f64) -> [f64; 2] {
        let (sin, cos) = self.bearing.to_radians().sin_cos();
        [self.middle[0] + right * cos + up * sin, self.middle[1] - right * sin + up * cos]
    }
}
