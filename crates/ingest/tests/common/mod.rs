//! What the import tests share: a store in a folder of its own, and the real data where it is there.
#![allow(
    dead_code,
    clippy::unwrap_used,
    clippy::panic,
    reason = "helpers of tests, of which each file uses a part"
)]

pub(crate) mod layers;
pub(crate) mod zip;

use std::path::{Path, PathBuf};

use citymap_ingest::{ImportError, Report, Request, import};
use citymap_model::{Feature, LayerId};
use citymap_store::Store;
use geo_types::{Geometry, LineString};

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

/// The folder of real data; without it the test is skipped.
pub(crate) fn real() -> Option<PathBuf> {
    citymap_testing::real_data("")
}

/// Runs a program of GDAL's (package gdal-bin).
pub(crate) fn gdal(program: &str, arguments: &[&str]) -> String {
    let out = std::process::Command::new(program)
        .args(arguments)
        .output()
        .unwrap_or_else(|error| panic!("{program} of gdal-bin is needed: {error}"));
    let text = format!("{}{}", String::from_utf8_lossy(&out.stdout), String::from_utf8_lossy(&out.stderr));
    assert!(out.status.success(), "{program} {arguments:?}: {text}");
    text
}

/// Rings, lines and points of a geometry in an order that does not depend on who wrote it: rings start at
/// their lowest corner and run anticlockwise; a polygon and a multi-polygon of it are the same.
pub(crate) fn parts(geometry: &Geometry<f64>) -> Vec<Vec<[f64; 2]>> {
    fn line(line: &LineString<f64>) -> Vec<[f64; 2]> {
        line.coords().map(|c| [c.x, c.y]).collect()
    }
    fn ring(one: &LineString<f64>) -> Vec<[f64; 2]> {
        let mut all = line(one);
        all.pop();
        let doubled: f64 = (0..all.len())
            .map(|i| {
                let ([x0, y0], [x1, y1]) = (all[i], all[(i + 1) % all.len()]);
                (x0 - all[0][0]) * (y1 - all[0][1]) - (x1 - all[0][0]) * (y0 - all[0][1])
            })
            .sum();
        if doubled < 0.0 {
            all.reverse();
        }
        let lowest = (0..all.len()).min_by_key(|i| order(all[*i])).unwrap_or(0);
        all.rotate_left(lowest);
        all
    }
    fn order(at: [f64; 2]) -> (i64, i64) {
        ((at[0] * 1e6).round() as i64, (at[1] * 1e6).round() as i64)
    }
    let mut out = Vec::new();
    match geometry {
        Geometry::Point(point) => out.push(vec![[point.x(), point.y()]]),
        Geometry::MultiPoint(many) => out.extend(many.iter().map(|point| vec![[point.x(), point.y()]])),
        Geometry::LineString(one) => out.push(line(one)),
        Geometry::MultiLineString(many) => out.extend(many.iter().map(line)),
        Geometry::Polygon(one) => {
            out.extend(std::iter::once(one.exterior()).chain(one.interiors()).map(ring));
        }
        Geometry::MultiPolygon(many) => many.iter().for_each(|one| out.extend(parts(&one.clone().into()))),
        Geometry::GeometryCollection(many) => many.iter().for_each(|one| out.extend(parts(one))),
        other => panic!("{other:?}"),
    }
    out.retain(|part| !part.is_empty());
    out.sort_by_key(|part| part.iter().map(|at| order(*at)).collect::<Vec<_>>());
    out
}

/// The greatest difference of a coordinate, degrees; infinite if one geometry is not the other.
pub(crate) fn apart(a: Option<&Geometry<f64>>, b: Option<&Geometry<f64>>) -> f64 {
    let (Some(a), Some(b)) = (a, b) else { return if a == b { 0.0 } else { f64::INFINITY } };
    let (a, b) = (parts(a), parts(b));
    let alike = a.len() == b.len() && a.iter().zip(&b).all(|(a, b)| a.len() == b.len());
    if !alike {
        return f64::INFINITY;
    }
    let pairs = a.iter().flatten().flatten().zip(b.iter().flatten().flatten());
    pairs.map(|(a, b)| (a - b).abs()).fold(0.0, f64::max)
}
