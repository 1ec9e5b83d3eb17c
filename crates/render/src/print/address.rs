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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::print::{Orientation, Paper, PrintArea, PrintLimits, PrintOrder, PrintPlan};

    #[test]
    fn the_address_has_the_style_and_what_else_was_chosen() {
        let limits = PrintLimits { sheets_max: 1, bytes_max: 1 };
        let order = PrintOrder {
            area: PrintArea::Around([106.698, 10.7725]),
            scale: Some(1_000.0),
            paper: Paper::A4,
            orientation: Orientation::Portrait,
            bearing: 30.0,
        };
        let plan = PrintPlan::new(&order, &limits).unwrap();
        let page = "https://map.example.vn/";
        let address =
            ViewAddress { page, revision: 42, valid_on: None, style: "plan", level: None, lang: "vi" };
        let text = view_address(&address, &plan.sheets[0]);
        assert!(text.starts_with("https://map.example.vn/#map=1"), "{text}");
        assert!(text.ends_with("/10.772500/106.698000/30&rev=42&style=plan&lang=vi"), "{text}");
        let level = Some(PlanLevel::Zoning);
        let full = ViewAddress { valid_on: Some("2026-06-30"), style: "quận 1", level, ..address };
        let text = view_address(&full, &plan.sheets[0]);
        assert!(
            text.ends_with("&rev=42&valid=2026-06-30&style=qu%E1%BA%ADn%201&level=qhpk&lang=vi"),
            "{text}"
        );
    }
}
