//! Decoding of what this crate has encoded.

use std::io::Read;

use crate::ContentEncoding;

/// Decodes what [`compress`](crate::compress) returned. `None` if the bytes are damaged, or if they were
/// encoded by a program that does not state their decoded length.
pub fn decompress(encoded: &[u8], encoding: ContentEncoding) -> Option<Vec<u8>> {
    match encoding {
        ContentEncoding::Identity => Some(encoded.to_vec()),
        ContentEncoding::Gzip => {
            // The trailer ends with the decoded length (RFC 1952, 2.3.1).
            let trailer: [u8; 4] = encoded.last_chunk::<4>().copied()?;
            let mut out = vec![0; u32::from_le_bytes(trailer) as usize];
            let len = libdeflater::Decompressor::new().gzip_decompress(encoded, &mut out).ok()?;
            (len == out.len()).then_some(out)
        }
        ContentEncoding::Zstd => {
            let len = zstd::zstd_safe::get_frame_content_size(encoded).ok().flatten()?;
            zstd::bulk::decompress(encoded, usize::try_from(len).ok()?).ok()
        }
        ContentEncoding::Brotli => {
            let mut out = Vec::with_capacity(encoded.len() * 4);
            brotli::Decompressor::new(encoded, 4096).read_to_end(&mut out).ok()?;
            Some(out)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compress;

    #[test]
    fn what_is_packed_comes_back_and_what_is_damaged_does_not() {
        let bytes: Vec<u8> = (0..100_000u32).map(|n| (n.wrapping_mul(n) >> 7) as u8).collect();
        for bytes in [&bytes[..], &bytes[..1], &[]] {
            for encoding in ContentEncoding::ALL {
                assert_eq!(
                    decompress(&compress(bytes, encoding), encoding).as_deref(),
                    Some(bytes),
                    "{encoding:?}"
                );
            }
        }
        for encoding in [ContentEncoding::Gzip, ContentEncoding::Zstd, ContentEncoding::Brotli] {
            let encoded = compress(&bytes, encoding);
            assert_eq!(decompress(&encoded[..encoded.len() / 2], encoding), None, "{encoding:?}");
        }
    }
}
