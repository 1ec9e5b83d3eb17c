//! Names with typing errors, places that restrict, and parcels in every order.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod common;

use std::collections::BTreeSet;

use citymap_engine::City;
use citymap_model::{Role, text::fold, units};
use citymap_search::{Answer, SearchIndex, SearchQuery};
use common::{city, communes, layer, line, lot, point, small, snapshot};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

fn answer(index: &SearchIndex, city: &City, text: &str) -> Answer {
    index.search(city, &SearchQuery { text: text.to_owned(), limit: 10, near: None, lang: "vi" })
}

/// The text with one typing error in its letters: one missing, one too many, another one, or two exchanged.
fn with_error(text: &str, kind: usize, random: &mut ChaCha8Rng) -> String {
    let mut letters: Vec<char> = text.chars().collect();
    let places: Vec<usize> = (0..letters.len()).filter(|&at| letters[at].is_ascii_lowercase()).collect();
    let at = places[random.random_range(0..places.len())];
    let other = char::from(b'a' + random.random_range(0..26));
    match kind {
        0 => drop(letters.remove(at)),
        1 => letters.insert(at, other),
        2 => letters[at] = other,
        _ if at + 1 < letters.len() && letters[at + 1].is_ascii_lowercase() => letters.swap(at, at + 1),
        _ => letters.insert(at, letters[at]),
    }
    letters.into_iter().collect()
}

/// All names of units, as they are typed in full.
fn unit_names() -> BTreeSet<String> {
    let former = units::former_units().iter().flat_map(|unit| {
        let full = (unit.name != unit.district).then(|| format!("{}, {}", unit.name, unit.district));
        [Some(unit.district.to_owned()), full].into_iter().flatten()
    });
    units::communes().iter().map(|commune| commune.name.to_owned()).chain(former).collect()
}

#[test]
fn every_unit_is_first_with_one_typing_error() {
    let city = city([communes()]);
    let index = SearchIndex::build(&city);
    let names = unit_names();
    let folded: BTreeSet<String> = names.iter().map(|name| fold(name)).collect();
    let mut random = ChaCha8Rng::seed_from_u64(20_261_130);
    let (mut asked, mut lost) = (0, Vec::new());
    for name in &names {
        for kind in 0..4 {
            let right = fold(name);
            let typed = with_error(&right, kind, &mut random);
            // The error may make the name of another unit, or be as near to it.
            let near = |other: &String| {
                let head = other.split(" quan ").next().unwrap_or(other);
                let head = head.split(" thanh pho ").next().unwrap_or(head);
                *other != right
                    && (strsim::osa_distance(other, &typed) <= 1
                        || strsim::osa_distance(head, &typed) <= 1
                        || other.starts_with(&typed))
            };
            if typed == right || folded.iter().any(near) {
                continue;
            }
            asked += 1;
            let hits = answer(&index, &city, &typed).hits;
            if hits.first().is_none_or(|hit| fold(&hit.label) != right) {
                lost.push((typed, name, hits.into_iter().take(2).map(|hit| hit.label).collect::<Vec<_>>()));
            }
        }
    }
    println!("{} of {asked} names of units with one typing error are first", asked - lost.len());
    assert!(lost.is_empty(), "{} of {asked}: {:#?}", lost.len(), &lost[..lost.len().min(40)]);
}

#[test]
fn spaces_may_be_missing_or_too_many() {
    let city = small();
    let index = SearchIndex::build(&city);
    for (typed, label) in [
        ("benthanh", "Phường Bến Thành"),
        ("phuongbenthanh", "Phường Bến Thành"),
        ("ben th anh", "Phường Bến Thành"),
        ("quan1", "Quận 1"),
        ("nguyenhue", "Nguyễn Huệ"),
        ("duongso7", "Đường số 7"),
        ("chobenthanh", "Chợ Bến Thành"),
    ] {
        let hits = answer(&index, &city, typed).hits;
        let first = hits.first().unwrap_or_else(|| panic!("nothing for `{typed}`"));
        assert_eq!(first.label, label, "{typed}");
        assert!(first.similar || typed == "quan1", "{typed}");
    }
}

#[test]
fn the_commune_of_today_comes_before_where_the_former_one_of_its_name_reached() {
    // A part of the ward Cầu Ông Lãnh of 2024 is in Phường Bến Thành now.
    let houses = snapshot(
        layer("houses", Role::Address, &["addr:housenumber", "addr:street", "note"], None, Some("note")),
        &[
            (point(106.700, 10.775), &["52", "Nguyễn Trãi", "Bến Thành"]),
            (point(106.688, 10.757), &["52", "Nguyễn Trãi", "Cầu Ông Lãnh"]),
            (point(106.701, 10.775), &["54", "Nguyễn Trãi", "Bến Thành"]),
        ],
        1,
    );
    let city = city([houses, communes()]);
    let index = SearchIndex::build(&city);
    for typed in [
        "52 Nguyễn Trãi, Phường Cầu Ông Lãnh",
        "52 nguyen trai cau ong lanh",
        "Cầu Ông Lãnh, 52 Nguyễn Trãi",
        "52 Nguyen Trai Street, Cau Ong Lanh Ward, District 1, Ho Chi Minh City",
        "No. 52 Nguyen Trai St., Cau Ong Lanh Ward, Vietnam",
        "52 nguyen trai cau ong lanh ward",
    ] {
        let Answer { hits, place } = answer(&index, &city, typed);
        let first = hits.first().unwrap_or_else(|| panic!("nothing for `{typed}`"));
        let [lon, _] = first.lonlat.unwrap();
        assert!((lon - 106.688).abs() < 1e-9 && !hits[0].elsewhere, "{typed}: {hits:#?}");
        assert!(place.is_some_and(|place| place.matched), "{typed}");
        assert_eq!(hits.len(), 2, "{typed}: the other one follows");
    }
    // An address on old paper is found where it is now.
    let Answer { hits, place } = answer(&index, &city, "54 Nguyễn Trãi, Phường Cầu Ông Lãnh, Quận 1");
    assert!(place.unwrap().matched && !hits[0].elsewhere && hits[0].label.starts_with("54"), "{hits:#?}");
}

#[test]
fn english_words_for_kinds_stand_behind_the_name() {
    let city = small();
    let index = SearchIndex::build(&city);
    for (typed, label) in [
        ("Ben Thanh Ward", "Phường Bến Thành"),
        ("can gio commune", "Xã Cần Giờ"),
        ("Con Dao special zone", "Đặc khu Côn Đảo"),
        ("Binh Thanh District", "Quận Bình Thạnh"),
        ("Thu Duc City", "Thành phố Thủ Đức"),
        ("Nguyen Hue Street", "Nguyễn Huệ"),
        ("123 Nguyen Trai Street, Ben Thanh Ward", "123 Nguyễn Trãi, Phường Bến Thành"),
        ("parcel 345 sheet 12 Ben Thanh ward", "Tờ 12, thửa 345"),
    ] {
        let hits = answer(&index, &city, typed).hits;
        let first = hits.first().unwrap_or_else(|| panic!("nothing for `{typed}`"));
        assert_eq!(first.label, label, "{typed}: {hits:#?}");
        assert!(!first.elsewhere, "{typed}");
    }
}

/// Streets of one name in two communes, and an office, a school and a park in each.
fn named_alike() -> City {
    let at = |name: &str| units::communes().iter().find(|unit| unit.name == name).unwrap().lonlat;
    let [a, b] = [at("Phường Bến Thành"), at("Xã Cần Giờ")];
    let roads = snapshot(
        layer("roads", Role::Road, &["name"], None, Some("name")),
        &[
            (line((a[0], a[1]), (a[0] + 0.001, a[1])), &["Đường số 46"]),
            (line((a[0] + 0.001, a[1]), (a[0] + 0.002, a[1])), &["Đường số 46"]),
            (line((b[0], b[1]), (b[0] + 0.001, b[1])), &["Đường số 46"]),
        ],
        1,
    );
    let houses = snapshot(
        layer("houses", Role::Address, &["addr:housenumber", "addr:street"], None, None),
        &[(point(a[0], a[1]), &["52", "Đường số 46"]), (point(b[0], b[1]), &["7", "Đường số 46"])],
        1,
    );
    let places = snapshot(
        layer("places", Role::Place, &["ten"], None, Some("ten")),
        &[
            (point(a[0], a[1]), &["Ủy ban nhân dân Phường Bến Thành"]),
            (point(a[0] + 0.001, a[1]), &["Công viên Phan Bội Châu"]),
            (point(b[0], b[1]), &["Công viên Phan Bội Châu"]),
            (point(b[0], b[1]), &["Trường Trung học cơ sở Bình Khánh"]),
            (point(b[0], b[1]), &["Bệnh viện Cần Giờ"]),
        ],
        1,
    );
    city([roads, houses, places, communes()])
}

#[test]
fn equal_names_stay_apart_with_their_commune() {
    let city = named_alike();
    let index = SearchIndex::build(&city);
    for (text, label) in [("duong so 46", "Đường số 46"), ("cv phan boi chau", "Công viên Phan Bội Châu")]
    {
        let hits = answer(&index, &city, text).hits;
        let same: Vec<&str> =
            hits.iter().filter(|hit| hit.label == label).map(|hit| hit.detail.as_str()).collect();
        assert_eq!(same.len(), 2, "{text}: {hits:#?}");
        assert!(same.iter().any(|detail| detail.contains("Phường Bến Thành")), "{same:?}");
        assert!(same.iter().any(|detail| detail.contains("Xã Cần Giờ")), "{same:?}");
    }
}

#[test]
fn a_street_in_a_commune_comes_before_its_houses() {
    let city = named_alike();
    let index = SearchIndex::build(&city);
    for typed in ["Đường số 46, Phường Bến Thành", "đ. số 46, p. bến thành", "duong so 46 phuong ben thanh"]
    {
        let hits = answer(&index, &city, typed).hits;
        assert_eq!(hits[0].label, "Đường số 46", "{typed}: {hits:#?}");
        assert!(hits[0].detail.contains("Phường Bến Thành"), "{typed}: {hits:#?}");
    }
}

#[test]
fn crossings_of_two_streets_are_found() {
    let roads = snapshot(
        layer("roads", Role::Road, &["name"], None, Some("name")),
        &[
            (line((106.690, 10.770), (106.700, 10.770)), &["Cửu Long"]),
            (line((106.695, 10.765), (106.695, 10.775)), &["Chương Dương"]),
            (line((106.700, 10.7701), (106.700, 10.780)), &["Đường số 46"]),
            (line((106.600, 10.700), (106.610, 10.700)), &["Lê Lợi"]),
        ],
        1,
    );
    let city = city([roads, communes()]);
    let index = SearchIndex::build(&city);
    for typed in [
        "Cửu Long - Chương Dương",
        "ngã tư cuu long x chuong duong",
        "Ngã tư Cửu Long Chương Dương",
        "đường Chương Dương giao đường Cửu Long",
        "góc Cửu Long và Chương Dương",
    ] {
        let hit = &answer(&index, &city, typed).hits[0];
        assert_eq!(hit.kind.as_str(), "crossing", "{typed}");
        let [lon, lat] = hit.lonlat.unwrap();
        assert!((lon - 106.695).abs() < 1e-9 && (lat - 10.770).abs() < 1e-9, "{typed}: {hit:?}");
    }
    // The end of one street is eleven metres from the end of the other.
    assert_eq!(answer(&index, &city, "Cửu Long x Đường số 46").hits[0].kind.as_str(), "crossing");
    let apart = answer(&index, &city, "Cửu Long - Lê Lợi").hits;
    assert!(apart.iter().all(|hit| hit.kind.as_str() != "crossing"), "{apart:?}");
}

#[test]
fn abbreviations_are_read() {
    let city = named_alike();
    let index = SearchIndex::build(&city);
    for (typed, label) in [
        ("UBND Phường Bến Thành", "Ủy ban nhân dân Phường Bến Thành"),
        ("ubnd p. ben thanh", "Ủy ban nhân dân Phường Bến Thành"),
        ("CV Phan Bội Châu", "Công viên Phan Bội Châu"),
        ("THCS Bình Khánh", "Trường Trung học cơ sở Bình Khánh"),
        ("bv can gio", "Bệnh viện Cần Giờ"),
        ("đ. số 46", "Đường số 46"),
    ] {
        assert_eq!(answer(&index, &city, typed).hits[0].label, label, "{typed}");
    }
}

#[test]
fn a_place_restricts_and_the_answer_says_when_nothing_there_fits() {
    let city = named_alike();
    let index = SearchIndex::build(&city);
    for text in ["52, Đường số 46, Quận 1", "52 duong so 46 quan 1", "52 Đường số 46 - Phường Bến Thành"]
    {
        let Answer { hits, place } = answer(&index, &city, text);
        assert_eq!(hits[0].label, "52 Đường số 46", "{text}");
        assert!(place.unwrap().matched && !hits[0].elsewhere, "{text}");
    }
    let Answer { hits, place } = answer(&index, &city, "duong so 46 xa can gio");
    assert!(place.unwrap().matched);
    assert!(hits.iter().all(|hit| hit.detail.contains("Xã Cần Giờ")), "{hits:#?}");
    let Answer { hits, place } = answer(&index, &city, "UBND Phường Bến Thành, Xã Cần Giờ");
    let place = place.unwrap();
    assert_eq!((place.label.as_str(), place.matched), ("Xã Cần Giờ", false));
    assert!(hits.iter().all(|hit| hit.elsewhere), "{hits:#?}");
    // No house 52 there, but the street.
    let Answer { hits, place } = answer(&index, &city, "52 Đường số 46, Xã Cần Giờ");
    assert!(place.unwrap().matched);
    assert!(hits.iter().all(|hit| hit.detail.contains("Xã Cần Giờ")), "{hits:#?}");
}

#[test]
fn a_parcel_is_found_in_every_order_of_sheet_number_and_commune() {
    // The communes of this city are boxes, some of which overlap.
    let is_in = |[lon, lat]: [f64; 2], [west, south, east, north]: [f64; 4]| {
        (west..=east).contains(&lon) && (south..=north).contains(&lat)
    };
    let alone = |commune: &&units::Commune| {
        units::communes().iter().filter(|other| is_in(commune.lonlat, other.bbox)).count() == 1
    };
    let chosen: Vec<_> = units::communes().iter().filter(alone).step_by(8).take(10).collect();
    assert_eq!(chosen.len(), 10);
    let rows: Vec<_> = chosen
        .iter()
        .flat_map(|commune| [("12", "45"), ("45", "12")].map(|(sheet, number)| (*commune, sheet, number)))
        .map(|(commune, sheet, number)| {
            let [lon, lat] = commune.lonlat;
            (lot(lon, lat), [format!("{}-{sheet}-{number}", commune.code), sheet.into(), number.into()])
        })
        .collect();
    let values: Vec<Vec<&str>> =
        rows.iter().map(|(_, values)| values.iter().map(String::as_str).collect()).collect();
    let rows: Vec<_> =
        rows.iter().zip(&values).map(|((shape, _), values)| (shape.clone(), values.as_slice())).collect();
    let fields = ["ma_thua", "so_to", "so_thua"];
    let parcels = layer("parcels", Role::Parcel, &fields, Some("ma_thua"), Some("so_thua"));
    let city = city([snapshot(parcels, &rows, 1), communes()]);
    let index = SearchIndex::build(&city);
    let mut lost = Vec::new();
    for commune in &chosen {
        let (code, name) = (commune.code, commune.name);
        let bare = name.trim_start_matches("Phường ").trim_start_matches("Xã ");
        for text in [
            format!("{code}-12-45"),
            format!("{code} 12 45"),
            format!("12 45 {code}"),
            format!("tờ 12 thửa 45 {name}"),
            format!("thửa 45 tờ 12 {name}"),
            format!("{name} tờ 12 thửa 45"),
            format!("thửa đất số 45, tờ bản đồ số 12, {name}"),
            format!("{bare} 12 45"),
            format!("12/45 {}", fold(name)),
            format!("thửa 45 {name} tờ 12"),
        ] {
            let hits = answer(&index, &city, &text).hits;
            let id = hits.first().and_then(|hit| hit.id.as_ref()).map(ToString::to_string);
            if id != Some(format!("{code}-12-45")) {
                lost.push((text, id));
            }
        }
    }
    assert!(lost.is_empty(), "{} of {}: {lost:#?}", lost.len(), chosen.len() * 10);
    // A commune without such a parcel says so.
    let without = units::communes().iter().filter(alone).nth(1).unwrap();
    let Answer { hits, place } = answer(&index, &city, &format!("thửa 45 tờ 12 {}", without.name));
    assert!(!place.unwrap().matched && hits.iter().all(|hit| hit.elsewhere));
}

#[test]
fn typed_accents_tell_places_apart() {
    let city = named_alike();
    let index = SearchIndex::build(&city);
    for name in ["Xã Thạnh An", "Xã Thanh An"] {
        let Answer { place, .. } = answer(&index, &city, &format!("Đường số 46, {name}"));
        assert_eq!(place.unwrap().label, name);
    }
}

#[test]
fn decisions_are_found_by_their_number() {
    let zones = layer("zones", Role::Zone, &["ten", "so_quyet_dinh"], None, Some("ten"));
    let rows: [(_, &[&str]); 3] = [
        (lot(106.69, 10.77), &["O1", "975/QĐ-UBND"]),
        (lot(106.70, 10.77), &["O2", "975/QĐ-UBND"]),
        (lot(106.71, 10.77), &["O3", "1975/QĐ-UBND"]),
    ];
    let city = city([snapshot(zones, &rows, 1), communes()]);
    let index = SearchIndex::build(&city);
    for text in ["975/QĐ-UBND", "975/qd-ubnd", "quyết định 975/QĐ-UBND", "QĐ 975"] {
        let hits = answer(&index, &city, text).hits;
        assert_eq!(hits[0].label, "Quyết định 975/QĐ-UBND", "{text}");
        let bbox = hits[0].bbox.unwrap();
        assert!(bbox.min[0] < 106.6901 && bbox.max[0] > 106.70, "the box of all it put in force");
    }
}
