use std::io::Read;

use crate::Packing;

/// The bytes that [`pack`](crate::pack) was given, from what it made of them. `None` where they are damaged, or were packed
/// by somebody who does not say how long they were.
pub fn unpack(packed: &[u8], packing: Packing) -> Option<Vec<u8>> {
    match packing {
        Packing::Identity => Some(packed.to_vec()),
        Packing::Gzip => {
            // The trailer ends with the length (RFC 1952, 2.3.1).
            let trailer: [u8; 4] = packed.last_chunk::<4>().copied()?;
            let mut out = vec![0; u32::from_le_bytes(trailer) as usize];
            let len = libdeflater::Decompressor::new().gzip_decompress(packed, &mut out).ok()?;
            (len == out.len()).then_some(out)
        }
        Packing::Zstd => {
            let len = zstd::zstd_safe::get_frame_content_size(packed).ok().flatten()?;
            zstd::bulk::decompress(packed, usize::try_from(len).ok()?).ok()
        }
        Packing::Brotli => {
            let mut out = Vec::with_capacity(packed.len() * 4);
            brotli::Decompressor::new(packed, 4096).read_to_end(&mut out).ok()?;
            Some(out)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pack;

    #[test]
    fn what_is_packed_comes_back_and_what_is_damaged_does_not() {
        let bytes: Vec<u8> = (0..100_000u32).map(|n| (n.wrapping_mul(n) >> 7) as u8).collect();
        for bytes in [&bytes[..], &bytes[..1], &[]] {
            for packing in Packing::ALL {
                assert_eq!(unpack(&pack(bytes, packing), packing).as_deref(), Some(bytes), "{packing:?}");
            }
        }
        for packing in [Packing::Gzip, Packing::Zstd, Packing::Brotli] {
            let packed = pack(&bytes, packing);
            assert_eq!(unpack(&packed[..packed.len() / 2], packing), None, "{packing:?}");
        }
    }
}
