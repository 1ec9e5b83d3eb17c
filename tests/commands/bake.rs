//! `citymap bake`.

use crate::{city, refused};

/// Numbers of a PMTiles header (version 3): addressed tiles, entries, contents, lowest zoom, highest zoom.
fn header(file: &[u8]) -> [u64; 5] {
    assert_eq!(&file[..8], b"PMTiles\x03");
    let number = |at: usize| u64::from_le_bytes(file[at..at + 8].try_into().unwrap());
    [number(72), number(80), number(88), file[100].into(), file[101].into()]
}

#[test]
fn an_archive_holds_the_tiles_that_are_reported() {
    let bench = city();
    let args =
        ["--json", "bake", "--zooms", "10-12", "--layers", "parcels,zones", "--out", "out/city.pmtiles"];
    let report = bench.expect(0, args).json();
    assert_eq!(report["layers"], serde_json::json!(["parcels", "zones"]));
    assert_eq!(report["revision"], 1);
    let file = std::fs::read(bench.path("out/city.pmtiles")).unwrap();
    assert_eq!(report["bytes"], file.len());
    let [tiles, entries, contents, low, high] = header(&file);
    assert!(tiles > 0 && entries <= tiles && contents <= entries);
    assert_eq!(report["tiles"], tiles);
    assert_eq!(report["entries"], entries);
    assert_eq!(report["contents"], contents);
    assert_eq!([low, high], [10, 12]);

    // Again: the same bytes, and no leftovers.
    bench.expect(0, args);
    assert!(std::fs::read(bench.path("out/city.pmtiles")).unwrap() == file);
    assert_eq!(std::fs::read_dir(bench.path("out")).unwrap().count(), 1);
}

#[test]
fn a_box_and_a_former_state_bake_less() {
    let bench = city();
    bench.expect(0, ["tiles", "rule", "parcels", "--set", r#"{"detail_zoom": 14}"#]);
    let tiles = |args: &[&str]| {
        let mut all =
            vec!["--json", "bake", "--layers", "parcels,zones", "--zooms", "12", "--out", "city.pmtiles"];
        all.extend(args);
        bench.expect(0, all).json()
    };
    let all = tiles(&[]);
    let some = tiles(&["--bbox", "106.69,10.76,106.71,10.78"]);
    assert!(some["tiles"].as_u64().unwrap() < all["tiles"].as_u64().unwrap(), "{some} {all}");
    assert_eq!((&all["revision"], &tiles(&["--as-of", "1"])["revision"]), (&2.into(), &1.into()));
}

#[test]
fn wrong_layers_and_zooms_are_refused() {
    let bench = city();
    assert!(refused(&bench, ["bake", "--layers", "parcels,nope"]).contains("`nope`"));
    for zooms in ["9-3", "8-30", "x"] {
        let run = bench.expect(2, ["bake", "--zooms", zooms]);
        assert!(run.stderr().contains("--zooms"), "{}", run.stderr());
    }
    assert!(!bench.path("tiles.pmtiles").exists());
}
