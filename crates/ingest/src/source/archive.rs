//! Zip archives: what they hold, and members unpacked into a temporary folder.

use std::{
    fs::{self, File},
    io::{self, BufReader, Read, Seek, SeekFrom, Write},
    path::{Component, Path, PathBuf},
};

use flate2::{Crc, read::DeflateDecoder};

use crate::encoding::{Encoding, detect};

/// The end of an archive: signature, numbers, and a comment of 65 535 bytes.
const END: usize = 22;
const COMMENT: u64 = 65_535;
const END_SIGNATURE: [u8; 4] = *b"PK\x05\x06";
const END64_SIGNATURE: [u8; 4] = *b"PK\x06\x06";
const LOCATOR64: u64 = 20;
const MEMBER: usize = 46;
const MEMBER_SIGNATURE: [u8; 4] = *b"PK\x01\x02";
const LOCAL: usize = 30;
const LOCAL_SIGNATURE: [u8; 4] = *b"PK\x03\x04";
/// Maximum size of the list of members.
const LIST: u64 = 64 << 20;

/// What an archive may hold when unpacked in any case, in bytes.
const UNPACKED: u64 = 1 << 30;
/// Above that, it may hold this many times its own size: data of maps is packed to a tenth or a twentieth.
const RATIO: u64 = 100;

/// A file in an archive.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Member {
    /// Its name in the archive, with folders before it.
    pub name: String,
    /// Its size when unpacked, in bytes.
    pub size: u64,
    packed: u64,
    /// The CRC-32 of its unpacked bytes.
    crc: u32,
    method: u16,
    encrypted: bool,
    start: u64,
}

/// The files in an archive, without its folders, in its order.
///
/// # Errors
/// [`io::ErrorKind::InvalidData`] if it is damaged, if a member's name leads out of the folder into which the
/// archive is unpacked (an absolute path, a drive, or `..`), or if its members are together far larger than
/// data of its size can be.
pub(crate) fn members(archive: &Path) -> io::Result<Vec<Member>> {
    let mut file = File::open(archive)?;
    let (start, length) = list(&mut file)?;
    if length > LIST {
        return Err(bad("its list of members is too large"));
    }
    file.seek(SeekFrom::Start(start))?;
    let mut bytes = Vec::new();
    file.take(length).read_to_end(&mut bytes)?;
    let mut rest = bytes.as_slice();
    let mut members = Vec::new();
    let mut names = Vec::new();
    while rest.starts_with(&MEMBER_SIGNATURE) {
        let (member, name, length) = member(rest).ok_or_else(|| bad("its list of members is cut off"))?;
        rest = &rest[length..];
        names.push(name);
        members.push(member);
    }
    for (member, name) in members.iter_mut().zip(decoded(&names)) {
        check_name(&name)?;
        member.name = name;
    }
    members.retain(|member| !member.name.ends_with(['/', '\\']));
    let unpacked = members.iter().fold(0_u64, |sum, member| sum.saturating_add(member.size));
    let packed = fs::metadata(archive)?.len();
    if unpacked > UNPACKED.max(packed.saturating_mul(RATIO)) {
        return Err(bad(&format!(
            "its members are {unpacked} bytes when unpacked, more than {RATIO} times its own size"
        )));
    }
    Ok(members)
}

/// Unpacks a member as `folder/name`, without the folders of its name, and gives the path.
///
/// # Errors
/// [`io::Error`] if the member is damaged, encrypted, packed in an unknown way, or not of the size or the
/// checksum that the archive says.
pub(crate) fn unpack(archive: &Path, member: &Member, folder: &Path) -> io::Result<PathBuf> {
    let name = member.name.rsplit(['/', '\\']).next().unwrap_or_default();
    let path = folder.join(name);
    let mut out =
        fs::OpenOptions::new().write(true).create_new(true).open(&path).map_err(|error| {
            match error.kind() {
                io::ErrorKind::AlreadyExists => bad("the archive has two members of this name"),
                _ => error,
            }
        })?;
    copy(archive, member, &mut out)?;
    Ok(path)
}

/// Reads every member of an archive once and compares it with its checksum: for archives that another library
/// reads, which may not do so.
///
/// # Errors
/// [`io::Error`] as [`members`] and [`unpack`] give it; that of a member names the member.
pub(crate) fn verify(archive: &Path) -> io::Result<()> {
    for member in members(archive)? {
        copy(archive, &member, &mut io::sink()).map_err(|error| {
            io::Error::new(error.kind(), format!("its member `{}`: {error}", member.name.escape_debug()))
        })?;
    }
    Ok(())
}

/// Writes the unpacked bytes of a member to `out`, and checks their number and their CRC-32.
fn copy(archive: &Path, member: &Member, out: &mut dyn Write) -> io::Result<()> {
    if member.encrypted {
        return Err(bad("the member is encrypted"));
    }
    let mut file = BufReader::new(File::open(archive)?);
    file.seek(SeekFrom::Start(member.start))?;
    let mut head = [0; LOCAL];
    file.read_exact(&mut head)?;
    if !head.starts_with(&LOCAL_SIGNATURE) {
        return Err(bad("the member is not where the archive says"));
    }
    let skipped = u64::from(u16_at(&head, 26)) + u64::from(u16_at(&head, 28));
    file.seek(SeekFrom::Start(member.start.saturating_add(LOCAL as u64 + skipped)))?;
    let packed = file.take(member.packed);
    let mut content: Box<dyn Read> = match member.method {
        0 => Box::new(packed),
        8 => Box::new(DeflateDecoder::new(packed)),
        _ => return Err(bad("the member is packed in a way other than stored and deflate")),
    };
    // One byte more than it should have shows a member that lies about its size.
    let mut out = Checked { crc: Crc::new(), out };
    let written = io::copy(&mut content.by_ref().take(member.size.saturating_add(1)), &mut out)?;
    out.flush()?;
    if written != member.size {
        return Err(bad("the member does not have the size that the archive says"));
    }
    if out.crc.sum() != member.crc {
        return Err(bad("the member is damaged: its bytes do not match the checksum in the archive"));
    }
    Ok(())
}

/// Passes bytes on and computes their CRC-32.
struct Checked<'a> {
    crc: Crc,
    out: &'a mut dyn Write,
}

impl Write for Checked<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.out.write(bytes)?;
        self.crc.update(bytes.get(..written).unwrap_or(bytes));
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// Where the list of members starts, and its length in bytes.
fn list(file: &mut File) -> io::Result<(u64, u64)> {
    let length = file.seek(SeekFrom::End(0))?;
    let start = length.saturating_sub(END as u64 + COMMENT);
    file.seek(SeekFrom::Start(start))?;
    let mut tail = Vec::new();
    file.take(END as u64 + COMMENT).read_to_end(&mut tail)?;
    let at = tail
        .windows(END)
        .rposition(|window| window.starts_with(&END_SIGNATURE))
        .ok_or_else(|| bad("it has no list of members; it may be cut off"))?;
    let end = &tail[at..];
    let (size, offset) = (u32_at(end, 12), u32_at(end, 16));
    if size != u32::MAX && offset != u32::MAX {
        return Ok((offset.into(), size.into()));
    }
    // More than 4 GiB: the numbers are in a record of their own, which a locator before the end names.
    let locator = (start + at as u64).checked_sub(LOCATOR64).ok_or_else(|| bad("it is cut off"))?;
    let mut bytes = [0; 56];
    file.seek(SeekFrom::Start(locator + 8))?;
    file.read_exact(&mut bytes[..8])?;
    let record = u64_at(&bytes, 0);
    file.seek(SeekFrom::Start(record))?;
    file.read_exact(&mut bytes)?;
    if !bytes.starts_with(&END64_SIGNATURE) {
        return Err(bad("its list of members is not where it says"));
    }
    Ok((u64_at(&bytes, 48), u64_at(&bytes, 40)))
}

/// The names of members as text. They are in UTF-8, or in the encoding of the machine on which the archive
/// was made, of which nothing tells.
fn decoded(names: &[&[u8]]) -> Vec<String> {
    let foreign = names.iter().copied().filter(|name| std::str::from_utf8(name).is_err());
    let found = detect(foreign);
    let decode = |name: &&[u8]| match std::str::from_utf8(name) {
        Ok(text) => text.to_owned(),
        Err(_) if found.encoding != Encoding::Cp1252 => found.encoding.decode(name).text,
        Err(_) => String::from_utf8_lossy(name).into_owned(),
    };
    names.iter().map(decode).collect()
}

/// The member at the beginning of a list, the bytes of its name, and how many bytes its entry takes.
fn member(entry: &[u8]) -> Option<(Member, &[u8], usize)> {
    if entry.len() < MEMBER {
        return None;
    }
    let lengths = [28, 30, 32].map(|at| usize::from(u16_at(entry, at)));
    let length = MEMBER + lengths.iter().sum::<usize>();
    let name = entry.get(MEMBER..MEMBER + lengths[0])?;
    let extra = entry.get(MEMBER + lengths[0]..MEMBER + lengths[0] + lengths[1])?;
    let mut sizes = [u32_at(entry, 24), u32_at(entry, 20), u32_at(entry, 42)].map(u64::from);
    widen(&mut sizes, extra);
    let [size, packed, start] = sizes;
    let member = Member {
        name: String::new(),
        size,
        packed,
        crc: u32_at(entry, 16),
        method: u16_at(entry, 10),
        encrypted: u16_at(entry, 8) & 1 != 0,
        start,
    };
    (entry.len() >= length).then_some((member, name, length))
}

/// Takes the sizes that do not fit 32 bits from the extra field 1.
fn widen(sizes: &mut [u64; 3], mut extra: &[u8]) {
    while extra.len() >= 4 {
        let length = usize::from(u16_at(extra, 2));
        let Some(mut field) = extra.get(4..4 + length) else { return };
        if u16_at(extra, 0) == 1 {
            for size in sizes.iter_mut().filter(|size| **size == u64::from(u32::MAX)) {
                if field.len() < 8 {
                    return;
                }
                *size = u64_at(field, 0);
                field = &field[8..];
            }
            return;
        }
        extra = &extra[4 + length..];
    }
}

/// Refuses a name that leads out of the folder into which an archive is unpacked, on any system.
fn check_name(name: &str) -> io::Result<()> {
    let slashed = name.replace('\\', "/");
    let drive = slashed.as_bytes().get(1) == Some(&b':');
    let plain =
        Path::new(&slashed).components().all(|part| matches!(part, Component::Normal(_) | Component::CurDir));
    if plain && !drive && !slashed.starts_with('/') && !name.contains('\0') {
        return Ok(());
    }
    Err(bad(&format!("the member `{}` has a path that leads out of the archive", name.escape_debug())))
}

fn bad(reason: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, reason)
}

fn u16_at(bytes: &[u8], at: usize) -> u16 {
    u16::from_le_bytes([bytes[at], bytes[at + 1]])
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from(u16_at(bytes, at)) | u32::from(u16_at(bytes, at + 2)) << 16
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u64::from(u32_at(bytes, at)) | u64::from(u32_at(bytes, at + 4)) << 32
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An archive with one stored member.
    fn archive(name: &str, content: &[u8]) -> Vec<u8> {
        archive_of(name.as_bytes(), content)
    }

    fn archive_of(name: &[u8], content: &[u8]) -> Vec<u8> {
        let (length, size) = ((name.len() as u16).to_le_bytes(), (content.len() as u32).to_le_bytes());
        let mut sum = Crc::new();
        sum.update(content);
        let crc = sum.sum().to_le_bytes();
        let mut out = [&LOCAL_SIGNATURE[..], &[0; 14], &size, &size, &length, &[0; 2]].concat();
        out.extend(name.iter().chain(content));
        let start = out.len() as u32;
        let entry = [&MEMBER_SIGNATURE[..], &[0; 12], &crc, &size, &size, &length, &[0; 16], name].concat();
        out.extend(&entry);
        out.extend(
            [&END_SIGNATURE[..], &[0; 8], &(entry.len() as u32).to_le_bytes(), &start.to_le_bytes(), &[0; 2]]
                .concat(),
        );
        out
    }

    fn written(bytes: &[u8]) -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.zip");
        fs::write(&path, bytes).unwrap();
        (folder, path)
    }

    #[test]
    fn a_member_comes_out_as_it_went_in() {
        let (folder, path) = written(&archive("thư mục/a.txt", b"content"));
        let members = members(&path).unwrap();
        assert_eq!((members[0].name.as_str(), members[0].size), ("thư mục/a.txt", 7));
        let out = unpack(&path, &members[0], folder.path()).unwrap();
        assert_eq!(fs::read(&out).unwrap(), b"content");
        assert_eq!(out.file_name().unwrap(), "a.txt");
    }

    #[test]
    fn names_in_old_encodings_are_read() {
        for encoding in [Encoding::Tcvn3, Encoding::Vni, Encoding::Viscii, Encoding::Vps, Encoding::Cp1258] {
            let name = "Bản đồ/Thửa đất.shp";
            let (_folder, path) = written(&archive_of(&encoding.encode(name).unwrap(), b""));
            assert_eq!(members(&path).unwrap()[0].name, name, "{encoding}");
        }
        let (_folder, path) = written(&archive_of(b"M\x81nchen.shp", b""));
        assert_eq!(members(&path).unwrap()[0].name, "M\u{FFFD}nchen.shp");
    }

    #[test]
    fn names_that_lead_out_of_an_archive_are_refused() {
        for name in ["/etc/x", "../x", "a/../../x", "C:\\x", "\\x", "a\\..\\..\\x", "//host/x"] {
            let (_folder, path) = written(&archive(name, b""));
            let error = members(&path).unwrap_err();
            assert!(error.to_string().contains("leads out"), "{name}: {error}");
        }
    }

    #[test]
    fn an_archive_that_grows_beyond_all_measure_is_refused() {
        let mut bytes = archive("a.csv", b"content");
        let list = bytes.windows(4).position(|window| window == MEMBER_SIGNATURE).unwrap();
        for (size, refused) in [(UNPACKED as u32, false), (UNPACKED as u32 + 1, true), (u32::MAX - 1, true)] {
            bytes[list + 24..list + 28].copy_from_slice(&size.to_le_bytes());
            let (_folder, path) = written(&bytes);
            let found = members(&path);
            assert_eq!(found.is_err(), refused, "{size}: {found:?}");
            // What is not as large as it says is found out when it is unpacked.
            if let Ok(found) = found {
                assert!(unpack(&path, &found[0], path.parent().unwrap()).is_err());
            }
        }
    }

    #[test]
    fn every_prefix_of_an_archive_is_an_error() {
        let whole = archive("a", b"content");
        for length in 0..whole.len() {
            let (_folder, path) = written(&whole[..length]);
            assert!(members(&path).is_err(), "{length}");
        }
    }
}
