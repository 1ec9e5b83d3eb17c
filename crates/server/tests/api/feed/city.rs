//! A city in a GeoPackage, edits to it, and servers over it.

use std::{
    net::SocketAddr,
    path::PathBuf,
    sync::{Arc, Condvar, Mutex},
    thread::JoinHandle,
    time::{Duration, Instant},
};

use citymap_feed::webhooks::WebhookOptions;
use citymap_live::Live;
use citymap_model::{
    CommitMeta, Fid, Field, FieldType, GeometryKind, Layer, LayerId, Mode, NewFeature, Revision,
    RevisionNumber, Role, Title, Value,
};
use citymap_server::{Config, Limits, serve};
use citymap_store::{Edit, GeoPackage, Put, Store, Transaction};
use citymap_testing::SwitchStore;
use geo::polygon;
use serde_json::Value as Json;
use tokio::sync::oneshot;

/// South-west corner of the first parcel.
pub(crate) const CORNER: [f64; 2] = [106.69, 10.77];
/// Width and height of a parcel, degrees.
pub(crate) const SIDE: f64 = 0.000_2;

pub(crate) fn layer(name: &str) -> Layer {
    let title = Title::same(name);
    let mut layer = Layer::new(name.parse().unwrap(), title, Role::Parcel, GeometryKind::Polygon);
    let mut owner = Field::new("owner", FieldType::Text);
    owner.personal = true;
    layer.fields = vec![Field::new("key", FieldType::Text), Field::new("use", FieldType::Text), owner];
    layer.key = Some("key".into());
    layer
}

/// A parcel in row 0 at column `column`; parts of a column are allowed.
pub(crate) fn parcel(key: &str, column: f64, land_use: &str) -> NewFeature {
    let [x, y] = [CORNER[0] + column * SIDE, CORNER[1]];
    let shape = polygon![(x: x, y: y), (x: x + SIDE, y: y), (x: x + SIDE, y: y + SIDE), (x: x, y: y + SIDE),
        (x: x, y: y)];
    let text = |text: &str| Value::Text(text.to_owned());
    NewFeature {
        geometry: Some(shape.into()),
        values: vec![text(key), text(land_use), text("Nguyễn Bí Mật")],
    }
}

/// A record in a folder that ends with the test, and who writes to it.
pub(crate) struct City {
    _folder: tempfile::TempDir,
    path: PathBuf,
    pub(crate) store: GeoPackage,
}

impl City {
    /// A city without layers.
    pub(crate) fn empty() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("city.gpkg");
        let store = GeoPackage::open_or_create(&path).unwrap();
        Self { _folder: folder, path, store }
    }

    /// A city with ten parcels `1-0` to `1-9`, numbered from 1, as revision 1.
    pub(crate) fn new() -> Self {
        let city = Self::empty();
        city.replace("parcels", 10);
        city
    }

    pub(crate) fn open(&self) -> SwitchStore {
        SwitchStore::new([GeoPackage::open(&self.path).unwrap()])
    }

    pub(crate) fn commit(&self, message: &str, work: impl FnOnce(&mut dyn Transaction)) -> Revision {
        let meta =
            CommitMeta {
                author: "Trần Văn Viết".into(), message: message.into(), ..CommitMeta::default()
            };
        let mut transaction = self.store.begin(meta).unwrap();
        work(transaction.as_mut());
        transaction.commit().unwrap()
    }

    pub(crate) fn replace(&self, name: &str, count: usize) -> Revision {
        self.commit("nhập", |transaction| {
            transaction.layer(&layer(name), Mode::Replace).unwrap();
            for index in 0..count {
                transaction.put(parcel(&format!("1-{index}"), index as f64, "ODT")).unwrap();
            }
        })
    }

    pub(crate) fn edit(&self, name: &str, edits: Vec<Edit>) -> Revision {
        self.commit("sửa \"thửa\"", |transaction| {
            transaction.layer(&layer(name), Mode::Edit).unwrap();
            for edit in edits {
                let put = transaction.edit(edit).unwrap();
                assert!(!matches!(put, Put::Rejected(_)), "{put:?}");
            }
        })
    }

    /// Gives parcel `fid` another use; one revision.
    pub(crate) fn touch(&self, fid: Fid, land_use: &str) -> RevisionNumber {
        let new = parcel(&format!("1-{}", fid - 1), (fid - 1) as f64, land_use);
        self.edit("parcels", vec![Edit::Update(fid, new)]).number
    }
}

/// A server on a free port, on threads of its own; it stops when dropped.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    /// The store of the server, which tests can take away.
    pub(crate) store: SwitchStore,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    pub(crate) fn start(city: &City) -> Self {
        Self::with(city, |_| {})
    }

    pub(crate) fn with(city: &City, change: impl FnOnce(&mut Config)) -> Self {
        let store = city.open();
        let limits = Limits { refresh_interval: Duration::from_millis(10), ..Limits::default() };
        let webhooks = WebhookOptions {
            first_retry: Duration::from_millis(20),
            retry_max: Duration::from_millis(100),
            give_up: Duration::from_millis(400),
            lease: Duration::from_millis(600),
            poll: Duration::from_millis(20),
            timeout: Duration::from_secs(2),
            ..WebhookOptions::default()
        };
        let mut config =
            Config { listen: SocketAddr::from(([127, 0, 0, 1], 0)), limits, webhooks, ..Config::default() };
        change(&mut config);
        let live = Arc::new(Live::open(Box::new(store.clone())).unwrap());
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
        let address = address.unwrap();
        Self { address, store, stop: Some(stop), thread: Some(thread) }
    }

    /// Stops it; how long that took.
    pub(crate) fn stop(&mut self) -> Duration {
        let start = Instant::now();
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            thread.join().unwrap();
        }
        start.elapsed()
    }

    /// Status, headers and text of an answer.
    pub(crate) fn ask(&self, path: &str, headers: &[(&str, &str)]) -> (u16, ureq::http::HeaderMap, String) {
        let agent: ureq::Agent = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(Duration::from_secs(30)))
            .build()
            .into();
        let mut request = agent.get(format!("http://{}{path}", self.address));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let (parts, mut body) = request.call().unwrap().into_parts();
        let text = body.with_config().limit(1 << 30).read_to_string().unwrap();
        (parts.status.as_u16(), parts.headers, text)
    }

    pub(crate) fn json(&self, path: &str) -> Json {
        let (status, _, text) = self.ask(path, &[]);
        assert_eq!(status, 200, "{path}: {text}");
        serde_json::from_str(&text).unwrap()
    }

    /// A refusal's status and detail.
    pub(crate) fn problem(&self, path: &str, headers: &[(&str, &str)]) -> (u16, String) {
        let (status, answered, text) = self.ask(path, headers);
        assert_eq!(answered["content-type"], "application/problem+json", "{text}");
        let problem: Json = serde_json::from_str(&text).unwrap();
        (status, problem["detail"].as_str().unwrap().to_owned())
    }

    /// Waits until the server shows a revision.
    pub(crate) fn shows(&self, revision: RevisionNumber) {
        wait_for(&format!("revision {revision}"), || {
            let (_, headers, _) = self.ask("/health/live", &[]);
            headers["citymap-revision"].to_str().unwrap().parse::<u64>().unwrap() >= revision
        });
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Waits until something is so, ten seconds at most.
pub(crate) fn wait_for(what: &str, mut so: impl FnMut() -> bool) {
    let start = Instant::now();
    while !so() {
        assert!(start.elapsed() < Duration::from_secs(10), "waited in vain for {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

pub(crate) fn id(name: &str) -> LayerId {
    name.parse().unwrap()
}
