//! The wire format of protocol buffers, and the geometry commands of MVT.

use crate::cut::grid::TilePoint;

/// Wire type of a field with a variable-length integer.
pub(crate) const VARINT: u32 = 0;
/// Wire type of a field with eight bytes.
pub(crate) const FIXED64: u32 = 1;
/// Wire type of a field with a length and bytes.
pub(crate) const BYTES: u32 = 2;

/// Appends a variable-length integer.
#[inline]
pub(crate) fn varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// The number of bytes that [`varint`] appends.
#[inline]
pub(crate) fn varint_len(value: u64) -> usize {
    (64 - (value | 1).leading_zeros() as usize).div_ceil(7)
}

/// Zigzag encoding: small numbers of either sign stay short.
#[inline]
pub(crate) fn zigzag(value: i64) -> u64 {
    ((value << 1) ^ (value >> 63)) as u64
}

/// Appends a field's number and wire type.
#[inline]
pub(crate) fn key(out: &mut Vec<u8>, field: u32, wire: u32) {
    varint(out, u64::from(field << 3 | wire));
}

/// Appends a field with its length and bytes.
pub(crate) fn bytes(out: &mut Vec<u8>, field: u32, value: &[u8]) {
    key(out, field, BYTES);
    varint(out, value.len() as u64);
    out.extend_from_slice(value);
}

const MOVE_TO: u64 = 1;
const LINE_TO: u64 = 2;
const CLOSE_PATH: u64 = 7;

/// Writes the geometry commands of one feature.
pub(crate) struct Commands<'a> {
    out: &'a mut Vec<u8>,
    at: TilePoint,
}

impl<'a> Commands<'a> {
    pub(crate) fn new(out: &'a mut Vec<u8>) -> Self {
        Self { out, at: [0, 0] }
    }

    fn command(&mut self, id: u64, count: usize) {
        varint(self.out, id | (count as u64) << 3);
    }

    #[inline]
    fn step(&mut self, to: TilePoint) {
        varint(self.out, zigzag(i64::from(to[0] - self.at[0])));
        varint(self.out, zigzag(i64::from(to[1] - self.at[1])));
        self.at = to;
    }

    /// Writes all points of the feature as one command.
    pub(crate) fn points(&mut self, points: &[TilePoint]) {
        self.command(MOVE_TO, points.len());
        points.iter().for_each(|&point| self.step(point));
    }

    /// Writes one run of a line.
    pub(crate) fn line(&mut self, points: &[TilePoint]) {
        let Some((&first, rest)) = points.split_first() else { return };
        self.command(MOVE_TO, 1);
        self.step(first);
        self.command(LINE_TO, rest.len());
        rest.iter().for_each(|&point| self.step(point));
    }

    /// Writes one ring, whose first point is not repeated.
    pub(crate) fn ring(&mut self, points: &[TilePoint]) {
        self.line(points);
        self.command(CLOSE_PATH, 1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_as_written() {
        for value in [0, 1, 127, 128, 300, 16_383, 16_384, u64::from(u32::MAX), u64::MAX] {
            let mut out = Vec::new();
            varint(&mut out, value);
            assert_eq!(out.len(), varint_len(value), "{value}");
        }
        assert_eq!([0, -1, 1, -2, i64::MIN].map(zigzag), [0, 1, 2, 3, u64::MAX]);
    }

    #[test]
    fn the_polygon_of_the_specification() {
        // The example of MVT 2.1, section 4.3.5.5.
        let mut out = Vec::new();
        Commands::new(&mut out).ring(&[[3, 6], [8, 12], [20, 34]]);
        assert_eq!(out, [9, 6, 12, 18, 10, 12, 24, 44, 15]);
    }
}
