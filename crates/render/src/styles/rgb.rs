//! Colours in sRGB, and the mixtures from which styles are made.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// An opaque colour in sRGB.
///
/// ```
/// use citymap_render::styles::Rgb;
///
/// let pink: Rgb = "#FFA0FF".parse().unwrap();
/// assert_eq!(pink.over("#fff".parse().unwrap(), 0.5).to_string(), "#ffd0ff");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Rgb {
    /// The red share, 0 to 255.
    pub red: u8,
    /// The green share, 0 to 255.
    pub green: u8,
    /// The blue share, 0 to 255.
    pub blue: u8,
}

/// A text that is not a colour.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a colour; write #rgb or #rrggbb with hexadecimal digits")]
pub struct InvalidRgb(pub String);

impl Rgb {
    /// A colour from its red, green and blue shares.
    pub const fn new([red, green, blue]: [u8; 3]) -> Self {
        Self { red, green, blue }
    }

    /// The red, green and blue shares.
    pub const fn channels(self) -> [u8; 3] {
        [self.red, self.green, self.blue]
    }

    /// The opaque colour that is seen where this one lies over `ground` with an opacity of `strength` (0 to
    /// 1; other values count as the nearer bound).
    pub fn over(self, ground: Self, strength: f64) -> Self {
        let strength = strength.clamp(0.0, 1.0);
        let [a, b] = [self.channels(), ground.channels()];
        let mixed = [0, 1, 2]
            .map(|index| f64::from(a[index]) * strength + f64::from(b[index]) * (1.0 - strength))
            .map(|value| value.round() as u8);
        Self::new(mixed)
    }

    /// An official colour over `ground`, at `strength` (0 to 1) if it is pale and at less if it is vivid: the
    /// pure green and purple of planning drawings were chosen for thin hatchings on paper, and would dominate
    /// a map as areas.
    pub fn toned(self, ground: Self, strength: f64) -> Self {
        let [red, green, blue] = self.channels();
        let chroma = f64::from(red.max(green).max(blue) - red.min(green).min(blue)) / 255.0;
        self.over(ground, strength * (1.0 - 0.56 * chroma * chroma))
    }

    /// The grey of the same luma (ITU-R BT.601).
    pub fn grey(self) -> Self {
        let [red, green, blue] = self.channels().map(f64::from);
        let luma = (0.299 * red + 0.587 * green + 0.114 * blue).round() as u8;
        Self::new([luma; 3])
    }

    /// The contrast ratio with another colour, from 1 to 21 (WCAG 2.2).
    pub fn contrast(self, other: Self) -> f64 {
        let [a, b] = [self.luminance(), other.luminance()];
        (a.max(b) + 0.05) / (a.min(b) + 0.05)
    }

    /// The relative luminance, from 0 to 1 (WCAG 2.2).
    fn luminance(self) -> f64 {
        let [red, green, blue] = self.channels().map(|value| {
            let share = f64::from(value) / 255.0;
            if share <= 0.040_45 { share / 12.92 } else { ((share + 0.055) / 1.055).powf(2.4) }
        });
        0.2126 * red + 0.7152 * green + 0.0722 * blue
    }
}

impl FromStr for Rgb {
    type Err = InvalidRgb;

    fn from_str(text: &str) -> Result<Self, InvalidRgb> {
        let invalid = || InvalidRgb(text.chars().take(40).collect());
        let digits = text.strip_prefix('#').ok_or_else(invalid)?;
        let digits: Vec<u8> = digits
            .chars()
            .map(|digit| digit.to_digit(16).map(|value| value as u8))
            .collect::<Option<_>>()
            .ok_or_else(invalid)?;
        match digits[..] {
            [r, g, b] => Ok(Self::new([r, g, b].map(|digit| digit * 17))),
            [r1, r2, g1, g2, b1, b2] => {
                Ok(Self::new([(r1, r2), (g1, g2), (b1, b2)].map(|(high, low)| high * 16 + low)))
            }
            _ => Err(invalid()),
        }
    }
}

impl fmt::Display for Rgb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{:02x}{:02x}{:02x}", self.red, self.green, self.blue)
    }
}

impl TryFrom<String> for Rgb {
    type Error = InvalidRgb;

    fn try_from(text: String) -> Result<Self, InvalidRgb> {
        text.parse()
    }
}

impl From<Rgb> for String {
    fn from(color: Rgb) -> Self {
        color.to_string()
    }
}

impl From<Rgb> for serde_json::Value {
    fn from(color: Rgb) -> Self {
        color.to_string().into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn color(text: &str) -> Rgb {
        text.parse().unwrap()
    }

    #[test]
    fn colours_are_read_and_written() {
        assert_eq!(color("#FFA0ff").channels(), [255, 160, 255]);
        assert_eq!(color("#1a2"), color("#11aa22"));
        assert_eq!(color("#0B4fd0").to_string(), "#0b4fd0");
        for bad in ["", "#", "fff", "#ff", "#ffff", "#fffffff", "#12345g", "red", "#１２３"] {
            assert!(bad.parse::<Rgb>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_colour_over_another_is_their_mixture() {
        let (black, white) = (color("#000"), color("#fff"));
        assert_eq!(white.over(black, 0.0), black);
        assert_eq!(white.over(black, 1.0), white);
        assert_eq!(white.over(black, 0.2), color("#333"));
        assert_eq!(white.over(black, 7.0), white);
    }

    #[test]
    fn vivid_colours_are_toned_down_more_than_pale_ones() {
        let ground = color("#ffffff");
        let share = |own: Rgb, toned: Rgb| f64::from(255 - toned.green) / f64::from(255 - own.green);
        let (pale, vivid) = (color("#e0d0e0"), color("#cc00ff"));
        assert!(share(pale, pale.toned(ground, 0.6)) > 0.55);
        assert!(share(vivid, vivid.toned(ground, 0.6)) < 0.3);
    }

    #[test]
    fn contrast_is_that_of_the_guidelines() {
        assert!((color("#000").contrast(color("#fff")) - 21.0).abs() < 1e-9);
        assert!((color("#777").contrast(color("#fff")) - 4.478).abs() < 0.001);
        assert!((color("#abc").contrast(color("#abc")) - 1.0).abs() < 1e-12);
    }
}
