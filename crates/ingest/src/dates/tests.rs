//! Dates in the forms that people write them in.

use super::*;

fn seen(cells: &[&str]) -> DatesSeen {
    let mut seen = DatesSeen::default();
    for (at, cell) in (1..).zip(cells) {
        seen.see(cell, at);
    }
    seen
}

fn choice(cells: &[&str], order: Option<DateOrder>, field_type: Option<FieldType>) -> DateChoice {
    seen(cells).choose(DateWish { order, field_type, name: "ngay", place: "line" })
}

#[test]
fn columns_say_their_order_or_stay_text() {
    use DateOrder::{Dmy, Mdy, Ymd};
    use FieldType::{Date, DateTime};
    for (cells, order, expected) in [
        (&["1/2/2025", "31/12/2024"][..], None, Some((Date, Dmy))),
        (&["1/2/2025", "12/31/2024"], None, Some((Date, Mdy))),
        (&["1.2.2025", "31.12.2024"], None, Some((Date, Dmy))),
        (&["01-02-2025", "31-12-2024"], None, Some((Date, Dmy))),
        (&["2025/07/01", "2025/1/31"], None, Some((Date, Ymd))),
        (&["2025/07/01", "31/12/2024"], None, Some((Date, Dmy))),
        (&["31/12/2024 8:30", "1/2/2025"], None, Some((DateTime, Dmy))),
        (&["31/12/2024 00:00:00", "1/2/2025"], None, Some((Date, Dmy))),
        (&["31/12/2024 12:00:00 AM"], None, Some((Date, Dmy))),
        (&["31/12/2024", "31/02/2025", "30/01/2025"], None, Some((Date, Dmy))),
        (&["1/2/2025", "3/4/2025"], None, None),
        (&["1/2/2025", "3/4/2025"], Some(Dmy), Some((Date, Dmy))),
        (&["1/2/2025", "3/4/2025"], Some(Mdy), Some((Date, Mdy))),
        (&["31/12/2024", "12/31/2024"], None, None),
        (&["31/12/2024", "12/31/2024"], Some(Mdy), Some((Date, Mdy))),
        (&["31/12/24"], None, None),
        (&["31/12/24"], Some(Dmy), Some((Date, Dmy))),
        (&["24/12/31"], Some(Ymd), Some((Date, Ymd))),
        (&["31/02/2025"], None, None),
        (&["31/12/2024", "khong ro"], None, None),
        (&["12/5", "31/12/2024"], None, None),
        (&["12/34/5", "123/4/56"], None, None),
    ] {
        let found = choice(cells, order, None);
        let expected = expected.map(|(own, order)| (own, DateStyle::Order(order)));
        assert_eq!(found.reading, expected, "{cells:?} {order:?}: {found:?}");
        assert!(found.reading.is_none() || found.note.is_some(), "{cells:?}");
    }
    for (cells, word) in [
        (&["1/2/2025"][..], "--date-order"),
        (&["31/12/24"], "two digits"),
        (&["31/12/2024", "12/31/2024"], "the first is number 2"),
        (&["31/12/2024", "x"], "line 2"),
    ] {
        let note = choice(cells, None, None).note.unwrap();
        assert!(note.contains(word), "{note}");
    }
}

/// Codes such as sheet, parcel and year are no dates.
#[test]
fn codes_that_look_like_dates_stay_text() {
    let codes = ["31-12-2019", "45-12-2019", "5-7-2019"];
    let wish = |name| DateWish { order: None, field_type: None, name, place: "line" };
    assert_eq!(seen(&codes).choose(wish("ma_thua")).reading, None);
    assert!(seen(&codes).choose(wish("ngay_cap")).reading.is_some());
}

#[test]
fn serial_days_are_read_where_they_are_asked_for() {
    let date = Some(FieldType::Date);
    assert_eq!(choice(&["45839"], None, None).reading, None);
    assert!(choice(&["45839"], None, None).note.unwrap().contains("--type ngay=date"));
    assert_eq!(choice(&["45839", "1"], None, date).reading, Some((FieldType::Date, DateStyle::Serial)));
    assert_eq!(choice(&["20250701"], None, date).reading, Some((FieldType::Date, DateStyle::Digits)));
    let city: UtcOffset = "+07:00".parse().unwrap();
    let day = |text: &str, style: DateStyle| style.read(text, FieldType::Date, city).and_then(|v| v.to_key());
    assert_eq!(day("45839", DateStyle::Serial).as_deref(), Some("2025-07-01"));
    assert_eq!(day("1", DateStyle::Serial).as_deref(), Some("1900-01-01"));
    assert_eq!(day("61", DateStyle::Serial).as_deref(), Some("1900-03-01"));
    assert_eq!(day("45839.5", DateStyle::Serial), None);
    assert_eq!(day("20250230", DateStyle::Digits), None);
    let at = DateStyle::Serial.read("45839.5", FieldType::DateTime, city).and_then(|v| v.to_key());
    assert_eq!(at.as_deref(), Some("2025-07-01T05:00:00Z"));
}

#[test]
fn times_are_read_in_every_form() {
    let city: UtcOffset = "+00:00".parse().unwrap();
    for (text, expected) in [
        ("1/7/2025 8:30", "2025-07-01T08:30:00Z"),
        ("1/7/2025, 08:30:15", "2025-07-01T08:30:15Z"),
        ("01-07-2025T08:30:15.250", "2025-07-01T08:30:15.250Z"),
        ("1/7/2025 8:30 PM", "2025-07-01T20:30:00Z"),
        ("1/7/2025 12:05 SA", "2025-07-01T00:05:00Z"),
        ("1/7/2025 12:05 CH", "2025-07-01T12:05:00Z"),
        ("1/7/30", "1930-07-01T00:00:00Z"),
        ("1/7/29", "2029-07-01T00:00:00Z"),
    ] {
        let read = DateStyle::Order(DateOrder::Dmy).read(text, FieldType::DateTime, city);
        assert_eq!(read.and_then(|v| v.to_key()).as_deref(), Some(expected), "{text}");
    }
    for text in
        ["1/7/2025 25:00", "1/7/2025x", "1/7/2025 8", "1/7/2025 13:00 PM", "1/7-2025", "a/b/2025", "1//2"]
    {
        let read = DateStyle::Order(DateOrder::Dmy).read(text, FieldType::DateTime, city);
        assert_eq!(read, None, "{text}");
    }
    assert_eq!(looks_like_date("31/02/2025"), Some(false));
    assert_eq!(looks_like_date("12/31/2025"), Some(true));
    assert_eq!(looks_like_date("tháng 7"), None);
}
