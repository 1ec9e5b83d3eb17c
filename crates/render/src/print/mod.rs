//! Maps on paper at an exact scale: sheets from A4 to A0 as pages of a PDF file.
//!
//! A [`PrintPlan`] says which sheets an order needs: one around a point, the one that shows a box, or a
//! series over a box with an index sheet before it. [`write()`] draws them: the map in a frame with
//! crosses of the home grid, and a title block with the scale bar, the north arrow, the legend of what
//! is on the sheet, the sources, and a code that leads to the same view at the same revision.
//!
//! # Precision
//! A sheet is a view of the home grid, on which a metre is 1000/scale mm of paper in both directions: what is
//! 100 m long on the grid is 200.0 mm long at 1:500. Positions in the file are rounded to 0.01 mm.
//!
//! # Limits
//! Scales from 1:200 to 1:25 000 ([`SCALES`]); at most [`PrintLimits::sheets_max`] sheets; a file of at most
//! [`PrintLimits::bytes_max`] bytes; the bounds of a picture for each sheet
//! ([`RenderError::TooLarge`]). One sheet is in memory at a time.

mod address;
mod draw;
pub(crate) mod furniture;
pub(crate) mod grid;
mod highlight;
pub(crate) mod legend;
pub(crate) mod paper;
pub(crate) mod pen;
mod plan;
pub(crate) mod sheet;
mod source;
mod template;

use crate::{
    pdf::PdfError,
    raster::{RenderError, ViewError},
    spec::StyleError,
};

pub use address::{ViewAddress, view_address};
pub use draw::{PrintInfo, PrintProgress, PrintSource, write};
pub use highlight::Highlight;
pub use paper::{Orientation, Paper, frame_size};
pub use plan::{PrintArea, PrintLimits, PrintOrder, PrintPlan};
pub use sheet::Sheet;
pub use source::{Styled, styled};
pub use template::{PrintTemplate, TemplateError, TemplateField};

/// The scales that can be printed: the denominators of the largest and of the smallest.
pub const SCALES: [f64; 2] = [200.0, 25_000.0];

/// The denominators of usual scales, from which one is chosen where an order names none.
pub const USUAL_SCALES: [f64; 9] =
    [200.0, 250.0, 500.0, 1_000.0, 2_000.0, 2_500.0, 5_000.0, 10_000.0, 25_000.0];

/// Millimetres of paper to a pixel of the style: letters of 12 pixels are 2.4 mm high.
pub const MM_PER_PIXEL: f64 = 0.2;

/// Units of a page to a pixel of the style.
const RATIO: f64 = MM_PER_PIXEL * crate::pdf::UNITS_PER_MM as f64;

/// Why a map cannot be printed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PrintError {
    /// The scale is out of range.
    #[error("the scale 1:{0} cannot be printed; give a denominator from 200 to 25000")]
    Scale(f64),
    /// The box does not fit on one sheet at the smallest scale.
    #[error(
        "the area is too large for one sheet of this paper at 1:25000; give a scale for a series of sheets, \
         or a larger paper"
    )]
    TooFar,
    /// The series would have too many sheets.
    #[error(
        "the area needs {count} sheets at this scale, at most {max} are printed at once; choose a smaller \
             scale, a larger paper or a smaller area"
    )]
    TooManySheets {
        /// How many sheets it would take.
        count: u64,
        /// How many there may be.
        max: usize,
    },
    /// The box or the point cannot be used.
    #[error("the area cannot be printed: {0}; give longitude and latitude inside the city")]
    Area(#[from] ViewError),
    /// The style has something that cannot be drawn.
    #[error("the style cannot be drawn: {0}")]
    Style(#[from] StyleError),
    /// The map of a sheet cannot be drawn.
    #[error(transparent)]
    Render(#[from] RenderError),
    /// The file cannot be written.
    #[error(transparent)]
    Pdf(#[from] PdfError),
    /// A font that ships with the program is missing: a defect of the program.
    #[error("the font {0} is missing in the program")]
    Face(&'static str),
    /// The address of the view is too long for a code.
    #[error("the address of the map is too long for a code of squares; use a shorter one: {0}")]
    Code(#[from] qrcodegen::DataTooLong),
}

impl From<citymap_crs::CrsError> for PrintError {
    fn from(error: citymap_crs::CrsError) -> Self {
        Self::Area(error.into())
    }
}

#[cfg(test)]
pub(crate) mod tests;
