//! The demo city as a store would get it.

mod common;

use std::collections::{HashMap, HashSet};

use citymap_model::{Value, codes, units};
use common::{Keep, M2, bits, distance, index, near};
use geo::{
    Area, BooleanOps, BoundingRect, Centroid, Contains, Geometry, Intersects, MultiPolygon, Point, Polygon,
    Validation,
};
use unicode_normalization::is_nfc;

#[test]
fn the_same_seed_gives_the_same_city_however_many_threads_work() {
    let with = |threads: usize, seed: u64| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| Keep::city(4_000, seed).0.hash())
    };
    let one = with(1, 11);
    assert_eq!(one, with(1, 11));
    assert_eq!(one, with(4, 11));
    assert_ne!(one, with(4, 12));
}

#[test]
fn as_many_parcels_are_made_as_were_asked_for() {
    for parcels in [0, 1, 50, 777, 9_999] {
        let (keep, summary) = Keep::city(parcels, 3);
        assert_eq!(keep.get("parcels").1.len(), parcels as usize);
        assert_eq!(summary.count("parcels"), u64::from(parcels));
        let total: usize = keep.layers.iter().map(|(_, features)| features.len()).sum();
        assert_eq!(summary.features(), total as u64);
    }
}

#[test]
fn every_geometry_is_valid_and_every_value_of_its_fields_type() {
    for seed in [1, 2, 3, 4] {
        let (keep, _) = Keep::city(15_000, seed);
        for (layer, features) in &keep.layers {
            assert!(!features.is_empty(), "{} is empty", layer.id);
            assert!(layer.synthetic);
            assert!(layer.title.vi.contains("Dữ liệu giả lập") && layer.title.en.contains("synthetic"));
            assert_eq!(layer.source.as_deref(), Some(format!("citymap demo, seed {seed}").as_str()));
            for field in &layer.fields {
                assert!(
                    !field.title.vi.is_empty() && !field.title.en.is_empty(),
                    "{}.{}",
                    layer.id,
                    field.name
                );
            }
            for feature in features {
                let geometry = feature.geometry.as_ref().unwrap();
                if let Err(reason) = geometry.check_validation() {
                    panic!("seed {seed}, {}: {reason} in {:?} {geometry:?}", layer.id, feature.values);
                }
                assert_eq!(feature.values.len(), layer.fields.len(), "{}", layer.id);
                for (value, field) in feature.values.iter().zip(&layer.fields) {
                    let right = value.is_null() || value.field_type() == Some(field.field_type);
                    assert!(right, "{}.{}: {value:?}", layer.id, field.name);
                    if let Value::Text(text) = value {
                        assert!(is_nfc(text) && !text.is_empty(), "{}.{}: {text}", layer.id, field.name);
                    }
                }
            }
        }
    }
}

#[test]
fn parcels_do_not_overlap_and_neighbours_share_every_corner() {
    let (keep, _) = Keep::city(20_000, 5);
    let parcels = keep.polygons("parcels");
    let index = index(&parcels);
    let (mut pairs, mut shared) = (0, 0);
    for (i, parcel) in parcels.iter().enumerate().step_by(3) {
        let corners: HashSet<[u64; 2]> = parcel.exterior().coords().map(bits).collect();
        for j in near(&index, parcel).into_iter().filter(|j| *j != i) {
            let other = parcels[j];
            pairs += 1;
            if parcel.intersects(other) {
                let overlap = parcel.intersection(other).unsigned_area() * M2;
                assert!(overlap < 1e-4, "{overlap} m² of {parcel:?} and {other:?}");
            }
            // A corner of one on an edge of the other is a corner of both.
            for corner in other.exterior().coords() {
                if corners.contains(&bits(corner)) {
                    shared += 1;
                    continue;
                }
                let lines = parcel.exterior().lines();
                let closest =
                    lines.map(|line| distance(line.start, line.end, *corner)).fold(f64::MAX, f64::min);
                assert!(closest > 0.0015, "{corner:?} lies {closest} m from an edge that does not have it");
            }
        }
    }
    assert!(pairs > 10_000 && shared > 20_000, "{pairs} pairs, {shared} shared corners");
}

#[test]
fn no_parcel_and_no_building_stands_in_water() {
    let (keep, _) = Keep::city(20_000, 8);
    let water = keep.polygons("water");
    let index = index(&water);
    let mut looked = 0;
    for id in ["parcels", "buildings"] {
        for polygon in keep.polygons(id) {
            for wet in near(&index, polygon) {
                looked += 1;
                assert!(!polygon.intersects(water[wet]), "{id}: {polygon:?}");
            }
        }
    }
    assert!(looked > 100);
}

#[test]
fn buildings_stand_inside_one_parcel() {
    let (keep, _) = Keep::city(8_000, 4);
    let parcels = keep.polygons("parcels");
    let index = index(&parcels);
    let buildings = keep.polygons("buildings");
    let inside =
        |building: &&&Polygon| near(&index, building).into_iter().any(|i| parcels[i].contains(**building));
    let astray = buildings.len() - buildings.iter().filter(inside).count();
    assert!(buildings.len() > 4_000);
    // A lot that the warp made a little concave may leave a building's corner outside by centimetres.
    assert!(astray * 500 < buildings.len(), "{astray} of {}", buildings.len());
}

#[test]
fn the_168_communes_are_the_real_ones_in_their_places() {
    let (keep, _) = Keep::city(200, 1);
    let (layer, features) = keep.get("communes");
    let code = layer.field_index("ma").unwrap();
    assert_eq!(features.len(), 168);
    let mut shapes = Vec::new();
    for feature in features {
        let fact = units::commune(&feature.values[code].to_key().unwrap()).unwrap();
        assert_eq!(feature.values[1], Value::Text(fact.name.to_owned()));
        let geometry = feature.geometry.as_ref().unwrap();
        let seat = Point::new(fact.lonlat[0], fact.lonlat[1]);
        assert!(geometry.contains(&seat), "{} does not hold its own position", fact.name);
        shapes.push(match geometry {
            Geometry::Polygon(polygon) => MultiPolygon(vec![polygon.clone()]),
            Geometry::MultiPolygon(many) => many.clone(),
            other => panic!("{other:?}"),
        });
    }
    let mut neighbours = 0;
    for (i, a) in shapes.iter().enumerate() {
        for b in &shapes[..i] {
            if a.bounding_rect().unwrap().intersects(&b.bounding_rect().unwrap()) {
                neighbours += 1;
                assert!(a.intersection(b).unsigned_area() * M2 < 1.0, "{a:?} {b:?}");
            }
        }
    }
    assert!(neighbours > 300);
}

#[test]
fn parcel_keys_name_commune_sheet_and_number_and_repeat_as_real_ones_do() {
    let (keep, _) = Keep::city(40_000, 6);
    let keys = keep.texts("parcels", "ma_thua");
    let distinct: HashSet<&&str> = keys.iter().collect();
    let repeated = (keys.len() - distinct.len()) as f64 / keys.len() as f64;
    assert!((0.001..0.004).contains(&repeated), "{repeated}");
    let (_, communes) = keep.get("communes");
    let communes: HashMap<String, &Geometry> =
        communes.iter().map(|f| (f.values[0].to_key().unwrap(), f.geometry.as_ref().unwrap())).collect();
    let (layer, features) = keep.get("parcels");
    let at = |name: &str| layer.field_index(name).unwrap();
    let (code, sheet, number) = (at("ma_xa"), at("so_to"), at("so_thua"));
    let mut sheets: HashMap<String, usize> = HashMap::new();
    let mut outside = 0;
    for feature in features {
        let part = |index: usize| feature.values[index].to_key().unwrap();
        assert_eq!(part(0), format!("{}-{}-{}", part(code), part(sheet), part(number)));
        let middle = feature.geometry.as_ref().unwrap().centroid().unwrap();
        outside += usize::from(!communes[&part(code)].contains(&middle));
        *sheets.entry(format!("{}-{}", part(code), part(sheet))).or_default() += 1;
    }
    assert!(outside * 1000 < features.len(), "{outside} of {} lie outside their commune", features.len());
    let mut sizes: Vec<usize> = sheets.into_values().collect();
    sizes.sort_unstable();
    assert!(sizes[sizes.len() - 1] <= 800);
    assert!(
        sizes[sizes.len() / 2] >= 500,
        "half of the sheets have at most {} parcels",
        sizes[sizes.len() / 2]
    );
}

#[test]
fn codes_are_those_of_the_citys_lists() {
    let (keep, _) = Keep::city(30_000, 2);
    for (layer, field, least) in [
        ("parcels", "loai_dat", 5),
        ("zones", "chuc_nang", 5),
        ("zones", "cap", 3),
        ("roads", "cap_duong", 5),
    ] {
        let (definition, _) = keep.get(layer);
        let list = definition.fields[definition.field_index(field).unwrap()].code_list.as_deref().unwrap();
        let list = codes::builtin(list).unwrap();
        let used: HashSet<&str> = keep.texts(layer, field).into_iter().collect();
        assert!(used.len() >= least, "{layer}: {used:?}");
        for code in used {
            assert!(list.get(code).is_some(), "{layer}.{field}: {code}");
        }
    }
    // A name is for people: it has no code.
    let functions = codes::builtin("planning_function").unwrap();
    for name in keep.texts("zones", "ten") {
        let first = name.split(' ').next().unwrap();
        assert!(
            functions.get(first).is_none() && name.ends_with(|last: char| last.is_ascii_digit()),
            "{name}"
        );
    }
}

#[test]
fn addresses_are_written_as_people_write_them() {
    let (keep, _) = Keep::city(20_000, 9);
    let addresses = keep.texts("addresses", "dia_chi");
    let names: HashSet<&str> = units::communes().iter().map(|unit| unit.name).collect();
    let (mut alleys, mut nested) = (0, 0);
    for address in &addresses {
        let (front, commune) = address.rsplit_once(", ").unwrap();
        assert!(names.contains(commune), "{address}");
        let number = front.split(' ').next().unwrap();
        assert!(
            number.split('/').all(|part| part
                .trim_end_matches(|c: char| c.is_ascii_uppercase())
                .parse::<u32>()
                .is_ok_and(|n| n > 0)),
            "{address}"
        );
        alleys += usize::from(number.contains('/'));
        nested += usize::from(number.matches('/').count() > 1);
    }
    assert!(alleys * 5 > addresses.len(), "{alleys} of {} in alleys", addresses.len());
    assert!(nested > 20, "{nested} in alleys off alleys");
    assert!(addresses.iter().any(|address| address.contains("Nguyễn")));
    assert!(
        keep.texts("roads", "ten").iter().any(|name| name.starts_with("Hẻm ") && name.contains("Nguyễn"))
    );
    // One house, one number.
    let distinct: HashSet<&&str> = addresses.iter().collect();
    let repeated = addresses.len() - distinct.len();
    assert!(repeated * 25 < addresses.len(), "{repeated} of {} repeat", addresses.len());
}

#[test]
fn zones_of_one_level_do_not_overlap_and_cut_through_parcels() {
    let (keep, _) = Keep::city(30_000, 7);
    let levels = keep.texts("zones", "cap");
    assert_eq!(levels.iter().collect::<HashSet<_>>().len(), 3);
    let all = keep.polygons("zones");
    let zones: Vec<&Polygon> =
        all.iter().zip(&levels).filter(|(_, level)| **level == "QHPK").map(|(zone, _)| *zone).collect();
    let index = index(&zones);
    for zone in zones.iter().step_by(4) {
        for j in near(&index, zone).into_iter().filter(|j| !std::ptr::eq(zones[*j], *zone)) {
            let overlap = zone.intersection(zones[j]).unsigned_area() * M2;
            assert!(overlap < 25.0, "{overlap} m²");
        }
    }
    let parcels = keep.polygons("parcels");
    let in_two = |parcel: &&&Polygon| {
        let share = |j: usize| parcel.intersection(zones[j]).unsigned_area() / parcel.unsigned_area();
        near(&index, parcel).into_iter().filter(|j| share(*j) > 0.05).count() > 1
    };
    let cut = parcels.iter().step_by(5).filter(in_two).count();
    assert!(cut * 5 * 50 > parcels.len(), "{cut} of {} sampled parcels lie in two zones", parcels.len() / 5);
}
