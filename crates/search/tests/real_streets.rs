//! Search of the real names of the city's streets, from the real data.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod common;

use std::collections::BTreeSet;

use citymap_model::{Role, text::fold};
use citymap_search::{HitKind, SearchIndex, SearchQuery};
use common::{city, communes, layer, line, snapshot};
use unicode_normalization::UnicodeNormalization;

/// Every street name; without the data the test is skipped.
fn streets() -> Option<BTreeSet<String>> {
    let file = citymap_testing::real_data("vietnam/streets_by_district_SG_2019.json")?;
    let text = std::fs::read_to_string(file).unwrap();
    let json: serde_json::Value = serde_json::from_str(&text).unwrap();
    let districts = json["district"].as_array().unwrap();
    let names = districts.iter().flat_map(|district| district["street"].as_array().unwrap());
    Some(names.map(|name| name.as_str().unwrap().trim().to_owned()).collect())
}

#[test]
fn every_real_street_is_found_first_however_it_is_typed() {
    let Some(streets) = streets() else { return };
    assert!(streets.len() > 3_000);
    // Bare numbers (`12`) name wards as well; they are written with their `Đường`.
    let names: Vec<String> = streets
        .iter()
        .map(|name| {
            if name.chars().any(|letter| letter.is_ascii_digit()) {
                format!("Đường {name}")
            } else {
                name.clone()
            }
        })
        .collect();
    let values: Vec<[&str; 1]> = names.iter().map(|name| [name.as_str()]).collect();
    let rows: Vec<_> = (0_u32..)
        .zip(&values)
        .map(|(i, value)| {
            let (lon, lat) = (106.5 + f64::from(i % 60) * 0.005, 10.6 + f64::from(i / 60) * 0.005);
            (line((lon, lat), (lon + 0.001, lat)), value.as_slice())
        })
        .collect();
    let city =
        city([snapshot(layer("roads", Role::Road, &["ten"], None, Some("ten")), &rows, 1), communes()]);
    let index = SearchIndex::build(&city);
    let mut lost = Vec::new();
    for name in &names {
        let plain = |text: &str| fold(text).replace(" 0", " ");
        for typed in [name.clone(), fold(name), name.to_uppercase(), format!("{name} ")] {
            let hits = index
                .search(&city, &SearchQuery { text: typed.clone(), limit: 50, near: None, lang: "vi" })
                .hits;
            let mut roads = hits.iter().filter(|hit| hit.kind == HitKind::Role(Role::Road));
            // `Thới An 09` is `Thới An 9`. Names that differ only in their accents are distinguished by them;
            // folded, they tie.
            let same = |label: &str| {
                if typed == *name {
                    label.nfc().eq(name.nfc()) || plain(label) == plain(name) && name.contains('0')
                } else {
                    plain(label) == plain(name)
                }
            };
            // Without accents `duong khanh hoi` is Đường Khánh Hội as well as Dương Khánh Hội: both must be
            // there.
            let first = if typed.starts_with("duong ") && name.starts_with("Dương") { 3 } else { 1 };
            if !roads.by_ref().take(first).any(|hit| same(&hit.label)) {
                lost.push((typed, hits.iter().take(3).map(|hit| hit.label.clone()).collect::<Vec<_>>()));
            }
        }
    }
    assert!(lost.is_empty(), "{} of {}: {:#?}", lost.len(), 4 * names.len(), &lost[..lost.len().min(20)]);
}
