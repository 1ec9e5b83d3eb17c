//! The tag of a feature: of its number, its public values and its geometry, the same on every server and in every store.
//!
//! Personal fields are left out. A tag is open to anybody, and one of a person's number could be tried out.

use axum::http::{HeaderMap, header};
use citymap_access::{Audience, visible};
use citymap_engine::{LayerSnapshot, Row};
use citymap_model::{Feature, Geometry, Layer, Value};
use geo::{LineString, Polygon};
use sha2::{Digest, Sha256};

use crate::http::problem::Problem;

/// Hexadecimal digits of a tag: half of a SHA-256.
const BYTES: usize = 16;

/// The tag of a feature's content, without quotes.
pub(crate) fn content(layer: &Layer, feature: &Feature) -> String {
    let mut hash = Sha256::new();
    hash.update(b"citymap feature 1\0");
    text(&mut hash, layer.id.as_str());
    hash.update(feature.fid.to_be_bytes());
    for (index, field) in visible(layer, &Audience::Public).iter() {
        text(&mut hash, &field.name);
        value(&mut hash, feature.values.get(index).unwrap_or(&Value::Null));
    }
    match &feature.geometry {
        None => hash.update([0]),
        Some(geometry) => shape(&mut hash, geometry, false),
    }
    hex(&hash.finalize()[..BYTES])
}

/// The same of a row of a snapshot.
pub(crate) fn content_of(snapshot: &LayerSnapshot, row: Row) -> String {
    content(snapshot.layer(), &feature(snapshot, row))
}

/// A row as a feature.
pub(crate) fn feature(snapshot: &LayerSnapshot, row: Row) -> Feature {
    let fields = 0..snapshot.layer().fields.len();
    Feature {
        fid: snapshot.fid(row),
        geometry: snapshot.geometry(row),
        values: fields.map(|field| snapshot.value(row, field).to_value()).collect(),
    }
}

/// A short tag of an answer's bytes.
pub(crate) fn of_bytes(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes)[..8])
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn text(hash: &mut Sha256, text: &str) {
    hash.update((text.len() as u64).to_be_bytes());
    hash.update(text);
}

fn value(hash: &mut Sha256, value: &Value) {
    match value {
        Value::Null => hash.update([0]),
        Value::Bool(own) => hash.update([1, u8::from(*own)]),
        Value::Int(own) => {
            hash.update([2]);
            hash.update(own.to_be_bytes());
        }
        Value::Real(own) => {
            hash.update([3]);
            hash.update(own.to_bits().to_be_bytes());
        }
        Value::Text(own) => {
            hash.update([4]);
            text(hash, own);
        }
        Value::Date(own) => {
            hash.update([5]);
            text(hash, &own.to_string());
        }
        Value::DateTime(own) => {
            hash.update([6]);
            hash.update(own.timestamp_millis().to_be_bytes());
        }
    }
}

/// Each part with its kind and its coordinates. Collections are laid flat, as the engine holds them.
fn shape(hash: &mut Sha256, geometry: &Geometry, nested: bool) {
    let mut many = |kind: u8, parts: &mut dyn FnMut(&mut Sha256)| {
        if !nested {
            hash.update([kind]);
        }
        parts(hash);
    };
    match geometry {
        Geometry::Point(point) => many(1, &mut |hash| line(hash, 1, &[point.0])),
        Geometry::Line(own) => many(2, &mut |hash| line(hash, 2, &[own.start, own.end])),
        Geometry::LineString(own) => many(2, &mut |hash| line(hash, 2, &own.0)),
        Geometry::Polygon(own) => many(3, &mut |hash| polygon(hash, own)),
        Geometry::Rect(own) => many(3, &mut |hash| polygon(hash, &own.to_polygon())),
        Geometry::Triangle(own) => many(3, &mut |hash| polygon(hash, &own.to_polygon())),
        Geometry::MultiPoint(own) => {
            many(4, &mut |hash| own.0.iter().for_each(|point| line(hash, 1, &[point.0])));
        }
        Geometry::MultiLineString(own) => {
            many(5, &mut |hash| own.0.iter().for_each(|one| line(hash, 2, &one.0)));
        }
        Geometry::MultiPolygon(own) => many(6, &mut |hash| own.0.iter().for_each(|one| polygon(hash, one))),
        Geometry::GeometryCollection(own) => {
            many(7, &mut |hash| own.0.iter().for_each(|one| shape(hash, one, true)));
        }
    }
}

fn line(hash: &mut Sha256, kind: u8, coords: &[geo::Coord<f64>]) {
    hash.update([kind]);
    hash.update((coords.len() as u64).to_be_bytes());
    for coord in coords {
        hash.update(coord.x.to_bits().to_be_bytes());
        hash.update(coord.y.to_bits().to_be_bytes());
    }
}

fn polygon(hash: &mut Sha256, polygon: &Polygon<f64>) {
    let rings: Vec<&LineString<f64>> = if polygon.exterior().0.is_empty() {
        Vec::new()
    } else {
        std::iter::once(polygon.exterior()).chain(polygon.interiors()).collect()
    };
    hash.update([3]);
    hash.update((rings.len() as u64).to_be_bytes());
    for ring in rings {
        line(hash, 2, &ring.0);
    }
}

/// Which states of a feature the client has seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Seen {
    /// Whatever it is, if only it is there.
    Any,
    /// One with a tag of these.
    Tags(Vec<String>),
}

impl Seen {
    /// Reads the value of `If-Match`.
    pub(crate) fn parse(text: &str) -> Self {
        if text.trim() == "*" {
            return Self::Any;
        }
        // A tag of ours has no comma. A weak one never matches (RFC 9110, 13.1.1).
        let strong = text.split(',').map(str::trim).filter(|tag| !tag.starts_with("W/"));
        Self::Tags(strong.map(|tag| tag.trim_matches('"').to_owned()).collect())
    }

    /// Reads the header; 428 where it is missing.
    pub(crate) fn of(headers: &HeaderMap) -> Result<Self, Problem> {
        let values: Vec<&str> =
            headers.get_all(header::IF_MATCH).iter().filter_map(|value| value.to_str().ok()).collect();
        if values.is_empty() {
            return Err(missing());
        }
        Ok(Self::parse(&values.join(",")))
    }

    /// Whether the feature with this content is one that the client has seen, in whatever form (the tag of an answer says the
    /// form after a dot).
    pub(crate) fn matches(&self, content: &str) -> bool {
        match self {
            Self::Any => true,
            Self::Tags(tags) => tags.iter().any(|tag| tag.split('.').next() == Some(content)),
        }
    }
}

/// What to say where a client does not tell which state it has seen.
pub(crate) fn missing() -> Problem {
    Problem::precondition_required(
        "send If-Match with the ETag of the feature as you have read it, so that no other's change is lost; * for whatever \
         is there",
    )
}

#[cfg(test)]
mod tests {
    use citymap_engine::SnapshotBuilder;
    use citymap_model::{Field, FieldType, GeometryKind, Role, Title};
    use geo::{GeometryCollection, MultiPoint, Point, polygon};

    use super::*;

    #[test]
    fn the_store_s_feature_and_the_engine_s_row_have_one_tag() {
        let mut layer =
            Layer::new("things".parse().unwrap(), Title::same("x"), Role::Other, GeometryKind::Mixed);
        layer.fields = ["a", "b"].map(|name| Field::new(name, FieldType::Real)).to_vec();
        layer.fields[1].personal = true;
        let hole = polygon!(exterior: [(x: 0., y: 0.), (x: 9., y: 0.), (x: 9., y: 9.), (x: 0., y: 0.)],
                            interiors: [[(x: 5., y: 2.), (x: 6., y: 2.), (x: 6., y: 3.), (x: 5., y: 2.)]]);
        let many = MultiPoint::new(vec![Point::new(1., 2.), Point::new(3., 4.)]);
        let nested = GeometryCollection::new_from(vec![
            many.clone().into(),
            Geometry::GeometryCollection(GeometryCollection::new_from(vec![hole.clone().into()])),
        ]);
        let shapes: Vec<Option<Geometry>> = vec![
            None,
            Some(Point::new(1., 2.).into()),
            Some(many.into()),
            Some(hole.clone().into()),
            Some(geo::MultiPolygon::new(vec![hole]).into()),
            Some(geo::MultiPolygon::<f64>::new(vec![]).into()),
            Some(Geometry::GeometryCollection(nested)),
        ];
        let features: Vec<Feature> = shapes
            .into_iter()
            .zip(1..)
            .map(|(geometry, fid)| Feature { fid, geometry, values: vec![Value::Real(1.5), Value::Null] })
            .collect();
        let mut builder = SnapshotBuilder::new(layer.clone());
        features.iter().for_each(|feature| builder.push(feature).unwrap());
        let snapshot = builder.finish(1);
        let tags: Vec<String> = features.iter().map(|feature| content(&layer, feature)).collect();
        for (row, tag) in tags.iter().enumerate() {
            assert_eq!(content_of(&snapshot, row as Row), *tag, "row {row}");
        }
        let distinct: std::collections::BTreeSet<&String> = tags.iter().collect();
        assert_eq!(distinct.len(), tags.len());
        let mut other = features[1].clone();
        other.values[1] = Value::Real(9.0);
        assert_eq!(content(&layer, &other), tags[1], "a personal value is not in the tag");
        other.values[0] = Value::Null;
        assert_ne!(content(&layer, &other), tags[1]);
    }

    #[test]
    fn a_tag_matches_in_every_form_and_a_weak_one_never() {
        for (header, matches) in [
            ("*", true),
            ("\"abc\"", true),
            ("\"x\", \"abc.0123-gzip\"", true),
            ("W/\"abc\"", false),
            ("\"abcd\"", false),
            ("", false),
        ] {
            assert_eq!(Seen::parse(header).matches("abc"), matches, "{header}");
        }
    }
}
