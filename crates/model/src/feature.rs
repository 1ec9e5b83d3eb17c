//! Features, and what the outside calls them.

use std::fmt;

use crate::{Geometry, Value};

/// The store's own number of a feature: positive, assigned once, never used again in its layer. It is the
/// feature id in tiles.
pub type Fid = i64;

/// A feature that is to be stored and has no number yet.
#[derive(Clone, Debug, PartialEq)]
pub struct NewFeature {
    /// WGS 84 longitude and latitude in degrees; `None` is a null geometry, which differs from an empty one.
    pub geometry: Option<Geometry>,
    /// One value for each field of the layer, in order.
    pub values: Vec<Value>,
}

/// A feature as the store holds it.
#[derive(Clone, Debug, PartialEq)]
pub struct Feature {
    /// The number that the store assigned.
    pub fid: Fid,
    /// WGS 84 longitude and latitude in degrees; `None` is a null geometry.
    pub geometry: Option<Geometry>,
    /// One value for each field of the layer, in order.
    pub values: Vec<Value>,
}

/// What the outside calls a feature: the `id` of the API, unique in its layer.
///
/// - A layer without a key field: the [`Fid`].
/// - With one: the key. Real keys repeat (about 0.2 % of parcels) and are sometimes missing; of
///   the features with one key the one with the lowest fid has the bare key, each other one
///   `key~fid`; a feature without a key is `~fid`. So is called too what has a key that cannot stand alone
///   in an address or could be mistaken for such an id, see [`FeatureId::stands_alone`]; one that no
///   address can hold even so (`../12`) is `~fid`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum FeatureId {
    /// The layer has no key field.
    Fid(Fid),
    /// The key, which no feature with a lower number has.
    Key(String),
    /// A repeated key, none (empty), or one that does not stand alone, told apart by the fid.
    KeyAndFid(String, Fid),
}

impl FeatureId {
    /// The id of a feature in a layer whose key field is public. `key` is the key as text,
    /// `None` for a feature without one. `repeated` says whether a feature with a lower fid has the
    /// same key.
    ///
    /// ```
    /// use citymap_model::FeatureId;
    ///
    /// assert_eq!(FeatureId::of_key(Some("12-5".into()), 7, false).to_string(), "12-5");
    /// assert_eq!(FeatureId::of_key(Some("12-5".into()), 9, true).to_string(), "12-5~9");
    /// assert_eq!(FeatureId::of_key(None, 9, false).to_string(), "~9");
    /// assert_eq!(FeatureId::of_key(Some("12-5~7".into()), 9, false).to_string(), "12-5~7~9");
    /// assert_eq!(FeatureId::of_key(Some("..".into()), 9, false).to_string(), "..~9");
    /// assert_eq!(FeatureId::of_key(Some("a//b".into()), 9, false).to_string(), "~9");
    /// ```
    pub fn of_key(key: Option<String>, fid: Fid, repeated: bool) -> Self {
        match key {
            None => Self::KeyAndFid(String::new(), fid),
            // Not even the number makes an address of `../12`.
            Some(key) if !has_plain_steps(&format!("{key}~")) => Self::KeyAndFid(String::new(), fid),
            Some(key) if repeated || !Self::stands_alone(&key) => Self::KeyAndFid(key, fid),
            Some(key) => Self::Key(key),
        }
    }

    /// Whether a key may be an id by itself. Empty steps (`a//b`) and the steps `.` and `..` vanish from an
    /// address when a proxy decodes it, a key that ends in `/history` is the address of a history, and one
    /// that ends in `~` and digits looks like the id of another feature.
    pub fn stands_alone(key: &str) -> bool {
        let number = key.rsplit_once('~').map(|(_, number)| number);
        let is_number = |number: &str| !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
        has_plain_steps(key) && !key.ends_with("/history") && !number.is_some_and(is_number)
    }

    /// The id as JSON: a number for a layer without keys, else a text.
    pub fn to_json(&self) -> serde_json::Value {
        match self {
            Self::Fid(fid) => (*fid).into(),
            _ => self.to_string().into(),
        }
    }
}

/// True if no step of a path is empty, `.` or `..`.
fn has_plain_steps(path: &str) -> bool {
    path.split('/').all(|step| !matches!(step, "" | "." | ".."))
}

impl fmt::Display for FeatureId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fid(fid) => write!(f, "{fid}"),
            Self::Key(key) => f.write_str(key),
            Self::KeyAndFid(key, fid) => write!(f, "{key}~{fid}"),
        }
    }
}
