//! The address of a view in the web map, for the code on a sheet.

use citymap_planning::PlanLevel;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::Sheet;
use crate::styles::level_name;

/// What stands for itself in the id of a style: letters, digits and these.
const PLAIN: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_');

/// Where a web map is, and which state of the city it shows.
#[derive(Clone, Copy, Debug)]
pub struct ViewAddress<'a> {
    /// The address of the page, without a fragment: `https://map.example.vn/`.
    pub page: &'a str,
    /// The revision of the record.
    pub revision: u64,
    /// The day on which features must be valid, `YYYY-MM-DD`, if one was chosen.
    pub valid_on: Option<&'a str>,
    /// The id of the style.
    pub style: &'a str,
    /// The only level of plans that is drawn, if one was chosen.
    pub level: Option<PlanLevel>,
    /// The language of the page.
    pub lang: &'a str,
}

/// The address of what a sheet shows, at the same revision.
pub fn view_address(address: &ViewAddress<'_>, sheet: &Sheet) -> String {
    let ViewAddress { page, revision, valid_on, style, level, lang } = address;
    let [lon, lat] = sheet.center();
    let mut text = format!("{page}#map={:.2}/{lat:.6}/{lon:.6}", sheet.screen_zoom());
    let bearing = (sheet.bearing() * 10.0).round() / 10.0;
    if bearing != 0.0 {
        text.push_str(&format!("/{bearing}"));
    }
    text.push_str(&format!("&rev={revision}"));
    if let Some(day) = valid_on {
        text.push_str(&format!("&valid={day}"));
    }
    text.push_str(&format!("&style={}", utf8_percent_encode(style, PLAIN)));
    if let Some(level) = level.and_then(level_name) {
        text.push_str(&format!("&level={level}"));
    }
    text.push_str(&format!("&lang={lang}"));
    text
}
