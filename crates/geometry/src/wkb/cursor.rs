//! A position in the bytes of a geometry: numbers, heads and counts, as both readers need them.

use geo_types::Coord;

use super::WkbError;

/// The bytes that are not yet read.
pub(super) struct Cursor<'a> {
    rest: &'a [u8],
}

/// What the first bytes of a geometry say about it.
#[derive(Clone, Copy)]
pub(super) struct Head {
    /// Whether its numbers are little endian.
    pub(super) little: bool,
    /// The type code without dimensions, see [`super::code`].
    pub(super) code: u32,
    /// Numbers of each position beyond x and y: 0, 1 or 2.
    pub(super) extra: usize,
}

impl Head {
    /// Bytes of one position: 16, 24 or 32.
    pub(super) fn stride(self) -> usize {
        16 + 8 * self.extra
    }
}

impl<'a> Cursor<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    /// Takes the next `count` bytes.
    pub(super) fn take(&mut self, count: usize) -> Result<&'a [u8], WkbError> {
        let (taken, rest) = self.rest.split_at_checked(count).ok_or(WkbError::CutShort)?;
        self.rest = rest;
        Ok(taken)
    }

    fn number(&mut self, little: bool) -> Result<u32, WkbError> {
        let (bytes, rest) = self.rest.split_first_chunk::<4>().ok_or(WkbError::CutShort)?;
        self.rest = rest;
        Ok(if little { u32::from_le_bytes(*bytes) } else { u32::from_be_bytes(*bytes) })
    }

    /// Reads byte order, type and dimensions in either dialect: extended WKB has bits for z, m and a
    /// coordinate system, ISO WKB adds thousands to the code. The number of a coordinate system is skipped.
    pub(super) fn head(&mut self) -> Result<Head, WkbError> {
        let little = match self.take(1)? {
            [0] => false,
            [1] => true,
            _ => return Err(WkbError::ByteOrder),
        };
        let raw = self.number(little)?;
        if raw & 0x2000_0000 != 0 {
            self.number(little)?;
        }
        let plain = raw & 0x1FFF_FFFF;
        let thousands = plain / 1000;
        if thousands > 3 {
            return Err(WkbError::UnknownType(raw));
        }
        let z = raw & 0x8000_0000 != 0 || thousands & 1 != 0;
        let m = raw & 0x4000_0000 != 0 || thousands & 2 != 0;
        Ok(Head { little, code: plain % 1000, extra: usize::from(z) + usize::from(m) })
    }

    /// Reads a count of parts, each of at least `min_bytes`: parts that cannot follow are refused before
    /// memory is reserved for them.
    pub(super) fn count(&mut self, little: bool, min_bytes: usize) -> Result<usize, WkbError> {
        let count = self.number(little)? as usize;
        if count.checked_mul(min_bytes).is_none_or(|bytes| bytes > self.rest.len()) {
            Err(WkbError::CutShort)
        } else {
            Ok(count)
        }
    }

    /// Reads one position; numbers beyond x and y are skipped.
    pub(super) fn coord(&mut self, head: Head) -> Result<Coord, WkbError> {
        let bytes = self.take(head.stride())?;
        Ok(coord(bytes, if head.little { f64::from_le_bytes } else { f64::from_be_bytes }))
    }

    /// Reads a count and as many positions.
    pub(super) fn coords(&mut self, head: Head) -> Result<Vec<Coord>, WkbError> {
        let count = self.count(head.little, head.stride())?;
        let bytes = self.take(count * head.stride())?;
        let positions = bytes.chunks_exact(head.stride());
        Ok(if head.little {
            positions.map(|bytes| coord(bytes, f64::from_le_bytes)).collect()
        } else {
            positions.map(|bytes| coord(bytes, f64::from_be_bytes)).collect()
        })
    }
}

fn coord(bytes: &[u8], number: fn([u8; 8]) -> f64) -> Coord {
    let mut x = [0; 8];
    let mut y = [0; 8];
    x.copy_from_slice(&bytes[..8]);
    y.copy_from_slice(&bytes[8..16]);
    Coord { x: number(x), y: number(y) }
}
