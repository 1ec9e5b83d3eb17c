//! Numbers as `number-format` writes them in Vietnamese and English.

/// The number of digits after the decimal mark.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct NumberFormat {
    /// The minimum; 0 if it is missing.
    pub(super) min: Option<usize>,
    /// The maximum; 3 if it is missing.
    pub(super) max: Option<usize>,
}

/// Writes a number with the thousands and decimal marks of a language: Vietnamese for `vi…`, English for all
/// others.
pub(super) fn format_number(value: f64, locale: &str, format: NumberFormat) -> String {
    let (thousands, decimal) = if locale.starts_with("vi") { ('.', ',') } else { (',', '.') };
    let min = format.min.unwrap_or(0);
    let max = format.max.unwrap_or(3).max(min);
    if !value.is_finite() {
        return value.to_string();
    }
    let fixed = format!("{:.max$}", value.abs());
    let (whole, fraction) = fixed.split_once('.').unwrap_or((&fixed, ""));
    let significant = fraction.trim_end_matches('0').len().max(min);
    let fraction = &fraction[..significant.min(fraction.len())];
    let mut text = String::with_capacity(fixed.len() + fixed.len() / 3 + 1);
    if value < 0.0 && fixed.bytes().any(|byte| (b'1'..=b'9').contains(&byte)) {
        text.push('-');
    }
    for (index, digit) in whole.chars().enumerate() {
        if index > 0 && (whole.len() - index).is_multiple_of(3) {
            text.push(thousands);
        }
        text.push(digit);
    }
    if !fraction.is_empty() {
        text.push(decimal);
        text.push_str(fraction);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_those_of_the_language() {
        let digits = |min, max| NumberFormat { min: Some(min), max: Some(max) };
        for (value, locale, format, text) in [
            (1_234_567.5, "vi", NumberFormat::default(), "1.234.567,5"),
            (1_234_567.5, "en", NumberFormat::default(), "1,234,567.5"),
            (12.0, "vi", digits(2, 2), "12,00"),
            (0.12345, "en", NumberFormat::default(), "0.123"),
            (-0.0004, "en", NumberFormat::default(), "0"),
            (-1500.26, "vi-VN", digits(0, 1), "-1.500,3"),
            (999.0, "vi", NumberFormat::default(), "999"),
        ] {
            assert_eq!(format_number(value, locale, format), text, "{value} {locale}");
        }
    }
}
