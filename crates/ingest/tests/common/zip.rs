//! Zip archives for tests, with whatever names.

/// An archive of members that are stored as they are.
pub(crate) fn stored(members: &[(&str, &[u8])]) -> Vec<u8> {
    let members: Vec<Packed<'_>> = members
        .iter()
        .map(|(name, content)| Packed { name, method: 0, size: content.len(), crc: crc32(content), content })
        .collect();
    archive(&members)
}

/// An archive of one member whose bytes do not match its checksum, stored or deflated.
pub(crate) fn damaged(name: &str, content: &[u8], deflated: bool) -> Vec<u8> {
    // A deflated block of stored bytes: final, its length, and the complement of that.
    let length = (content.len() as u16).to_le_bytes();
    let block = [&[1][..], &length, &length.map(|byte| !byte), content].concat();
    let (method, bytes) = if deflated { (8, block.as_slice()) } else { (0, content) };
    archive(&[Packed { name, method, size: content.len(), crc: !crc32(content), content: bytes }])
}

/// A member as it is in an archive.
struct Packed<'a> {
    name: &'a str,
    method: u16,
    size: usize,
    crc: u32,
    content: &'a [u8],
}

fn archive(members: &[Packed<'_>]) -> Vec<u8> {
    let (mut out, mut list) = (Vec::new(), Vec::new());
    for Packed { name, method, size, crc, content } in members {
        let start = out.len() as u32;
        let (length, packed) = ((name.len() as u16).to_le_bytes(), (content.len() as u32).to_le_bytes());
        // Bit 11: the name is UTF-8.
        let common = [
            &20_u16.to_le_bytes()[..],
            &0x800_u16.to_le_bytes(),
            &method.to_le_bytes(),
            &[0; 4],
            &crc.to_le_bytes(),
            &packed,
            &(*size as u32).to_le_bytes(),
            &length,
            &[0; 2],
        ];
        out.extend([b"PK\x03\x04", &common.concat()[..], name.as_bytes(), content].concat());
        let end = [&[0; 10][..], &start.to_le_bytes(), name.as_bytes()].concat();
        list.extend([b"PK\x01\x02", &20_u16.to_le_bytes()[..], &common.concat(), &end].concat());
    }
    let (count, start) = ((members.len() as u16).to_le_bytes(), (out.len() as u32).to_le_bytes());
    let size = (list.len() as u32).to_le_bytes();
    out.extend(list);
    out.extend([b"PK\x05\x06", &[0; 4][..], &count, &count, &size, &start, &[0; 2]].concat());
    out
}

fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| (crc >> 1) ^ (0xEDB8_8320 & (crc & 1).wrapping_neg()))
    })
}
