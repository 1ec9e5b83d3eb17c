use std::io::Read;

use super::ArchiveError;
use crate::Packing;

/// Unpacks bytes that come from elsewhere, to `most` bytes at most.
///
/// # Errors
/// [`ArchiveError::Damaged`] where they are damaged, or more.
pub fn unpack_within(packed: &[u8], packing: Packing, most: usize) -> Result<Vec<u8>, ArchiveError> {
    let damaged = || ArchiveError::Damaged("what is packed in it cannot be unpacked");
    let too_much = || ArchiveError::Damaged("what is packed in it is larger than allowed");
    match packing {
        Packing::Identity if packed.len() > most => Err(too_much()),
        Packing::Identity => Ok(packed.to_vec()),
        Packing::Gzip => {
            // The tail ends with the length (RFC 1952, 2.3.1).
            let tail = packed.last_chunk().ok_or_else(damaged)?;
            let len = u32::from_le_bytes(*tail) as usize;
            if len > most {
                return Err(too_much());
            }
            let mut out = vec![0; len];
            let found =
                libdeflater::Decompressor::new().gzip_decompress(packed, &mut out).or(Err(damaged()))?;
            if found == len { Ok(out) } else { Err(damaged()) }
        }
        Packing::Zstd => read_all(zstd::Decoder::new(packed).or(Err(damaged()))?, most),
        Packing::Brotli => read_all(brotli::Decompressor::new(packed, 4096), most),
    }
}

fn read_all(from: impl Read, most: usize) -> Result<Vec<u8>, ArchiveError> {
    let mut out = Vec::new();
    match from.take(most as u64 + 1).read_to_end(&mut out) {
        Ok(len) if len <= most => Ok(out),
        Ok(_) => Err(ArchiveError::Damaged("what is packed in it is larger than allowed")),
        Err(_) => Err(ArchiveError::Damaged("what is packed in it cannot be unpacked")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pack;

    #[test]
    fn what_is_packed_comes_back_within_bounds_or_not_at_all() {
        let bytes = vec![7; 100_000];
        for packing in Packing::ALL {
            let packed = pack(&bytes, packing);
            assert_eq!(unpack_within(&packed, packing, 100_000).unwrap(), bytes);
            assert!(unpack_within(&packed, packing, 99_999).is_err(), "{packing:?}");
            if packing != Packing::Identity {
                assert!(unpack_within(&packed[..packed.len() - 5], packing, 1 << 20).is_err(), "{packing:?}");
                assert!(unpack_within(&[1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 0, 0], packing, 1 << 20).is_err());
            }
        }
    }
}
