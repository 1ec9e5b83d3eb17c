//! Attribute values as MVT writes them.

use chrono::{DateTime, Datelike, NaiveDate};
use citymap_model::format_datetime;

use super::pbf;

pub(crate) fn write_bool(out: &mut Vec<u8>, bits: u64) {
    pbf::key(out, 7, pbf::VARINT);
    pbf::varint(out, bits);
}

pub(crate) fn write_int(out: &mut Vec<u8>, bits: u64) {
    let value = bits as i64;
    if value < 0 {
        pbf::key(out, 6, pbf::VARINT);
        pbf::varint(out, pbf::zigzag(value));
    } else {
        pbf::key(out, 5, pbf::VARINT);
        pbf::varint(out, bits);
    }
}

/// The bits of a real number; `None` for NaN and infinity, which JSON and therefore the map cannot represent.
pub(crate) fn real_bits(value: f64) -> Option<u64> {
    value.is_finite().then(|| value.to_bits())
}

pub(crate) fn write_real(out: &mut Vec<u8>, bits: u64) {
    pbf::key(out, 3, pbf::FIXED64);
    out.extend_from_slice(&bits.to_le_bytes());
}

pub(crate) fn write_text(out: &mut Vec<u8>, text: &str) {
    pbf::bytes(out, 1, text.as_bytes());
}

pub(crate) fn write_date(out: &mut Vec<u8>, day: u64) {
    if let Some(day) = NaiveDate::from_num_days_from_ce_opt(day as i32) {
        write_day(out, day);
    }
}

pub(crate) fn write_instant(out: &mut Vec<u8>, instant: u64) {
    if let Some(instant) = DateTime::from_timestamp_millis(instant as i64) {
        write_text(out, &format_datetime(&instant));
    }
}

/// Writes a day as text, `YYYY-MM-DD`. Done by hand, because a tile may hold a thousand of them and general
/// formatting would take as long as cutting their polygons.
pub(crate) fn write_day(out: &mut Vec<u8>, day: NaiveDate) {
    let (year, month, of_month) = (day.year(), day.month(), day.day());
    if !(0..=9999).contains(&year) {
        return pbf::bytes(out, 1, day.to_string().as_bytes());
    }
    let digit = |value: u32, power: u32| b'0' + (value / power % 10) as u8;
    let year = year as u32;
    let text = [
        digit(year, 1000),
        digit(year, 100),
        digit(year, 10),
        digit(year, 1),
        b'-',
        digit(month, 10),
        digit(month, 1),
        b'-',
        digit(of_month, 10),
        digit(of_month, 1),
    ];
    pbf::bytes(out, 1, &text);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_read_as_chrono_writes_them() {
        for (year, month, day) in
            [(0, 1, 1), (987, 12, 31), (2025, 7, 1), (9999, 10, 10), (12345, 6, 7), (-44, 3, 15)]
        {
            let day = NaiveDate::from_ymd_opt(year, month, day).unwrap();
            let (mut found, mut expected) = (Vec::new(), Vec::new());
            write_day(&mut found, day);
            pbf::bytes(&mut expected, 1, day.to_string().as_bytes());
            assert_eq!(found, expected, "{day}");
        }
    }
}
