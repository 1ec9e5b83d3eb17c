//! Faults at random moments while a server commits edits. After each: what was acknowledged is there, what
//! was not is wholly there or wholly absent, revision numbers have no gap, and the engine holds what the
//! store holds.
//!
//! `CITYMAP_FAULT_ROUNDS` says how many rounds of each (default 5).

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test fails by panicking and prints what it tried"
)]

use std::{
    collections::BTreeMap,
    process::Command,
    sync::atomic::{AtomicBool, Ordering},
    time::{Duration, Instant},
};

use citymap_model::{Feature, LayerId};
use citymap_tests::{Bench, Cluster, Database, Server};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde_json::{Value, json};

fn rounds() -> u64 {
    std::env::var("CITYMAP_FAULT_ROUNDS").ok().map_or(5, |text| text.parse().expect("a whole number"))
}

/// Whether another round is to be made. On a slow machine a round may acknowledge nothing: then up to ten
/// times as many are made, so that no test fails on a time.
fn goes_on(made: u64, belief: &Belief) -> bool {
    made < rounds() || belief.acknowledged <= rounds() && made < 10 * rounds()
}

fn rng() -> ChaCha8Rng {
    let seed = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    println!("seed {seed}");
    ChaCha8Rng::seed_from_u64(seed)
}

/// How long after its start a round has its fault. Rounds beyond the planned ones have longer and longer,
/// since the first ones were too short for this machine.
fn moment(rng: &mut ChaCha8Rng, round: u64) -> Duration {
    let planned = Duration::from_micros(rng.random_range(1_000..150_000));
    planned * u32::try_from(1 + round / rounds().max(1)).unwrap()
}

/// What a client believes of the wells: by code, the depth that was last acknowledged, and one that was sent
/// and not.
#[derive(Default)]
struct Belief {
    known: BTreeMap<String, i64>,
    open: Vec<Batch>,
    acknowledged: u64,
}

/// Wells that were sent in one batch: all or none.
type Batch = Vec<(String, i64)>;

impl Belief {
    /// Sends batches of two new wells each until `stop`, or the server is gone.
    fn write(&mut self, server: &Server, round: u64, stop: &AtomicBool) {
        for number in 0.. {
            if stop.load(Ordering::Relaxed) {
                return;
            }
            let batch: Batch = (0..2).map(|part| (format!("R{round}-{number}-{part}"), number)).collect();
            let edits: Vec<Value> = batch.iter().map(|(code, depth)| create(code, *depth)).collect();
            let body = json!({ "message": format!("round {round}"), "edits": edits });
            let answer =
                server.send("POST", "/api/changes", &[("Content-Type", "application/json")], Some(&body));
            match answer {
                Some(answer) if (200..300).contains(&answer.status) => {
                    self.acknowledged += 1;
                    self.known.extend(batch);
                }
                // 503 says that it is not known, or that nothing was done: either must hold as a whole.
                Some(answer) => {
                    assert!(
                        answer.status == 503 || answer.status == 507,
                        "{}: {}",
                        answer.status,
                        answer.json()
                    );
                    self.open.push(batch);
                    std::thread::sleep(Duration::from_millis(5));
                }
                None => {
                    self.open.push(batch);
                    return;
                }
            }
        }
    }

    /// Compares with what the store holds; what was open becomes known or is forgotten.
    fn settle(&mut self, features: &[Feature]) {
        let there: BTreeMap<String, i64> = features
            .iter()
            .map(|feature| {
                let depth = feature.values[1].to_key().unwrap().parse().unwrap();
                (feature.values[0].to_key().unwrap(), depth)
            })
            .collect();
        assert_eq!(there.len(), features.len(), "no key twice");
        for batch in std::mem::take(&mut self.open) {
            let found = batch.iter().filter(|(code, _)| there.contains_key(code)).count();
            assert!(found == 0 || found == batch.len(), "half of a batch: {batch:?}");
            if found > 0 {
                self.known.extend(batch);
            }
        }
        assert_eq!(there, self.known);
    }
}

fn create(code: &str, depth: i64) -> Value {
    json!({ "op": "create", "layer": "wells", "feature": {
        "type": "Feature", "properties": { "code": code, "depth": depth },
        "geometry": { "type": "Point", "coordinates": [106.7 + depth as f64 * 1e-6, 10.77] },
    }})
}

fn prepare(bench: &Bench) {
    std::fs::write(bench.path("wells.csv"), "code,depth,lon,lat\nW0,0,106.70,10.77\n").unwrap();
    bench.expect(0, ["import", "wells.csv", "--layer", "wells", "--key", "code", "--crs", "4326"]);
}

fn serve(bench: &Bench) -> Server {
    Server::start(bench.location(), &["--writers", bench.writers().to_str().unwrap()])
}

/// The store, the log and a running server tell the same; the features.
fn all_agree(location: &str, server: &Server) -> Vec<Feature> {
    let store = citymap_store::open(location, false).unwrap();
    let wells: LayerId = "wells".parse().unwrap();
    let mut features = Vec::new();
    let newest = store.revision().unwrap();
    store
        .view()
        .unwrap()
        .read(&wells, &mut |feature| {
            features.push(feature);
            Ok(())
        })
        .unwrap();
    let numbers: Vec<u64> =
        store.log_after(0, usize::MAX).unwrap().iter().map(|revision| revision.number).collect();
    assert_eq!(numbers, (1..=newest).collect::<Vec<_>>(), "no gap");
    for finding in store.check().unwrap() {
        assert_ne!(finding.severity, citymap_store::Severity::Error, "{}", finding.message);
    }
    // The engine, feature by feature.
    let path = format!("/api/collections/wells/items?limit=10000&min-revision={newest}");
    let mut page = server.json(&path);
    let mut served = Vec::new();
    loop {
        served.extend(page["features"].as_array().unwrap().iter().map(|feature| {
            let coordinates = &feature["geometry"]["coordinates"];
            (
                feature["properties"]["code"].as_str().unwrap().to_owned(),
                feature["properties"]["depth"].as_i64().unwrap(),
                [coordinates[0].as_f64().unwrap(), coordinates[1].as_f64().unwrap()],
            )
        }));
        let links = page["links"].as_array().unwrap();
        let Some(next) = links.iter().find(|link| link["rel"] == "next") else { break };
        let href = next["href"].as_str().unwrap().to_owned();
        page = server.json(href.strip_prefix(server.url()).unwrap());
    }
    let stored: Vec<_> = features
        .iter()
        .map(|feature| {
            let Some(geo::Geometry::Point(point)) = &feature.geometry else { panic!("{feature:?}") };
            let depth = feature.values[1].to_key().unwrap().parse::<i64>().unwrap();
            (feature.values[0].to_key().unwrap(), depth, [point.x(), point.y()])
        })
        .collect();
    assert_eq!(served, stored, "the engine holds what the store holds");
    features
}

/// `kill -9` of the server while it commits.
fn killed(bench: &Bench) {
    prepare(bench);
    let mut rng = rng();
    let mut belief = Belief::default();
    belief.known.insert("W0".to_owned(), 0);
    let mut kills = 0;
    while goes_on(kills, &belief) {
        let round = kills;
        kills += 1;
        let server = serve(bench);
        let moment = moment(&mut rng, round);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                std::thread::sleep(moment);
                Command::new("kill").args(["-9", &server.pid().to_string()]).status().unwrap();
            });
            belief.write(&server, round, &AtomicBool::new(false));
        });
        drop(server);
        let server = serve(bench);
        belief.settle(&all_agree(&bench.location(), &server));
    }
    println!("{kills} kills, {} batches acknowledged, none lost", belief.acknowledged);
    assert!(belief.acknowledged > rounds(), "too little was written to prove anything");
}

#[test]
fn a_killed_server_loses_nothing_in_a_geopackage() {
    killed(&Bench::new());
}

#[test]
fn a_killed_server_loses_nothing_in_postgis() {
    let Some(database) = Database::create() else { return };
    killed(&Bench::on(&database.url()));
}

#[test]
fn a_crashed_database_loses_nothing_and_the_server_goes_on() {
    let Some(cluster) = Cluster::start("") else { return };
    let database = Database::create_in(&cluster.url());
    let bench = Bench::on(&database.url());
    prepare(&bench);
    let server = serve(&bench);
    let mut rng = rng();
    let mut belief = Belief::default();
    belief.known.insert("W0".to_owned(), 0);
    let mut crashes = 0;
    while goes_on(crashes, &belief) {
        let round = crashes;
        crashes += 1;
        let stop = AtomicBool::new(false);
        let moment = moment(&mut rng, round);
        std::thread::scope(|scope| {
            let writer = scope.spawn(|| belief.write(&server, round, &stop));
            std::thread::sleep(moment);
            cluster.crash();
            // Reads go on from memory, and the server says that it is not ready.
            let start = Instant::now();
            while server.get("/health/ready").0 != 503 {
                assert!(start.elapsed() < Duration::from_secs(30), "ready without a database");
                std::thread::sleep(Duration::from_millis(20));
            }
            assert_eq!(server.get("/api/collections/wells/items/W0").0, 200);
            stop.store(true, Ordering::Relaxed);
            cluster.start_again();
            writer.join().unwrap();
        });
        let start = Instant::now();
        while server.get("/health/ready").0 != 200 {
            assert!(start.elapsed() < Duration::from_secs(60), "not ready again");
            std::thread::sleep(Duration::from_millis(20));
        }
        belief.settle(&all_agree(&database.url(), &server));
    }
    println!("{crashes} crashes, {} batches acknowledged, none lost", belief.acknowledged);
    assert!(belief.acknowledged > rounds());
}

#[test]
fn a_cut_connection_loses_nothing() {
    let Some(database) = Database::create() else { return };
    let bench = Bench::on(&database.url());
    prepare(&bench);
    let server = serve(&bench);
    let mut rng = rng();
    let mut belief = Belief::default();
    belief.known.insert("W0".to_owned(), 0);
    let mut cuts = 0;
    while goes_on(cuts, &belief) {
        let round = cuts;
        cuts += 1;
        let stop = AtomicBool::new(false);
        let moment = Duration::from_micros(rng.random_range(1_000..60_000));
        std::thread::scope(|scope| {
            let writer = scope.spawn(|| belief.write(&server, round, &stop));
            std::thread::sleep(moment);
            database.psql(
                "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity \
                 WHERE datname = current_database() AND pid <> pg_backend_pid()",
            );
            std::thread::sleep(Duration::from_millis(30));
            stop.store(true, Ordering::Relaxed);
            writer.join().unwrap();
        });
        belief.settle(&all_agree(&database.url(), &server));
    }
    println!("{cuts} cuts, {} batches acknowledged, none lost", belief.acknowledged);
    assert!(belief.acknowledged > rounds());
}

/// A small file system in memory; `None`, saying so, where it cannot be mounted.
struct SmallDisk(tempfile::TempDir);

impl SmallDisk {
    fn mount(size: &str) -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let size = format!("size={size}");
        let mounted =
            Command::new("mount").args(["-t", "tmpfs", "-o", &size, "tmpfs"]).arg(folder.path()).output();
        if mounted.is_ok_and(|out| out.status.success()) {
            return Some(Self(folder));
        }
        citymap_testing::skip("mounting a small tmpfs needs root on Linux");
        None
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(self.0.path()).status();
    }
}

#[test]
fn a_full_disk_loses_nothing_and_room_heals_it() {
    let Some(disk) = SmallDisk::mount("6m") else { return };
    let store = disk.0.path().join("city.gpkg");
    let bench = Bench::new();
    prepare(&bench);
    std::fs::copy(bench.store(), &store).unwrap();
    let location = store.to_str().unwrap();
    let ballast = disk.0.path().join("ballast");
    let mut rng = rng();
    let mut belief = Belief::default();
    belief.known.insert("W0".to_owned(), 0);
    let writers = bench.writers();
    let server = Server::start(location, &["--writers", writers.to_str().unwrap()]);
    let mut refused = 0;
    for round in 0..rounds() {
        let stop = AtomicBool::new(false);
        std::thread::scope(|scope| {
            let writer = scope.spawn(|| belief.write(&server, round, &stop));
            std::thread::sleep(Duration::from_micros(rng.random_range(1_000..40_000)));
            // Whatever is left of the disk goes at once.
            let _ = std::fs::write(&ballast, vec![1_u8; 8 << 20]);
            std::thread::sleep(Duration::from_millis(60));
            stop.store(true, Ordering::Relaxed);
            writer.join().unwrap();
        });
        refused += belief.open.len();
        assert_eq!(server.get("/api/collections/wells/items/W0").0, 200, "reads go on");
        std::fs::remove_file(&ballast).unwrap();
        belief.settle(&all_agree(location, &server));
    }
    println!(
        "{} full disks, {} batches acknowledged, {refused} refused, none lost",
        rounds(),
        belief.acknowledged
    );
    assert!(belief.acknowledged > 0 && refused > 0, "the disk was never full");
}
