//! Colours of a style.

use std::fmt;

/// A colour in sRGB with its opacity. Channels are from 0 to 1, not multiplied by the opacity.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Color {
    /// Red, from 0 to 1.
    pub red: f32,
    /// Green, from 0 to 1.
    pub green: f32,
    /// Blue, from 0 to 1.
    pub blue: f32,
    /// Opacity: 0 is transparent.
    pub alpha: f32,
}

/// The named colours that the subset knows; styles of the city use hexadecimal ones.
const NAMED: &[(&str, u32)] = &[
    ("black", 0x00_00_00),
    ("blue", 0x00_00_ff),
    ("brown", 0xa5_2a_2a),
    ("gray", 0x80_80_80),
    ("green", 0x00_80_00),
    ("grey", 0x80_80_80),
    ("orange", 0xff_a5_00),
    ("purple", 0x80_00_80),
    ("red", 0xff_00_00),
    ("white", 0xff_ff_ff),
    ("yellow", 0xff_ff_00),
];

impl Color {
    /// Black without any transparency.
    pub const BLACK: Self = Self { red: 0.0, green: 0.0, blue: 0.0, alpha: 1.0 };
    /// White without any transparency.
    pub const WHITE: Self = Self { red: 1.0, green: 1.0, blue: 1.0, alpha: 1.0 };
    /// The colour that paints nothing.
    pub const TRANSPARENT: Self = Self { red: 0.0, green: 0.0, blue: 0.0, alpha: 0.0 };

    /// A colour from red, green, blue and opacity, each from 0 to 1; `None` if one is not.
    pub fn from_channels(channels: [f64; 4]) -> Option<Self> {
        let valid = channels.iter().all(|channel| (0.0..=1.0).contains(channel));
        let [red, green, blue, alpha] = channels.map(|channel| channel as f32);
        valid.then_some(Self { red, green, blue, alpha })
    }

    /// Reads a colour as CSS writes it: `#rgb`, `#rrggbb`, both also with opacity, `rgb(…)`, `rgba(…)`,
    /// `hsl(…)`, `hsla(…)`, `transparent`, and some names. `None` for any other text.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        if let Some(digits) = text.strip_prefix('#') {
            return Self::of_hex(digits);
        }
        let lower = text.to_ascii_lowercase();
        if lower == "transparent" {
            return Some(Self::TRANSPARENT);
        }
        if let Some((_, rgb)) = NAMED.iter().find(|(name, _)| *name == lower) {
            return Self::of_hex(&format!("{rgb:06x}"));
        }
        let (function, arguments) = lower.strip_suffix(')')?.split_once('(')?;
        let parts: Vec<&str> =
            arguments.split([',', '/', ' ']).map(str::trim).filter(|part| !part.is_empty()).collect();
        let (first, alpha) = match parts.as_slice() {
            [a, b, c] => ([*a, *b, *c], 1.0),
            [a, b, c, alpha] => ([*a, *b, *c], of_unit(alpha, 1.0)?),
            _ => return None,
        };
        match function {
            "rgb" | "rgba" => {
                let [red, green, blue] = first.map(|part| of_unit(part, 255.0));
                Self::from_channels([red?, green?, blue?, alpha])
            }
            "hsl" | "hsla" => {
                let hue: f64 = first[0].trim_end_matches("deg").parse().ok()?;
                let percent = |part: &str| -> Option<f64> {
                    Some(part.strip_suffix('%')?.parse::<f64>().ok()?.clamp(0.0, 100.0) / 100.0)
                };
                Some(Self::of_hsl([hue, percent(first[1])?, percent(first[2])?], alpha))
            }
            _ => None,
        }
    }

    fn of_hex(digits: &str) -> Option<Self> {
        if !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return None;
        }
        let channel = |index: usize, len: usize| -> Option<f32> {
            let text = &digits[index * len..(index + 1) * len];
            let value = u8::from_str_radix(&text.repeat(3 - len), 16).ok()?;
            Some(f32::from(value) / 255.0)
        };
        let (len, opaque) = match digits.len() {
            3 => (1, true),
            4 => (1, false),
            6 => (2, true),
            8 => (2, false),
            _ => return None,
        };
        let alpha = if opaque { 1.0 } else { channel(3, len)? };
        Some(Self { red: channel(0, len)?, green: channel(1, len)?, blue: channel(2, len)?, alpha })
    }

    /// From hue in degrees, saturation and lightness from 0 to 1 (CSS Color 4, 7.1).
    fn of_hsl([hue, saturation, lightness]: [f64; 3], alpha: f64) -> Self {
        let chroma = saturation * lightness.min(1.0 - lightness);
        let channel = |n: f64| {
            let k = (n + hue.rem_euclid(360.0) / 30.0) % 12.0;
            (lightness - chroma * (k - 3.0).min(9.0 - k).clamp(-1.0, 1.0)) as f32
        };
        Self { red: channel(0.0), green: channel(8.0), blue: channel(4.0), alpha: alpha as f32 }
    }

    /// The colour at `t` (0–1) between this one and another, mixed as light.
    pub fn mix(self, other: Self, t: f32) -> Self {
        let alpha = self.alpha + (other.alpha - self.alpha) * t;
        if alpha <= 0.0 {
            return Self::TRANSPARENT;
        }
        let channel = |a: f32, b: f32| {
            let (a, b) = (a * self.alpha, b * other.alpha);
            ((a + (b - a) * t) / alpha).clamp(0.0, 1.0)
        };
        Self {
            red: channel(self.red, other.red),
            green: channel(self.green, other.green),
            blue: channel(self.blue, other.blue),
            alpha,
        }
    }

    /// The same colour, more transparent by a factor from 0 to 1.
    pub fn with_opacity(self, factor: f32) -> Self {
        Self { alpha: self.alpha * factor, ..self }
    }

    /// Red, green, blue and opacity from 0 to 255.
    pub fn to_rgba8(self) -> [u8; 4] {
        [self.red, self.green, self.blue, self.alpha]
            .map(|channel| (channel.clamp(0.0, 1.0) * 255.0).round() as u8)
    }
}

/// A number with or without percent sign, as a part of `whole`.
fn of_unit(text: &str, whole: f64) -> Option<f64> {
    let value = match text.strip_suffix('%') {
        Some(percent) => percent.parse::<f64>().ok()? / 100.0,
        None => text.parse::<f64>().ok()? / whole,
    };
    value.is_finite().then(|| value.clamp(0.0, 1.0))
}

impl fmt::Display for Color {
    /// As `to-string` writes it: `rgba(255,0,0,0.5)`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [red, green, blue, _] = self.to_rgba8();
        write!(f, "rgba({red},{green},{blue},{})", self.alpha)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colors_are_read_as_css_writes_them() {
        for (text, rgba) in [
            ("#f00", [255, 0, 0, 255]),
            ("#ff000080", [255, 0, 0, 128]),
            ("rgb(1, 2, 3)", [1, 2, 3, 255]),
            ("rgba(0,0,255,0.5)", [0, 0, 255, 128]),
            ("hsl(120, 100%, 50%)", [0, 255, 0, 255]),
            ("hsla(0, 0%, 50%, 0)", [128, 128, 128, 0]),
            ("White", [255, 255, 255, 255]),
            ("transparent", [0, 0, 0, 0]),
        ] {
            assert_eq!(Color::parse(text).map(Color::to_rgba8), Some(rgba), "{text}");
        }
        for text in
            ["", "#", "#12", "#xyz", "#đỏ", "rgb(1,2)", "rgb(1,2,3,4,5)", "hsl(a,1%,1%)", "rgb(NaN,0,0)"]
        {
            assert_eq!(Color::parse(text), None, "{text}");
        }
    }

    #[test]
    fn a_transparent_color_does_not_tint_the_mixture() {
        let half = Color::parse("#f00").unwrap().mix(Color::TRANSPARENT, 0.5);
        assert_eq!(half.to_rgba8(), [255, 0, 0, 128]);
    }
}
