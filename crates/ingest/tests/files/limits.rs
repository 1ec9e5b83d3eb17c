//! One feature cannot use up the memory of the import or of the servers that show it.

#![allow(clippy::unwrap_used, reason = "a test helper fails by panicking")]

use crate::common::{City, city};
use citymap_ingest::{FeatureLimits, Report};

fn import(city: &City, features: &[(String, String)], limits: FeatureLimits) -> Report {
    let features: Vec<String> = features
        .iter()
        .map(|(ten, geometry)| {
            format!(
                r#"{{"type":"Feature","properties":{{"ten":"{ten}","b":"{ten}"}},"geometry":{geometry}}}"#
            )
        })
        .collect();
    let text = format!(r#"{{"type":"FeatureCollection","features":[{}]}}"#, features.join(",\n"));
    city.import(city.write("a.geojson", text), |request| request.feature_limits = limits).unwrap()
}

/// A line of `corners` corners.
fn line(corners: usize) -> String {
    let corners: Vec<String> = (0..corners).map(|n| format!("[106.7,{}]", 10.0 + n as f64 * 1e-5)).collect();
    format!(r#"{{"type":"LineString","coordinates":[{}]}}"#, corners.join(","))
}

fn reasons(report: &Report) -> Vec<(u64, &str)> {
    let issues = report.layers[0].issues.iter();
    issues.filter_map(|issue| Some((issue.feature?, issue.reason.as_str()))).collect()
}

#[test]
fn a_feature_at_a_limit_is_taken_and_one_beyond_it_is_rejected_with_the_option() {
    let city = city();
    let limits = FeatureLimits { corners: 100, value: 500 };
    let features = [
        ("a".repeat(500), line(100)),
        ("a".repeat(501), line(2)),
        ("a".into(), line(101)),
        // 334 letters of three bytes.
        ("ề".repeat(334), line(2)),
    ];
    let report = import(&city, &features, limits);
    assert_eq!((report.read, report.accepted, report.rejected), (4, 1, 3));
    let reasons = reasons(&report);
    for (feature, words) in [(2, "501 bytes"), (3, "101 corners"), (4, "1002 bytes")] {
        let (_, reason) = reasons.iter().find(|(index, _)| *index == feature).unwrap();
        assert!(reason.contains(words) && reason.contains("--max-"), "{reason}");
    }
    // Allowed, they come.
    let report = import(&city, &features, FeatureLimits { corners: 101, value: 1_002 });
    assert_eq!((report.accepted, report.rejected), (4, 0));
}

#[test]
fn texts_that_are_short_alone_and_long_together_are_rejected() {
    let city = city();
    let fields: Vec<String> = (0..10).map(|n| format!("\"f{n}\":\"{}\"", "x".repeat(90))).collect();
    let text = format!(
        r#"{{"type":"Feature","properties":{{{}}},"geometry":{{"type":"Point","coordinates":[106.7,10.7]}}}}
{{"type":"Feature","properties":{{"f0":"x"}},"geometry":{{"type":"Point","coordinates":[106.7,10.7]}}}}"#,
        fields.join(",")
    );
    let limits = FeatureLimits { corners: 100, value: 100 };
    let report =
        city.import(city.write("a.geojsonl", text), |request| request.feature_limits = limits).unwrap();
    assert_eq!((report.accepted, report.rejected), (1, 1));
    assert!(reasons(&report)[0].1.contains("together"), "{report:#?}");
}
