//! Numbers and texts as PDF writes them.

/// Appends a number with at most `decimals` (0 to 5) decimals, without trailing zeros. What is not finite is
/// written as 0, because PDF has no such numbers.
pub(super) fn number(out: &mut Vec<u8>, value: f32, decimals: u32) {
    let unit = 10_i64.pow(decimals);
    // PDF readers take numbers up to 2³¹; nothing on paper comes near.
    let scaled = (f64::from(value) * unit as f64).round().clamp(-1e12, 1e12) as i64;
    if scaled < 0 {
        out.push(b'-');
    }
    let scaled = scaled.unsigned_abs();
    let (whole, mut part) = (scaled / unit.unsigned_abs(), scaled % unit.unsigned_abs());
    digits(out, whole);
    if part > 0 {
        out.push(b'.');
        let mut place = unit.unsigned_abs() / 10;
        while part > 0 {
            out.push(b'0' + (part / place) as u8);
            part %= place;
            place /= 10;
        }
    }
}

fn digits(out: &mut Vec<u8>, value: u64) {
    if value >= 10 {
        digits(out, value / 10);
    }
    out.push(b'0' + (value % 10) as u8);
}

/// Appends numbers with a space after each.
pub(super) fn numbers(out: &mut Vec<u8>, values: &[f32], decimals: u32) {
    for &value in values {
        number(out, value, decimals);
        out.push(b' ');
    }
}

/// A text as a string object: UTF-16 with a byte order mark, in hexadecimal digits.
pub(super) fn text(text: &str) -> String {
    format!("<FEFF{}>", utf16(text))
}

/// The UTF-16 code units of a text in hexadecimal digits.
pub(super) fn utf16(text: &str) -> String {
    text.encode_utf16().map(|unit| format!("{unit:04X}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short() {
        let written = |value, decimals| {
            let mut out = Vec::new();
            number(&mut out, value, decimals);
            String::from_utf8(out).unwrap()
        };
        assert_eq!(written(0.0, 1), "0");
        assert_eq!(written(12.34, 1), "12.3");
        assert_eq!(written(-0.04, 1), "0");
        assert_eq!(written(-1.06, 1), "-1.1");
        assert_eq!(written(1_200.0, 3), "1200");
        assert_eq!(written(0.05, 3), "0.05");
        assert_eq!(written(0.28346, 5), "0.28346");
        assert_eq!(written(f32::NAN, 1), "0");
        assert_eq!(text("Đất"), "<FEFF01101EA50074>");
    }
}
