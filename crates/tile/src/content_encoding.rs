use std::cell::RefCell;

use libdeflater::{CompressionLvl, Compressor};

/// The level of [`gzip`] that takes least time. [`compress`] takes less.
pub const GZIP_LEVEL: u8 = 1;

/// How the bytes of a tile are encoded on their way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ContentEncoding {
    /// As they are.
    Identity,
    /// RFC 1952.
    Gzip,
    /// RFC 8878.
    Zstd,
    /// RFC 7932.
    Brotli,
}

/// What the bytes are compressed for, and so how long it may take. `docs/decisions/0014-igzip.md` has times and sizes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Effort {
    /// Somebody waits for this tile, which may be asked for once.
    Now,
    /// It is encoded once and sent many times.
    Once,
}

impl ContentEncoding {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Identity, Self::Gzip, Self::Zstd, Self::Brotli];

    /// Its name in `Content-Encoding`; `None` for bytes as they are.
    pub fn header_value(self) -> Option<&'static str> {
        match self {
            Self::Identity => None,
            Self::Gzip => Some("gzip"),
            Self::Zstd => Some("zstd"),
            Self::Brotli => Some("br"),
        }
    }
}

/// Compresses a tile, or anything else, that somebody waits for. Equal bytes give equal bytes on one kind of processor.
pub fn compress(bytes: &[u8], encoding: ContentEncoding) -> Vec<u8> {
    compress_for(bytes, encoding, Effort::Now)
}

/// Compresses a tile at the level that suits the purpose. Equal bytes give equal bytes on one kind of processor.
pub fn compress_for(bytes: &[u8], encoding: ContentEncoding, effort: Effort) -> Vec<u8> {
    let now = effort == Effort::Now;
    match encoding {
        ContentEncoding::Identity => bytes.to_vec(),
        ContentEncoding::Gzip if now => gzip_now(bytes),
        ContentEncoding::Gzip => gzip(bytes, 6),
        ContentEncoding::Zstd => zstd(bytes, if now { 1 } else { 9 }),
        ContentEncoding::Brotli => brotli(bytes, if now { 2 } else { 5 }),
    }
}

/// Bytes that a thread keeps for the next tile that it encodes.
const MAX_ROOM: usize = 4 << 20;

thread_local! {
    static GZIP: RefCell<Option<(u8, Compressor)>> = const { RefCell::new(None) };
    static ROOM: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
    static ZSTD: RefCell<Option<(i32, zstd::bulk::Compressor<'static>)>> = const { RefCell::new(None) };
}

/// Compresses bytes as gzip in the least time: `docs/decisions/0014-igzip.md` has the figures.
fn gzip_now(bytes: &[u8]) -> Vec<u8> {
    // What does not get smaller is stored, with five bytes to each 64 kB; head and tail are 18.
    let room = bytes.len() + bytes.len() / 1024 + 512;
    ROOM.with_borrow_mut(|out| {
        // Cleared once and used again: fresh pages cost more than the copy.
        if out.len() < room {
            out.resize(room, 0);
        }
        let encoded = match isal::compress_into(bytes, out, isal::CompressionLevel::One, isal::Codec::Gzip) {
            Ok(len) => out[..len].to_vec(),
            // The room suffices, so this is not seen; the other library gives the same content.
            Err(_) => gzip(bytes, GZIP_LEVEL),
        };
        if room > MAX_ROOM {
            *out = Vec::new();
        }
        encoded
    })
}

/// Compresses bytes as gzip at a level from 0 (stored) to 12 (smallest; more counts as 12). The header
/// carries no time, so equal bytes give equal bytes.
pub fn gzip(bytes: &[u8], level: u8) -> Vec<u8> {
    let level = level.min(12);
    GZIP.with_borrow_mut(|slot| {
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

/// Compresses bytes as one zstd frame that names its length, at a level from 1 to 22 (smallest).
fn zstd(bytes: &[u8], level: i32) -> Vec<u8> {
    ZSTD.with_borrow_mut(|slot| {
        if slot.as_ref().is_none_or(|(at, _)| *at != level) {
            *slot = zstd::bulk::Compressor::new(level).ok().map(|compressor| (level, compressor));
        }
        let encoded = slot.as_mut().and_then(|(_, compressor)| compressor.compress(bytes).ok());
        // Only a lack of memory brings it here; the frame of raw blocks needs none.
        encoded.unwrap_or_else(|| raw_frame(bytes))
    })
}

/// A zstd frame of raw blocks.
fn raw_frame(bytes: &[u8]) -> Vec<u8> {
    const BLOCK: usize = 128 << 10;
    // The magic number; a descriptor: one segment, eight bytes of content length; no checksum.
    let mut out = vec![0x28, 0xb5, 0x2f, 0xfd, 0b1110_0000];
    out.extend((bytes.len() as u64).to_le_bytes());
    let mut rest = bytes;
    loop {
        let (block, after) = rest.split_at(rest.len().min(BLOCK));
        let header = (block.len() as u32) << 3 | u32::from(after.is_empty());
        out.extend(&header.to_le_bytes()[..3]);
        out.extend(block);
        if after.is_empty() {
            return out;
        }
        rest = after;
    }
}

/// Compresses bytes as brotli at a quality from 0 to 11 (smallest).
fn brotli(bytes: &[u8], quality: i32) -> Vec<u8> {
    let params = brotli::enc::BrotliEncoderParams {
        quality,
        size_hint: bytes.len(),
        // A window of 4 MB at most: what every reader of the web has.
        lgwin: 22,
        ..Default::default()
    };
    let mut out = Vec::with_capacity(bytes.len() / 2 + 64);
    let done = brotli::BrotliCompress(&mut &bytes[..], &mut out, &params);
    // Only reading and writing can fail, and memory does neither.
    debug_assert!(done.is_ok());
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;

    fn decoded(encoded: &[u8], encoding: ContentEncoding) -> Vec<u8> {
        let mut back = Vec::new();
        match encoding {
            ContentEncoding::Identity => back.extend(encoded),
            ContentEncoding::Gzip => {
                _ = flate2::read::GzDecoder::new(encoded).read_to_end(&mut back).unwrap()
            }
            ContentEncoding::Zstd => _ = zstd::Decoder::new(encoded).unwrap().read_to_end(&mut back).unwrap(),
            ContentEncoding::Brotli => {
                _ = brotli::Decompressor::new(encoded, 4096).read_to_end(&mut back).unwrap()
            }
        }
        back
    }

    fn samples() -> [Vec<u8>; 4] {
        let mixed = (0..400_000u32).map(|n| (n.wrapping_mul(n) >> 7) as u8).collect();
        [vec![], vec![7], vec![9; 300_000], mixed]
    }

    #[test]
    fn every_encoding_comes_back_and_comes_the_same_each_time() {
        for bytes in samples() {
            for encoding in ContentEncoding::ALL {
                for effort in [Effort::Now, Effort::Once] {
                    let encoded = compress_for(&bytes, encoding, effort);
                    assert_eq!(decoded(&encoded, encoding), bytes, "{encoding:?} {effort:?}");
                    // Levels in between must leave no trace.
                    let _ = compress_for(&bytes[..bytes.len() / 2], encoding, Effort::Now);
                    assert_eq!(encoded, compress_for(&bytes, encoding, effort));
                }
            }
        }
    }

    #[test]
    fn raw_frames_are_read_as_others() {
        for bytes in samples() {
            assert_eq!(decoded(&raw_frame(&bytes), ContentEncoding::Zstd), bytes);
        }
    }

    #[test]
    fn the_clock_does_not_matter() {
        for level in [0, 1, 6, 12, 200] {
            let encoded = gzip(b"tile", level);
            assert_eq!(encoded[4..8], [0; 4], "no time in the header");
            assert_eq!(decoded(&encoded, ContentEncoding::Gzip), b"tile");
        }
    }
}
