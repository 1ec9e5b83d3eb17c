//! The city profile: what the program must know of the city that it serves, and that no layer says.
//!
//! A record keeps its profile as the document [`CityProfile::DOCUMENT`]. Where it has none, the profile of
//! `data/city.tsv` holds ([`CityProfile::builtin`]), whose communes the tables of [`crate::units`] list.

use std::{fmt, str::FromStr, sync::LazyLock};

use chrono::{DateTime, Days, FixedOffset, NaiveDate, NaiveDateTime, NaiveTime, Utc};
use serde::{Deserialize, Serialize};

use crate::{Title, table};

/// A city: its names, its home grid, its time, its first view and its languages.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CityProfile {
    /// The full name: `Thành phố Hồ Chí Minh`, `Ho Chi Minh City`.
    pub name: Title,
    /// The name as a map of the whole country writes it, with line breaks; empty where that is the name.
    #[serde(default, skip_serializing_if = "Title::is_empty")]
    pub map_label: Title,
    /// The EPSG code of the home grid, on which areas and lengths are given.
    pub crs: u32,
    /// The difference of the city's time from UTC.
    pub utc_offset: UtcOffset,
    /// Where the map begins.
    pub view: CoreView,
    /// The languages of the map, the preferred one first: `vi`, `en`.
    pub languages: Vec<String>,
}

/// A view of the map.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CoreView {
    /// The longitude of its middle, WGS 84 degrees.
    pub lon: f64,
    /// The latitude of its middle, WGS 84 degrees.
    pub lat: f64,
    /// The zoom, 0 to 22.
    pub zoom: f64,
}

/// A city's distance from UTC, the same all year.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct UtcOffset {
    /// Minutes that local clocks are ahead of UTC; negative west of Greenwich.
    minutes: i32,
}

/// A profile that cannot be used.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidCityProfile {
    /// A text that is not an offset from UTC.
    #[error("`{0}` is not an offset from UTC; write +07:00")]
    Offset(String),
    /// The city has no name.
    #[error("the city needs a name in Vietnamese or in English")]
    Nameless,
    /// A view outside of the map.
    #[error(
        "the view {lon}, {lat} at zoom {zoom} is not on the map: longitude −180 to 180, latitude −85 to 85, \
         zoom 0 to 22"
    )]
    View {
        /// WGS 84 longitude in degrees.
        lon: f64,
        /// WGS 84 latitude in degrees.
        lat: f64,
        /// The zoom of the first view.
        zoom: f64,
    },
    /// A language that the map does not speak, or no language at all.
    #[error("`{0}` is not a list of the map's languages; write vi, en, or both with a comma between")]
    Languages(String),
}

static BUILTIN: LazyLock<CityProfile> = LazyLock::new(|| {
    let rows: Vec<_> = table::rows(include_str!("../../../data/city.tsv")).collect();
    let value = |key: &str| {
        let row = rows.iter().find(|row| row.get("key") == Some(key));
        row.and_then(|row| row.get("value")).unwrap_or_default()
    };
    let number = |key: &str| value(key).parse::<f64>().unwrap_or_default();
    let label = |key: &str| value(key).replace('|', "\n");
    CityProfile {
        name: Title::new(value("name_vi"), value("name_en")),
        map_label: Title::new(label("map_label_vi"), label("map_label_en")),
        crs: value("crs").parse().unwrap_or_default(),
        utc_offset: value("utc_offset").parse().unwrap_or(UtcOffset { minutes: 0 }),
        view: CoreView { lon: number("lon"), lat: number("lat"), zoom: number("zoom") },
        languages: value("languages").split(',').map(str::to_owned).collect(),
    }
});

impl CityProfile {
    /// The name of the document in which a record keeps its profile.
    pub const DOCUMENT: &'static str = "city";

    /// The profile of a record that has none of its own.
    pub fn builtin() -> &'static Self {
        &BUILTIN
    }

    /// Whether this is the city whose communes and former wards the built-in tables list.
    pub fn has_builtin_units(&self) -> bool {
        self.name.vi == BUILTIN.name.vi
    }

    /// Whether the profile can be used. Whether `crs` is a grid to measure on, `citymap-crs` knows.
    ///
    /// # Errors
    /// [`InvalidCityProfile`] with what to change.
    pub fn check(&self) -> Result<(), InvalidCityProfile> {
        let CoreView { lon, lat, zoom } = self.view;
        if self.name.is_empty() {
            return Err(InvalidCityProfile::Nameless);
        }
        if !(lon.abs() <= 180.0 && lat.abs() <= 85.0 && (0.0..=22.0).contains(&zoom)) {
            return Err(InvalidCityProfile::View { lon, lat, zoom });
        }
        let known = |language: &String| ["vi", "en"].contains(&language.as_str());
        if self.languages.is_empty() || !self.languages.iter().all(known) {
            return Err(InvalidCityProfile::Languages(self.languages.join(",")));
        }
        Ok(())
    }

    /// The last millisecond of a day in the city's time; `None` at the end of the calendar.
    pub fn end_of(&self, day: NaiveDate) -> Option<DateTime<Utc>> {
        let next = day.checked_add_days(Days::new(1))?.and_time(NaiveTime::MIN);
        let midnight = next.and_local_timezone(self.utc_offset.fixed()?).single()?;
        Some((midnight - chrono::Duration::milliseconds(1)).with_timezone(&Utc))
    }

    /// The day that the city's calendars show at an instant.
    pub fn day_of(&self, time: DateTime<Utc>) -> NaiveDate {
        self.utc_offset.fixed().map_or(time.date_naive(), |offset| time.with_timezone(&offset).date_naive())
    }
}

impl Default for CityProfile {
    /// The profile of a record that has none: [`CityProfile::builtin`].
    fn default() -> Self {
        BUILTIN.clone()
    }
}

impl UtcOffset {
    /// The instant at which the city's clocks show a time; `None` at the ends of the calendar.
    pub fn to_utc(self, local: NaiveDateTime) -> Option<DateTime<Utc>> {
        Some(local.and_local_timezone(self.fixed()?).single()?.with_timezone(&Utc))
    }

    /// The offset for calculations with dates; `None` beyond a day.
    fn fixed(self) -> Option<FixedOffset> {
        FixedOffset::east_opt(self.minutes * 60)
    }
}

impl fmt::Display for UtcOffset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.minutes < 0 { '-' } else { '+' };
        write!(f, "{sign}{:02}:{:02}", self.minutes.abs() / 60, self.minutes.abs() % 60)
    }
}

impl FromStr for UtcOffset {
    type Err = InvalidCityProfile;

    /// Reads `+07:00` or `-03:30`.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let invalid = || InvalidCityProfile::Offset(text.chars().take(20).collect());
        let (sign, rest) = match text.split_at_checked(1) {
            Some(("+", rest)) => (1, rest),
            Some(("-", rest)) => (-1, rest),
            _ => return Err(invalid()),
        };
        let two = |part: &str, most: i32| {
            let digits = part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_digit());
            part.parse::<i32>().ok().filter(|value| digits && *value <= most)
        };
        let (hours, minutes) = rest.split_once(':').ok_or_else(invalid)?;
        let (hours, minutes) = two(hours, 14).zip(two(minutes, 59)).ok_or_else(invalid)?;
        Ok(Self { minutes: sign * (hours * 60 + minutes) })
    }
}

impl TryFrom<String> for UtcOffset {
    type Error = InvalidCityProfile;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<UtcOffset> for String {
    fn from(offset: UtcOffset) -> Self {
        offset.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_built_in_profile_is_whole() {
        let city = CityProfile::builtin();
        city.check().unwrap();
        assert!(city.has_builtin_units());
        assert_eq!((city.utc_offset.to_string().as_str(), city.languages.len()), ("+07:00", 2));
        assert!(city.map_label.vi.contains('\n') && !city.name.en.is_empty());
        assert!(crate::units::communes().iter().any(|commune| {
            let [west, south, east, north] = commune.bbox;
            let at = city.view;
            (west..=east).contains(&at.lon) && (south..=north).contains(&at.lat)
        }));
    }

    #[test]
    fn a_profile_comes_back_from_json() {
        let text = serde_json::to_string(CityProfile::builtin()).unwrap();
        assert_eq!(&serde_json::from_str::<CityProfile>(&text).unwrap(), CityProfile::builtin());
        assert!(text.contains(r#""utcOffset":"+07:00""#), "{text}");
    }

    #[test]
    fn offsets_are_read_and_written() {
        for text in ["+07:00", "-03:30", "+00:00", "+14:00"] {
            assert_eq!(text.parse::<UtcOffset>().unwrap().to_string(), text);
        }
        for bad in ["", "7", "+7", "+07", "07:00", "+07:60", "+15:00", "+0a:00", "−07:00"] {
            assert!(bad.parse::<UtcOffset>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_day_ends_by_the_citys_clock() {
        let mut city = CityProfile::default();
        let day = NaiveDate::from_ymd_opt(2026, 7, 1).unwrap();
        assert_eq!(city.end_of(day).unwrap().to_rfc3339(), "2026-07-01T16:59:59.999+00:00");
        city.utc_offset = "-03:30".parse().unwrap();
        assert_eq!(city.end_of(day).unwrap().to_rfc3339(), "2026-07-02T03:29:59.999+00:00");
        assert_eq!(city.end_of(NaiveDate::MAX), None);
    }

    #[test]
    fn what_cannot_be_used_is_refused() {
        let city = CityProfile::default();
        for bad in [
            CityProfile { name: Title::default(), ..city.clone() },
            CityProfile { view: CoreView { lat: f64::NAN, ..city.view }, ..city.clone() },
            CityProfile { view: CoreView { zoom: 23.0, ..city.view }, ..city.clone() },
            CityProfile { languages: vec![], ..city.clone() },
            CityProfile { languages: vec!["fr".into()], ..city },
        ] {
            assert!(bad.check().is_err(), "{bad:?}");
        }
    }
}
