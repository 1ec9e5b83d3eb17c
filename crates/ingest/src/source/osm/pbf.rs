//! OSM PBF: blocks of compressed protocol buffers (<https://wiki.openstreetmap.org/wiki/PBF_Format>).

use std::{
    collections::HashSet,
    fs::File,
    io::{BufReader, Read},
    path::Path,
};

use flate2::read::ZlibDecoder;

use super::elements::{Element, Relation, Take, Wanted};

/// Maximum length of a block's head, and of a block, in bytes: those of the format.
const HEAD_MAX: u32 = 64 << 10;
const BLOCK_MAX: u64 = 32 << 20;

/// Hands over the elements of one sort.
///
/// # Errors
/// The reason, if the file is damaged or cannot be read.
pub(super) fn each(path: &Path, wanted: Wanted<'_>, take: &mut Take<'_>) -> Result<(), String> {
    let mut file = BufReader::with_capacity(1 << 18, File::open(path).map_err(|error| error.to_string())?);
    let mut length = [0; 4];
    while file.read(&mut length[..1]).map_err(|error| error.to_string())? == 1 {
        file.read_exact(&mut length[1..]).map_err(|_end| "it ends in a block")?;
        let length = u32::from_be_bytes(length);
        if length > HEAD_MAX {
            return Err("a block has a head of more than 64 KiB".into());
        }
        let head = exactly(&mut file, u64::from(length))?;
        let (mut kind, mut size) = (&[][..], 0);
        for field in Fields(&head) {
            match field? {
                (1, Field::Bytes(text)) => kind = text,
                (3, Field::Number(bytes)) => size = bytes,
                _ => {}
            }
        }
        if size > BLOCK_MAX {
            return Err("a block has more than 32 MiB".into());
        }
        let blob = exactly(&mut file, size)?;
        if kind == b"OSMData" {
            block(&unpacked(&blob)?, wanted, take)?;
        }
    }
    Ok(())
}

fn exactly(file: &mut impl Read, bytes: u64) -> Result<Vec<u8>, String> {
    let mut out = Vec::new();
    file.take(bytes).read_to_end(&mut out).map_err(|error| error.to_string())?;
    if out.len() as u64 == bytes { Ok(out) } else { Err("it ends in a block".into()) }
}

fn unpacked(blob: &[u8]) -> Result<Vec<u8>, String> {
    for field in Fields(blob) {
        match field? {
            (1, Field::Bytes(raw)) => return Ok(raw.to_vec()),
            (3, Field::Bytes(zlib)) => {
                let mut out = Vec::new();
                ZlibDecoder::new(zlib)
                    .take(BLOCK_MAX + 1)
                    .read_to_end(&mut out)
                    .map_err(|error| format!("a block cannot be unpacked: {error}"))?;
                return if out.len() as u64 <= BLOCK_MAX {
                    Ok(out)
                } else {
                    Err("a block has more than 32 MiB".into())
                };
            }
            (2, _) => {}
            _ => return Err("a block is packed in a way that is not read (zlib is)".into()),
        }
    }
    Err("a block is empty".into())
}

/// Degrees of a block's numbers.
struct Grid {
    granularity: i64,
    offset: [i64; 2],
}

impl Grid {
    fn lonlat(&self, lon: i64, lat: i64) -> [f64; 2] {
        let degrees = |offset: i64, number: i64| {
            // Whole numbers of 1e-9 degrees: divided once, so that 10.7 comes out as 10.7.
            number.wrapping_mul(self.granularity).wrapping_add(offset) as f64 / 1e9
        };
        [degrees(self.offset[0], lon), degrees(self.offset[1], lat)]
    }
}

fn block(bytes: &[u8], wanted: Wanted<'_>, take: &mut Take<'_>) -> Result<(), String> {
    let mut texts = Vec::new();
    let mut grid = Grid { granularity: 100, offset: [0; 2] };
    let mut groups = Vec::new();
    for field in Fields(bytes) {
        match field? {
            (1, Field::Bytes(table)) => {
                for text in Fields(table) {
                    if let (1, Field::Bytes(text)) = text? {
                        texts.push(text);
                    }
                }
            }
            (2, Field::Bytes(group)) => groups.push(group),
            (17, Field::Number(number)) => grid.granularity = number as i64,
            (19, Field::Number(number)) => grid.offset[1] = number as i64,
            (20, Field::Number(number)) => grid.offset[0] = number as i64,
            _ => {}
        }
    }
    for group in groups {
        for field in Fields(group) {
            match (wanted, field?) {
                (Wanted::Nodes, (1, Field::Bytes(bytes))) => take(node(bytes, &grid)?),
                (Wanted::Nodes, (2, Field::Bytes(bytes))) => dense(bytes, &grid, take)?,
                (Wanted::Ways(ids), (3, Field::Bytes(bytes))) => {
                    if let Some(way) = way(bytes, ids, &texts)? {
                        take(way);
                    }
                }
                (Wanted::Relations, (4, Field::Bytes(bytes))) => take(relation(bytes, &texts)?),
                _ => {}
            }
        }
    }
    Ok(())
}

fn node(bytes: &[u8], grid: &Grid) -> Result<Element, String> {
    let (mut id, mut lat, mut lon) = (0, 0, 0);
    for field in Fields(bytes) {
        match field? {
            (1, Field::Number(number)) => id = zigzag(number),
            (8, Field::Number(number)) => lat = zigzag(number),
            (9, Field::Number(number)) => lon = zigzag(number),
            _ => {}
        }
    }
    Ok(Element::Node { id, lonlat: grid.lonlat(lon, lat) })
}

fn dense(bytes: &[u8], grid: &Grid, take: &mut Take<'_>) -> Result<(), String> {
    let (mut ids, mut lats, mut lons) = (Vec::new(), Vec::new(), Vec::new());
    for field in Fields(bytes) {
        match field? {
            (1, Field::Bytes(packed)) => ids = deltas(packed)?,
            (8, Field::Bytes(packed)) => lats = deltas(packed)?,
            (9, Field::Bytes(packed)) => lons = deltas(packed)?,
            _ => {}
        }
    }
    for ((id, lat), lon) in ids.into_iter().zip(lats).zip(lons) {
        take(Element::Node { id, lonlat: grid.lonlat(lon, lat) });
    }
    Ok(())
}

/// A way, if its number is among the wanted ones.
fn way(bytes: &[u8], ids: &HashSet<i64>, texts: &[&[u8]]) -> Result<Option<Element>, String> {
    let (mut id, mut nodes, mut keys, mut values) = (0, &[][..], &[][..], &[][..]);
    for field in Fields(bytes) {
        match field? {
            (1, Field::Number(number)) => id = number as i64,
            (2, Field::Bytes(packed)) => keys = packed,
            (3, Field::Bytes(packed)) => values = packed,
            (8, Field::Bytes(packed)) => nodes = packed,
            _ => {}
        }
    }
    if !ids.contains(&id) {
        return Ok(None);
    }
    let tags = tags(numbers(keys)?, numbers(values)?, texts);
    Ok(Some(Element::Way { id, nodes: deltas(nodes)?, tags }))
}

/// A text of the block's table.
fn text(at: u64, texts: &[&[u8]]) -> String {
    let text = usize::try_from(at).ok().and_then(|at| texts.get(at)).copied().unwrap_or_default();
    String::from_utf8_lossy(text).into_owned()
}

fn tags(keys: Vec<u64>, values: Vec<u64>, texts: &[&[u8]]) -> Vec<(String, String)> {
    keys.into_iter().zip(values).map(|(key, value)| (text(key, texts), text(value, texts))).collect()
}

fn relation(bytes: &[u8], texts: &[&[u8]]) -> Result<Element, String> {
    /// The type of a member that is a way.
    const WAY: u64 = 1;
    let mut relation = Relation::default();
    let (mut keys, mut values) = (Vec::new(), Vec::new());
    let (mut roles, mut members, mut kinds) = (Vec::new(), Vec::new(), Vec::new());
    for field in Fields(bytes) {
        match field? {
            (1, Field::Number(number)) => relation.id = number as i64,
            (2, Field::Bytes(packed)) => keys = numbers(packed)?,
            (3, Field::Bytes(packed)) => values = numbers(packed)?,
            (8, Field::Bytes(packed)) => roles = numbers(packed)?,
            (9, Field::Bytes(packed)) => members = deltas(packed)?,
            (10, Field::Bytes(packed)) => kinds = numbers(packed)?,
            _ => {}
        }
    }
    relation.tags = tags(keys, values, texts);
    for (at, (way, _)) in members.into_iter().zip(kinds).enumerate().filter(|(_, (_, kind))| *kind == WAY) {
        relation.ways.push(way);
        if roles.get(at).is_none_or(|role| text(*role, texts) != "inner") {
            relation.outer.push(way);
        }
    }
    Ok(Element::Relation(relation))
}

/// The fields of a message: their numbers and values.
struct Fields<'a>(&'a [u8]);

enum Field<'a> {
    Number(u64),
    Bytes(&'a [u8]),
    /// Four or eight bytes, which this format does not use.
    Fixed,
}

impl<'a> Iterator for Fields<'a> {
    type Item = Result<(u64, Field<'a>), String>;

    fn next(&mut self) -> Option<Self::Item> {
        (!self.0.is_empty()).then(|| {
            let field = self.field();
            if field.is_none() {
                self.0 = &[];
            }
            field.ok_or_else(|| "a block is damaged".to_owned())
        })
    }
}

impl<'a> Fields<'a> {
    fn field(&mut self) -> Option<(u64, Field<'a>)> {
        let head = varint(&mut self.0)?;
        let field = match head & 7 {
            0 => Field::Number(varint(&mut self.0)?),
            1 => self.cut(8).map(|_| Field::Fixed)?,
            2 => {
                let length = usize::try_from(varint(&mut self.0)?).ok()?;
                Field::Bytes(self.cut(length)?)
            }
            5 => self.cut(4).map(|_| Field::Fixed)?,
            _ => return None,
        };
        Some((head >> 3, field))
    }

    fn cut(&mut self, length: usize) -> Option<&'a [u8]> {
        let (cut, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(cut)
    }
}

fn varint(bytes: &mut &[u8]) -> Option<u64> {
    let mut number = 0;
    for shift in (0..64).step_by(7) {
        let (first, rest) = bytes.split_first()?;
        *bytes = rest;
        number |= u64::from(first & 0x7F) << shift;
        if first & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

fn numbers(mut packed: &[u8]) -> Result<Vec<u64>, String> {
    let mut out = Vec::new();
    while !packed.is_empty() {
        out.push(varint(&mut packed).ok_or("a list of numbers is damaged")?);
    }
    Ok(out)
}

/// A list of signed differences as the numbers themselves.
fn deltas(packed: &[u8]) -> Result<Vec<i64>, String> {
    let mut sum = 0_i64;
    Ok(numbers(packed)?
        .into_iter()
        .map(|number| {
            sum = sum.wrapping_add(zigzag(number));
            sum
        })
        .collect())
}

/// A signed number, whose sign is its last bit.
fn zigzag(number: u64) -> i64 {
    (number >> 1) as i64 ^ -((number & 1) as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signed_numbers_and_differences_come_out() {
        assert_eq!([0, 1, 2, 3].map(zigzag), [0, -1, 1, -2]);
        assert_eq!(deltas(&[2, 4, 1]).unwrap(), [1, 3, 2]);
        assert!(numbers(&[0x80]).is_err());
        assert!(Fields(&[0x0A, 9, 1]).next().unwrap().is_err());
    }
}
