//! Bakes an archive, continues after a kill, and finds every tile in the result.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::{
    fs,
    panic::{AssertUnwindSafe, catch_unwind},
    path::Path,
    sync::atomic::{AtomicU64, Ordering},
};

use citymap_engine::{Bbox, LayerSnapshot, SnapshotBuilder};
use citymap_model::{Feature, Field, FieldType, GeometryKind, Layer, Role, Title, Value};
use citymap_tile::{
    ContentEncoding, TileId, TileOptions, Tiler,
    archive::{
        BakeError, BakeOptions, Baked, Directory, DirectoryHit, Header, TileType, bake, decompress_within,
        tile_number, tile_of_number,
    },
};

/// Points over a town in a layer that is drawn in full at every zoom. All are alike except every seventh.
fn wells(revision: u64) -> LayerSnapshot {
    let id = "wells".parse().unwrap();
    let mut layer = Layer::new(id, Title::new("Giếng", "Wells"), Role::Utility, GeometryKind::Point);
    layer.attribution = Some("the town".into());
    layer.fields = vec![Field::new("depth", FieldType::Int)];
    let mut builder = SnapshotBuilder::new(layer);
    for n in 0..4_000i64 {
        let (x, y) = (n % 80, n / 80);
        let point = geo::Point::new(106.6 + x as f64 * 0.001, 10.7 + y as f64 * 0.001);
        let values = vec![if n % 7 == 0 { Value::Int(n) } else { Value::Null }];
        builder.push(&Feature { fid: n + 1, geometry: Some(point.into()), values }).unwrap();
    }
    builder.finish(revision)
}

fn options(zooms: std::ops::RangeInclusive<u8>) -> BakeOptions {
    BakeOptions {
        zooms,
        bbox: None,
        encoding: ContentEncoding::Gzip,
        tiles: TileOptions::default(),
        anew: false,
    }
}

fn baked(layer: &LayerSnapshot, out: &Path, options: &BakeOptions) -> Result<Baked, BakeError> {
    bake(&Tiler::new(), &[layer], out, options, &|_| {})
}

/// Bakes until `tiles` tiles are done and then stops like a killed process.
fn killed_after(tiles: u64, layer: &LayerSnapshot, out: &Path, options: &BakeOptions) {
    let outcome = catch_unwind(AssertUnwindSafe(|| {
        bake(&Tiler::new(), &[layer], out, options, &|progress| assert!(progress.done < tiles, "killed"))
    }));
    assert!(outcome.is_err());
    assert!(!out.exists());
}

struct Archive {
    bytes: Vec<u8>,
    header: Header,
    root: Directory,
}

impl Archive {
    fn open(path: &Path) -> Self {
        let bytes = fs::read(path).unwrap();
        let header = Header::parse(&bytes).unwrap();
        let (offset, length) = header.root;
        let root =
            decompress_within(&bytes[offset as usize..][..length as usize], header.inner, 1 << 24).unwrap();
        Self { bytes, root: Directory::parse(&root).unwrap(), header }
    }

    fn tile(&self, tile: TileId) -> Option<Vec<u8>> {
        let number = tile_number(tile);
        let mut found = self.root.find(number)?;
        while let DirectoryHit::Leaf(offset, length) = found {
            let at = (self.header.leaves.0 + offset) as usize;
            let leaf =
                decompress_within(&self.bytes[at..][..length as usize], self.header.inner, 1 << 24).unwrap();
            found = Directory::parse(&leaf).unwrap().find(number)?;
        }
        let DirectoryHit::Tile(offset, length) = found else { unreachable!() };
        let packed = &self.bytes[(self.header.data.0 + offset) as usize..][..length as usize];
        Some(decompress_within(packed, self.header.encoding, 1 << 24).unwrap())
    }
}

#[test]
fn every_tile_of_the_archive_is_the_one_that_is_served() {
    let dir = tempfile::tempdir().unwrap();
    let layer = wells(3);
    for encoding in ContentEncoding::ALL {
        let out = dir.path().join("wells.pmtiles");
        let options = BakeOptions { encoding, ..options(9..=17) };
        let summary = baked(&layer, &out, &options).unwrap();
        let archive = Archive::open(&out);
        assert_eq!(archive.header.tile_type, TileType::Mvt);
        assert_eq!(archive.header.counts, [summary.tiles, summary.entries, summary.contents]);
        assert_eq!(archive.bytes.len() as u64, summary.bytes);
        assert!(!dir.path().join("wells.pmtiles.baking").exists());
        let tiler = Tiler::new();
        let mut with_content = 0;
        for z in 9..=17 {
            let [first, last] = [[106.6, 10.75], [106.68, 10.7]].map(|at| TileId::at(at, z).unwrap());
            for y in first.y() - 1..=last.y() + 1 {
                for x in first.x() - 1..=last.x() + 1 {
                    let tile = TileId::new(z, x, y).unwrap();
                    let served = tiler.encode(&[&layer], tile, &options.tiles);
                    assert_eq!(archive.tile(tile).unwrap_or_default(), served, "{tile}");
                    with_content += u64::from(!served.is_empty());
                }
            }
        }
        assert_eq!(with_content, summary.tiles);
        assert_eq!(archive.tile(TileId::new(8, 203, 120).unwrap()), None);
    }
}

#[test]
fn a_bake_that_was_killed_goes_on_to_the_same_bytes() {
    let dir = tempfile::tempdir().unwrap();
    let layer = wells(3);
    let options = options(10..=17);
    let whole = dir.path().join("whole.pmtiles");
    let expected = baked(&layer, &whole, &options).unwrap();
    assert_eq!((expected.taken_over, &expected.begun_anew), (0, &None));
    let out = dir.path().join("out.pmtiles");
    let journal = dir.path().join("out.pmtiles.baking/journal");
    killed_after(256, &layer, &out, &options);
    // A second kill, while a chunk is being written.
    killed_after(768, &layer, &out, &options);
    let mut bytes = fs::read(&journal).unwrap();
    bytes.truncate(bytes.len() - 9);
    fs::write(&journal, bytes).unwrap();
    let mut summary = baked(&layer, &out, &options).unwrap();
    assert_eq!(summary.taken_over, 512);
    assert!(fs::read(&whole).unwrap() == fs::read(&out).unwrap());
    summary.taken_over = 0;
    assert_eq!(summary, expected);
}

#[test]
fn a_damaged_journal_is_believed_to_its_damage_only() {
    let dir = tempfile::tempdir().unwrap();
    let layer = wells(3);
    let options = options(10..=18);
    let whole = dir.path().join("whole.pmtiles");
    baked(&layer, &whole, &options).unwrap();
    let out = dir.path().join("out.pmtiles");
    let folder = dir.path().join("out.pmtiles.baking");
    for step in 0..6 {
        killed_after(512, &layer, &out, &options);
        let path = folder.join("journal");
        let mut bytes = fs::read(&path).unwrap();
        let at = bytes.len() * step / 6;
        bytes[at] ^= 0x55;
        fs::write(&path, bytes).unwrap();
        if step == 5 {
            // The contents are shorter than the journal says.
            let file = fs::File::options().write(true).open(folder.join("tiles")).unwrap();
            file.set_len(100).unwrap();
        }
        let summary = baked(&layer, &out, &options).unwrap();
        assert!(summary.taken_over < 512, "{step}");
        assert!(fs::read(&whole).unwrap() == fs::read(&out).unwrap());
        fs::remove_file(&out).unwrap();
    }
}

#[test]
fn another_revision_or_other_options_begin_anew_and_say_why() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("out.pmtiles");
    killed_after(256, &wells(3), &out, &options(10..=18));
    let summary = baked(&wells(4), &out, &options(10..=18)).unwrap();
    assert_eq!(summary.begun_anew.as_deref(), Some("revision 3 then, 4 now"));
    assert_eq!(summary.taken_over, 0);
    fs::remove_file(&out).unwrap();
    killed_after(256, &wells(4), &out, &options(10..=18));
    let zstd = BakeOptions { encoding: ContentEncoding::Zstd, ..options(10..=18) };
    assert_eq!(baked(&wells(4), &out, &zstd).unwrap().begun_anew.as_deref(), Some("packing"));
    assert_eq!(Archive::open(&out).header.encoding, ContentEncoding::Zstd);
    fs::remove_file(&out).unwrap();
    killed_after(256, &wells(4), &out, &options(10..=18));
    let anew = BakeOptions { anew: true, ..options(10..=18) };
    let summary = baked(&wells(4), &out, &anew).unwrap();
    assert_eq!((summary.taken_over, summary.begun_anew), (0, None));
}

#[test]
fn two_bakes_of_one_file_do_not_meet() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("out.pmtiles");
    let layer = wells(3);
    let refused = AtomicU64::new(0);
    bake(&Tiler::new(), &[&layer], &out, &options(10..=14), &|_| {
        let second = baked(&layer, &out, &options(10..=14));
        assert!(matches!(second, Err(BakeError::Busy(_))), "{second:?}");
        refused.fetch_add(1, Ordering::Relaxed);
    })
    .unwrap();
    assert!(refused.into_inner() > 0);
}

#[test]
fn a_box_and_the_zooms_bound_what_is_baked() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("out.pmtiles");
    let bbox = Bbox::new(106.62, 10.71, 106.63, 10.72);
    let layer = wells(3);
    let part = BakeOptions { bbox: Some(bbox), ..options(12..=15) };
    baked(&layer, &out, &part).unwrap();
    let archive = Archive::open(&out);
    assert_eq!((archive.header.zooms, archive.header.bounds), ([12, 15], bbox));
    for entry in archive.root.entries() {
        let tile = tile_of_number(entry.number).unwrap();
        assert!((12..=15).contains(&tile.z()) && tile.bounds().intersects(&bbox), "{tile}");
    }
    let (offset, length) = archive.header.metadata;
    let metadata = decompress_within(
        &archive.bytes[offset as usize..][..length as usize],
        ContentEncoding::Gzip,
        1 << 20,
    )
    .unwrap();
    let metadata: serde_json::Value = serde_json::from_slice(&metadata).unwrap();
    assert_eq!(metadata["vector_layers"][0]["id"], "wells");
    assert_eq!(metadata["vector_layers"][0]["maxzoom"], 15);
    assert_eq!(metadata["attribution"], "the town");
    let sea = BakeOptions { bbox: Some(Bbox::new(110.0, 10.0, 110.1, 10.1)), ..options(12..=15) };
    assert!(matches!(baked(&layer, &out, &sea), Err(BakeError::Nothing)));
}
