//! An export that cannot be leaves nothing behind and touches nothing.

#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests that fail them")]

use crate::common::{city, layers::*};
use citymap_access::Audience;
use citymap_crs::Crs;
use citymap_ingest::{ExportError, ExportOptions, export};
use citymap_model::{Feature, GeometryKind, LayerId, RevisionNumber};
use citymap_store::{Change, LayerEntry, ReadView, StoreError, Touched};

#[test]
fn formats_of_wgs84_are_not_written_in_a_grid() {
    for ending in FIXED {
        let city = city();
        put(&city, GeometryKind::Polygon, &FIELDS, parcels());
        let error = out(&city, &format!("a.{ending}"), grid()).unwrap_err();
        assert!(matches!(&error, ExportError::Unfit { reason, .. } if reason.contains("--crs")), "{error}");
        assert!(listing(&city).is_empty());
    }
}

#[test]
fn what_is_there_is_not_touched() {
    let city = city();
    put(&city, GeometryKind::Polygon, &FIELDS, parcels());
    std::fs::create_dir_all(city.folder.path().join("out")).unwrap();
    // The file itself, and a companion that another program left.
    for (there, name) in [("out/a.gpkg", "a.gpkg"), ("out/b.dbf", "b.shp"), ("out/c.map", "c.tab")] {
        let there = city.write(there, "mine");
        let before = listing(&city);
        let error = out(&city, name, Crs::WGS84).unwrap_err();
        assert!(
            matches!(&error, ExportError::Exists(path) if *path == there.display().to_string()),
            "{error}"
        );
        assert_eq!(std::fs::read_to_string(&there).unwrap(), "mine");
        assert_eq!(listing(&city), before);
    }
}

#[test]
fn a_folder_that_cannot_be_written_is_named() {
    let city = city();
    put(&city, GeometryKind::Polygon, &FIELDS, parcels());
    let view = city.store.view().unwrap();
    city.write("file", "mine");
    // Also root may not write into /proc.
    for folder in [city.folder.path().join("none"), city.folder.path().join("file"), "/proc".into()] {
        for ending in ALL {
            let path = folder.join(format!("a.{ending}"));
            let error = export(
                view.as_ref(),
                &"lop".parse().unwrap(),
                &path,
                &ExportOptions::new(Crs::WGS84, Audience::OPERATOR),
            )
            .unwrap_err();
            let message = error.to_string();
            assert!(matches!(error, ExportError::Write { .. }), "{message}");
            assert!(
                message.contains(&format!("the folder {} cannot be written to", folder.display())),
                "{message}"
            );
        }
    }
    assert!(!city.folder.path().join("none").exists());
    let error = export(
        view.as_ref(),
        &"lop".parse().unwrap(),
        "a.xyz".as_ref(),
        &ExportOptions::new(Crs::WGS84, Audience::OPERATOR),
    )
    .unwrap_err();
    assert!(matches!(error, ExportError::Format(_)));
    let error = export(
        view.as_ref(),
        &"khong".parse().unwrap(),
        "a.gpkg".as_ref(),
        &ExportOptions::new(Crs::WGS84, Audience::OPERATOR),
    )
    .unwrap_err();
    assert!(matches!(error, ExportError::Store(_)), "{error}");
}

/// A record that breaks off at the third feature once the layer was seen to its end.
struct Broken<'a> {
    inner: Box<dyn ReadView + 'a>,
    reads: std::cell::Cell<u32>,
}

impl ReadView for Broken<'_> {
    fn revision(&self) -> RevisionNumber {
        self.inner.revision()
    }

    fn layers(&self) -> Result<Vec<LayerEntry>, StoreError> {
        self.inner.layers()
    }

    fn read(
        &self,
        layer: &LayerId,
        sink: &mut dyn FnMut(Feature) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        self.reads.set(self.reads.get() + 1);
        let mut seen = 0;
        self.inner.read(layer, &mut |feature| {
            seen += 1;
            if self.reads.get() == 2 && seen == 3 {
                return Err(StoreError::Stopped("the disk is gone".to_owned()));
            }
            sink(feature)
        })
    }

    fn touched(&self, layer: &LayerId, from: RevisionNumber) -> Result<Touched, StoreError> {
        self.inner.touched(layer, from)
    }

    fn changes(
        &self,
        layer: &LayerId,
        from: RevisionNumber,
        sink: &mut dyn FnMut(Change) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        self.inner.changes(layer, from, sink)
    }
}

#[test]
fn a_failure_half_way_leaves_nothing() {
    for ending in ALL {
        let city = city();
        put(&city, GeometryKind::Polygon, &FIELDS, parcels());
        let view = Broken { inner: city.store.view().unwrap(), reads: 0.into() };
        std::fs::create_dir_all(city.folder.path().join("out")).unwrap();
        let path = city.folder.path().join("out").join(format!("a.{ending}"));
        let outcome = export(
            &view,
            &"lop".parse().unwrap(),
            &path,
            &ExportOptions::new(Crs::WGS84, Audience::OPERATOR),
        );
        assert!(matches!(&outcome, Err(ExportError::Store(StoreError::Stopped(_)))), "{ending}: {outcome:?}");
        assert_eq!(view.reads.get(), 2);
        assert!(listing(&city).is_empty(), "{:?}", listing(&city));
    }
}
