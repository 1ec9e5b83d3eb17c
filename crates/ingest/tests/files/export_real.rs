//! A real cadastre, exported and imported again.

#![allow(clippy::unwrap_used, reason = "helpers of tests that fail them")]

use crate::common::{apart, city, real};
use citymap_access::Audience;
use citymap_crs::Crs;
use citymap_ingest::{ExportOptions, export};

#[test]
fn a_real_cadastre_comes_back_from_every_format_that_can_hold_it() {
    let Some(data) = real() else { return };
    let city = city();
    let path = data.join("cambridge/parcels_fy2013.gpkg");
    city.import(&path, |r| r.layer = Some("parcels".parse().unwrap())).unwrap();
    let original = city.features("parcels");
    let names: Vec<String> = {
        let layers = city.layers();
        let parcels = layers.iter().find(|entry| entry.layer.id.as_str() == "parcels").unwrap();
        parcels.layer.fields.iter().map(|field| field.name.clone()).collect()
    };
    for (ending, tolerance) in
        [("gpkg", 0.0), ("geojson", 0.0), ("geojsonl", 0.0), ("shp", 0.0), ("tab", 1e-9), ("mif", 1e-9)]
    {
        let start = std::time::Instant::now();
        let to = city.folder.path().join(format!("out.{ending}"));
        let done = {
            let view = city.store.view().unwrap();
            export(
                view.as_ref(),
                &"parcels".parse().unwrap(),
                &to,
                &ExportOptions::new(Crs::WGS84, Audience::OPERATOR),
            )
            .unwrap()
        };
        let seconds = start.elapsed().as_secs_f64();
        assert_eq!(done.written, original.len() as u64);
        let report = city.import(&to, |_| {}).unwrap();
        // Whole numbers of a table may make neighbours of what only touched: a repair is no loss, a reject
        // is.
        assert_eq!((report.accepted, report.rejected), (done.written, 0), "{ending}");
        let features = city.features("test");
        let mut greatest = 0.0_f64;
        for (one, expected) in features.iter().zip(&original) {
            greatest = greatest.max(apart(one.geometry.as_ref(), expected.geometry.as_ref()));
        }
        println!(
            "{ending}: {:.0} features/s, {greatest:e}° apart, {} repaired, notes {:?}",
            done.written as f64 / seconds,
            report.layers[0].repaired,
            done.notes
        );
        assert!(greatest <= tolerance, "{ending}: {greatest}°");
        if matches!(ending, "gpkg" | "geojson" | "geojsonl") {
            let found: Vec<&str> = report.layers[0].fields.iter().map(|field| field.name.as_str()).collect();
            assert_eq!(found, names, "{ending}");
            assert!(features.iter().zip(&original).all(|(a, b)| a.values == b.values), "{ending}");
        }
    }
}
