//! The whole city, parcels on zones: next to PostGIS's planar statement over the projected layers, totals
//! compared.

use std::time::Instant;

use citymap_engine::{City, Operand, Overlay, OverlayOptions};

use crate::{peer::Peer, table::Table};

/// EPSG:9210 with the legal datum shift, which PostGIS 3.3 does not have.
const HOME_GRID: &str = "INSERT INTO spatial_ref_sys (srid, auth_name, auth_srid, srtext, proj4text) VALUES \
                         (909210, NULL, NULL, NULL, \
    '+proj=tmerc +lat_0=0 +lon_0=105.75 +k=0.9999 +x_0=500000 +y_0=0 +ellps=WGS84 \
     +towgs84=-191.90441429,-39.30318279,-111.45032835,0.00928836,-0.01975479,0.00427372,0.252906278 \
     +units=m +no_defs') \
    ON CONFLICT DO NOTHING";

/// Measures it; `bench.parcels` and `bench.zones` are there, in degrees.
pub(crate) fn run(table: &mut Table, city: &City, peer: &Peer) {
    let (parcels, zones) =
        (city.layer("parcels").expect("there are parcels"), city.layer("zones").expect("there are zones"));
    let start = Instant::now();
    let overlay = Overlay::new(Operand::new(parcels), Operand::new(zones)).expect("polygons on polygons");
    let summary = overlay
        .run(&OverlayOptions::default(), |_| Ok::<(), ()>(()))
        .unwrap_or_else(|error| panic!("the overlay failed: {error:?}"));
    let ours = start.elapsed().as_secs_f64();
    let planar = |table: &str| {
        format!(
            "CREATE TABLE bench.planar_{table} AS SELECT ST_SetSRID(ST_Transform(geom, 909210), 0) AS geom \
             FROM bench.{table}"
        )
    };
    peer.execute(&[
        HOME_GRID,
        "DROP TABLE IF EXISTS bench.planar_parcels, bench.planar_zones",
        &planar("parcels"),
        &planar("zones"),
        "CREATE INDEX ON bench.planar_parcels USING gist (geom)",
        "CREATE INDEX ON bench.planar_zones USING gist (geom)",
        "VACUUM ANALYZE bench.planar_parcels",
        "VACUUM ANALYZE bench.planar_zones",
    ]);
    let start = Instant::now();
    // Into a table, so that PostgreSQL may use all its workers, which it does not for a variable.
    peer.execute(&[
        "DROP TABLE IF EXISTS bench.total",
        "CREATE TABLE bench.total AS SELECT sum(ST_Area(ST_Intersection(p.geom, z.geom))) AS area \
         FROM bench.planar_parcels p JOIN bench.planar_zones z ON ST_Intersects(p.geom, z.geom)",
    ]);
    let theirs = start.elapsed().as_secs_f64();
    peer.execute(&[&format!(
        "DO $$ BEGIN IF (SELECT abs(area / {} - 1) > 1e-9 FROM bench.total) THEN RAISE 'the totals differ'; \
         END IF; END $$",
        summary.area
    )]);
    let note = format!(
        "{} pieces, {:.0} m², PostGIS's planar statement; totals equal to 1e-9",
        summary.pieces, summary.area
    );
    table.times("whole city, parcels × zones", ours, Some(theirs), &note);
}
