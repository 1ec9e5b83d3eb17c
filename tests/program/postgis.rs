//! The engine's answers against PostGIS's on the demo city: the same features, the same measures.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use citymap_engine::{Area, Bbox, LayerSnapshot, Query};
use citymap_live::Live;
use citymap_tests::{Bench, database};
use geo::{Geometry, Polygon, polygon};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use sqlx::{Connection, PgConnection, Row};

/// EPSG:9210 with the legal datum shift, which PostGIS 3.3 does not have.
pub(super) const HOME_GRID: &str = "INSERT INTO spatial_ref_sys \
    (srid, auth_name, auth_srid, srtext, proj4text) VALUES (909210, NULL, NULL, NULL, \
    '+proj=tmerc +lat_0=0 +lon_0=105.75 +k=0.9999 +x_0=500000 +y_0=0 +ellps=WGS84 \
     +towgs84=-191.90441429,-39.30318279,-111.45032835,0.00928836,-0.01975479,0.00427372,0.252906278 \
     +units=m +no_defs') \
    ON CONFLICT DO NOTHING";

pub(super) fn wkb(geometry: &Geometry) -> Vec<u8> {
    let mut bytes = Vec::new();
    wkb::writer::write_geometry(&mut bytes, geometry, &Default::default()).unwrap();
    bytes
}

async fn load(connection: &mut PgConnection, snapshot: &LayerSnapshot) {
    sqlx::query("CREATE TEMP TABLE f (fid bigint PRIMARY KEY, geom geometry)")
        .execute(&mut *connection)
        .await
        .unwrap();
    let rows: Vec<u32> = (0..snapshot.len() as u32).collect();
    for rows in rows.chunks(5000) {
        let fids: Vec<i64> = rows.iter().map(|&row| snapshot.fid(row)).collect();
        let shapes: Vec<Option<Vec<u8>>> =
            rows.iter().map(|&row| snapshot.geometry(row).as_ref().map(wkb)).collect();
        sqlx::query(
            "INSERT INTO f SELECT fid, ST_GeomFromWKB(wkb, 4326) FROM unnest($1::bigint[], \
                     $2::bytea[]) AS t(fid, wkb)",
        )
        .bind(fids)
        .bind(shapes)
        .execute(&mut *connection)
        .await
        .unwrap();
    }
    sqlx::query("CREATE INDEX ON f USING gist (geom)").execute(&mut *connection).await.unwrap();
    sqlx::query("ANALYZE f").execute(&mut *connection).await.unwrap();
}

fn random_polygon(rng: &mut ChaCha8Rng, extent: Bbox) -> Polygon<f64> {
    let x = rng.random_range(extent.min[0]..extent.max[0]);
    let y = rng.random_range(extent.min[1]..extent.max[1]);
    let d = rng.random_range(0.0005..0.008);
    polygon![
        (x: x, y: y), (x: x + d, y: y + d * 0.2), (x: x + d * 0.7, y: y + d),
        (x: x + d * 0.4, y: y + d * 0.5), (x: x - d * 0.1, y: y + d * 0.8)
    ]
}

#[tokio::test]
async fn the_engine_answers_as_postgis_does() {
    let Some(database) = database() else { return };
    let bench = Bench::new();
    bench.expect(0, ["demo", "--parcels", "20000", "--seed", "7"]);
    let live = Live::open(citymap_store::open(bench.store().to_str().unwrap(), false).unwrap()).unwrap();
    let city = live.snapshot().city;

    for layer in ["parcels", "zones", "roads", "street_lights"] {
        let snapshot = city.layer(layer).unwrap_or_else(|| panic!("the demo city has {layer}"));
        let mut connection = PgConnection::connect(&database).await.unwrap();
        sqlx::query(HOME_GRID).execute(&mut connection).await.unwrap();
        load(&mut connection, snapshot).await;
        let extent = city.layer("parcels").and_then(|parcels| parcels.extent()).unwrap();
        let mut rng = ChaCha8Rng::seed_from_u64(11);
        let fids = |rows: &[u32]| rows.iter().map(|&row| snapshot.fid(row)).collect::<Vec<i64>>();
        let mut met = 0;
        for _ in 0..100 {
            let drawn = random_polygon(&mut rng, extent);
            let shape: Geometry = drawn.clone().into();
            let bbox = Bbox::of(&shape).unwrap();
            let point = bbox.center();

            let sql = "SELECT fid FROM f WHERE ST_Intersects(geom, ST_MakeEnvelope($1, $2, $3, $4, 4326)) \
                       ORDER BY fid";
            let in_box: Vec<i64> = sqlx::query_scalar(sql)
                .bind(bbox.min[0])
                .bind(bbox.min[1])
                .bind(bbox.max[0])
                .bind(bbox.max[1])
                .fetch_all(&mut connection)
                .await
                .unwrap();
            assert_eq!(
                fids(&snapshot.select(&Query { bbox: Some(bbox), ..Query::default() }).rows),
                in_box,
                "{layer} {bbox:?}"
            );
            met += in_box.len();

            let sql = "SELECT fid FROM f WHERE ST_Intersects(geom, ST_SetSRID(ST_MakePoint($1, $2), 4326)) \
                       ORDER BY fid";
            let at: Vec<i64> = sqlx::query_scalar(sql)
                .bind(point[0])
                .bind(point[1])
                .fetch_all(&mut connection)
                .await
                .unwrap();
            assert_eq!(fids(&snapshot.at(point)), at, "{layer} {point:?}");

            // PostGIS measures on the spheroid, we in a plane that touches it: 1e-4 at 1 km.
            let sql = "SELECT fid, ST_Distance(geom::geography, p) AS d FROM f, \
                (SELECT ST_SetSRID(ST_MakePoint($1, $2), 4326)::geography AS p) AS q \
                WHERE ST_DWithin(geom, p::geometry, 0.01) AND ST_DWithin(geom::geography, p, 200) ORDER BY \
                d LIMIT 10";
            let near =
                sqlx::query(sql).bind(point[0]).bind(point[1]).fetch_all(&mut connection).await.unwrap();
            let hits = snapshot.near(point, 200.0, 10);
            assert_eq!(hits.len(), near.len(), "{layer} {point:?}");
            for (hit, row) in hits.iter().zip(&near) {
                let distance: f64 = row.get("d");
                assert!(
                    (hit.distance - distance).abs() <= 1e-4 * distance + 1e-3,
                    "{layer}: {} against {distance}",
                    hit.distance
                );
            }

            // A boundary that somebody surveyed is straight on the grid, an edge that somebody drew in
            // degrees.
            let sql = "SELECT count(*) AS n, count(*) FILTER (WHERE ST_Covers(a, geom)) AS whole, \
                coalesce(sum(ST_Area(ST_CollectionExtract(ST_Intersection(ST_Transform(geom, 909210), b), \
                3))), 0)::float8 AS area, \
                coalesce(sum(ST_Length(ST_CollectionExtract(ST_Intersection(ST_Transform(geom, 909210), b), \
                2))), 0)::float8 AS length \
                FROM f, (SELECT ST_GeomFromWKB($1, 4326) AS a, \
                    ST_Transform(ST_Segmentize(ST_GeomFromWKB($1, 4326), 0.0002), 909210) AS b) AS q WHERE \
                    ST_Intersects(geom, a)";
            let row = sqlx::query(sql).bind(wkb(&shape)).fetch_one(&mut connection).await.unwrap();
            let share = snapshot.within(&Area::new(shape).unwrap()).unwrap();
            assert_eq!(share.rows.len() as i64, row.get::<i64, _>("n"), "{layer} {drawn:?}");
            assert_eq!(share.totals.whole as i64, row.get::<i64, _>("whole"), "{layer} {drawn:?}");
            let area: f64 = row.get("area");
            let ours = share.totals.area.unwrap_or(0.0);
            assert!((ours - area).abs() <= 1e-6 * area + 1e-4, "{layer}: {ours} m² against {area} m²");
            let length: f64 = row.get("length");
            if let Some(ours) = share.totals.length {
                assert!(
                    (ours - length).abs() <= 1e-6 * length + 1e-4,
                    "{layer}: {ours} m against {length} m"
                );
            }
        }
        assert!(met > 50, "{layer}: the boxes met only {met} features");
    }
}
