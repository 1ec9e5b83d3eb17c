//! Compares whole batches with PROJ's command line, given the pinned pipeline.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::{
    fmt::Write as _,
    io::{ErrorKind, Write as _},
    process::{Command, Stdio},
};

use citymap_crs::{Crs, Transform, vn2000::ZONES};

/// Runs `cct`; `None` (with a message) where it is not installed.
fn cct(definition: &str, points: &[[f64; 2]]) -> Option<Vec<[f64; 2]>> {
    let spawned = Command::new("cct")
        .args(["-d", "12", "-z", "0", "-t", "0"])
        .args(definition.split(' '))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn();
    let mut child = match spawned {
        Err(error) if error.kind() == ErrorKind::NotFound => {
            citymap_testing::skip("`cct` is not installed; it is in the Debian package proj-bin");
            return None;
        }
        other => other.unwrap(),
    };
    let input = points.iter().fold(String::new(), |mut text, [x, y]| {
        writeln!(text, "{x:.12} {y:.12}").unwrap();
        text
    });
    let mut stdin = child.stdin.take().unwrap();
    let writer = std::thread::spawn(move || stdin.write_all(input.as_bytes()));
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap().unwrap();
    assert!(output.status.success());
    let text = String::from_utf8(output.stdout).unwrap();
    let pair = |line: &str| {
        let mut numbers = line.split_whitespace().map(|word| word.parse().unwrap());
        [numbers.next().unwrap(), numbers.next().unwrap()]
    };
    Some(text.lines().map(pair).collect())
}

/// A grid of points over the city and the sea around Côn Đảo.
fn city() -> Vec<[f64; 2]> {
    let steps = |from: f64, to: f64| (0..25).map(move |i| from + (to - from) * f64::from(i) / 24.0);
    steps(106.2, 107.6).flat_map(|lon| steps(8.6, 11.5).map(move |lat| [lon, lat])).collect()
}

#[test]
fn every_zone_agrees_with_the_pinned_pipeline_of_proj_itself() {
    for zone in ZONES {
        let definition = format!(
            "+proj=pipeline +step +proj=unitconvert +xy_in=deg +xy_out=rad +step +proj=cart +ellps=WGS84 \
             +step +inv +proj=helmert +x=-191.90441429 +y=-39.30318279 +z=-111.45032835 \
             +rx=-0.00928836 +ry=0.01975479 \
             +rz=-0.00427372 +s=0.252906278 +convention=coordinate_frame +step +inv +proj=cart +ellps=WGS84 \
             +step +proj=tmerc +lat_0=0 +lon_0={} +k={} +x_0={} +y_0={} +ellps=WGS84",
            zone.central_meridian, zone.scale, zone.false_easting, zone.false_northing
        );
        let points = city();
        let Some(theirs) = cct(&definition, &points) else { return };
        let mut ours = points.clone();
        Transform::new(Crs::WGS84, zone.crs).unwrap().apply(&mut ours).unwrap();
        assert_eq!(ours.len(), theirs.len());
        for ((a, b), at) in ours.iter().zip(&theirs).zip(&points) {
            assert!((a[0] - b[0]).hypot(a[1] - b[1]) < 1e-6, "{} at {at:?}: {a:?} {b:?}", zone.name);
        }
        // Backwards: PROJ's plain inverse starts from height 0 on the other side, up to 0.2 mm off here.
        let Some(theirs) = cct(&format!("-I {definition}"), &ours) else { return };
        let mut back = ours.clone();
        Transform::new(zone.crs, Crs::WGS84).unwrap().apply(&mut back).unwrap();
        for (a, b) in back.iter().zip(&theirs) {
            assert!((a[0] - b[0]).abs() < 2e-9 && (a[1] - b[1]).abs() < 2e-9, "{}: {a:?} {b:?}", zone.name);
        }
    }
}
