//! Serving PMTiles archives: as they are, by ranges; tile by tile; from a folder and from another server.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a helper of a test fails its test")]

use std::{
    fs,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use crate::common::{CORNER, Got, Server, TestStore};
use citymap_live::Live;
use citymap_tile::{
    ContentEncoding, TileId, TileOptions, Tiler,
    archive::{BakeOptions, bake},
};

/// A server with the archives of a place, over the store that they were baked from.
fn server(store: TestStore, place: &str) -> Server {
    Server::with(store, |config| config.archives = Some(place.to_owned()))
}

fn bake_parcels(store: &TestStore, out: &Path, encoding: ContentEncoding) {
    let live = Live::open(Box::new(citymap_testing::SwitchStore::clone(store))).unwrap();
    let city_snapshot = live.snapshot();
    let parcels = city_snapshot.city.layer("parcels").unwrap();
    let options =
        BakeOptions { zooms: 12..=18, bbox: None, encoding, tiles: TileOptions::default(), anew: false };
    bake(&Tiler::new(), &[parcels], out, &options, &|_| {}).unwrap();
}

fn path_of(z: u8) -> String {
    let tile = TileId::at([CORNER[0] + 0.001, CORNER[1] + 0.001], z).unwrap();
    format!("{z}/{}/{}", tile.x(), tile.y())
}

fn plain(server: &Server, path: &str) -> Got {
    let got = server.get_with(path, &[("accept-encoding", "identity")]);
    assert_eq!(got.status, 200, "{path}: {}", got.text());
    got
}

#[test]
fn a_tile_of_an_archive_is_the_tile_of_the_city_however_it_is_packed() {
    let store = crate::common::store();
    let dir = tempfile::tempdir().unwrap();
    for (name, encoding) in [
        ("gz", ContentEncoding::Gzip),
        ("zs", ContentEncoding::Zstd),
        ("br", ContentEncoding::Brotli),
        ("id", ContentEncoding::Identity),
    ] {
        bake_parcels(&store, &dir.path().join(format!("{name}.pmtiles")), encoding);
    }
    let near = server(store.clone(), dir.path().to_str().unwrap());
    // Another server's archives, over HTTP: the first is one that answers ranges.
    let far = server(store, &near.url("/archives"));
    for server in [&near, &far] {
        for name in ["gz", "zs", "br", "id"] {
            for z in [12, 15, 18] {
                let own = plain(server, &format!("/tiles/parcels/{}", path_of(z)));
                let path = format!("/archives/{name}/{}", path_of(z));
                let baked = plain(server, &path);
                assert!(!own.bytes.is_empty() && own.bytes == baked.bytes, "{path}");
                assert_eq!(baked.header("content-type"), "application/vnd.mapbox-vector-tile");
                assert_eq!(baked.header("content-encoding"), "");
                for encoding in ["gzip", "zstd", "br"] {
                    let packed = server.get_with(&path, &[("accept-encoding", encoding)]);
                    assert_eq!(packed.header("content-encoding"), encoding);
                    assert_ne!(packed.header("etag"), baked.header("etag"));
                    let again = server.get_with(
                        &path,
                        &[("accept-encoding", encoding), ("if-none-match", packed.header("etag"))],
                    );
                    assert_eq!((again.status, again.bytes.len()), (304, 0));
                }
            }
            let sea = server.get(&format!("/archives/{name}/16/0/0.mvt"));
            assert_eq!((sea.status, sea.bytes.len()), (204, 0));
            assert_eq!(server.problem(&format!("/archives/{name}/16/70000/0")).0, 404);
            let described = server.json(&format!("/archives/{name}.json"));
            assert_eq!((&described["minzoom"], &described["maxzoom"]), (&12.into(), &18.into()));
            assert_eq!(described["vector_layers"][0]["id"], "parcels");
            let url = described["tiles"][0].as_str().unwrap();
            assert_eq!(url, server.url(&format!("/archives/{name}/{{z}}/{{x}}/{{y}}")));
        }
        let list = server.json("/archives");
        let names: Vec<_> = list["archives"]
            .as_array()
            .unwrap()
            .iter()
            .map(|entry| entry["name"].as_str().unwrap())
            .collect();
        assert_eq!(names, ["br", "gz", "id", "zs"]);
    }
}

#[test]
fn an_archive_is_read_by_ranges() {
    let store = crate::common::store();
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("city.pmtiles");
    bake_parcels(&store, &file, ContentEncoding::Gzip);
    // Longer than what is sent at once; a reader does not mind.
    let mut bytes = fs::read(&file).unwrap();
    bytes.extend((0..3_000_000u32).map(|n| (n >> 3) as u8));
    fs::write(&file, &bytes).unwrap();
    let near = server(store.clone(), dir.path().to_str().unwrap());
    let far = server(store, &near.url("/archives"));
    let path = "/archives/city.pmtiles";
    for server in [&near, &far] {
        let whole = server.get(path);
        assert_eq!((whole.status, whole.header("accept-ranges")), (200, "bytes"));
        assert!(whole.bytes == bytes);
        assert_eq!(whole.header("content-length"), bytes.len().to_string());
        let etag = whole.header("etag");
        for (range, part) in [
            ("bytes=0-126", 0..127),
            ("bytes=100-2500000", 100..2_500_001),
            ("bytes=-9", bytes.len() - 9..bytes.len()),
        ] {
            let got = server.get_with(path, &[("range", range), ("if-range", etag)]);
            assert_eq!(got.status, 206);
            assert!(got.bytes == bytes[part.clone()]);
            assert_eq!(
                got.header("content-range"),
                format!("bytes {}-{}/{}", part.start, part.end - 1, bytes.len())
            );
            assert!(got.header("access-control-expose-headers").contains("Content-Range"));
        }
        let other = server.get_with(path, &[("range", "bytes=0-126"), ("if-range", "\"other\"")]);
        assert_eq!((other.status, other.bytes.len()), (200, bytes.len()));
        let beyond = server.get_with(path, &[("range", "bytes=99999999-")]);
        assert_eq!((beyond.status, beyond.bytes.len()), (416, 0));
        assert_eq!(beyond.header("content-range"), format!("bytes */{}", bytes.len()));
        assert_eq!(server.get_with(path, &[("if-none-match", etag)]).status, 304);
        let head = server.ask("HEAD", path, &[("range", "bytes=0-126")], None);
        assert_eq!((head.status, head.header("content-length"), head.bytes.len()), (206, "127", 0));
    }
}

#[test]
fn a_replaced_archive_is_noticed_and_one_taken_away_is_gone() {
    let store = crate::common::store();
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("city.pmtiles");
    bake_parcels(&store, &file, ContentEncoding::Gzip);
    let server = server(store.clone(), dir.path().to_str().unwrap());
    let path = format!("/archives/city/{}", path_of(16));
    let before = server.get_with(&path, &[("accept-encoding", "gzip")]);
    bake_parcels(&store, &file, ContentEncoding::Zstd);
    let after = server.get_with(&path, &[("accept-encoding", "gzip, zstd")]);
    assert_eq!(after.header("content-encoding"), "zstd");
    assert_ne!(before.header("etag"), after.header("etag"));
    fs::remove_file(&file).unwrap();
    assert_eq!(server.problem(&path).0, 404);
    assert_eq!(server.problem("/archives/city.pmtiles").0, 404);
    assert_eq!(server.json("/archives")["archives"].as_array().unwrap().len(), 0);
}

#[test]
fn readers_never_see_two_states_mixed_while_archives_are_replaced() {
    let store = crate::common::store();
    let dir = tempfile::tempdir().unwrap();
    let (a, b, file) = (dir.path().join("a"), dir.path().join("b"), dir.path().join("city.pmtiles"));
    bake_parcels(&store, &a, ContentEncoding::Identity);
    bake_parcels(&store, &b, ContentEncoding::Gzip);
    fs::copy(&a, &file).unwrap();
    let server = server(store, dir.path().to_str().unwrap());
    let expected = plain(&server, &format!("/tiles/parcels/{}", path_of(16))).bytes;
    let done = Arc::new(AtomicBool::new(false));
    let writer = std::thread::spawn({
        let done = Arc::clone(&done);
        move || {
            let beside = file.with_extension("new");
            for turn in 0.. {
                if done.load(Ordering::Relaxed) {
                    break;
                }
                fs::copy(if turn % 2 == 0 { &b } else { &a }, &beside).unwrap();
                fs::rename(&beside, &file).unwrap();
            }
        }
    });
    let mut good = 0;
    for _ in 0..300 {
        let got =
            server.get_with(&format!("/archives/city/{}", path_of(16)), &[("accept-encoding", "identity")]);
        // Replaced twice within one answer: said so, never wrong.
        assert!(got.status == 200 || got.status == 503, "{}", got.text());
        if got.status == 200 {
            assert!(got.bytes == expected);
            good += 1;
        }
    }
    done.store(true, Ordering::Relaxed);
    writer.join().unwrap();
    assert!(good > 30, "{good}");
}

#[test]
fn damaged_archives_are_refused_and_do_no_harm() {
    let store = crate::common::store();
    let dir = tempfile::tempdir().unwrap();
    let good = dir.path().join("good.pmtiles");
    bake_parcels(&store, &good, ContentEncoding::Gzip);
    let bytes = fs::read(&good).unwrap();
    let server = server(store, dir.path().to_str().unwrap());
    let bad = dir.path().join("bad.pmtiles");
    let mut refused = 0;
    let mut dice = 1u64;
    for round in 0..400 {
        let mut damaged = bytes.clone();
        match round % 4 {
            // Anywhere in the header, then in the directory.
            0 => damaged[round / 4] ^= 0xff,
            1 => damaged[127 + round] ^= 0x81,
            2 => damaged.truncate(round * bytes.len() / 400),
            _ => {
                for _ in 0..20 {
                    dice = dice.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(1);
                    let at = (dice >> 33) as usize % 2_000;
                    damaged[at] = (dice >> 24) as u8;
                }
            }
        }
        fs::write(&bad, &damaged).unwrap();
        for path in [format!("/archives/bad/{}", path_of(16)), "/archives/bad.json".to_owned()] {
            let got = server.get(&path);
            match got.status {
                200 | 204 => {}
                500 => {
                    let (_, detail) = got.problem();
                    assert!(detail.starts_with("archive `bad` cannot be used"), "{detail}");
                    refused += 1;
                }
                503 => _ = got.problem(),
                other => panic!("{other}: {}", got.text()),
            }
        }
    }
    assert!(refused > 200, "{refused}");
    fs::write(&bad, b"").unwrap();
    assert_eq!(server.problem(&format!("/archives/bad/{}", path_of(16))).0, 500);
    assert_eq!(server.get(&format!("/archives/good/{}", path_of(16))).status, 200);
}

#[test]
fn names_that_lead_elsewhere_and_servers_that_are_away_are_refused() {
    let store = crate::common::store();
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir(dir.path().join("inside")).unwrap();
    fs::write(dir.path().join("secret.pmtiles"), b"PMTiles").unwrap();
    let server = server(store.clone(), dir.path().join("inside").to_str().unwrap());
    for path in [
        "/archives/..%2Fsecret.pmtiles",
        "/archives/..%2Fsecret/1/0/0",
        "/archives/.pmtiles",
        "/archives/secret",
        "/archives/x/a/b/c",
    ] {
        let (status, _) = server.problem(path);
        assert!(status == 404 || status == 400, "{path}: {status}");
    }
    let off = Server::with(store.clone(), |_| {});
    assert!(off.problem("/archives").1.contains("--archives"));
    assert_eq!(off.problem("/archives/city/1/0/0").0, 404);
    // Nobody listens on the discard port.
    let away = self::server(store, "http://127.0.0.1:9/tiles");
    assert_eq!(away.problem("/archives/city/1/0/0").0, 503);
}
