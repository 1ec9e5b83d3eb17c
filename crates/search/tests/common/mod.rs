//! Cities made for tests.

#![allow(clippy::unwrap_used, dead_code, reason = "test support; not every test uses all of it")]

use std::sync::Arc;

use citymap_engine::{City, LayerSnapshot, SnapshotBuilder};
use citymap_model::{
    Feature, Field, FieldType, Geometry, GeometryKind, Layer, Role, Title, Value, propose_meanings, units,
};
use citymap_search::{Hit, SearchIndex, SearchQuery};
use geo::{LineString, Point, Rect, coord};

/// A layer of texts.
pub(crate) fn layer(id: &str, role: Role, fields: &[&str], key: Option<&str>, label: Option<&str>) -> Layer {
    let mut layer =
        Layer::new(id.parse().unwrap(), Title::new(format!("Lớp {id}"), id), role, GeometryKind::Mixed);
    layer.fields = fields.iter().map(|name| Field::new(*name, FieldType::Text)).collect();
    layer.key = key.map(str::to_owned);
    layer.label = label.map(str::to_owned);
    propose_meanings(&mut layer);
    layer
}

pub(crate) fn snapshot(layer: Layer, rows: &[(Geometry, &[&str])], revision: u64) -> Arc<LayerSnapshot> {
    let mut builder = SnapshotBuilder::new(layer);
    for (fid, (geometry, values)) in (1..).zip(rows) {
        let values = values
            .iter()
            .map(|text| if text.is_empty() { Value::Null } else { Value::Text((*text).to_owned()) });
        builder.push(&Feature { fid, geometry: Some(geometry.clone()), values: values.collect() }).unwrap();
    }
    Arc::new(builder.finish(revision))
}

pub(crate) fn city(layers: impl IntoIterator<Item = Arc<LayerSnapshot>>) -> City {
    let layers = layers.into_iter().map(|layer| (layer.layer().id.clone(), layer)).collect();
    City { revision: 1, layers, ..City::default() }
}

pub(crate) fn point(lon: f64, lat: f64) -> Geometry {
    Point::new(lon, lat).into()
}

pub(crate) fn lot(lon: f64, lat: f64) -> Geometry {
    Rect::new(coord! { x: lon, y: lat }, coord! { x: lon + 0.0001, y: lat + 0.0002 }).to_polygon().into()
}

pub(crate) fn line(from: (f64, f64), to: (f64, f64)) -> Geometry {
    LineString::from(vec![from, to]).into()
}

/// The communes as a layer, each a box.
pub(crate) fn communes() -> Arc<LayerSnapshot> {
    let layer = layer("communes", Role::AdminUnit, &["code", "name"], Some("code"), Some("name"));
    let rows: Vec<(Geometry, [&str; 2])> = units::communes()
        .iter()
        .map(|commune| {
            let [west, south, east, north] = commune.bbox;
            let rect = Rect::new(coord! { x: west, y: south }, coord! { x: east, y: north });
            (rect.to_polygon().into(), [commune.code, commune.name])
        })
        .collect();
    let rows: Vec<(Geometry, &[&str])> =
        rows.iter().map(|(geometry, values)| (geometry.clone(), values.as_slice())).collect();
    snapshot(layer, &rows, 1)
}

/// A few streets, houses, parcels and places around Bến Thành, and the communes.
pub(crate) fn small() -> City {
    let parcels = layer(
        "parcels",
        Role::Parcel,
        &["ma_thua", "so_to", "so_thua", "dia_chi", "chu_su_dung"],
        Some("ma_thua"),
        Some("so_thua"),
    );
    let mut parcels = parcels;
    parcels.fields[4].personal = true;
    let parcels = snapshot(
        parcels,
        &[
            (
                lot(106.690, 10.770),
                &["26740-12-345", "12", "345", "123 Nguyễn Trãi, Phường Bến Thành", "Trần Văn Kín"],
            ),
            (
                lot(106.691, 10.770),
                &["26740-12-346", "12", "346", "123/4 Nguyễn Trãi, Phường Bến Thành", "Trần Văn Kín"],
            ),
            (
                lot(106.692, 10.770),
                &["26740-12-347", "12", "347", "123/4/5 Nguyễn Trãi, Phường Bến Thành", ""],
            ),
            (lot(106.693, 10.770), &["26740-12-348", "12", "348", "1230 Nguyễn Trãi, Phường Bến Thành", ""]),
            (lot(106.670, 10.755), &["27301-12-345", "12", "345", "123 Nguyễn Trãi, Phường Chợ Lớn", ""]),
            (lot(106.680, 10.772), &["27190-7-1", "7", "1", "215 Đường 3 Tháng 2, Phường Hòa Hưng", ""]),
            (lot(106.681, 10.772), &["27190-7-2", "7", "2", "9 Đường số 7, Phường Hòa Hưng", ""]),
        ],
        1,
    );
    let roads = snapshot(
        layer("roads", Role::Road, &["name"], None, Some("name")),
        &[
            (line((106.685, 10.768), (106.690, 10.770)), &["Đường Nguyễn Trãi"]),
            (line((106.690, 10.770), (106.694, 10.771)), &["Đường Nguyễn Trãi"]),
            (line((107.080, 10.350), (107.084, 10.352)), &["Đường Nguyễn Trãi"]),
            (line((106.670, 10.770), (106.680, 10.772)), &["Đường 3 Tháng 2"]),
            (line((106.681, 10.772), (106.682, 10.772)), &["Đường số 7"]),
            (line((106.700, 10.775), (106.701, 10.776)), &["Nguyễn Huệ"]),
            (line((106.702, 10.775), (106.703, 10.776)), &["Đường Quý Hòa"]),
        ],
        1,
    );
    let places = snapshot(
        layer("places", Role::Place, &["ten"], None, Some("ten")),
        &[
            (point(106.698, 10.7725), &["Chợ Bến Thành"]),
            (point(106.7, 10.78), &["Trường Tiểu học Nguyễn Trãi"]),
        ],
        1,
    );
    let addresses = snapshot(
        layer("addresses", Role::Address, &["addr:housenumber", "addr:street"], None, None),
        &[
            (point(106.701, 10.7755), &["22", "Nguyễn Huệ"]),
            (point(106.702, 10.7755), &["22A", "Đường Nguyễn Huệ"]),
        ],
        1,
    );
    city([parcels, roads, places, addresses, communes()])
}

pub(crate) fn ask(index: &SearchIndex, city: &City, text: &str) -> Vec<Hit> {
    index.search(city, &SearchQuery { text: text.to_owned(), limit: 10, near: None, lang: "vi" }).hits
}
