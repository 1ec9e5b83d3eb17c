//! Decoding of untrusted bytes within a bound.

use std::io::Read;

use super::error::ArchiveError;
use crate::ContentEncoding;

/// Decodes bytes from an untrusted source, up to `max_len` bytes.
///
/// # Errors
/// [`ArchiveError::Damaged`] if they are damaged or decode to more.
pub fn decompress_within(
    encoded: &[u8],
    encoding: ContentEncoding,
    max_len: usize,
) -> Result<Vec<u8>, ArchiveError> {
    let damaged = || ArchiveError::Damaged("a part of it cannot be decoded");
    let too_much = || ArchiveError::Damaged("a part of it decodes to more than is allowed");
    match encoding {
        ContentEncoding::Identity if encoded.len() > max_len => Err(too_much()),
        ContentEncoding::Identity => Ok(encoded.to_vec()),
        ContentEncoding::Gzip => {
            // The trailer ends with the decoded length (RFC 1952, 2.3.1).
            let tail = encoded.last_chunk().ok_or_else(damaged)?;
            let len = u32::from_le_bytes(*tail) as usize;
            if len > max_len {
                return Err(too_much());
            }
            let mut out = vec![0; len];
            let found =
                libdeflater::Decompressor::new().gzip_decompress(encoded, &mut out).or(Err(damaged()))?;
            if found == len { Ok(out) } else { Err(damaged()) }
        }
        ContentEncoding::Zstd => read_all(zstd::Decoder::new(encoded).or(Err(damaged()))?, max_len),
        ContentEncoding::Brotli => read_all(brotli::Decompressor::new(encoded, 4096), max_len),
    }
}

fn read_all(from: impl Read, max_len: usize) -> Result<Vec<u8>, ArchiveError> {
    let mut out = Vec::new();
    match from.take(max_len as u64 + 1).read_to_end(&mut out) {
        Ok(len) if len <= max_len => Ok(out),
        Ok(_) => Err(ArchiveError::Damaged("a part of it decodes to more than is allowed")),
        Err(_) => Err(ArchiveError::Damaged("a part of it cannot be decoded")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compress;

    #[test]
    fn what_is_packed_comes_back_within_bounds_or_not_at_all() {
        let bytes = vec![7; 100_000];
        for encoding in ContentEncoding::ALL {
            let encoded = compress(&bytes, encoding);
            assert_eq!(decompress_within(&encoded, encoding, 100_000).unwrap(), bytes);
            assert!(decompress_within(&encoded, encoding, 99_999).is_err(), "{encoding:?}");
            if encoding != ContentEncoding::Identity {
                assert!(
                    decompress_within(&encoded[..encoded.len() - 5], encoding, 1 << 20).is_err(),
                    "{encoding:?}"
                );
                assert!(decompress_within(&[1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 0, 0], encoding, 1 << 20).is_err());
            }
        }
    }
}
