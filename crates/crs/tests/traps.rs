//! The known traps of VN-2000, one test for each.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use citymap_crs::{Crs, Transform, ellipsoidal_length, grid_length};
use geo::{Geometry, line_string};
use proj::Proj;

const BEN_THANH: [f64; 2] = [106.698, 10.7725];

fn ours(lonlat: [f64; 2]) -> [f64; 2] {
    Transform::new(Crs::WGS84, Crs::home()).unwrap().point(lonlat).unwrap()
}

/// WGS 84 to EPSG:9210 with a datum step other than ours.
fn with_shift(shift: &str, [lon, lat]: [f64; 2]) -> [f64; 2] {
    let definition = format!(
        "+proj=pipeline +step +proj=unitconvert +xy_in=deg +xy_out=rad {shift} \
         +step +proj=tmerc +lat_0=0 +lon_0=105.75 +k=0.9999 +x_0=500000 +y_0=0 +ellps=WGS84"
    );
    Proj::new(&definition).unwrap().convert((lon, lat)).map(|(x, y)| [x, y]).unwrap()
}

#[test]
fn trap_1_proj_left_to_itself_takes_epsg_5194_and_is_80_cm_off() {
    let default = Proj::new_known_crs("EPSG:4326", "EPSG:9210", None).unwrap();
    let (x, y): (f64, f64) = default.convert((BEN_THANH[0], BEN_THANH[1])).unwrap();
    let [our_x, our_y] = ours(BEN_THANH);
    let gap = (x - our_x).hypot(y - our_y);
    assert!((gap - 0.80).abs() < 0.01, "{gap} m; if this is 0, PROJ has learnt, and the pin still holds");
}

#[test]
fn trap_1_there_is_no_step_at_the_edge_of_that_box() {
    // The box of EPSG:5194 ends at 107.11 E, inside the city. A centimetre on the ground must stay one.
    for lat in [10.4, 10.6] {
        let [west, _] = ours([107.11 - 5e-8, lat]);
        let [east, _] = ours([107.11 + 5e-8, lat]);
        assert!((east - west - 0.010_95).abs() < 1e-4, "{}", east - west);
    }
}

#[test]
fn trap_2_wrong_rotation_signs_are_51_cm_west_and_20_cm_south() {
    let wrong = "+step +proj=cart +ellps=WGS84 +step +inv +proj=helmert +x=-191.90441429 +y=-39.30318279 \
        +z=-111.45032835 +rx=-0.00928836 +ry=0.01975479 +rz=-0.00427372 +s=0.252906278 \
        +convention=position_vector \
        +step +inv +proj=cart +ellps=WGS84";
    // An error that shifts coordinates to the east on the grid shifts the drawing to the west when the grid
    // is read with it.
    let (wrong, right) = (with_shift(wrong, BEN_THANH), ours(BEN_THANH));
    let (east, north) = (right[0] - wrong[0], right[1] - wrong[1]);
    assert!((east + 0.51).abs() < 0.01 && (north + 0.20).abs() < 0.01, "{east} {north}");
}

#[test]
fn trap_2_a_grid_file_read_without_a_datum_shift_lands_196_m_west_and_112_m_north() {
    // Grid coordinates mistaken for WGS 84: only the projection is undone.
    let right = ours(BEN_THANH);
    let drawn = Transform::new(Crs::home(), Crs::VN2000).unwrap().point(right).unwrap();
    let [x, y] = ours(drawn);
    let (east, north) = (x - right[0], y - right[1]);
    assert!((east + 196.0).abs() < 1.0 && (north - 112.0).abs() < 1.5, "{east} {north}");
    let unshifted = with_shift("", BEN_THANH);
    assert!((unshifted[0] - right[0] - 196.0).abs() < 1.0, "{unshifted:?}");
}

#[test]
fn trap_3_x_is_easting_and_longitude_whatever_papers_and_epsg_say() {
    let [x, y] = ours(BEN_THANH);
    assert!(x < y, "easting 603 km, northing 1191 km");
    let geographic = Transform::new(Crs::WGS84, Crs::VN2000).unwrap().point(BEN_THANH).unwrap();
    assert!((geographic[0] - BEN_THANH[0]).abs() < 0.01, "EPSG:4756 is latitude first; we are not");
    // Axis order is normalised for systems left to PROJ too: EPSG:4258 is latitude first, EPSG:2180 northing
    // first.
    let etrs = Transform::new(Crs::WGS84, Crs::new(4258).unwrap()).unwrap().point([19.0, 52.0]).unwrap();
    assert!((etrs[0] - 19.0).abs() < 1e-4);
    let poland = Transform::new(Crs::WGS84, Crs::new(2180).unwrap()).unwrap().point([21.0, 52.23]).unwrap();
    assert!((poland[0] - 636_000.0).abs() < 2_000.0 && (poland[1] - 486_000.0).abs() < 3_000.0, "{poland:?}");
}

/// Parts per million by which the home grid is longer than the ellipsoid, along a kilometre or so eastwards.
fn ppm([lon, lat]: [f64; 2]) -> f64 {
    let line = Geometry::from(line_string![(x: lon - 0.005, y: lat), (x: lon + 0.005, y: lat)]);
    (grid_length(&line, Crs::home()).unwrap() / ellipsoidal_length(&line) - 1.0) * 1e6
}

#[test]
fn trap_5_grid_lengths_exceed_ellipsoidal_ones_by_33_ppm_in_the_centre_and_391_in_the_east() {
    let centre = ppm(BEN_THANH);
    assert!((centre - 33.0).abs() < 1.5, "{centre}");
    let east = ppm([107.57, 10.6]);
    assert!((east - 391.0).abs() < 4.0, "{east}");
}

#[test]
fn a_system_left_to_proj_reaches_vn2000_through_wgs84_and_the_pinned_shift() {
    let indian = Crs::new(3148).unwrap();
    let there = Transform::new(indian, Crs::WGS84).unwrap();
    let point = Transform::new(Crs::WGS84, indian).unwrap().point(BEN_THANH).unwrap();
    let composed = ours(there.point(point).unwrap());
    let direct = Transform::new(indian, Crs::home()).unwrap().point(point).unwrap();
    assert!((composed[0] - direct[0]).hypot(composed[1] - direct[1]) < 1e-9);
    let back = Transform::new(Crs::home(), indian).unwrap().point(direct).unwrap();
    // PROJ's two-dimensional shift to Indian 1960 is not its own inverse to the millimetre.
    let gap = (back[0] - point[0]).hypot(back[1] - point[1]);
    assert!(gap < 0.05, "{gap}");
}
