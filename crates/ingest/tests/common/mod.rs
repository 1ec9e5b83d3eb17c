//! What the import tests share: a store in a folder of its own, and the real data where it is there.
#![allow(dead_code, clippy::unwrap_used, reason = "helpers of tests, of which each file uses a part")]

use std::path::{Path, PathBuf};

use citymap_ingest::{ImportError, Report, Request, import};
use citymap_model::{Feature, LayerId};
use citymap_store::Store;

pub(crate) struct City {
    pub(crate) folder: tempfile::TempDir,
    pub(crate) store: Box<dyn Store>,
}

pub(crate) fn city() -> City {
    let folder = tempfile::tempdir().unwrap();
    let store = citymap_store::open(folder.path().join("city.gpkg").to_str().unwrap(), true).unwrap();
    City { folder, store }
}

impl City {
    /// Imports one file as layer `test`, the rejects going beside the store.
    pub(crate) fn import(
        &self,
        path: impl AsRef<Path>,
        change: impl FnOnce(&mut Request),
    ) -> Result<Report, ImportError> {
        let mut request = Request::new(vec![path.as_ref().to_owned()]);
        request.layer = Some("test".parse().unwrap());
        request.author = "test".into();
        request.rejects = Some(self.folder.path().join("rejects.gpkg"));
        change(&mut request);
        let report = import(&request, self.store.as_ref(), &mut |_| {});
        if let Ok(report) = &report {
            assert_eq!(report.read, report.accepted + report.rejected);
            for layer in &report.layers {
                assert_eq!(layer.read, layer.accepted + layer.rejected);
            }
        }
        report
    }

    pub(crate) fn write(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        path
    }

    pub(crate) fn features(&self, layer: &str) -> Vec<Feature> {
        let id: LayerId = layer.parse().unwrap();
        let mut all = Vec::new();
        self.store
            .view()
            .unwrap()
            .read(&id, &mut |feature| {
                all.push(feature);
                Ok(())
            })
            .unwrap();
        all
    }

    pub(crate) fn layers(&self) -> Vec<citymap_store::LayerEntry> {
        self.store.view().unwrap().layers().unwrap()
    }
}

/// The folder of real data, or `None` with a word on the terminal.
pub(crate) fn real() -> Option<PathBuf> {
    let folder = std::env::var_os("CITYMAP_REAL_DATA")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data"), PathBuf::from);
    if folder.is_dir() {
        return Some(folder);
    }
    println!("skipped: there is no real data at {} (CITYMAP_REAL_DATA)", folder.display());
    None
}
