//! What people type, and what they must get first.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod common;

use citymap_engine::City;
use citymap_model::{Role, text::fold, units};
use citymap_search::{Hit, HitKind, Precision, SearchIndex, SearchQuery};
use common::{ask, city, communes, layer, lot, point, small, snapshot};

fn first(text: &str) -> Hit {
    let city = small();
    let hits = ask(&SearchIndex::build(&city), &city, text);
    hits.into_iter().next().unwrap_or_else(|| panic!("nothing for `{text}`"))
}

fn labels(text: &str) -> Vec<String> {
    let city = small();
    ask(&SearchIndex::build(&city), &city, text).into_iter().map(|hit| hit.label).collect()
}

#[test]
fn every_commune_is_found_first_by_its_name_with_or_without_diacritics_and_kind() {
    for city in [small(), City::default()] {
        let index = SearchIndex::build(&city);
        for commune in units::communes() {
            let bare = commune
                .name
                .trim_start_matches("Phường ")
                .trim_start_matches("Xã ")
                .trim_start_matches("Đặc khu ");
            for text in
                [commune.name.to_owned(), fold(commune.name), bare.to_owned(), commune.name.to_uppercase()]
            {
                let hits = ask(&index, &city, &text);
                // A ward and a rural commune may share the bare name.
                let same = hits
                    .iter()
                    .take_while(|hit| hit.kind == HitKind::Role(Role::AdminUnit))
                    .find(|hit| hit.label == commune.name);
                let hit = same.unwrap_or_else(|| {
                    panic!("`{text}`: {:?}", hits.iter().map(|hit| &hit.label).collect::<Vec<_>>())
                });
                assert_eq!(hit.precision, Precision::Area);
                if text == commune.name {
                    assert_eq!(hits[0].label, commune.name);
                }
            }
        }
    }
}

#[test]
fn every_former_ward_and_district_is_found_by_its_full_name() {
    let city = City::default();
    let index = SearchIndex::build(&city);
    for unit in units::former_units() {
        let full = format!("{}, {}", unit.name, unit.district);
        // Côn Đảo had no wards: the district is the unit.
        let texts = [Some(unit.district.to_owned()), (unit.name != unit.district).then_some(full)];
        for text in texts.into_iter().flatten() {
            let hits = ask(&index, &city, &text);
            assert_eq!((hits[0].kind, hits[0].label.as_str()), (HitKind::FormerUnit, text.as_str()));
        }
    }
}

#[test]
fn a_former_unit_says_what_it_became() {
    let hit = first("Quận 1");
    assert_eq!(
        (hit.kind, hit.precision, hit.label.as_str()),
        (HitKind::FormerUnit, Precision::FormerUnit, "Quận 1")
    );
    assert!(
        hit.detail.contains("Phường Sài Gòn") && hit.detail.contains("Phường Bến Thành"),
        "{}",
        hit.detail
    );
    assert_eq!(first("q1").label, "Quận 1");
    assert_eq!(first("q.1").label, "Quận 1");
    let hit = first("phuong ben nghe");
    assert_eq!(hit.label, "Phường Bến Nghé, Quận 1");
    assert!(hit.detail.contains("Phường Sài Gòn"));
    assert!(hit.lonlat.is_some() && hit.bbox.is_some() && hit.layer.is_none());
}

#[test]
fn an_english_answer_is_in_english_and_found_again() {
    let city = small();
    let index = SearchIndex::build(&city);
    let asked = |text: &str| {
        let query = SearchQuery { text: text.into(), limit: 5, near: None, lang: "en" };
        index.search(&city, &query).hits.into_iter().next().unwrap()
    };
    let district = asked("Quận 1");
    assert!(district.detail.starts_with("now part of 4 wards: Phường "), "{}", district.detail);
    let vietnamese = first("Quận 1");
    assert!(vietnamese.detail.starts_with("nay thuộc 4 phường: Phường "), "{}", vietnamese.detail);
    let parcel = asked("12/345 Phường Bến Thành");
    assert_eq!(parcel.label, "Sheet 12, parcel 345");
    assert_eq!(asked(&parcel.label).id, parcel.id);
    assert_eq!(asked("cho ben thanh").detail, "places · Phường Bến Thành");
    assert_eq!(asked("Phường Bến Thành").detail, "Ho Chi Minh City");
}

#[test]
fn numbered_wards_are_found_with_prefix_zero_or_word_and_told_apart_by_district() {
    for text in ["Phường 4, Quận 3", "P.04 Q.3", "p4 q3", "phuong 4 quan 3"] {
        assert_eq!(first(text).label, "Phường 4, Quận 3", "{text}");
    }
    let wards = labels("P.04");
    assert!(wards.iter().take(8).all(|label| label.starts_with("Phường 4, ")), "{wards:?}");
}

#[test]
fn new_communes_come_before_former_units_of_the_same_name() {
    let city = small();
    let hits = ask(&SearchIndex::build(&city), &city, "ben thanh");
    assert_eq!((hits[0].kind, hits[0].label.as_str()), (HitKind::Role(Role::AdminUnit), "Phường Bến Thành"));
    assert_eq!((hits[1].kind, hits[1].label.as_str()), (HitKind::FormerUnit, "Phường Bến Thành, Quận 1"));
    assert_eq!(hits[0].layer.as_ref().unwrap().as_str(), "communes");
    assert_eq!(hits.iter().filter(|hit| hit.kind == HitKind::Role(Role::AdminUnit)).count(), 1, "not twice");
    assert!(hits.iter().any(|hit| hit.label == "Chợ Bến Thành"));
}

#[test]
fn addresses_with_alleys_are_found_to_the_house() {
    for text in [
        "123/4/5 Nguyễn Trãi",
        "123/4/5 nguyen trai",
        "số 123/4/5 đường Nguyễn Trãi",
        "123/4/5 Nguyễn Trãi, Phường Bến Thành",
        "123/4/5 nguyen tr",
    ] {
        let hit = first(text);
        assert_eq!(hit.label, "123/4/5 Nguyễn Trãi, Phường Bến Thành", "{text}");
        assert_eq!((hit.kind, hit.precision), (HitKind::Role(Role::Parcel), Precision::Rooftop));
    }
    assert_eq!(first("215 3 thang 2").label, "215 Đường 3 Tháng 2, Phường Hòa Hưng");
    assert_eq!(first("9 duong so 7").label, "9 Đường số 7, Phường Hòa Hưng");
    assert_eq!(first("22 nguyen hue").label, "22 Nguyễn Huệ", "number and street in two fields");
    assert_eq!(first("22a nguyễn huệ").label, "22A Đường Nguyễn Huệ");
}

#[test]
fn a_house_is_looked_for_in_the_place_that_was_named() {
    for (text, ward) in [
        ("123 Nguyễn Trãi, Phường Chợ Lớn", "Phường Chợ Lớn"),
        ("123 nguyen trai, Quận 5", "Phường Chợ Lớn"),
        ("123 nguyen trai q5", "Phường Chợ Lớn"),
        ("123 nguyen trai, quan 1, tp hcm", "Phường Bến Thành"),
    ] {
        assert!(first(text).label.ends_with(ward), "{text}: {}", first(text).label);
    }
}

#[test]
fn an_unknown_house_gives_the_mouth_of_its_alley_or_its_street_and_says_so() {
    let hit = first("123/4/99 Nguyễn Trãi");
    assert_eq!(
        (hit.label.as_str(), hit.precision),
        ("123/4 Nguyễn Trãi, Phường Bến Thành", Precision::Street)
    );
    let hit = first("999 Nguyễn Huệ");
    assert_eq!(hit.precision, Precision::Street);
    assert!(hit.label.contains("Nguyễn Huệ") && hit.score < 0.6, "{hit:?}");
}

#[test]
fn a_street_in_pieces_is_one_answer_and_two_streets_are_two() {
    let city = small();
    let hits = ask(&SearchIndex::build(&city), &city, "nguyen trai");
    let roads: Vec<&Hit> = hits.iter().filter(|hit| hit.kind == HitKind::Role(Role::Road)).collect();
    assert_eq!(roads.len(), 2, "one in the centre, one in Vũng Tàu");
    let bbox = roads.iter().map(|hit| hit.bbox.unwrap()).find(|bbox| bbox.min[0] < 107.0).unwrap();
    assert_eq!((bbox.min[0], bbox.max[0]), (106.685, 106.694), "both pieces");
    assert_eq!(hits[0].kind, HitKind::Role(Role::Road), "the street itself before what is called after it");
    assert!(hits.iter().any(|hit| hit.label == "Trường Tiểu học Nguyễn Trãi"));
}

#[test]
fn nearer_comes_first_among_equals() {
    let city = small();
    let index = SearchIndex::build(&city);
    for near in [[106.69, 10.77], [107.08, 10.35]] {
        let hits = index
            .search(
                &city,
                &SearchQuery { text: "Nguyễn Trãi".into(), limit: 5, near: Some(near), lang: "vi" },
            )
            .hits;
        let [lon, _] = hits[0].lonlat.unwrap();
        assert!((lon - near[0]).abs() < 0.05, "{near:?}: {hits:?}");
    }
}

#[test]
fn parcels_are_found_by_sheet_and_number_and_by_key() {
    for text in ["tờ 12 thửa 345", "thửa 345 tờ 12", "12/345", "to 12 thua 345 phường Sài Gòn"] {
        let hits = {
            let city = small();
            ask(&SearchIndex::build(&city), &city, text)
        };
        assert_eq!(
            (hits[0].label.as_str(), hits[0].precision),
            ("Tờ 12, thửa 345", Precision::Parcel),
            "{text}"
        );
    }
    assert_eq!(labels("12/345").len(), 2, "two communes have a sheet 12 with a parcel 345");
    assert_eq!(first("26740-12-345").id.unwrap().to_string(), "26740-12-345");
    assert_eq!(first("27301-12-345").id.unwrap().to_string(), "27301-12-345");
    assert_eq!(labels("26740-12-").len(), 4, "by the beginning of the key");
    assert_eq!(first("26740").label, "Phường Sài Gòn", "a commune's code is its key");
}

#[test]
fn spelling_does_not_matter() {
    for text in ["Quí Hoà", "quý hòa", "QUY HOA", "Đường Quy\u{301} Ho\u{300}a", "đ. quý hòa"] {
        assert_eq!(first(text).label, "Đường Quý Hòa", "{text}");
    }
}

#[test]
fn coordinates_are_an_answer_of_their_own() {
    let hit = first("10.7725, 106.698");
    assert_eq!(
        (hit.kind, hit.precision, hit.lonlat),
        (HitKind::Coordinates, Precision::Coordinates, Some([106.698, 10.7725]))
    );
    let hit = first("1191454.611 603481.588");
    assert!((hit.lonlat.unwrap()[0] - 106.698).abs() < 1e-8);
    assert_eq!(hit.detail, "VN-2000 / TM-3 105-45");
}

#[test]
fn each_keystroke_of_a_name_keeps_it_in_the_list() {
    let city = small();
    let index = SearchIndex::build(&city);
    for name in ["Phường Sài Gòn", "Chợ Bến Thành", "Đường Nguyễn Trãi"] {
        let letters: Vec<char> = name.chars().collect();
        for end in name.find(' ').map_or(0, |space| name[..space].chars().count()) + 4..=letters.len() {
            let typed: String = letters[..end].iter().collect();
            let hits = index
                .search(&city, &SearchQuery { text: typed.clone(), limit: 50, near: None, lang: "vi" })
                .hits;
            assert!(
                hits.iter().any(|hit| hit.label == name),
                "`{typed}`: {:?}",
                hits.iter().map(|hit| &hit.label).collect::<Vec<_>>()
            );
        }
    }
}

#[test]
fn personal_data_is_neither_found_nor_shown() {
    let city = small();
    let index = SearchIndex::build(&city);
    // What is similar to the name may be found, but not by it.
    for text in ["Trần Văn Kín", "12/345"] {
        for hit in ask(&index, &city, text) {
            assert!(!format!("{hit:?}").contains("Kín"));
            assert_ne!(
                hit.layer.as_ref().filter(|_| text != "12/345").map(|id| id.as_str()),
                Some("parcels")
            );
        }
    }
}

#[test]
fn nothing_gives_nothing_and_limits_hold() {
    let city = small();
    let index = SearchIndex::build(&city);
    for text in ["", "   ", "!!!", "/", "xyzzyq"] {
        assert!(ask(&index, &city, text).is_empty(), "{text}");
    }
    for limit in [0, 1, 3] {
        let hits = index.search(&city, &SearchQuery { text: "p".into(), limit, near: None, lang: "vi" }).hits;
        assert!(hits.len() <= limit);
    }
    assert!(
        index
            .search(
                &city,
                &SearchQuery { text: "a ".repeat(100_000), limit: 5, near: Some([f64::NAN; 2]), lang: "vi" }
            )
            .hits
            .len()
            <= 5
    );
}

#[test]
fn an_update_reads_only_what_changed_and_never_answers_from_another_revision() {
    let old_city = small();
    let old = SearchIndex::build(&old_city);
    let changed = layer("places", Role::Place, &["ten"], None, Some("ten"));
    let mut new_city = old_city.clone();
    new_city.layers.insert(
        "places".parse().unwrap(),
        snapshot(changed, &[(point(106.7, 10.78), &["Bảo tàng Xe máy"])], 2),
    );
    assert!(
        ask(&old, &new_city, "cho ben thanh").iter().all(|hit| hit.label != "Chợ Bến Thành"),
        "that row is gone"
    );
    let new = SearchIndex::update(&old, &new_city);
    assert_eq!(ask(&new, &new_city, "bao tang xe may")[0].label, "Bảo tàng Xe máy");
    assert_eq!(ask(&new, &new_city, "123/4/5 nguyen trai"), ask(&old, &old_city, "123/4/5 nguyen trai"));
    new_city.layers.remove(&"communes".parse().unwrap());
    let without = SearchIndex::update(&new, &new_city);
    let hit = &ask(&without, &new_city, "phuong sai gon")[0];
    assert_eq!(
        (hit.label.as_str(), hit.layer.is_none()),
        ("Phường Sài Gòn", true),
        "the built-in table steps in"
    );
}

#[test]
fn a_feature_without_geometry_is_still_found() {
    let layer = layer("parcels", Role::Parcel, &["ma_thua"], Some("ma_thua"), None);
    let mut builder = citymap_engine::SnapshotBuilder::new(layer);
    let values = vec![citymap_model::Value::Text("26740-1-1".into())];
    builder.push(&citymap_model::Feature { fid: 1, geometry: None, values }).unwrap();
    let city = city([std::sync::Arc::new(builder.finish(1)), communes()]);
    let hits = ask(&SearchIndex::build(&city), &city, "26740-1-1");
    assert_eq!((hits[0].lonlat, hits[0].bbox), (None, None));
    let _ = lot(0.0, 0.0);
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig {
        failure_persistence: None,
        ..proptest::prelude::ProptestConfig::with_cases(300)
    })]

    #[test]
    fn no_question_panics(text: String) {
        let city = small();
        let hits = ask(&SearchIndex::build(&city), &city, &text);
        proptest::prop_assert!(hits.len() <= 10 && hits.is_sorted_by(|a, b| a.score >= b.score));
    }

    #[test]
    fn no_likely_question_panics(text in "[0-9a-eêđP/., -]{0,14}") {
        let city = small();
        ask(&SearchIndex::build(&city), &city, &text);
    }
}
