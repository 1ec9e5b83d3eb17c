//! OpenStreetMap extracts, sorted into the layers that a city map needs.
//!
//! GDAL assembles ways and multipolygon relations; the themes are decided here, from tags:
//!
//! | layer | what | from |
//! |---|---|---|
//! | `roads` | `highway=*` | lines, areas |
//! | `buildings` | `building=*` but `no` | areas |
//! | `water` | `waterway=*`, `natural=water/wetland`, `landuse=reservoir/basin` | lines, areas |
//! | `land_use` | `landuse=*`, `leisure=*`, `natural=*`, `amenity=*`, … but water and buildings | areas |
//! | `places` | nodes with `place=*`, or with a name and an amenity, shop, office, tourism, … | points |
//! | `addresses` | `addr:housenumber=*`, areas and lines as a point in or on them | points, lines, areas |
//! | `boundaries` | `boundary=*` | lines, areas |
//! | `other_lines` | every other line: railways, power lines, walls | lines |
//!
//! A building with a house number is in two layers. Points and areas that match no theme are counted in a
//! note. Relations of which GDAL makes no area, or an invalid one, are made areas by ourselves; those that do
//! not close are rejects of their themes.

mod elements;
mod pbf;
mod relations;
mod rings;
mod xml;

pub(super) use xml::{attribute, unescaped};

use std::{fs, path::Path};

use citymap_crs::Crs;
use citymap_geometry::wkb;
use citymap_model::{Field, FieldType, GeometryKind, Role, Title, Value};
use gdal::{Dataset, DatasetOptions, GdalOpenFlags, vector::LayerAccess};
use geo::{Centroid, InteriorPoint};
use geo_types::{Geometry, Point};
use tempfile::TempDir;

use super::{Body, Parsed, Raw, Reader, Sink, SourceLayer, foreign, from_wkb, join_kinds, survey};
use crate::{ImportError, gdal_log, srs::Srs};
use relations::Given;

/// Tags that become fields, in every theme that has a use for them.
const TAGS: [&str; 34] = [
    "name",
    "name:vi",
    "name:en",
    "highway",
    "ref",
    "oneway",
    "lanes",
    "surface",
    "maxspeed",
    "bridge",
    "tunnel",
    "layer",
    "building",
    "building:levels",
    "height",
    "waterway",
    "natural",
    "water",
    "landuse",
    "leisure",
    "amenity",
    "shop",
    "office",
    "tourism",
    "place",
    "boundary",
    "admin_level",
    "railway",
    "power",
    "barrier",
    "addr:housenumber",
    "addr:street",
    "addr:ward",
    "addr:district",
];

/// Every theme with its role and its tags.
const THEMES: [(&str, Role, &[&str]); 8] = [
    (
        "roads",
        Role::Road,
        &[
            "name", "name:vi", "name:en", "highway", "ref", "oneway", "lanes", "surface", "maxspeed",
            "bridge", "tunnel", "layer",
        ],
    ),
    (
        "buildings",
        Role::Building,
        &[
            "name",
            "name:vi",
            "name:en",
            "building",
            "building:levels",
            "height",
            "amenity",
            "addr:housenumber",
            "addr:street",
        ],
    ),
    ("water", Role::Other, &["name", "name:vi", "name:en", "waterway", "natural", "water", "landuse"]),
    (
        "land_use",
        Role::Other,
        &["name", "name:vi", "name:en", "landuse", "leisure", "natural", "amenity", "tourism"],
    ),
    (
        "places",
        Role::Place,
        &["name", "name:vi", "name:en", "place", "amenity", "shop", "office", "tourism", "leisure"],
    ),
    ("addresses", Role::Address, &["addr:housenumber", "addr:street", "addr:ward", "addr:district", "name"]),
    ("boundaries", Role::Other, &["name", "name:vi", "name:en", "boundary", "admin_level", "place"]),
    ("other_lines", Role::Other, &["name", "railway", "power", "barrier", "natural", "leisure", "landuse"]),
];

const ROADS: usize = 0;
const BUILDINGS: usize = 1;
const WATER: usize = 2;
const LAND_USE: usize = 3;
const PLACES: usize = 4;
const ADDRESSES: usize = 5;
const BOUNDARIES: usize = 6;
const OTHER_LINES: usize = 7;

/// Kinds of GDAL's layers.
const POINTS: usize = 0;
const LINES: usize = 1;
const AREAS: usize = 2;

/// What people read for a theme.
fn title(theme: usize) -> Title {
    match theme {
        ROADS => Title::new("Đường giao thông", "Roads"),
        BUILDINGS => Title::new("Công trình", "Buildings"),
        WATER => Title::new("Mặt nước", "Water"),
        LAND_USE => Title::new("Sử dụng đất", "Land use"),
        PLACES => Title::new("Địa điểm", "Places"),
        ADDRESSES => Title::new("Địa chỉ", "Addresses"),
        BOUNDARIES => Title::new("Ranh giới", "Boundaries"),
        _ => Title::new("Các đường khác", "Other lines"),
    }
}

/// An extract, sorted; held in memory (about 1 kB a feature).
pub(crate) struct OsmReader {
    pub notes: Vec<String>,
    pub layers: Vec<SourceLayer>,
    features: Vec<Vec<Kept>>,
}

/// A feature of a theme.
struct Kept {
    id: String,
    wkb: Option<Vec<u8>>,
    values: Vec<Value>,
    fault: Option<String>,
}

/// One feature's tags, in the order of [`TAGS`].
struct Tags([Option<String>; TAGS.len()]);

impl Tags {
    fn get(&self, name: &str) -> Option<&str> {
        TAGS.iter().position(|tag| *tag == name).and_then(|i| self.0[i].as_deref())
    }

    fn any(&self, names: &[&str]) -> bool {
        names.iter().any(|name| self.get(name).is_some())
    }
}

impl Reader for OsmReader {
    fn driver(&self) -> &str {
        "OSM"
    }

    fn notes(&self) -> &[String] {
        &self.notes
    }

    fn layers(&self) -> Vec<&SourceLayer> {
        self.layers.iter().collect()
    }

    fn read(&self, layer: usize, sink: &mut Sink<'_>) -> Result<Vec<String>, ImportError> {
        for (index, one) in (1..).zip(self.features.get(layer).into_iter().flatten()) {
            let body = Body::Wkb {
                id: Some(one.id.clone()),
                wkb: one.wkb.clone(),
                values: one.values.clone(),
                fault: one.fault.clone(),
                system: None,
            };
            if !sink(Raw { index, line: None, body }) {
                break;
            }
        }
        Ok(Vec::new())
    }

    fn parse(&self, _layer: usize, body: Body) -> Parsed {
        match body {
            Body::Wkb { id, wkb, values, fault, .. } => from_wkb(id, wkb, values, fault),
            other => foreign(other),
        }
    }
}

impl OsmReader {
    pub(crate) fn open(path: &Path) -> Result<Self, ImportError> {
        let shown = path.display().to_string();
        let temporary = |error: std::io::Error| {
            ImportError::unreadable(
                &shown,
                format!("no temporary file can be made ({error})"),
                "make room in the folder that TMPDIR names",
            )
        };
        let folder = configuration().map_err(temporary)?;
        let option = format!("CONFIG_FILE={}", folder.path().join("osmconf.ini").display());
        let damaged =
            |reason: String| ImportError::unreadable(&shown, reason, "it may be cut off: get it again");
        // GDAL's own index is fast and wants sorted, positive numbers, which editors (JOSM) do not write.
        let xml = elements::is_xml(path).map_err(damaged)?;
        let mut sorted = Sorted::new();
        if xml || !sorted.read(path, &option, "YES")? {
            sorted = Sorted::new();
            sorted.read(path, &option, "NO")?;
        }
        let Sorted { mut themes, unthemed, given } = sorted;
        let completed = relations::complete(path, &given, &mut themes).map_err(damaged)?;
        let mut notes = Vec::new();
        for (name, count) in ["points", "lines", "multipolygons"].into_iter().zip(unthemed) {
            let count = count - if name == "multipolygons" { completed.by_ways } else { 0 };
            if count > 0 {
                notes.push(format!("{count} {name} match no theme and were left out"));
            }
        }
        notes.extend(completed.note);
        let mut layers = Vec::new();
        let mut features = Vec::new();
        for (theme, ((name, role, tags), kept)) in THEMES.iter().zip(themes).enumerate() {
            if kept.is_empty() {
                continue;
            }
            let mut kind = None;
            for one in &kept {
                if let Some(Ok(read)) = one.wkb.as_deref().map(wkb::read_source) {
                    kind = join_kinds(kind, GeometryKind::of(&read.geometry));
                }
            }
            layers.push(SourceLayer {
                name: (*name).to_owned(),
                fields: std::iter::once("osm_id")
                    .chain(tags.iter().copied())
                    .map(|tag| Field::new(tag, FieldType::Text))
                    .collect(),
                kind: kind.unwrap_or(GeometryKind::Polygon),
                srs: Srs::Known {
                    crs: Crs::WGS84,
                    how: "OpenStreetMap is WGS 84".into(),
                    warnings: Vec::new(),
                },
                systems: Vec::new(),
                exchangeable: None,
                points: survey::SeenPoints::default(),
                encoding: survey::unicode("OpenStreetMap is UTF-8"),
                count: Some(kept.len() as u64),
                sample: kept.iter().take(survey::SAMPLE).map(|one| one.values.clone()).collect(),
                role: Some(*role),
                warnings: Vec::new(),
                title: Some(title(theme)),
                attribution: Some("© OpenStreetMap contributors, ODbL 1.0".into()),
            });
            features.push(kept);
        }
        if layers.is_empty() {
            return Err(ImportError::unreadable(
                &shown,
                "holds none of roads, buildings, water, land use, places, addresses, boundaries",
                "check that it is the right extract",
            ));
        }
        Ok(Self { notes, layers, features })
    }
}

fn configuration() -> std::io::Result<TempDir> {
    let folder = tempfile::tempdir()?;
    let tags = TAGS.join(",");
    let mut text = String::from(
        "attribute_name_laundering=no\n\
         closed_ways_are_polygons=aeroway,amenity,area,boundary,building,craft,historic,landuse,leisure,\
         military,natural,office,place,shop,sport,tourism,water,waterway=riverbank,highway=platform,\
         public_transport=platform\n",
    );
    for section in ["points", "lines", "multipolygons", "multilinestrings", "other_relations"] {
        text.push_str(&format!("[{section}]\nosm_id=yes\nattributes={tags}\nother_tags=no\n"));
    }
    fs::write(folder.path().join("osmconf.ini"), text)?;
    Ok(folder)
}

/// The features of an extract by theme.
struct Sorted {
    themes: Vec<Vec<Kept>>,
    /// How many points, lines and areas match none.
    unthemed: [u64; 3],
    given: Given,
}

impl Sorted {
    fn new() -> Self {
        Self {
            themes: THEMES.iter().map(|_| Vec::new()).collect(),
            unthemed: [0; 3],
            given: Given::default(),
        }
    }

    /// Reads the layers that GDAL makes of the extract; `false` if it needs to be read without GDAL's own
    /// index.
    fn read(&mut self, path: &Path, option: &str, index: &str) -> Result<bool, ImportError> {
        let shown = path.display().to_string();
        let asks = |message: &str| index == "YES" && message.contains("OSM_USE_CUSTOM_INDEXING");
        for (name, kind) in [("points", POINTS), ("lines", LINES), ("multipolygons", AREAS)] {
            let malformed =
                |reason: String| ImportError::malformed(&shown, format!("layer `{name}`"), reason);
            // Opened again for each layer: reading one alone lets GDAL drop what belongs to others.
            let dataset = match opened(path, option, index) {
                Ok(dataset) => dataset,
                Err(reason) if asks(&reason) => return Ok(false),
                Err(reason) => {
                    return Err(ImportError::unreadable(&shown, reason, "it may be cut off: get it again"));
                }
            };
            let mut layer = dataset.layer_by_name(name).map_err(|error| malformed(error.to_string()))?;
            self.unthemed[kind] = self.sort(&mut layer, kind);
            if let Some(message) = gdal_log::take().into_iter().find(|message| message.error) {
                if asks(&message.text) {
                    return Ok(false);
                }
                return Err(malformed(format!("{}; it may be cut off: get it again", message.text)));
            }
        }
        Ok(true)
    }

    /// Sorts a layer's features; gives how many match nothing.
    fn sort(&mut self, layer: &mut gdal::vector::Layer<'_>, kind: usize) -> u64 {
        let positions = TAGS.map(|tag| layer.defn().field_index(tag).ok());
        let id = layer.defn().field_index("osm_id").ok();
        let way = layer.defn().field_index("osm_way_id").ok();
        let mut unthemed = 0;
        for feature in layer.features() {
            let text = |position: Option<usize>| {
                position
                    .and_then(|i| feature.field_as_string(i).ok().flatten())
                    .filter(|text| !text.is_empty())
            };
            let tags = Tags(positions.map(text));
            let wkb = feature.geometry().and_then(|geometry| geometry.iso_wkb().ok());
            let own = text(id);
            let found = themes_of(&tags, kind);
            if kind == AREAS
                && let Some(relation) = own.as_deref().and_then(|id| id.parse().ok())
            {
                self.given.add(relation, wkb.as_deref());
                if wkb.is_none() {
                    continue;
                }
                if found.is_empty() {
                    self.given.unthemed.insert(relation);
                }
            }
            // The type stands in the id, as is usual: node, way and relation have numbers of their own.
            let id = match (own, text(way)) {
                (Some(id), _) => format!("{}{id}", ['n', 'w', 'r'][kind]),
                (None, Some(way)) => format!("w{way}"),
                (None, None) => String::new(),
            };
            unthemed += u64::from(found.is_empty());
            for theme in found {
                let (wkb, fault) = match &wkb {
                    None => (None, Some("it has no geometry: its nodes are not in the file".to_owned())),
                    Some(wkb) if kind == POINTS => (Some(wkb.clone()), None),
                    Some(wkb) => drawn(theme, wkb),
                };
                self.themes[theme].push(keep(theme, &id, &tags, wkb, fault));
            }
        }
        unthemed
    }
}

/// Opens an extract; `index` says whether GDAL's own index of nodes serves (`YES`) or SQLite (`NO`).
fn opened(path: &Path, option: &str, index: &str) -> Result<Dataset, String> {
    gdal::config::set_thread_local_config_option("OSM_USE_CUSTOM_INDEXING", index)
        .map_err(|error| error.to_string())?;
    gdal_log::take();
    Dataset::open_ex(
        path,
        DatasetOptions {
            open_flags: GdalOpenFlags::GDAL_OF_VECTOR,
            allowed_drivers: Some(&["OSM"]),
            open_options: Some(&[option]),
            sibling_files: None,
        },
    )
    .map_err(|error| gdal_log::first().unwrap_or_else(|| error.to_string()))
}

/// A feature of a theme, with the values that the theme has.
fn keep(theme: usize, id: &str, tags: &Tags, wkb: Option<Vec<u8>>, fault: Option<String>) -> Kept {
    let own =
        THEMES[theme].2.iter().map(|tag| tags.get(tag).map_or(Value::Null, |text| Value::Text(text.into())));
    let values = std::iter::once(Value::Text(id.to_owned())).chain(own).collect();
    Kept { id: id.to_owned(), wkb, values, fault }
}

/// The geometry of a line or an area as a theme draws it: addresses are points.
fn drawn(theme: usize, wkb: &[u8]) -> (Option<Vec<u8>>, Option<String>) {
    if theme == ADDRESSES {
        let (point, fault) = address_point(wkb);
        (Some(point), fault)
    } else {
        (Some(wkb.to_vec()), None)
    }
}

fn themes_of(tags: &Tags, kind: usize) -> Vec<usize> {
    let mut found = Vec::new();
    let water = tags.get("waterway").is_some()
        || matches!(tags.get("natural"), Some("water" | "wetland"))
        || matches!(tags.get("landuse"), Some("reservoir" | "basin"));
    if tags.get("addr:housenumber").is_some() {
        found.push(ADDRESSES);
    }
    let known = ["amenity", "shop", "office", "tourism", "leisure"];
    match kind {
        POINTS => {
            if tags.get("place").is_some() || (tags.get("name").is_some() && tags.any(&known)) {
                found.push(PLACES);
            }
        }
        LINES => {
            // Every line has its place: none is left out.
            if tags.get("highway").is_some() {
                found.push(ROADS);
            } else if water {
                found.push(WATER);
            } else if tags.get("boundary").is_some() {
                found.push(BOUNDARIES);
            } else {
                found.push(OTHER_LINES);
            }
        }
        _ => {
            if tags.get("highway").is_some() {
                found.push(ROADS);
            }
            let building = tags.get("building").is_some_and(|value| value != "no");
            if building {
                found.push(BUILDINGS);
            }
            if water {
                found.push(WATER);
            }
            if tags.get("boundary").is_some() {
                found.push(BOUNDARIES);
            }
            if !water && !building && tags.any(&["landuse", "leisure", "natural", "amenity", "tourism"]) {
                found.push(LAND_USE);
            }
        }
    }
    found
}

/// A point inside an area, or in the middle of a line, for an address that is drawn as one.
fn address_point(bytes: &[u8]) -> (Vec<u8>, Option<String>) {
    let point: Option<Point<f64>> = wkb::read_source(bytes).ok().and_then(|read| match read.geometry {
        Geometry::Point(point) => Some(point),
        Geometry::Polygon(area) => area.interior_point(),
        Geometry::MultiPolygon(area) => area.interior_point(),
        other => other.centroid(),
    });
    match point {
        Some(point) => (wkb::to_wkb(&point.into()), None),
        None => (bytes.to_vec(), Some("no point could be found inside its outline".into())),
    }
}
