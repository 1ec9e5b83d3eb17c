//! GeoJSON that a style carries itself: names that are not features of the city.

use std::collections::BTreeMap;

use serde_json::{Map, Value as Json};

use super::StyleError;
use crate::expression::GeometryType;

/// Maximum number of features of all GeoJSON sources of a style.
const MAX_FEATURES: usize = 50_000;

/// A feature of a GeoJSON source.
#[derive(Clone, Debug)]
pub struct InlineFeature {
    pub(crate) kind: GeometryType,
    /// Points, lines or closed rings: longitude and latitude in degrees. For polygons, with whether the
    /// ring is the outer one.
    pub(crate) rings: Vec<(bool, Vec<[f64; 2]>)>,
    pub(crate) properties: Map<String, Json>,
}

/// The features of each GeoJSON source of a style, by the name of the source.
///
/// # Errors
/// [`StyleError::Document`] for a source whose data is not a feature or a collection of features.
pub(super) fn read(sources: &Json) -> Result<BTreeMap<String, Vec<InlineFeature>>, StyleError> {
    let mut inline = BTreeMap::new();
    let mut count = 0;
    for (name, source) in sources.as_object().into_iter().flatten() {
        if source["type"] != "geojson" {
            continue;
        }
        let refuse = |reason: &str| {
            let name: String = name.chars().take(80).collect();
            StyleError::Document(format!("source `{name}`: {reason}"))
        };
        if source["cluster"] == true {
            return Err(refuse("clusters of GeoJSON are not supported; take them from a layer of the city"));
        }
        let data = &source["data"];
        let list = match data["type"].as_str() {
            Some("FeatureCollection") => data["features"].as_array().map(Vec::as_slice).unwrap_or_default(),
            Some("Feature") => std::slice::from_ref(data),
            _ => return Err(refuse("its `data` must be a Feature or a FeatureCollection, not an address")),
        };
        count += list.len();
        if count > MAX_FEATURES {
            return Err(refuse(&format!("a style has at most {MAX_FEATURES} features of its own")));
        }
        let features: Option<Vec<InlineFeature>> = list.iter().map(feature).collect();
        let features = features.ok_or_else(|| {
            refuse("a feature has no geometry of a supported kind; points, lines and polygons are")
        })?;
        inline.insert(name.clone(), features);
    }
    Ok(inline)
}

fn feature(json: &Json) -> Option<InlineFeature> {
    let geometry = &json["geometry"];
    let coordinates = &geometry["coordinates"];
    let (kind, rings) = match geometry["type"].as_str()? {
        "Point" => (GeometryType::Point, vec![(true, vec![point(coordinates)?])]),
        "MultiPoint" => {
            let points: Option<Vec<_>> = coordinates.as_array()?.iter().map(point).collect();
            (GeometryType::Point, points?.into_iter().map(|point| (true, vec![point])).collect())
        }
        "LineString" => (GeometryType::Line, vec![(true, line(coordinates)?)]),
        "MultiLineString" => {
            let lines: Option<Vec<_>> = coordinates.as_array()?.iter().map(line).collect();
            (GeometryType::Line, lines?.into_iter().map(|line| (true, line)).collect())
        }
        "Polygon" => (GeometryType::Polygon, polygon(coordinates)?),
        "MultiPolygon" => {
            let polygons: Option<Vec<_>> = coordinates.as_array()?.iter().map(polygon).collect();
            (GeometryType::Polygon, polygons?.into_iter().flatten().collect())
        }
        _ => return None,
    };
    let properties = json["properties"].as_object().cloned().unwrap_or_default();
    Some(InlineFeature { kind, rings, properties })
}

fn point(json: &Json) -> Option<[f64; 2]> {
    let [lon, lat] = [json.get(0)?.as_f64()?, json.get(1)?.as_f64()?];
    (lon.abs() <= 180.0 && lat.abs() <= 90.0).then_some([lon, lat])
}

fn line(json: &Json) -> Option<Vec<[f64; 2]>> {
    json.as_array()?.iter().map(point).collect()
}

fn polygon(json: &Json) -> Option<Vec<(bool, Vec<[f64; 2]>)>> {
    json.as_array()?.iter().enumerate().map(|(index, ring)| Some((index == 0, line(ring)?))).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_data_in_the_style_itself_is_read() {
        let source = |data: Json| json!({"a": {"type": "geojson", "data": data}, "b": {"type": "vector"}});
        let feature =
            |geometry: Json| json!({"type": "Feature", "properties": {"n": 1}, "geometry": geometry});
        let polygon = json!({"type": "Polygon", "coordinates": [[[0, 0], [1, 0], [1, 1], [0, 0]]]});
        let read_one = |data: Json| read(&source(data)).map(|mut inline| inline.remove("a").unwrap());
        let features = read_one(json!({"type": "FeatureCollection", "features": [
            feature(json!({"type": "Point", "coordinates": [106.7, 10.7]})),
            feature(polygon),
        ]}))
        .unwrap();
        assert_eq!(features[0].rings, [(true, vec![[106.7, 10.7]])]);
        assert_eq!(features[1].kind, GeometryType::Polygon);
        for (data, part) in [
            (json!("https://example.org/a.json"), "not an address"),
            (feature(json!({"type": "Point", "coordinates": [200, 0]})), "supported kind"),
            (feature(json!({"type": "GeometryCollection", "geometries": []})), "supported kind"),
        ] {
            assert!(read_one(data).unwrap_err().to_string().contains(part));
        }
        let clusters = json!({"a": {"type": "geojson", "cluster": true, "data": {}}});
        assert!(read(&clusters).unwrap_err().to_string().contains("clusters"));
    }
}
