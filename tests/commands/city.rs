//! `citymap city`: another city than the built-in one, from the command line to the answers of the server.

use citymap_tests::Bench;
use serde_json::{Value, json};

/// A parcel of about 100 m × 111 m in Hà Nội.
const PARCELS: &str = "\
so_to,so_thua,WKT
1,10,\"POLYGON((105.85 21.03,105.851 21.03,105.851 21.031,105.85 21.031,105.85 21.03))\"
";

fn import(bench: &Bench) {
    let file = bench.path("parcels.csv");
    std::fs::write(&file, PARCELS).unwrap();
    bench.expect(0, ["import", file.to_str().unwrap(), "--crs", "EPSG:4326"]);
}

#[test]
fn a_record_without_a_profile_is_of_the_built_in_city() {
    let bench = Bench::new();
    import(&bench);
    let shown = bench.expect(0, ["--json", "city", "show"]).json();
    assert_eq!((&shown["own"], &shown["city"]["crs"]), (&json!(false), &json!(9210)));
    let server = bench.serve();
    let landing = server.json("/api?lang=vi");
    assert_eq!(landing["title"], "Bản đồ Thành phố Hồ Chí Minh");
    assert_eq!(landing["citymap"]["city"]["grid"]["centralMeridian"], 105.75);
    assert_eq!(landing["citymap"]["city"]["view"], json!({"lon": 106.698, "lat": 10.7725, "zoom": 14.0}));
}

#[test]
fn another_city_has_its_own_name_grid_and_communes() {
    let bench = Bench::new();
    import(&bench);
    let arguments = [
        "--json",
        "city",
        "set",
        "--name-vi",
        "Thành phố Hà Nội",
        "--name-en",
        "Hanoi",
        "--crs",
        "EPSG:5897",
        "--view",
        "105.85,21.03,13",
        "--languages",
        "en,vi",
    ];
    let set = bench.expect(0, arguments).json();
    assert_eq!((&set["revision"], &set["own"]), (&json!(2), &json!(true)));

    let server = bench.serve();
    let landing = server.json("/api?lang=en");
    assert_eq!(
        (&landing["title"], &landing["citymap"]["revision"]),
        (&json!("City map of Hanoi"), &json!(2))
    );
    let city = &landing["citymap"]["city"];
    assert_eq!((&city["homeCrs"], &city["grid"]["centralMeridian"]), (&json!("EPSG:5897"), &json!(105.0)));
    assert_eq!((&city["mapLabel"]["vi"], &city["languages"][0]), (&json!(""), &json!("en")));

    // Areas and coordinates are those of the city's own zone.
    let at = server.json("/api/at?lon=105.8505&lat=21.0305");
    assert_eq!(at["vn2000"]["crs"], "EPSG:5897");
    let area = &at["layers"][0]["features"][0]["area"];
    assert_eq!(area["crs"], "EPSG:5897");
    let measured = area["value"].as_f64().unwrap();
    assert!((11_400.0..11_700.0).contains(&measured), "{measured}");
    let systems = server.json("/api/collections/parcels")["crs"].clone();
    assert_eq!(systems[1], "http://www.opengis.net/def/crs/EPSG/0/5897");
    // The built-in communes are another city's. For a moment after the start names are being indexed.
    let start = std::time::Instant::now();
    while server.get("/api/search?q=ben%20thanh").0 == 503 {
        assert!(start.elapsed() < std::time::Duration::from_secs(30), "names are never indexed");
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    assert_eq!(server.json("/api/search?q=ben%20thanh")["results"], json!([]));
}

#[test]
fn a_day_ends_by_the_citys_clock() {
    let bench = Bench::new();
    import(&bench);
    bench.expect(0, ["city", "set", "--utc-offset", "-12:00"]);
    // Far in the future and far in the past, whatever the clock says.
    let layers = |day: &str| bench.expect(0, ["--json", "layers", "--as-of", day]).json()["revision"].clone();
    assert_eq!((layers("2999-12-31"), layers("2000-01-01")), (json!(2), json!(0)));
}

#[test]
fn a_change_reaches_a_running_server() {
    let bench = Bench::new();
    import(&bench);
    let server = bench.serve();
    bench.expect(0, ["city", "set", "--name-en", "Thu Duc"]);
    let start = std::time::Instant::now();
    while server.json("/api?lang=en")["title"] != "City map of Thu Duc" {
        assert!(start.elapsed().as_secs() < 30);
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
}

#[test]
fn the_profile_goes_along_with_copies_and_backups() {
    let bench = Bench::new();
    import(&bench);
    bench.expect(0, ["city", "set", "--name-vi", "Thành phố Huế", "--crs", "EPSG:5897"]);
    let path = |name: &str| bench.path(name).to_str().unwrap().to_owned();
    let (copy, backup, restored) = (path("copy.gpkg"), path("backup.gpkg"), path("restored.gpkg"));
    bench.expect(0, ["copy", "--to", &copy]);
    bench.expect(0, ["backup", &backup]);
    bench.expect(0, ["--store", &restored, "restore", &backup]);
    for store in [copy, restored] {
        let shown = bench.expect(0, ["--store", &store, "--json", "city", "show"]).json();
        assert_eq!(shown["city"]["name"]["vi"], "Thành phố Huế", "{store}");
    }
}

#[test]
fn mistakes_are_explained_and_change_nothing() {
    let bench = Bench::new();
    import(&bench);
    for (arguments, told) in [
        (&["set"][..], "say what to change"),
        (&["set", "--crs", "EPSG:4326"], "UTM zone"),
        (&["set", "--view", "500,21,3"], "not on the map"),
        (&["set", "--languages", "fr"], "vi, en"),
    ] {
        let run = bench.expect(1, ["city"].iter().chain(arguments));
        assert!(run.stderr().contains(told), "{arguments:?}: {}", run.stderr());
    }
    let same = bench.expect(0, ["--json", "city", "set", "--languages", "vi,en"]).json();
    assert_eq!((&same["revision"], &same["own"]), (&Value::Null, &json!(false)));
}
