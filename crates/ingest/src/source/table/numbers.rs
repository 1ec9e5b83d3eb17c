//! Coordinates as people write them: decimal points and commas, thousands in groups, degrees with minutes.

/// How the numbers of a table are written, as far as one cell does not tell.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum NumberStyle {
    /// A point is the decimal sign: `603481.588`.
    #[default]
    Point,
    /// `603481,588`: a single comma is the decimal sign.
    Comma,
}

impl NumberStyle {
    /// By the cells of the coordinate columns: a single comma with other than three digits behind it can only
    /// be a decimal sign, and where all have three, `small` (degrees) tells.
    pub(crate) fn of<'a>(cells: impl Iterator<Item = &'a str>, small: bool) -> Self {
        let mut commas = 0_usize;
        let mut decimal = false;
        for cell in cells.map(str::trim).filter(|cell| !cell.contains('.')) {
            if let Some((_, behind)) = cell.split_once(',')
                && !behind.contains(',')
            {
                commas += 1;
                decimal |= behind.len() != 3;
            }
        }
        if decimal || (small && commas > 0) { Self::Comma } else { Self::Point }
    }

    /// A number; `None` if the text is none, or could be two different ones.
    pub(crate) fn parse(self, text: &str) -> Option<f64> {
        let text = text.trim();
        let number = match text.parse::<f64>() {
            // `inf` and `nan` parse and are no coordinates.
            Ok(number) => Some(number),
            Err(_) if self == Self::Comma && text.matches(',').count() == 1 && !text.contains('.') => {
                text.replace(',', ".").parse().ok()
            }
            Err(_) => grouped(text),
        };
        number.filter(|number| number.is_finite())
    }
}

/// `1,191,454.6` and `1.191.454,6`: thousands in groups, where two different signs, or one that repeats,
/// leave no doubt.
fn grouped(text: &str) -> Option<f64> {
    let (sign, digits) = match text.strip_prefix('-') {
        Some(rest) => ("-", rest),
        None => ("", text),
    };
    let plain: String =
        digits.chars().map(|c| if matches!(c, '\u{a0}' | '\u{202f}') { ' ' } else { c }).collect();
    for (group, decimal) in [(',', '.'), ('.', ','), (' ', ','), (' ', '.')] {
        let (whole, fraction) = match plain.split_once(decimal) {
            Some((whole, fraction)) => (whole, Some(fraction)),
            None => (plain.as_str(), None),
        };
        let groups: Vec<&str> = whole.split(group).collect();
        let is_digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        let well = groups.len() > 1
            && groups.iter().all(|part| is_digits(part))
            && groups[0].len() <= 3
            && groups[1..].iter().all(|part| part.len() == 3)
            && fraction.is_none_or(is_digits)
            && (fraction.is_some() || groups.len() > 2 || group == ' ');
        if well {
            return format!("{sign}{}.{}", groups.concat(), fraction.unwrap_or("0")).parse().ok();
        }
    }
    None
}

/// Which coordinate an angle's letter says it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Hemisphere {
    /// East or west: a longitude.
    Longitude,
    /// North or south: a latitude.
    Latitude,
}

/// Degrees with minutes and seconds, such as `106°41'53"E`, `10 46 21.5 N` or `106° 41.883′ Đ`; and the
/// letter behind or before them. Vietnamese letters (Đ east, B north) are read; T and N of *tây* and *nam*
/// are not, since N is north in every other language.
pub(crate) fn degrees(text: &str) -> Option<(f64, Option<Hemisphere>)> {
    let mut letter = None;
    let mut parts: Vec<String> = Vec::new();
    let mut open = false;
    let mut signs = 0_usize;
    let mut negative = false;
    for c in text.trim().chars() {
        match c {
            '0'..='9' | '.' | ',' => {
                if !open {
                    parts.push(String::new());
                    open = true;
                }
                parts.last_mut()?.push(if c == ',' { '.' } else { c });
            }
            '-' if parts.is_empty() && !negative => negative = true,
            '°' | 'º' | '˚' | '\'' | '′' | '’' | '‘' | '"' | '″' | '”' | '“' => {
                signs += 1;
                open = false;
            }
            ' ' | '\u{a0}' => open = false,
            'E' | 'e' | 'W' | 'w' | 'N' | 'n' | 'S' | 's' | 'Đ' | 'đ' | 'B' | 'b' if letter.is_none() => {
                letter = c.to_uppercase().next();
                open = false;
            }
            _ => return None,
        }
    }
    if parts.is_empty() || parts.len() > 3 || (signs == 0 && letter.is_none()) {
        return None;
    }
    let mut value = 0.0;
    for (at, (part, scale)) in parts.iter().zip([1.0, 60.0, 3600.0]).enumerate() {
        let number: f64 = part.parse().ok()?;
        // Only the last part may have a fraction, and minutes and seconds end at sixty.
        if (at + 1 < parts.len() && number.fract() != 0.0) || (at > 0 && number >= 60.0) {
            return None;
        }
        value += number / scale;
    }
    if negative || matches!(letter, Some('W' | 'S')) {
        value = -value;
    }
    let hemisphere = letter.map(|letter| match letter {
        'E' | 'W' | 'Đ' => Hemisphere::Longitude,
        _ => Hemisphere::Latitude,
    });
    Some((value, hemisphere))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_only_where_they_leave_no_doubt() {
        let point = NumberStyle::Point;
        for (text, number) in [
            ("603481.588", 603_481.588),
            ("1,191,454.6", 1_191_454.6),
            ("1.191.454,6", 1_191_454.6),
            ("1 191 454,6", 1_191_454.6),
            ("1,191,454", 1_191_454.0),
            ("-10.5", -10.5),
        ] {
            assert_eq!(point.parse(text), Some(number), "{text}");
        }
        for text in ["", "603,481", "12,34,567", "nan", "inf", "10.5x", "1,19,454.6"] {
            assert_eq!(point.parse(text), None, "{text}");
        }
        assert_eq!(NumberStyle::of(["603,481", "603,4815"].into_iter(), false), NumberStyle::Comma);
        assert_eq!(NumberStyle::of(["106,698", "106,700"].into_iter(), true), NumberStyle::Comma);
        assert_eq!(NumberStyle::of(["603,481"].into_iter(), false), NumberStyle::Point);
        assert_eq!(NumberStyle::Comma.parse("10,7725"), Some(10.7725));
    }

    #[test]
    fn angles_are_read_with_their_letters() {
        let close = |text: &str| degrees(text).map(|(value, letter)| ((value * 1e6).round() / 1e6, letter));
        assert_eq!(close("106°41'53\"E"), Some((106.698_056, Some(Hemisphere::Longitude))));
        assert_eq!(close("10°46'21\"N"), Some((10.772_5, Some(Hemisphere::Latitude))));
        assert_eq!(close("10° 46′ 21″ B"), Some((10.772_5, Some(Hemisphere::Latitude))));
        assert_eq!(close("106 41 53 Đ"), Some((106.698_056, Some(Hemisphere::Longitude))));
        assert_eq!(close("71°03,5' W"), Some((-71.058_333, Some(Hemisphere::Longitude))));
        for text in ["106.698", "106 41 53", "106°61'00\"E", "10.5°20'", "a°", "1°2'3\"4", ""] {
            assert_eq!(degrees(text), None, "{text}");
        }
    }
}
