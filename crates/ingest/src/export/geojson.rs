//! GeoJSON as we write it: truths, whole numbers and every digit of a coordinate are kept.

use std::{
    fs::File,
    io::{BufWriter, Write},
    path::Path,
};

use citymap_crs::Crs;
use geo_types::{Coord, Geometry, LineString, Polygon};
use serde_json::{Value as Json, json};

use super::{Failure, Format, ogr::Job};

/// Writes a collection, or a feature a line. Gives the number of features.
pub(super) fn write(job: &Job<'_>, path: &Path, crs: Crs) -> Result<u64, Failure> {
    let lines = job.format == Format::GeoJsonSeq;
    let mut out = BufWriter::new(File::create(path)?);
    if !lines {
        let name = Json::from(job.definition.id.as_str());
        write!(out, r#"{{"type":"FeatureCollection","name":{name},"#)?;
        if crs != Crs::WGS84 {
            let urn = format!("urn:ogc:def:crs:EPSG::{}", crs.code());
            write!(out, r#""crs":{},"#, json!({"type": "name", "properties": {"name": urn}}))?;
        }
        out.write_all(b"\"features\":[\n")?;
    }
    let mut written = 0_u64;
    job.each(&mut |record| {
        let geometry = record.geometry.as_ref().map_or(Json::Null, geometry);
        if !lines && written > 0 {
            out.write_all(b",\n")?;
        }
        out.write_all(br#"{"type":"Feature","properties":{"#)?;
        // A map of serde_json's would put the fields into another order.
        for (at, (field, value)) in job.definition.fields.iter().zip(&record.values).enumerate() {
            let comma = if at > 0 { "," } else { "" };
            write!(out, "{comma}{}:{}", Json::from(field.name.as_str()), value.to_json())?;
        }
        write!(out, r#"}},"geometry":{geometry}}}"#)?;
        if lines {
            out.write_all(b"\n")?;
        }
        written += 1;
        Ok(())
    })?;
    if !lines {
        out.write_all(b"\n]}\n")?;
    }
    out.into_inner().map_err(std::io::IntoInnerError::into_error)?.sync_all()?;
    Ok(written)
}

fn position(at: Coord<f64>) -> Json {
    json!([at.x, at.y])
}

fn line(line: &LineString<f64>) -> Json {
    line.coords().copied().map(position).collect()
}

fn rings(polygon: &Polygon<f64>) -> Json {
    if polygon.exterior().0.is_empty() {
        return Json::Array(Vec::new());
    }
    std::iter::once(polygon.exterior()).chain(polygon.interiors()).map(line).collect()
}

fn geometry(shape: &Geometry<f64>) -> Json {
    let (kind, coordinates): (&str, Json) = match shape {
        Geometry::Point(point) => ("Point", position(point.0)),
        Geometry::MultiPoint(many) => ("MultiPoint", many.iter().map(|point| position(point.0)).collect()),
        Geometry::Line(one) => ("LineString", line(&LineString::from(one))),
        Geometry::LineString(one) => ("LineString", line(one)),
        Geometry::MultiLineString(many) => ("MultiLineString", many.iter().map(line).collect()),
        Geometry::Polygon(one) => ("Polygon", rings(one)),
        Geometry::MultiPolygon(many) => ("MultiPolygon", many.iter().map(rings).collect()),
        Geometry::Rect(rect) => ("Polygon", rings(&rect.to_polygon())),
        Geometry::Triangle(triangle) => ("Polygon", rings(&triangle.to_polygon())),
        Geometry::GeometryCollection(many) => {
            let all: Json = many.iter().map(geometry).collect();
            return json!({"type": "GeometryCollection", "geometries": all});
        }
    };
    json!({"type": kind, "coordinates": coordinates})
}
