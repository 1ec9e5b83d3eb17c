//! Compression of tiles with gzip, Zstandard and Brotli.
//!
//! Each thread keeps its compressors and buffers, so that a small tile allocates little.

use std::cell::RefCell;

use libdeflater::{CompressionLvl, Compressor};

/// The [`gzip`] level that is fastest. [`compress`] is faster still, since it uses another library.
pub const GZIP_LEVEL: u8 = 1;

/// How the bytes of a tile are encoded for transfer or storage.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ContentEncoding {
    /// Not encoded: the bytes as they are.
    Identity,
    /// The gzip format of RFC 1952.
    Gzip,
    /// The Zstandard format of RFC 8878.
    Zstd,
    /// The Brotli format of RFC 7932.
    Brotli,
}

/// How much time compression may take. `docs/decisions/0014-igzip.md` has times and sizes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Effort {
    /// A client is waiting for the bytes, and they may be requested only once.
    Now,
    /// The bytes are encoded once and sent many times.
    Once,
}

impl ContentEncoding {
    /// Every encoding; its position equals `encoding as usize`.
    pub const ALL: [Self; 4] = [Self::Identity, Self::Gzip, Self::Zstd, Self::Brotli];

    /// The value for the `Content-Encoding` header; `None` for bytes that are not encoded.
    pub fn header_value(self) -> Option<&'static str> {
        match self {
            Self::Identity => None,
            Self::Gzip => Some("gzip"),
            Self::Zstd => Some("zstd"),
            Self::Brotli => Some("br"),
        }
    }
}

/// Compresses a tile or other bytes that a client is waiting for. Deterministic on one kind of processor.
pub fn compress(bytes: &[u8], encoding: ContentEncoding) -> Vec<u8> {
    compress_for(bytes, encoding, Effort::Now)
}

/// Compresses bytes at the level that suits `effort`. Deterministic on one kind of processor.
pub fn compress_for(bytes: &[u8], encoding: ContentEncoding, effort: Effort) -> Vec<u8> {
    let now = effort == Effort::Now;
    match encoding {
        ContentEncoding::Identity => bytes.to_vec(),
        ContentEncoding::Gzip if now => gzip_now(bytes),
        ContentEncoding::Gzip => gzip(bytes, 6),
        ContentEncoding::Zstd => zstd(bytes, if now { 3 } else { 9 }),
        ContentEncoding::Brotli => brotli(bytes, if now { 2 } else { 5 }),
    }
}

/// Maximum number of bytes that a thread keeps as a buffer for the next tile.
const MAX_ROOM: usize = 4 << 20;

thread_local! {
    static GZIP: RefCell<Option<(u8, Compressor)>> = const { RefCell::new(None) };
    static ROOM: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
    static ZSTD: RefCell<Option<(i32, zstd::bulk::Compressor<'static>)>> = const { RefCell::new(None) };
}

/// Compresses with gzip as fast as possible; `docs/decisions/0014-igzip.md` has the measurements.
fn gzip_now(bytes: &[u8]) -> Vec<u8> {
    // Incompressible data is stored with five bytes for each 64 kB; header and trailer take 18.
    let room = bytes.len() + bytes.len() / 1024 + 512;
    ROOM.with_borrow_mut(|out| {
        // Grown once and reused: fresh pages would cost more than the copy.
        if out.len() < room {
            out.resize(room, 0);
        }
        let encoded = match isal::compress_into(bytes, out, isal::CompressionLevel::One, isal::Codec::Gzip) {
            Ok(len) => out[..len].to_vec(),
            // The buffer is large enough, so this does not happen; the other library returns an equivalent
            // stream.
            Err(_) => gzip(bytes, GZIP_LEVEL),
        };
        if room > MAX_ROOM {
            *out = Vec::new();
        }
        encoded
    })
}

/// Compresses with gzip at a level from 0 (stored) to 12 (smallest); higher levels count as 12. The header
/// carries no time, so equal bytes give equal output.
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
                // The bound rules this out; a larger buffer would be the right answer anyway.
                Err(libdeflater::CompressionError::InsufficientSpace) => out.resize(2 * out.len() + 64, 0),
            }
        }
    })
}

/// Compresses to one zstd frame that states its content length, at a level from 1 to 22 (smallest).
fn zstd(bytes: &[u8], level: i32) -> Vec<u8> {
    ZSTD.with_borrow_mut(|slot| {
        if slot.as_ref().is_none_or(|(at, _)| *at != level) {
            *slot = zstd::bulk::Compressor::new(level).ok().map(|compressor| (level, compressor));
        }
        let encoded = slot.as_mut().and_then(|(_, compressor)| compressor.compress(bytes).ok());
        // Fails only if memory runs out; a frame of raw blocks needs no more.
        encoded.unwrap_or_else(|| raw_frame(bytes))
    })
}

/// A zstd frame of raw, uncompressed blocks.
fn raw_frame(bytes: &[u8]) -> Vec<u8> {
    const BLOCK: usize = 128 << 10;
    // The magic number, then a descriptor: single segment, content length in eight bytes, no checksum.
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

/// Compresses with Brotli at a quality from 0 to 11 (smallest).
fn brotli(bytes: &[u8], quality: i32) -> Vec<u8> {
    let params = brotli::enc::BrotliEncoderParams {
        quality,
        size_hint: bytes.len(),
        // A window of at most 4 MB, which every web client supports.
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
                _ = flate2::read::GzDecoder::new(encoded).read_to_end(&mut back).unwrap();
            }
            ContentEncoding::Zstd => _ = zstd::Decoder::new(encoded).unwrap().read_to_end(&mut back).unwrap(),
            ContentEncoding::Brotli => {
                _ = brotli::Decompressor::new(encoded, 4096).read_to_end(&mut back).unwrap();
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
                    // Other levels in between must not change the result.
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
