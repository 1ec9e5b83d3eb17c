//! Days and times as people and spreadsheets write them: `31/12/2025`, `1.7.2025 8:30`, `12/31/25`, `45839`.
//!
//! Which number is the day and which the month, a column says as a whole: a number above 12 is a day. A
//! column that does not say so stays text unless the request says it ([`DateOrder`]). [`DatesSeen`] looks
//! at the cells of a column, [`DateStyle`] reads them.

use std::{fmt, str::FromStr};

use chrono::{Days, NaiveDate, NaiveDateTime, NaiveTime};
use citymap_model::{FieldType, UtcOffset, Value, counted, parse_date, plain_name};
use serde::{Deserialize, Serialize};

/// The order of day, month and year in dates that are not written as ISO 8601 has them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DateOrder {
    /// Day, month, year: `31/12/2025`.
    Dmy,
    /// Month, day, year: `12/31/2025`.
    Mdy,
    /// Year, month, day: `25/12/31`. Dates that begin with a year of four digits are read so in every order.
    Ymd,
}

impl DateOrder {
    /// Every order that the command line knows.
    pub const ALL: [Self; 3] = [Self::Dmy, Self::Mdy, Self::Ymd];

    /// The name on the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Dmy => "dmy",
            Self::Mdy => "mdy",
            Self::Ymd => "ymd",
        }
    }

    /// What is written in which order.
    fn words(self) -> &'static str {
        match self {
            Self::Dmy => "day/month/year",
            Self::Mdy => "month/day/year",
            Self::Ymd => "year/month/day",
        }
    }
}

impl fmt::Display for DateOrder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A text that names no order of dates.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not an order of dates; use dmy (31/12/2025), mdy (12/31/2025) or ymd (25/12/31)")]
pub struct UnknownDateOrder(pub String);

impl FromStr for DateOrder {
    type Err = UnknownDateOrder;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let found = Self::ALL.into_iter().find(|order| order.as_str().eq_ignore_ascii_case(text));
        found.ok_or_else(|| UnknownDateOrder(text.to_owned()))
    }
}

/// How the cells of a column are read as dates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DateStyle {
    /// Three numbers, in an order where the year does not come first with four digits.
    Order(DateOrder),
    /// The days of a spreadsheet, counted from 30 December 1899; parts of a day are times.
    Serial,
    /// Year, month and day in eight digits: `20251231`.
    Digits,
}

/// The last serial day of a spreadsheet: 31 December 9999.
const LAST_SERIAL: f64 = 2_958_465.0;

impl DateStyle {
    /// A cell as a day, or as an instant of a city's local time; `None` if it is none.
    pub(crate) fn read(self, text: &str, to: FieldType, city: UtcOffset) -> Option<Value> {
        let at = self.local(text)?;
        match to {
            FieldType::Date if at.time() == NaiveTime::MIN => Some(Value::Date(at.date())),
            FieldType::DateTime => city.to_utc(at).map(Value::DateTime),
            _ => None,
        }
    }

    fn local(self, text: &str) -> Option<NaiveDateTime> {
        match self {
            Self::Order(order) => {
                let written = Written::of(text)?;
                Some(written.on(order)?.and_time(written.time.unwrap_or(NaiveTime::MIN)))
            }
            Self::Serial => {
                let serial: f64 =
                    text.trim().parse().ok().filter(|day| (1.0..LAST_SERIAL + 1.0).contains(day))?;
                // Spreadsheets have a 29 February 1900, so the days before it are another one's.
                let first = if serial < 60.0 { 31 } else { 30 };
                let start = NaiveDate::from_ymd_opt(1899, 12, first)?;
                let milliseconds = (serial.fract() * 86_400_000.0).round() as i64;
                let midnight =
                    start.checked_add_days(Days::new(serial.trunc() as u64))?.and_time(NaiveTime::MIN);
                midnight.checked_add_signed(chrono::TimeDelta::milliseconds(milliseconds))
            }
            Self::Digits => {
                let text = text.trim();
                let well = text.len() == 8 && text.bytes().all(|byte| byte.is_ascii_digit());
                let dashed = well.then(|| format!("{}-{}-{}", &text[..4], &text[4..6], &text[6..]))?;
                parse_date(&dashed).map(|day| day.and_time(NaiveTime::MIN))
            }
        }
    }
}

/// Three numbers with the same sign between them, and a time behind them.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Written {
    numbers: [u32; 3],
    year: YearAt,
    time: Option<NaiveTime>,
}

/// Where the year of a date is.
#[derive(Clone, Copy, Debug, PartialEq)]
enum YearAt {
    /// First, with four digits.
    First,
    /// Last, with four digits.
    Last,
    /// First or last, with two digits.
    Short,
}

impl Written {
    fn of(text: &str) -> Option<Self> {
        let text = text.trim();
        let sign = text.chars().find(|c| !c.is_ascii_digit()).filter(|c| matches!(c, '/' | '.' | '-'))?;
        let (first, rest) = text.split_once(sign)?;
        let (second, rest) = rest.split_once(sign)?;
        let (second, rest) = (second.trim(), rest.trim_start());
        let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        let (third, rest) = rest.split_at(end);
        let year = match (first.len(), second.len(), third.len()) {
            (4, 1 | 2, 1 | 2) => YearAt::First,
            (1 | 2, 1 | 2, 4) => YearAt::Last,
            (1 | 2, 1 | 2, 2) | (2, 1 | 2, 1) => YearAt::Short,
            _ => return None,
        };
        let number = |digits: &str| digits.parse().ok();
        let numbers = [number(first)?, number(second)?, number(third)?];
        let time = if rest.trim().is_empty() { None } else { Some(time(rest)?) };
        Some(Self { numbers, year, time })
    }

    /// The day in an order; `None` if there is no such day.
    fn on(&self, order: DateOrder) -> Option<NaiveDate> {
        let [first, second, third] = self.numbers;
        let (year, month, day) = match (self.year, order) {
            (YearAt::First, _) => (first, second, third),
            (YearAt::Last, DateOrder::Ymd) => return None,
            (YearAt::Last, DateOrder::Dmy) => (third, second, first),
            (YearAt::Last, DateOrder::Mdy) => (third, first, second),
            (YearAt::Short, DateOrder::Dmy) => (century(third), second, first),
            (YearAt::Short, DateOrder::Mdy) => (century(third), first, second),
            (YearAt::Short, DateOrder::Ymd) => (century(first), second, third),
        };
        NaiveDate::from_ymd_opt(i32::try_from(year).ok().filter(|year| *year > 0)?, month, day)
    }
}

/// The year of two digits, as spreadsheets take it: 00 to 29 are of this century.
fn century(year: u32) -> u32 {
    if year < 30 { 2_000 + year } else { 1_900 + year }
}

/// ` 8:30`, `T08:30:15.5`, `, 8:30 PM`, ` 8:30 CH` (chiều).
fn time(text: &str) -> Option<NaiveTime> {
    let own = text.trim_start_matches([',', 'T']).trim();
    if !text.starts_with([' ', ',', 'T', '\u{a0}']) {
        return None;
    }
    let lower = own.to_lowercase();
    let half = [("am", 0), ("pm", 12), ("sa", 0), ("ch", 12)]
        .into_iter()
        .find_map(|(word, hours)| Some((lower.strip_suffix(word)?.trim_end(), hours)));
    let (clock, hours) = half.map_or((own, None), |(clock, hours)| (clock, Some(hours)));
    let parts: Vec<&str> = clock.split(':').collect();
    let (hour, minute, second) = match parts.as_slice() {
        [hour, minute] => (*hour, *minute, "0"),
        [hour, minute, second] => (*hour, *minute, *second),
        _ => return None,
    };
    let digits = |text: &str| text.len() <= 2 && !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    if !digits(hour) || !digits(minute) {
        return None;
    }
    let mut hour: u32 = hour.parse().ok()?;
    if let Some(hours) = hours {
        if !(1..=12).contains(&hour) {
            return None;
        }
        hour = hour % 12 + hours;
    }
    let (second, fraction) = second.split_once('.').unwrap_or((second, "0"));
    let milliseconds = format!("0.{fraction}").parse::<f64>().ok()? * 1e3;
    NaiveTime::from_hms_milli_opt(
        hour,
        minute.parse().ok()?,
        second.parse().ok()?,
        milliseconds.round() as u32,
    )
}

/// Whether a field is called after days or times.
fn is_called_date(name: &str) -> bool {
    let plain = plain_name(name);
    ["ngay", "date", "thoigian", "time", "sinh"].iter().any(|word| plain.contains(word))
}

/// Whether a text is written as a date, and if so whether there is such a day in any order.
pub(crate) fn looks_like_date(text: &str) -> Option<bool> {
    Written::of(text).map(|written| DateOrder::ALL.into_iter().any(|order| written.on(order).is_some()))
}

/// A count and the place of the first.
#[derive(Clone, Copy, Debug, Default)]
struct Counted {
    count: u64,
    first: u64,
}

impl Counted {
    fn add(&mut self, yes: bool, place: u64) {
        if yes {
            if self.count == 0 {
                self.first = place;
            }
            self.count += 1;
        }
    }
}

/// What the cells of a column showed.
#[derive(Clone, Debug, Default)]
pub(crate) struct DatesSeen {
    cells: u64,
    /// Cells that are three numbers, with or without a time.
    dates: u64,
    /// Those with a time other than midnight.
    timed: u64,
    /// Those whose year has two digits.
    short: u64,
    /// Those whose year comes first, with four digits.
    year_first: u64,
    /// Those that are days in each order.
    valid: [u64; 3],
    day_first: Counted,
    month_first: Counted,
    /// Those that are days in no order.
    impossible: Counted,
    /// Cells that are none.
    other: Counted,
    /// Cells that are numbers of a spreadsheet's days between 1930 and 2099.
    serial: u64,
    /// Cells of eight digits that are a day.
    digits: u64,
    /// Cells that are a serial day at all.
    numbers: u64,
}

/// What is to be done with a column.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct DateChoice {
    /// The type and how cells are read; none if they stay what they are.
    pub reading: Option<(FieldType, DateStyle)>,
    /// What there is to say of it.
    pub note: Option<String>,
}

/// What is asked for of a column.
#[derive(Clone, Copy, Debug)]
pub(crate) struct DateWish<'a> {
    pub order: Option<DateOrder>,
    pub field_type: Option<FieldType>,
    /// The name of the field.
    pub name: &'a str,
    /// What the places of cells are called: line, row, feature.
    pub place: &'a str,
}

impl DatesSeen {
    /// Looks at a cell.
    pub(crate) fn see(&mut self, text: &str, place: u64) {
        if text.is_empty() {
            return;
        }
        self.cells += 1;
        let begins = text.bytes().find(|byte| *byte != b' ').is_some_and(|byte| byte.is_ascii_digit());
        let Some(written) = begins.then(|| Written::of(text)).flatten() else {
            self.other.add(true, place);
            self.see_number(text);
            return;
        };
        let valid = DateOrder::ALL.map(|order| written.on(order).is_some());
        self.dates += 1;
        self.timed += u64::from(written.time.is_some_and(|time| time != NaiveTime::MIN));
        self.short += u64::from(written.year == YearAt::Short);
        self.year_first += u64::from(written.year == YearAt::First);
        for (count, valid) in self.valid.iter_mut().zip(valid) {
            *count += u64::from(valid);
        }
        let last = written.year == YearAt::Last;
        self.day_first.add(last && valid[0] && !valid[1], place);
        self.month_first.add(last && valid[1] && !valid[0], place);
        self.impossible.add(valid == [false; 3], place);
    }

    fn see_number(&mut self, text: &str) {
        // One cell that is no number settles that the others do not matter.
        if self.numbers.max(self.digits) + 1 < self.other.count {
            return;
        }
        let Ok(number) = text.trim().parse::<f64>() else { return };
        self.serial += u64::from((10_959.0..73_051.0).contains(&number));
        self.numbers += u64::from((1.0..LAST_SERIAL + 1.0).contains(&number));
        self.digits += u64::from(DateStyle::Digits.local(text).is_some());
    }

    /// What is to be done with the column.
    pub(crate) fn choose(&self, wish: DateWish<'_>) -> DateChoice {
        let asked = match wish.field_type {
            None => None,
            Some(own @ (FieldType::Date | FieldType::DateTime)) => Some(own),
            Some(_) => return DateChoice::default(),
        };
        if self.dates == 0 {
            return self.numbers(asked, wish);
        }
        let (name, place) = (wish.name, wish.place);
        // House numbers in alleys look like dates with short years.
        if asked.is_none()
            && (self.dates - self.short) * 2 < self.cells
            && self.short > 0
            && !is_called_date(name)
        {
            return DateChoice::default();
        }
        let text = |why: String| DateChoice { reading: None, note: Some(format!("field `{name}` {why}")) };
        if self.dates < self.cells && asked.is_none() {
            if self.dates * 2 < self.cells {
                return DateChoice::default();
            }
            return text(format!(
                "is text: {} of its {} are dates, and the others are none, the first in {place} {}; \
                 --type \
                 {name}=date reads it as dates and rejects those",
                self.dates,
                counted(self.cells, "cell", "cells"),
                self.other.first
            ));
        }
        let (order, how) = match self.order(wish.order) {
            Ok(found) => found,
            Err(why) => return text(format!("is text, although its cells look like dates: {why}")),
        };
        let valid = self.valid[DateOrder::ALL.iter().position(|own| *own == order).unwrap_or(0)];
        // Codes look like dates, too: in other columns few cells may be days in no order.
        let bearable = if is_called_date(name) { valid } else { valid / 20 };
        if asked.is_none() && (valid == 0 || (wish.order.is_none() && self.impossible.count > bearable)) {
            return text(format!(
                "is text, although its cells look like dates: {valid} of {} are days in the order {}",
                self.dates,
                order.words()
            ));
        }
        if asked.is_none() && self.short > 0 && (!is_called_date(name) || valid < self.dates) {
            return text(format!(
                "is text, although its cells may be dates with years of two digits: --type {name}=date \
                 reads them so"
            ));
        }
        let own = asked.unwrap_or(if self.timed > 0 { FieldType::DateTime } else { FieldType::Date });
        let none = self.dates - valid;
        let rejected = if none == 0 {
            String::new()
        } else {
            let cells = counted(none, "cell is no day", "cells are no days");
            format!("; {cells} of the calendar then, and such features are rejected")
        };
        let local = if own == FieldType::DateTime { "; their times are the city's local time" } else { "" };
        let years = if self.short > 0 { "; years of two digits are 1930 to 2029" } else { "" };
        DateChoice {
            reading: Some((own, DateStyle::Order(order))),
            note: Some(format!(
                "field `{name}`: its dates were read as {} ({how}){local}{years}{rejected}; --date-order \
                 says another \
                 order, and --type {name}=text leaves them as they are written",
                order.words()
            )),
        }
    }

    /// The order of the column's dates, and how it is known.
    ///
    /// # Errors
    /// Why it is not certain, with the option that says it.
    fn order(&self, asked: Option<DateOrder>) -> Result<(DateOrder, String), String> {
        if let Some(order) = asked {
            return Ok((order, "as asked for with --date-order".into()));
        }
        if self.short > 0 {
            return Err(format!(
                "{} of {} have years of two digits; --date-order dmy, mdy or ymd says their order",
                self.short, self.dates
            ));
        }
        let place = |counted: Counted| format!("{}, the first is number {}", counted.count, counted.first);
        match (self.day_first.count, self.month_first.count) {
            (0, 0) if self.year_first == self.dates => Ok((DateOrder::Ymd, "the year is first".into())),
            (0, 0) => Err(
                "no day is above 12, so day and month cannot be told apart; --date-order dmy or mdy says \
                           their order"
                    .into(),
            ),
            (_, 0) => Ok((DateOrder::Dmy, format!("days above 12 stand first: {}", place(self.day_first)))),
            (0, _) => {
                Ok((DateOrder::Mdy, format!("days above 12 stand second: {}", place(self.month_first))))
            }
            _ => Err(format!(
                "some have a day above 12 first ({}) and some second ({}); --date-order dmy or mdy takes \
                 those of \
                 one order and rejects the others",
                place(self.day_first),
                place(self.month_first)
            )),
        }
    }

    /// What is to be done with a column without dates: numbers that a spreadsheet counts days by.
    fn numbers(&self, asked: Option<FieldType>, wish: DateWish<'_>) -> DateChoice {
        let name = wish.name;
        let style = if self.cells == 0 {
            None
        } else if self.digits == self.cells {
            Some((DateStyle::Digits, "eight digits, year, month and day"))
        } else if self.numbers == self.cells {
            Some((DateStyle::Serial, "the days that a spreadsheet counts from 30 December 1899"))
        } else {
            None
        };
        match (style, asked) {
            (Some((style, what)), Some(own)) => DateChoice {
                reading: Some((own, style)),
                note: Some(format!("field `{name}`: its numbers were read as {what}")),
            },
            (Some((DateStyle::Serial, _)), None) if is_called_date(name) && self.serial == self.cells => {
                DateChoice {
                    reading: None,
                    note: Some(format!(
                        "field `{name}` holds numbers that may be the days of a spreadsheet (45839 is \
                         2025-07-01): --type \
                     {name}=date reads them so"
                    )),
                }
            }
            _ => DateChoice::default(),
        }
    }
}

#[cfg(test)]
mod tests;
