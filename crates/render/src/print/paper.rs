//! Paper sizes, and how a sheet is divided.

use std::{fmt, str::FromStr};

/// A size of paper of ISO 216.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Paper {
    /// 210 mm × 297 mm.
    A4,
    /// 297 mm × 420 mm.
    A3,
    /// 420 mm × 594 mm.
    A2,
    /// 594 mm × 841 mm.
    A1,
    /// 841 mm × 1189 mm.
    A0,
}

/// How the paper is turned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Orientation {
    /// The shorter side is at the top.
    Portrait,
    /// The longer side is at the top.
    Landscape,
}

impl Paper {
    /// All sizes, from the smallest on.
    pub const ALL: [Self; 5] = [Self::A4, Self::A3, Self::A2, Self::A1, Self::A0];
    /// The names of [`Paper::ALL`].
    pub const NAMES: &[&str] = &["A4", "A3", "A2", "A1", "A0"];

    /// Width and height upright, in millimetres.
    pub fn size(self) -> [f32; 2] {
        match self {
            Self::A4 => [210.0, 297.0],
            Self::A3 => [297.0, 420.0],
            Self::A2 => [420.0, 594.0],
            Self::A1 => [594.0, 841.0],
            Self::A0 => [841.0, 1_189.0],
        }
    }

    /// How much larger letters and the title block are than on A4: large sheets are read from further away.
    pub(crate) fn enlargement(self) -> f32 {
        match self {
            Self::A4 | Self::A3 => 1.0,
            Self::A2 => 1.2,
            Self::A1 => 1.4,
            Self::A0 => 1.6,
        }
    }
}

impl fmt::Display for Paper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(Self::NAMES[*self as usize])
    }
}

impl FromStr for Paper {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let found = Self::ALL.into_iter().find(|paper| paper.to_string().eq_ignore_ascii_case(text));
        found.ok_or_else(|| format!("the paper must be one of {}", Self::NAMES.join(", ")))
    }
}

/// Width and height of the map on a sheet of paper, in millimetres.
pub fn frame_size(paper: Paper, orientation: Orientation) -> [f64; 2] {
    Layout::new(paper, orientation).map().map(|side| f64::from(side) / f64::from(crate::pdf::UNITS_PER_MM))
}

impl Orientation {
    /// Both orientations, portrait first.
    pub const ALL: [Self; 2] = [Self::Portrait, Self::Landscape];
    /// The names of [`Orientation::ALL`].
    pub const NAMES: &[&str] = &["portrait", "landscape"];
}

impl FromStr for Orientation {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "portrait" => Ok(Self::Portrait),
            "landscape" => Ok(Self::Landscape),
            _ => Err(format!("the orientation must be {}", Self::NAMES.join(" or "))),
        }
    }
}

/// A box on a page in units: left and top, right and bottom.
pub(crate) type Area = [[f32; 2]; 2];

/// The margin of a sheet that printers cannot reach, in millimetres.
const MARGIN: f32 = 8.0;
/// The band around the frame for the coordinates of the grid, in millimetres on A4.
const BAND: f32 = 4.0;
/// The width of the title block beside the frame, or its height below it, in millimetres on A4.
const BLOCK: f32 = 60.0;
/// The space between the parts of a sheet, in millimetres on A4.
const GAP: f32 = 3.0;

/// Where the parts of a sheet are, in units.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Layout {
    pub(crate) orientation: Orientation,
    /// Width and height of the page.
    pub(crate) size: [f32; 2],
    /// The map. Its sides are whole units.
    pub(crate) frame: Area,
    /// Where the title block is.
    pub(crate) block: Area,
    /// Units to a millimetre of the title block on A4.
    pub(crate) unit: f32,
    /// The height of the band around the frame.
    pub(crate) band: f32,
}

impl Layout {
    pub(crate) fn new(paper: Paper, orientation: Orientation) -> Self {
        let mm = crate::pdf::UNITS_PER_MM;
        let [short, long] = paper.size().map(|side| side * mm);
        let unit = mm * paper.enlargement();
        let size = match orientation {
            Orientation::Portrait => [short, long],
            Orientation::Landscape => [long, short],
        };
        let (margin, band, block, gap) = (MARGIN * mm, BAND * unit, BLOCK * unit, GAP * unit);
        let low = [margin + band; 2];
        let [right, bottom] = size.map(|side| side - margin);
        let (high, block) = match orientation {
            Orientation::Portrait => {
                let top = bottom - block;
                ([right - band, (top - gap - band).floor()], [[margin, top], [right, bottom]])
            }
            Orientation::Landscape => {
                let left = right - block;
                ([(left - gap - band).floor(), bottom - band], [[left, margin], [right, bottom]])
            }
        };
        let high = [0, 1].map(|axis| low[axis] + (high[axis] - low[axis]).floor());
        Self { orientation, size, frame: [low, high], block, unit, band }
    }

    /// A map in a frame of a page that has other content too.
    pub(crate) fn framed(size: [f32; 2], frame: Area) -> Self {
        let unit = crate::pdf::UNITS_PER_MM;
        let orientation = Orientation::Portrait;
        Self { orientation, size, frame, block: frame, unit, band: BAND * unit }
    }

    /// Width and height of the map in units.
    pub(crate) fn map(&self) -> [u32; 2] {
        [0, 1].map(|axis| (self.frame[1][axis] - self.frame[0][axis]) as u32)
    }
}
