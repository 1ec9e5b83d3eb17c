//! The tag of a feature: a hash of its number, its public values and its geometry, the same on every server
//! and for every store.
//!
//! Hidden fields are left out. Anybody may read a tag, and with them in it the values of a person could be
//! guessed by trying until the tag matches.

use citymap_access::{Audience, visible};
use citymap_model::{Feature, Geometry, Layer, Value, hex};
use geo::{LineString, Polygon};
use sha2::{Digest, Sha256};

/// Length of a tag in bytes: half of a SHA-256.
const TAG_BYTES: usize = 16;

/// The tag of a feature's content: 32 hexadecimal digits. Equal for equal content; geometry collections count
/// as the flat list of their parts.
pub fn content_tag(layer: &Layer, feature: &Feature) -> String {
    let mut hash = Sha256::new();
    hash.update(b"citymap feature 1\0");
    hash_text(&mut hash, layer.id.as_str());
    hash.update(feature.fid.to_be_bytes());
    for (index, field) in visible(layer, &Audience::Public).iter() {
        hash_text(&mut hash, &field.name);
        hash_value(&mut hash, feature.values.get(index).unwrap_or(&Value::Null));
    }
    match &feature.geometry {
        None => hash.update([0]),
        Some(geometry) => hash_geometry(&mut hash, geometry, false),
    }
    hex(&hash.finalize()[..TAG_BYTES])
}

fn hash_text(hash: &mut Sha256, text: &str) {
    hash.update((text.len() as u64).to_be_bytes());
    hash.update(text);
}

fn hash_value(hash: &mut Sha256, value: &Value) {
    match value {
        Value::Null => hash.update([0]),
        Value::Bool(value) => hash.update([1, u8::from(*value)]),
        Value::Int(value) => {
            hash.update([2]);
            hash.update(value.to_be_bytes());
        }
        Value::Real(value) => {
            hash.update([3]);
            hash.update(value.to_bits().to_be_bytes());
        }
        Value::Text(value) => {
            hash.update([4]);
            hash_text(hash, value);
        }
        Value::Date(value) => {
            hash.update([5]);
            hash_text(hash, &value.to_string());
        }
        Value::DateTime(value) => {
            hash.update([6]);
            hash.update(value.timestamp_millis().to_be_bytes());
        }
    }
}

/// Hashes each part with its kind and its coordinates. Collections are flattened, as the engine holds them.
fn hash_geometry(hash: &mut Sha256, geometry: &Geometry, nested: bool) {
    let mut many = |kind: u8, parts: &mut dyn FnMut(&mut Sha256)| {
        if !nested {
            hash.update([kind]);
        }
        parts(hash);
    };
    match geometry {
        Geometry::Point(point) => many(1, &mut |hash| hash_line(hash, 1, &[point.0])),
        Geometry::Line(value) => many(2, &mut |hash| hash_line(hash, 2, &[value.start, value.end])),
        Geometry::LineString(value) => many(2, &mut |hash| hash_line(hash, 2, &value.0)),
        Geometry::Polygon(value) => many(3, &mut |hash| hash_polygon(hash, value)),
        Geometry::Rect(value) => many(3, &mut |hash| hash_polygon(hash, &value.to_polygon())),
        Geometry::Triangle(value) => many(3, &mut |hash| hash_polygon(hash, &value.to_polygon())),
        Geometry::MultiPoint(value) => {
            many(4, &mut |hash| value.0.iter().for_each(|point| hash_line(hash, 1, &[point.0])));
        }
        Geometry::MultiLineString(value) => {
            many(5, &mut |hash| value.0.iter().for_each(|one| hash_line(hash, 2, &one.0)));
        }
        Geometry::MultiPolygon(value) => {
            many(6, &mut |hash| value.0.iter().for_each(|one| hash_polygon(hash, one)));
        }
        Geometry::GeometryCollection(value) => {
            many(7, &mut |hash| value.0.iter().for_each(|one| hash_geometry(hash, one, true)));
        }
    }
}

fn hash_line(hash: &mut Sha256, kind: u8, coords: &[geo::Coord<f64>]) {
    hash.update([kind]);
    hash.update((coords.len() as u64).to_be_bytes());
    for coord in coords {
        hash.update(coord.x.to_bits().to_be_bytes());
        hash.update(coord.y.to_bits().to_be_bytes());
    }
}

fn hash_polygon(hash: &mut Sha256, polygon: &Polygon<f64>) {
    let rings: Vec<&LineString<f64>> = if polygon.exterior().0.is_empty() {
        Vec::new()
    } else {
        std::iter::once(polygon.exterior()).chain(polygon.interiors()).collect()
    };
    hash.update([3]);
    hash.update((rings.len() as u64).to_be_bytes());
    for ring in rings {
        hash_line(hash, 2, &ring.0);
    }
}

/// Which states of a feature a client has seen and is ready to change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ExpectedState {
    /// Any state, as long as the feature exists.
    Any,
    /// A state with one of these tags ([`content_tag`]). A tag may have a suffix after a dot, which names the
    /// form of the answer that it came with and does not count.
    Tags(Vec<String>),
}

impl ExpectedState {
    /// Whether a feature with this content tag is in an expected state.
    pub fn matches(&self, content_tag: &str) -> bool {
        match self {
            Self::Any => true,
            Self::Tags(tags) => tags.iter().any(|tag| tag.split('.').next() == Some(content_tag)),
        }
    }
}

#[cfg(test)]
mod tests {
    use citymap_access::set_personal;
    use citymap_engine::{Row, SnapshotBuilder};
    use citymap_model::{Field, FieldType, GeometryKind, Role, Title};
    use geo::{GeometryCollection, MultiPoint, Point, polygon};

    use super::*;

    #[test]
    fn the_store_s_feature_and_the_engine_s_row_have_one_tag() {
        let mut layer =
            Layer::new("things".parse().unwrap(), Title::same("x"), Role::Other, GeometryKind::Mixed);
        layer.fields = ["a", "b"].map(|name| Field::new(name, FieldType::Real)).to_vec();
        set_personal(&mut layer.fields[1], true);
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
        let tags: Vec<String> = features.iter().map(|feature| content_tag(&layer, feature)).collect();
        for (row, tag) in tags.iter().enumerate() {
            assert_eq!(content_tag(snapshot.layer(), &snapshot.feature(row as Row)), *tag, "row {row}");
        }
        let distinct: std::collections::BTreeSet<&String> = tags.iter().collect();
        assert_eq!(distinct.len(), tags.len());
        let mut other = features[1].clone();
        other.values[1] = Value::Real(9.0);
        assert_eq!(content_tag(&layer, &other), tags[1], "a personal value is not in the tag");
        other.values[0] = Value::Null;
        assert_ne!(content_tag(&layer, &other), tags[1]);
    }

    #[test]
    fn a_tag_matches_whatever_form_it_came_with() {
        let expected = ExpectedState::Tags(vec!["x".into(), "abc.0123-gzip".into()]);
        assert!(expected.matches("abc") && expected.matches("x") && ExpectedState::Any.matches("abc"));
        assert!(!expected.matches("abcd") && !expected.matches("ab"));
        assert!(!ExpectedState::Tags(Vec::new()).matches("abc"));
    }
}
