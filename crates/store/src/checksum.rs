//! A hash of what a layer holds: equal in every store that holds the same.

use citymap_geometry::wkb;
use citymap_model::{LayerId, Value};
use sha2::{Digest, Sha256};

use crate::{ReadView, StoreError};

/// The checksum of all features of a layer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checksum {
    /// The number of features.
    pub count: u64,
    /// SHA-256, hexadecimal, of each feature's number, geometry (WKB) and values, in the order of their
    /// numbers.
    pub sha256: String,
}

/// Reads a layer and computes its checksum. Geometry counts bit by bit; zero in a field counts the same with
/// either sign, because SQLite keeps only one of them.
///
/// # Errors
/// As [`crate::ReadView::read`].
pub fn checksum(view: &dyn ReadView, layer: &LayerId) -> Result<Checksum, StoreError> {
    let mut hasher = Sha256::new();
    let mut count = 0;
    let mut bytes = Vec::new();
    view.read(layer, &mut |feature| {
        bytes.clear();
        bytes.extend_from_slice(&feature.fid.to_le_bytes());
        match &feature.geometry {
            None => bytes.push(0),
            Some(geometry) => {
                bytes.push(1);
                wkb::write(&mut bytes, geometry);
            }
        }
        feature.values.iter().for_each(|value| add(&mut bytes, value));
        hasher.update(&bytes);
        count += 1;
        Ok(())
    })?;
    Ok(Checksum { count, sha256: citymap_model::hex(&hasher.finalize()) })
}

fn add(bytes: &mut Vec<u8>, value: &Value) {
    match value {
        Value::Null => bytes.push(0),
        Value::Bool(value) => bytes.extend_from_slice(&[1, u8::from(*value)]),
        Value::Int(value) => {
            bytes.push(2);
            bytes.extend_from_slice(&value.to_le_bytes());
        }
        Value::Real(value) => {
            bytes.push(3);
            bytes.extend_from_slice(&(value + 0.0).to_bits().to_le_bytes());
        }
        Value::Text(text) => {
            bytes.push(4);
            bytes.extend_from_slice(&(text.len() as u64).to_le_bytes());
            bytes.extend_from_slice(text.as_bytes());
        }
        Value::Date(day) => {
            bytes.push(5);
            bytes.extend_from_slice(day.to_string().as_bytes());
        }
        Value::DateTime(instant) => {
            bytes.push(6);
            bytes.extend_from_slice(&instant.timestamp_millis().to_le_bytes());
        }
    }
}
