//! PDF files with vectors and selectable text: the canvas for paper.
//!
//! [`PdfDocument`] writes a file page by page to any [writer](std::io::Write); a [`PdfPage`] is a
//! [`Canvas`], so it takes the same maps as a [`Picture`](crate::raster::Picture). Lengths on a page
//! are tenths of a millimetre from the top left corner ([`UNITS_PER_MM`]), which is also what a pixel
//! of a printed map is.
//!
//! # Guarantees
//! - The same drawing gives the same bytes: the file has no date and no random identifier.
//! - Texts can be selected and searched: each glyph has its Unicode text. Only the glyphs that are used are
//!   in the file, in a subset of each font.
//! - Memory: one page, compressed, and the fonts. A file ends with [`PdfError::TooLarge`] beyond the size
//!   that it may have.
//!
//! # Examples
//! ```
//! use citymap_render::{
//!     pdf::{PdfDocument, PdfInfo},
//!     raster::{Canvas, FillPaint},
//!     spec::Color,
//! };
//!
//! let info = PdfInfo { title: "Bản đồ", lang: "vi", bytes_max: 1 << 20 };
//! let mut document = PdfDocument::new(Vec::new(), &info).unwrap();
//! // A4 upright.
//! let mut page = document.page([2_100.0, 2_970.0]);
//! page.clear(Color { red: 1.0, green: 1.0, blue: 1.0, alpha: 1.0 });
//! document.add(page).unwrap();
//! let bytes = document.finish().unwrap();
//! assert!(bytes.starts_with(b"%PDF-1.7") && bytes.ends_with(b"%%EOF\n"));
//! ```
//!
//! [`Canvas`]: crate::raster::Canvas

mod document;
mod fonts;
mod images;
mod objects;
mod page;
mod syntax;

use std::io;

pub use document::{PdfDocument, PdfInfo};
pub use page::PdfPage;

/// Units of a page to a millimetre.
pub const UNITS_PER_MM: f32 = 10.0;

/// Why a PDF file cannot be written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PdfError {
    /// The file would be larger than it may be.
    #[error("the PDF file is larger than {max} bytes; print a smaller sheet, a larger scale or fewer layers")]
    TooLarge {
        /// The maximum size of the file in bytes.
        max: u64,
    },
    /// The file cannot be written.
    #[error("the PDF file cannot be written: {0}")]
    Io(#[from] io::Error),
    /// A font that ships with the program cannot be cut down to the glyphs that are used: a defect of the
    /// program.
    #[error("the font {font} cannot be embedded: {source}")]
    Font {
        /// The name of the font.
        font: &'static str,
        /// What the subsetter says.
        source: subsetter::Error,
    },
}

#[cfg(test)]
mod tests;
