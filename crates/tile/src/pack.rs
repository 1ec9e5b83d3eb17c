use std::cell::RefCell;

use libdeflater::{CompressionLvl, Compressor};

/// The level that serves a tile soonest: higher ones save a few per cent of bytes for twice the
/// time and more (measured by the crate's `bench` example).
pub const GZIP_LEVEL: u8 = 1;

/// How the bytes of a tile are packed on their way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Packing {
    /// As they are.
    Identity,
    /// RFC 1952.
    Gzip,
}

impl Packing {
    /// Its name in `Content-Encoding`; `None` for bytes as they are.
    pub fn content_encoding(self) -> Option<&'static str> {
        match self {
            Self::Identity => None,
            Self::Gzip => Some("gzip"),
        }
    }
}

/// Packs a tile, each packing at the level that serves it soonest. Equal bytes give equal bytes.
pub fn pack(bytes: &[u8], packing: Packing) -> Vec<u8> {
    match packing {
        Packing::Identity => bytes.to_vec(),
        Packing::Gzip => gzip(bytes, GZIP_LEVEL),
    }
}

thread_local! {
    static COMPRESSOR: RefCell<Option<(u8, Compressor)>> = const { RefCell::new(None) };
}

/// Packs bytes as gzip at a level from 0 (stored) to 12 (smallest; more counts as 12). The header
/// carries no time, so equal bytes give equal bytes.
pub fn gzip(bytes: &[u8], level: u8) -> Vec<u8> {
    let level = level.min(12);
    COMPRESSOR.with_borrow_mut(|slot| {
        if slot.as_ref().is_none_or(|(at, _)| *at != level) {
            *slot = None;
        }
        let (_, compressor) = slot.get_or_insert_with(|| {
            (level, Compressor::new(CompressionLvl::new(level.into()).unwrap_or_default()))
        });
        let mut out = vec![0; compressor.gzip_compress_bound(bytes.len())];
        loop {
            match compressor.gzip_compress(bytes, &mut out) {
                Ok(len) => {
                    out.truncate(len);
                    return out;
                }
                // The bound rules it out; more room would be the answer all the same.
                Err(libdeflater::CompressionError::InsufficientSpace) => out.resize(2 * out.len() + 64, 0),
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;

    #[test]
    fn another_library_reads_it_and_the_clock_does_not_matter() {
        let bytes: Vec<u8> = (0..100_000u32).map(|n| (n.wrapping_mul(n) >> 7) as u8).collect();
        for bytes in [&bytes[..], &[]] {
            for level in [0, 1, 6, 12, 200] {
                let packed = gzip(bytes, level);
                assert_eq!(packed[4..8], [0; 4], "no time in the header");
                assert_eq!(packed, gzip(bytes, level));
                let mut back = Vec::new();
                flate2::read::GzDecoder::new(&packed[..]).read_to_end(&mut back).unwrap();
                assert_eq!(back, bytes);
            }
        }
    }
}
