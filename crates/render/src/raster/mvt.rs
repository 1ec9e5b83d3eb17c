//! Reads Mapbox vector tiles: below the detail zoom of a layer, pictures are drawn from the same merged and
//! thinned features that the web map shows.

use std::borrow::Cow;

use crate::expression::{GeometryType, Value};

/// One layer of a tile.
#[derive(Debug, Default)]
pub(crate) struct TileLayer {
    keys: Vec<String>,
    values: Vec<Value<'static>>,
    pub(crate) features: Vec<TileFeature>,
}

/// One feature of a tile.
#[derive(Debug)]
pub(crate) struct TileFeature {
    pub(crate) id: Option<u64>,
    pub(crate) kind: GeometryType,
    tags: Vec<u32>,
    commands: Vec<u32>,
}

/// The tile is not what the specification says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a vector tile cannot be read")]
pub struct BrokenTile;

impl TileLayer {
    /// The layers of a tile, with their names.
    pub(crate) fn read(bytes: &[u8]) -> Result<Vec<(String, Self)>, BrokenTile> {
        let mut layers = Vec::new();
        let mut reader = Reader(bytes);
        while let Some((field, part)) = reader.field()? {
            if let (3, Part::Bytes(bytes)) = (field, part) {
                layers.push(Self::of_bytes(bytes)?);
            }
        }
        Ok(layers)
    }

    fn of_bytes(bytes: &[u8]) -> Result<(String, Self), BrokenTile> {
        let mut name = String::new();
        let mut layer = Self::default();
        let mut reader = Reader(bytes);
        while let Some(part) = reader.field()? {
            match part {
                (1, Part::Bytes(bytes)) => name = text(bytes)?,
                (2, Part::Bytes(bytes)) => layer.features.extend(TileFeature::of_bytes(bytes)?),
                (3, Part::Bytes(bytes)) => layer.keys.push(text(bytes)?),
                (4, Part::Bytes(bytes)) => layer.values.push(value(bytes)?),
                _ => {}
            }
        }
        Ok((name, layer))
    }

    /// The value of a feature's attribute.
    pub(crate) fn property(&self, feature: &TileFeature, name: &str) -> Value<'_> {
        let (pairs, _) = feature.tags.as_chunks::<2>();
        for [key, value] in pairs {
            if self.keys.get(*key as usize).is_some_and(|key| key == name) {
                return match self.values.get(*value as usize) {
                    Some(Value::Text(text)) => Value::Text(Cow::Borrowed(text)),
                    Some(value) => value.clone(),
                    None => Value::Null,
                };
            }
        }
        Value::Null
    }
}

impl TileFeature {
    fn of_bytes(bytes: &[u8]) -> Result<Option<Self>, BrokenTile> {
        let (mut id, mut kind, mut tags, mut commands) = (None, None, Vec::new(), Vec::new());
        let mut reader = Reader(bytes);
        while let Some(part) = reader.field()? {
            match part {
                (1, Part::Number(number)) => id = Some(number),
                (2, Part::Bytes(bytes)) => tags = numbers(bytes)?,
                (3, Part::Number(1)) => kind = Some(GeometryType::Point),
                (3, Part::Number(2)) => kind = Some(GeometryType::Line),
                (3, Part::Number(3)) => kind = Some(GeometryType::Polygon),
                (4, Part::Bytes(bytes)) => commands = numbers(bytes)?,
                _ => {}
            }
        }
        Ok(kind.map(|kind| Self { id, kind, tags, commands }))
    }

    /// Calls `visit` with each point, line or ring (open, in the direction of the specification), in tile
    /// units.
    pub(crate) fn rings(&self, mut visit: impl FnMut(&[[i32; 2]])) -> Result<(), BrokenTile> {
        let mut at = [0_i32; 2];
        let mut ring: Vec<[i32; 2]> = Vec::new();
        let mut rest = self.commands.iter().copied();
        while let Some(command) = rest.next() {
            let count = command >> 3;
            match command & 7 {
                1 | 2 => {
                    for _ in 0..count {
                        let (x, y) = (rest.next().ok_or(BrokenTile)?, rest.next().ok_or(BrokenTile)?);
                        at = [at[0].wrapping_add(zigzag(x)), at[1].wrapping_add(zigzag(y))];
                        if command & 7 == 1 && !ring.is_empty() {
                            visit(&ring);
                            ring.clear();
                        }
                        ring.push(at);
                    }
                }
                7 => {
                    visit(&ring);
                    ring.clear();
                }
                _ => return Err(BrokenTile),
            }
        }
        if !ring.is_empty() {
            visit(&ring);
        }
        Ok(())
    }
}

fn zigzag(value: u32) -> i32 {
    (value >> 1) as i32 ^ -((value & 1) as i32)
}

fn text(bytes: &[u8]) -> Result<String, BrokenTile> {
    String::from_utf8(bytes.to_vec()).map_err(|_not_utf8| BrokenTile)
}

fn numbers(bytes: &[u8]) -> Result<Vec<u32>, BrokenTile> {
    let mut reader = Reader(bytes);
    let mut list = Vec::with_capacity(bytes.len());
    while !reader.0.is_empty() {
        list.push(reader.varint()? as u32);
    }
    Ok(list)
}

fn value(bytes: &[u8]) -> Result<Value<'static>, BrokenTile> {
    let Some(part) = Reader(bytes).field()? else { return Err(BrokenTile) };
    Ok(match part {
        (1, Part::Bytes(bytes)) => Value::Text(Cow::Owned(text(bytes)?)),
        (2, Part::Four(bits)) => Value::Number(f32::from_bits(bits).into()),
        (3, Part::Eight(bits)) => Value::Number(f64::from_bits(bits)),
        (4, Part::Number(number)) => Value::Number(number as i64 as f64),
        (5, Part::Number(number)) => Value::Number(number as f64),
        (6, Part::Number(number)) => Value::Number(((number >> 1) as i64 ^ -((number & 1) as i64)) as f64),
        (7, Part::Number(number)) => Value::Bool(number != 0),
        _ => return Err(BrokenTile),
    })
}

/// The value of a field of a message.
enum Part<'a> {
    Number(u64),
    Bytes(&'a [u8]),
    Four(u32),
    Eight(u64),
}

/// Reads a protocol-buffer message.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn varint(&mut self) -> Result<u64, BrokenTile> {
        let mut value = 0_u64;
        for shift in (0..64).step_by(7) {
            let (&byte, rest) = self.0.split_first().ok_or(BrokenTile)?;
            self.0 = rest;
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Ok(value);
            }
        }
        Err(BrokenTile)
    }

    fn take(&mut self, len: usize) -> Result<&'a [u8], BrokenTile> {
        let (taken, rest) = self.0.split_at_checked(len).ok_or(BrokenTile)?;
        self.0 = rest;
        Ok(taken)
    }

    /// The next field's number and value; `None` at the end.
    fn field(&mut self) -> Result<Option<(u64, Part<'a>)>, BrokenTile> {
        if self.0.is_empty() {
            return Ok(None);
        }
        let key = self.varint()?;
        let part = match key & 7 {
            0 => Part::Number(self.varint()?),
            1 => Part::Eight(u64::from_le_bytes(self.take(8)?.try_into().map_err(|_short| BrokenTile)?)),
            2 => {
                let len = usize::try_from(self.varint()?).map_err(|_too_long| BrokenTile)?;
                Part::Bytes(self.take(len)?)
            }
            5 => Part::Four(u32::from_le_bytes(self.take(4)?.try_into().map_err(|_short| BrokenTile)?)),
            _ => return Err(BrokenTile),
        };
        Ok(Some((key >> 3, part)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn broken_tiles_are_errors_and_not_panics() {
        assert!(TileLayer::read(&[]).unwrap().is_empty());
        for bytes in [&[0x1a][..], &[0x1a, 5, 1], &[0xff; 12], &[0x1a, 2, 0x12, 9], &[0x1b, 0]] {
            assert!(TileLayer::read(bytes).is_err(), "{bytes:?}");
        }
        let feature =
            TileFeature { id: None, kind: GeometryType::Line, tags: vec![9, 9, 1], commands: vec![17, 2] };
        assert_eq!(feature.rings(|_| {}), Err(BrokenTile));
        assert_eq!(TileLayer::default().property(&feature, "a"), Value::Null);
    }

    #[test]
    fn rings_follow_the_commands() {
        // The polygon of the specification's example 4.3.5.4.
        let commands = vec![9, 6, 12, 18, 10, 12, 24, 44, 15];
        let feature = TileFeature { id: Some(1), kind: GeometryType::Polygon, tags: Vec::new(), commands };
        let mut rings = Vec::new();
        feature.rings(|ring| rings.push(ring.to_vec())).unwrap();
        assert_eq!(rings, [[[3, 6], [8, 12], [20, 34]]]);
    }
}
