//! A small city in a store of its own, and a server over it on a free port.
#![allow(dead_code, reason = "each test file uses its own part")]

use std::{
    net::SocketAddr,
    ops::Deref,
    path::PathBuf,
    sync::{Arc, Condvar, Mutex},
    thread::JoinHandle,
    time::Duration,
};

use chrono::{TimeZone, Utc};
use citymap_live::Live;
use citymap_model::{
    CommitMeta, Field, FieldType, Geometry, GeometryKind, Layer, LayerId, Mode, NewFeature, Role, Title,
    Value,
};
use citymap_server::{Config, Limits, Writer, serve};
use citymap_store::{GeoPackage, Put, Store};
use citymap_testing::SwitchStore;
use geo::{line_string, point, polygon};
use serde_json::Value as Json;
use tokio::sync::oneshot;

/// A store in a folder of its own, which is deleted with it. Clones are one store, as the servers of one
/// process share it.
#[derive(Clone)]
pub(crate) struct TestStore {
    record: SwitchStore,
    path: PathBuf,
    /// Shared by all stores of the file.
    _folder: Arc<tempfile::TempDir>,
}

impl Deref for TestStore {
    type Target = SwitchStore;

    fn deref(&self) -> &SwitchStore {
        &self.record
    }
}

impl Default for TestStore {
    fn default() -> Self {
        let folder = Arc::new(tempfile::tempdir().unwrap());
        Self::of(folder.path().join("city.gpkg"), folder)
    }
}

impl TestStore {
    fn of(path: PathBuf, folder: Arc<tempfile::TempDir>) -> Self {
        let record = SwitchStore::new([GeoPackage::open_or_create(&path).unwrap()]);
        Self { record, path, _folder: folder }
    }

    /// The same file, opened apart: what another process sees.
    pub(crate) fn another(&self) -> Self {
        Self::of(self.path.clone(), Arc::clone(&self._folder))
    }

    /// Puts a layer in, as a revision of its own.
    pub(crate) fn put(&self, layer: Layer, features: Vec<NewFeature>) {
        let mut transaction = self.record.begin(CommitMeta::default()).unwrap();
        transaction.layer(&layer, Mode::Replace).unwrap();
        for feature in features {
            let put = transaction.put(feature).unwrap();
            assert!(!matches!(put, Put::Rejected(_)), "{put:?}");
        }
        transaction.commit().unwrap();
    }

    /// Takes the store away, or brings it back.
    pub(crate) fn set_broken(&self, broken: bool) {
        if broken { self.record.disconnect() } else { self.record.connect(0) }
    }
}

fn id(name: &str) -> LayerId {
    name.parse().unwrap()
}

fn text(value: impl Into<String>) -> Value {
    Value::Text(value.into())
}

/// South-west corner of the parcels: near Bến Thành.
pub(crate) const CORNER: [f64; 2] = [106.690_123_456_789, 10.770_987_654_321];
/// Width and height of a parcel in degrees.
pub(crate) const SIDE: f64 = 0.000_2;
/// Parcels in a row.
pub(crate) const COLUMNS: usize = 25;
/// The number of parcels in the test city.
pub(crate) const PARCELS: usize = 1_234;

/// The middle of a parcel.
pub(crate) fn middle(index: usize) -> [f64; 2] {
    let [x, y] = [(index % COLUMNS) as f64, (index / COLUMNS) as f64];
    [CORNER[0] + (x + 0.5) * SIDE, CORNER[1] + (y + 0.5) * SIDE]
}

pub(crate) fn parcels() -> (Layer, Vec<NewFeature>) {
    let mut layer =
        Layer::new(id("parcels"), Title::new("Thửa đất", "Parcels"), Role::Parcel, GeometryKind::Polygon);
    let mut owner = Field::new("chủ_sử_dụng", FieldType::Text);
    owner.personal = true;
    layer.fields = vec![
        Field::new("ma_thua", FieldType::Text).titled("Mã thửa", "Parcel key"),
        Field::new("so_thua", FieldType::Int).titled("Số thửa", "Parcel number"),
        Field::new("loại đất", FieldType::Text).titled("Loại đất", "Land use").coded("land_use"),
        Field::new("dien_tich", FieldType::Real).titled("Diện tích", "Area").unit("m²"),
        Field::new("so_nha", FieldType::Text),
        Field::new("ngay_cap", FieldType::Date),
        Field::new("cap_nhat", FieldType::DateTime),
        Field::new("tranh_chap", FieldType::Bool),
        Field::new("ma_lon", FieldType::Int),
        Field::new("ghi_chu", FieldType::Text),
        owner,
    ];
    layer.key = Some("ma_thua".into());
    layer.label = Some("so_thua".into());
    layer.valid_from = Some("ngay_cap".into());
    layer.source = Some("test".into());
    layer.source_crs = Some("EPSG:9210".into());
    layer.data_date = Some("2026-01-01".parse().unwrap());
    let features = (0..PARCELS)
        .map(|index| {
            let [x, y] = middle(index);
            let h = SIDE / 2.0;
            let shape = polygon![(x: x - h, y: y - h), (x: x + h, y: y - h), (x: x + h, y: y + h),
                (x: x - h, y: y + h), (x: x - h, y: y - h)];
            // Numbers 7 and 8 share a key, 9 has none.
            let key = match index {
                8 => text("26740-1-7"),
                9 => Value::Null,
                _ => text(format!("26740-1-{index}")),
            };
            let day = Utc.with_ymd_and_hms(2020 + (index % 6) as i32, 7, 1, 0, 0, 0).unwrap();
            let values = vec![
                key,
                Value::Int(index as i64),
                if index % 3 == 0 { text("ODT") } else { text("CLN") },
                Value::Real(400.0 + index as f64 / 8.0),
                // Looks like a number and is none.
                text(format!("{:03}", index % 90)),
                if index % 10 == 3 { Value::Null } else { Value::Date(day.date_naive()) },
                Value::DateTime(day + chrono::Duration::milliseconds(1_250 + index as i64 * 1_000)),
                if index % 7 == 0 { Value::Null } else { Value::Bool(index % 2 == 0) },
                // Longer than 32 bits, but not on the first page.
                Value::Int(if index > 500 { 9_000_000_000 + index as i64 } else { index as i64 }),
                // Nothing on the first pages.
                if index > 1_100 { text(format!("ghi chú \"{index}\" \\ đ")) } else { Value::Null },
                text("Nguyễn Thị Bí Mật"),
            ];
            NewFeature { geometry: Some(shape.into()), values }
        })
        .collect();
    (layer, features)
}

fn wells() -> (Layer, Vec<NewFeature>) {
    let mut layer = Layer::new(id("wells"), Title::new("Giếng", "Wells"), Role::Utility, GeometryKind::Point);
    layer.fields = vec![Field::new("sau", FieldType::Real).unit("m")];
    let [x, y] = middle(0);
    let places = [[x, y], [x + 0.000_01, y], [x + 0.001, y], [-179.99, 0.5], [179.99, 0.5]];
    let features = places
        .iter()
        .map(|&[x, y]| NewFeature {
            geometry: Some(point!(x: x, y: y).into()),
            values: vec![Value::Real(1.5)],
        })
        .chain([NewFeature { geometry: None, values: vec![Value::Null] }])
        .collect();
    (layer, features)
}

fn roads() -> (Layer, Vec<NewFeature>) {
    let mut layer = Layer::new(id("roads"), Title::new("Đường", "Roads"), Role::Road, GeometryKind::Line);
    layer.fields = vec![Field::new("ten", FieldType::Text)];
    layer.label = Some("ten".into());
    let [x, y] = middle(0);
    let road: Geometry = line_string![(x: x - 0.01, y: y), (x: x + 0.01, y: y)].into();
    (layer, vec![NewFeature { geometry: Some(road), values: vec![text("Nguyễn Huệ")] }])
}

fn table() -> (Layer, Vec<NewFeature>) {
    let mut layer = Layer::new(id("so_lieu"), Title::same("Số liệu"), Role::Other, GeometryKind::None);
    layer.fields = vec![Field::new("x", FieldType::Int)];
    (layer, vec![NewFeature { geometry: None, values: vec![Value::Int(1)] }])
}

/// The small city that most tests use.
pub(crate) fn store() -> TestStore {
    let store = TestStore::default();
    for (layer, features) in [parcels(), wells(), roads(), table()] {
        store.put(layer, features);
    }
    store
}

/// A token that may write, where writing is on.
pub(crate) const TOKEN: &str = "0123456789abcdef0123456789abcdef";
/// The same as a header.
pub(crate) const BEARER: &str = "Bearer 0123456789abcdef0123456789abcdef";
/// The token of another writer.
pub(crate) const OTHER_TOKEN: &str = "fedcba9876543210fedcba9876543210";

/// Lets two writers write.
pub(crate) fn writers(config: &mut Config) {
    config.writers = vec![Writer::new("đo đạc", TOKEN).unwrap(), Writer::new("other", OTHER_TOKEN).unwrap()];
}

/// A server on a free port, on threads of its own; it stops when dropped.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    pub(crate) store: TestStore,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    pub(crate) fn start() -> Self {
        Self::with(store(), |_| {})
    }

    /// A server that lets [`TOKEN`] and [`OTHER_TOKEN`] write.
    pub(crate) fn writing() -> Self {
        Self::with(store(), writers)
    }

    pub(crate) fn with(store: TestStore, change: impl FnOnce(&mut Config)) -> Self {
        let limits = Limits { refresh_interval: Duration::from_millis(20), ..Limits::default() };
        let mut config =
            Config { listen: SocketAddr::from(([127, 0, 0, 1], 0)), limits, ..Config::default() };
        change(&mut config);
        let live = Arc::new(Live::open(Box::new(SwitchStore::clone(&store))).unwrap());
        let (stop, stopped) = oneshot::channel::<()>();
        let bound = Arc::new((Mutex::new(None), Condvar::new()));
        let thread = std::thread::spawn({
            let bound = Arc::clone(&bound);
            move || {
                let ready = move |address| {
                    *bound.0.lock().unwrap() = Some(address);
                    bound.1.notify_all();
                };
                let runtime = tokio::runtime::Builder::new_multi_thread()
                    .worker_threads(2)
                    .enable_all()
                    .build()
                    .unwrap();
                runtime.block_on(serve(live, config, ready, stopped)).unwrap();
            }
        });
        let mut address = bound.0.lock().unwrap();
        while address.is_none() {
            address = bound.1.wait(address).unwrap();
        }
        Self { address: address.unwrap(), store, stop: Some(stop), thread: Some(thread) }
    }

    /// Asks it to stop and does not wait.
    pub(crate) fn signal(&mut self) {
        drop(self.stop.take());
    }

    pub(crate) fn wait(&mut self) {
        self.signal();
        if let Some(thread) = self.thread.take() {
            thread.join().unwrap();
        }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub(crate) fn get(&self, path: &str) -> Got {
        self.get_with(path, &[])
    }

    pub(crate) fn get_with(&self, path: &str, headers: &[(&str, &str)]) -> Got {
        let mut request = agent().get(self.url(path));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        Got::from(request.call().unwrap())
    }

    /// A request of any method, with headers and perhaps a body.
    pub(crate) fn ask(&self, method: &str, path: &str, headers: &[(&str, &str)], body: Option<&str>) -> Got {
        let mut request = ureq::http::Request::builder().method(method).uri(self.url(path));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let agent = agent();
        let response = match body {
            Some(body) => agent.run(request.body(body.to_owned()).unwrap()),
            None => agent.run(request.body(()).unwrap()),
        };
        Got::from(response.unwrap())
    }

    /// A request of one who may write; `seen` is If-Match.
    pub(crate) fn write(&self, method: &str, path: &str, seen: Option<&str>, body: Option<&Json>) -> Got {
        let kind = if method == "PATCH" { "application/merge-patch+json" } else { "application/json" };
        let mut headers = vec![("authorization", BEARER), ("content-type", kind)];
        headers.extend(seen.map(|seen| ("if-match", seen)));
        self.ask(method, path, &headers, body.map(Json::to_string).as_deref())
    }

    pub(crate) fn post(&self, path: &str, kind: &str, body: &[u8]) -> Got {
        Got::from(agent().post(self.url(path)).header("content-type", kind).send(body).unwrap())
    }

    /// A good answer's JSON.
    pub(crate) fn json(&self, path: &str) -> Json {
        let got = self.get(path);
        assert_eq!(got.status, 200, "{path}: {}", got.text());
        got.json()
    }

    /// A refusal's status and detail, after a look at its form.
    pub(crate) fn problem(&self, path: &str) -> (u16, String) {
        self.get(path).problem()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.wait();
    }
}

fn agent() -> ureq::Agent {
    ureq::Agent::config_builder()
        .http_status_as_error(false)
        .allow_non_standard_methods(true)
        .max_redirects(0)
        .timeout_global(Some(Duration::from_secs(60)))
        .build()
        .into()
}

/// The answer to a request.
pub(crate) struct Got {
    pub(crate) status: u16,
    pub(crate) headers: ureq::http::HeaderMap,
    pub(crate) bytes: Vec<u8>,
}

impl From<ureq::http::Response<ureq::Body>> for Got {
    fn from(response: ureq::http::Response<ureq::Body>) -> Self {
        let (parts, mut body) = response.into_parts();
        let bytes = body.with_config().limit(1 << 30).read_to_vec().unwrap();
        Self { status: parts.status.as_u16(), headers: parts.headers, bytes }
    }
}

impl Got {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes).into_owned()
    }

    pub(crate) fn json(&self) -> Json {
        serde_json::from_slice(&self.bytes).unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }

    pub(crate) fn problem(&self) -> (u16, String) {
        assert_eq!(self.header("content-type"), "application/problem+json", "{}", self.text());
        assert!(!self.header("citymap-revision").is_empty());
        let problem = self.json();
        assert_eq!(problem["status"], self.status);
        for member in ["type", "title", "detail"] {
            assert!(problem[member].as_str().is_some_and(|text| !text.is_empty()), "{member}");
        }
        (self.status, problem["detail"].as_str().unwrap().to_owned())
    }
}

/// An answer as it was sent, with the names of its headers in small letters.
#[allow(dead_code, reason = "not every test program reads raw answers")]
pub(crate) fn small_names(answer: &str) -> String {
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((answer, ""));
    let line = |line: &str| match line.split_once(": ") {
        Some((name, value)) => format!("{}: {value}", name.to_ascii_lowercase()),
        None => line.to_owned(),
    };
    let head: Vec<String> = head.split("\r\n").map(line).collect();
    format!("{}\r\n\r\n{body}", head.join("\r\n"))
}
