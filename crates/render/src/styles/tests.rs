//! Styles of a catalogue that has every kind of layer.

use std::collections::BTreeSet;

use citymap_model::{
    CityProfile, Domain, Field, FieldType, GeometryKind, Layer, LayerId, Meaning, Role, Theme, Title,
    codes::Code,
};
use serde_json::{Map, Value, json};

use super::*;

/// The file that `web/src/map/style.test.ts` validates with the reference implementation.
const EVERYTHING: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/everything.json");

fn layer(id: &str, role: Role, geometry: GeometryKind) -> Layer {
    Layer::new(id.parse().unwrap(), Title::same(id), role, geometry)
}

/// Four codes, of which two share a colour.
fn codes() -> Vec<Code> {
    let colors = [("ODT", "#FFA0FF"), ("CLN", "#FFD2A0"), ("DGD", "#FFAAA0"), ("DYT", "#FFAAA0")];
    let code = |(code, color): (&str, &str)| Code {
        color: Some(color.into()),
        ..Code::new(code, Title::same(code))
    };
    colors.into_iter().map(code).collect()
}

fn fields() -> Vec<Field> {
    let text = |name: &str| Field::new(name, FieldType::Text);
    vec![
        text("ten").means(Meaning::Name),
        text("ten_en").means(Meaning::NameEn),
        text("ma_su_dung").within(Domain::Codes(codes())).means(Meaning::LandUse),
        text("cap").means(Meaning::PlanLevel),
        text("cap_duong").coded("road_class").means(Meaning::RoadClass),
        Field::new("lo_gioi", FieldType::Real).means(Meaning::RightOfWay),
        Field::new("long_duong", FieldType::Real).means(Meaning::Width),
        Field::new("dien_tich", FieldType::Real).means(Meaning::Area),
        text("so_nha").means(Meaning::HouseNumber),
        Field { personal: true, ..text("chu_su_dung").means(Meaning::Owner) },
    ]
}

/// Every role with every geometry, with fields and without; and the layers that only a theme tells apart.
pub(crate) fn everything() -> Vec<Layer> {
    let kinds = [
        GeometryKind::Point,
        GeometryKind::Line,
        GeometryKind::Polygon,
        GeometryKind::Mixed,
        GeometryKind::None,
    ];
    let mut layers = Vec::new();
    for role in Role::ALL {
        for kind in kinds {
            let id = format!("{role}_{}", kind.as_str());
            layers.push(layer(&format!("{id}_bare"), role, kind));
            layers.push(Layer { fields: fields(), label: Some("ten".into()), ..layer(&id, role, kind) });
        }
    }
    for (id, theme, kind) in [
        ("water", Theme::Water, GeometryKind::Polygon),
        ("canals", Theme::Water, GeometryKind::Line),
        ("parks", Theme::Green, GeometryKind::Polygon),
        ("borders", Theme::Boundary, GeometryKind::Polygon),
        ("schools", Theme::School, GeometryKind::Point),
        ("hydrants", Theme::Hydrant, GeometryKind::Point),
    ] {
        layers.push(Layer { theme: Some(theme), ..layer(id, Role::Other, kind) });
    }
    layers
}

pub(crate) fn style_of(layers: &[Layer], id: &str, request: &StyleRequest<'_>) -> Value {
    let labels = [AreaLabel {
        lonlat: [106.7, 10.77],
        properties: Map::from_iter([("ten".to_owned(), json!("Phường Bến Thành"))]),
    }];
    let catalogue: Vec<CatalogueLayer<'_>> = layers
        .iter()
        .map(|layer| {
            let labelled = layer.role == Role::AdminUnit && layer.label.is_some();
            CatalogueLayer { layer, count: 5_000, labels: if labelled { &labels } else { &[] } }
        })
        .collect();
    let city = StyledCity { profile: CityProfile::builtin(), layers: &catalogue };
    let addresses = Addresses {
        root: "https://city.test/geo",
        glyphs: "https://city.test/geo/fonts/{fontstack}/{range}.pbf",
        sprite: "https://city.test/geo/sprites/citymap",
        tiles: &|layers| format!("https://city.test/geo/tiles/{}.json", layers.join(",")),
        layers_max: 32,
    };
    StyleBook::load(None).unwrap().style(id, city, request, &addresses).unwrap()
}

pub(crate) const LIGHT: StyleRequest<'_> =
    StyleRequest { appearance: Appearance::Light, lang: "vi", level: None, layers: None };

fn ids(layers: &[Layer]) -> Vec<LayerId> {
    layers.iter().map(|layer| layer.id.clone()).collect()
}

fn drawn(style: &Value) -> Vec<&Value> {
    style["layers"].as_array().unwrap().iter().collect()
}

fn position(style: &Value, id: &str) -> usize {
    drawn(style).iter().position(|layer| layer["id"] == id).unwrap_or_else(|| panic!("no style layer {id}"))
}

fn find<'a>(style: &'a Value, id: &str) -> &'a Value {
    drawn(style)[position(style, id)]
}

fn has(style: &Value, id: &str) -> bool {
    drawn(style).iter().any(|layer| layer["id"] == id)
}

#[test]
fn every_layer_of_every_theme_has_its_source_and_no_personal_field() {
    let layers = everything();
    let all = ids(&layers);
    let book = StyleBook::load(None).unwrap();
    for entry in book.entries() {
        for appearance in [Appearance::Light, Appearance::Dark] {
            for layers_asked in [None, Some(&all[..])] {
                let request = StyleRequest { appearance, layers: layers_asked, ..LIGHT };
                let style = style_of(&layers, entry.id, &request);
                let mut seen = BTreeSet::new();
                for layer in drawn(&style) {
                    assert!(seen.insert(layer["id"].as_str().unwrap()), "{} twice", layer["id"]);
                    let Some(source) = layer["source"].as_str() else { continue };
                    let own = &style["sources"][source];
                    assert!(own.is_object(), "{} without source", layer["id"]);
                    if own["type"] == "vector" {
                        let name = layer["source-layer"].as_str().unwrap();
                        let url = own["url"].as_str().unwrap();
                        let list = url.rsplit('/').next().unwrap().trim_end_matches(".json");
                        assert!(list.split(',').any(|own| own == name), "{name} in {url}");
                        assert!(list.split(',').count() <= 32, "{url}");
                        let from = own["minzoom"].as_f64().unwrap_or(0.0);
                        assert!(layer["minzoom"].as_f64().unwrap_or(0.0) >= from, "{layer}");
                    }
                }
                assert!(!style.to_string().contains("chu_su_dung"), "{}", entry.id);
            }
        }
    }
}

/// The reference implementation reads the file in `web/src/map/serverstyle.test.ts`. To write it again:
/// `CITYMAP_WRITE=1 cargo test -p citymap-render everything`.
#[test]
fn the_style_of_everything_is_the_one_that_the_reference_implementation_validates() {
    let layers = everything();
    let all = ids(&layers);
    let request = StyleRequest { layers: Some(&all), level: level_named("qhpk"), ..LIGHT };
    // One layer a line, so that a change is read in a diff.
    let mut style = style_of(&layers, "cadastre", &request);
    let lines: Vec<String> =
        style["layers"].take().as_array().unwrap().iter().map(Value::to_string).collect();
    let head = style.to_string();
    let text = head.replace("\"layers\":null", &format!("\"layers\":[\n{}\n]", lines.join(",\n"))) + "\n";
    if std::env::var_os("CITYMAP_WRITE").is_some() {
        std::fs::write(EVERYTHING, &text).unwrap();
    }
    let file = std::fs::read_to_string(EVERYTHING).unwrap();
    assert!(file == text, "{EVERYTHING} is out of date; the comment of this test tells how to write it");
}

#[test]
fn the_names_of_streets_are_placed_before_the_numbers_of_parcels() {
    let style = style_of(&everything(), "cadastre", &LIGHT);
    let [houses, parcels, streets, areas] =
        ["address_point/label", "parcel_polygon/label", "road_line/label", "admin_unit_polygon/label"]
            .map(|id| position(&style, id));
    assert!(houses < parcels && parcels < streets && streets < areas);
    assert!(position(&style, "road_line/casing") < position(&style, "road_line/fill"));
    assert!(position(&style, "parcel_polygon/fill") < position(&style, "road_line/right-of-way"));
    assert!(position(&style, "road_line/right-of-way") < position(&style, "road_line/right-of-way-ground"));
    assert!(position(&style, "road_line/right-of-way-ground") < position(&style, "parcel_polygon/line"));
    assert_eq!(drawn(&style).last().unwrap()["id"], "citymap-nation");
}

#[test]
fn one_system_of_colours_at_a_time() {
    let layers = everything();
    let cadastre = style_of(&layers, "cadastre", &LIGHT);
    assert_eq!(find(&cadastre, "parcel_polygon/fill")["paint"]["fill-color"][0], "match");
    assert!(!has(&cadastre, "zone_polygon/fill") && !has(&cadastre, "zone_polygon/band"));
    let plan = style_of(&layers, "plan", &LIGHT);
    assert_eq!(find(&plan, "zone_polygon/fill")["paint"]["fill-color"][0], "match");
    assert!(!has(&plan, "parcel_polygon/fill") && has(&plan, "parcel_polygon/line"));
    let both = ["parcel_polygon", "zone_polygon"].map(|id| id.parse().unwrap());
    let both = style_of(&layers, "cadastre", &StyleRequest { layers: Some(&both), ..LIGHT });
    assert!(has(&both, "parcel_polygon/fill") && has(&both, "zone_polygon/band"));
    assert!(!has(&both, "zone_polygon/fill"), "a plan over coloured parcels is a band");
    for style in [&cadastre, &plan, &both] {
        for layer in drawn(style).into_iter().filter(|layer| layer["type"] == "fill") {
            let coded = layer["paint"]["fill-color"][0] == "match";
            assert!(!coded || layer["paint"]["fill-opacity"].is_null(), "{} mixes colours", layer["id"]);
        }
    }
}

#[test]
fn points_of_interest_and_utilities_wait_for_their_theme() {
    let layers = everything();
    let utilities = ["utility_line/line", "utility_point/dot", "hydrants/icon", "report_point/icon"];
    for theme in ["cadastre", "plan", "streets", "grey"] {
        let style = style_of(&layers, theme, &LIGHT);
        assert!(utilities.iter().all(|id| !has(&style, id)), "{theme}");
        assert_eq!(has(&style, "place_point/icon"), theme == "streets");
        assert_eq!(has(&style, "schools/icon"), theme == "streets");
    }
    let style = style_of(&layers, "utilities", &LIGHT);
    assert!(utilities.iter().all(|id| has(&style, id)));
}

#[test]
fn the_steward_of_a_layer_decides_for_every_theme() {
    let mut layers = everything();
    let mut decide = |id: &str, shown: bool| {
        layers.iter_mut().find(|layer| layer.id.as_str() == id).unwrap().shown = Some(shown);
    };
    decide("hydrants", true);
    decide("parks", false);
    let book = StyleBook::load(None).unwrap();
    let of = |id: &str| layers.iter().find(|layer| layer.id.as_str() == id).unwrap();
    for entry in book.entries() {
        let style = style_of(&layers, entry.id, &LIGHT);
        assert!(has(&style, "hydrants/icon") && book.draws(entry.id, of("hydrants")), "{}", entry.id);
        assert!(!has(&style, "parks/fill") && !book.draws(entry.id, of("parks")), "{}", entry.id);
    }
    let named = ["parks".parse().unwrap()];
    let style = style_of(&layers, "grey", &StyleRequest { layers: Some(&named), ..LIGHT });
    assert!(has(&style, "parks/fill"), "who names a layer sees it");
}

#[test]
fn a_level_of_the_plan_is_drawn_alone_from_where_tiles_tell_it() {
    let level = level_named("qhct");
    let style = style_of(&everything(), "plan", &StyleRequest { level, ..LIGHT });
    let fill = find(&style, "zone_polygon/fill");
    assert_eq!(fill["minzoom"], 12.0);
    assert!(fill["filter"].to_string().contains("QHCT"));
    assert_eq!(style["metadata"]["citymap:level"], "qhct");
    let whole = style_of(&everything(), "plan", &LIGHT);
    assert_eq!(find(&whole, "zone_polygon/fill")["minzoom"], 8.0);
}

#[test]
fn areas_are_labelled_by_points_where_there_are_some() {
    let style = style_of(&everything(), "grey", &LIGHT);
    let label = find(&style, "admin_unit_polygon/label");
    assert_eq!(label["source"], "citymap-labels-admin_unit_polygon");
    assert!(label.get("source-layer").is_none());
    let data = &style["sources"]["citymap-labels-admin_unit_polygon"]["data"];
    assert_eq!(data["features"][0]["properties"]["ten"], "Phường Bến Thành");
}

#[test]
fn labels_speak_the_language_of_the_request() {
    let english = StyleRequest { lang: "en", ..LIGHT };
    let style = style_of(&everything(), "streets", &english);
    assert!(style["sources"]["citymap-nation"]["data"].to_string().contains("EAST SEA"));
    assert!(find(&style, "road_line/label")["layout"]["text-field"].to_string().contains("ten_en"));
    let style = style_of(&everything(), "streets", &LIGHT);
    assert!(style["sources"]["citymap-nation"]["data"].to_string().contains("Hoàng Sa"));
    assert!(!find(&style, "road_line/label")["layout"]["text-field"].to_string().contains("ten_en"));
}

#[test]
fn an_operators_folder_changes_colours_themes_and_styles() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    write("look.json", r##"{"light": {"water": "#123456"}}"##);
    write(
        "themes.json",
        r#"[{"id": "fire", "title": {"vi": "Chữa cháy", "en": "Fire"}, "description": {"vi": "", "en": ""},
            "draw": {"device": {}}}]"#,
    );
    write(
        "grey.json",
        r#"{"version": 8, "name": "Ours", "sources": {}, "layers": [{"id": "g", "type": "background"}]}"#,
    );
    write("notes.txt", "not a style");
    let book = StyleBook::load(Some(folder.path())).unwrap();
    let ids: Vec<&str> = book.entries().iter().map(|entry| entry.id).collect();
    assert_eq!(ids, ["cadastre", "plan", "streets", "utilities", "grey", "fire"]);
    assert!(book.entry("grey").unwrap().is_file && !book.entry("fire").unwrap().is_file);
    assert_eq!(book.entry("grey").unwrap().title.vi, "Ours");
    assert!(book.entry("nothing").is_none());

    for (name, text, part) in [
        ("look.json", r##"{"light": {"watr": "#fff"}}"##, "`watr`"),
        ("themes.json", "[{]", "line 1 column 3"),
        ("grey.json", r#"{"version": 9}"#, "`version` must be 8"),
        ("Grey.json", "{}", "`Grey` cannot name a style"),
    ] {
        write(name, text);
        let error = StyleBook::load(Some(folder.path())).unwrap_err().to_string();
        assert!(error.contains(name) && error.contains(part), "{error}");
        std::fs::remove_file(folder.path().join(name)).unwrap();
    }
    let missing = StyleBook::load(Some(&folder.path().join("nowhere"))).unwrap_err();
    assert!(missing.to_string().contains("nowhere"), "{missing}");
    for number in 0..65 {
        write(&format!("s{number}.json"), "{}");
    }
    assert!(matches!(StyleBook::load(Some(folder.path())), Err(StylesError::TooMany { max: 64, .. })));
}
