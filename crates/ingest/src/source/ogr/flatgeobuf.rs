//! Which columns of a FlatGeobuf hold days.
//!
//! The format has instants and no days, and whether a column holds nothing but midnights is known only when
//! all features were seen. GDAL makes a whole feature each time, which takes longer than anything else before
//! the import; here only the properties are walked over. Whatever is unusual is left to GDAL.
//!
//! Layout: <https://flatgeobuf.org>, its header and features in FlatBuffers (`header.fbs`, `feature.fbs`).

use std::{
    collections::BTreeMap,
    fs::File,
    io::{self, BufReader, Read},
    path::Path,
};

use chrono::NaiveDate;

/// What each file begins with; the eighth byte is the patch level, which changes nothing.
const MAGIC: [u8; 7] = *b"fgb\x03fgb";
/// The largest header that is looked at, in bytes.
const HEADER_MAX: u32 = 10 << 20;
/// The largest feature that is looked at, in bytes.
const FEATURE_MAX: u32 = 256 << 20;
/// Bytes of a node of the index: four coordinates and an offset.
const NODE: u64 = 40;
/// The size of the index's nodes where the header does not state it.
const NODE_SIZE: u16 = 16;
/// The type of a column with instants.
const DATE_TIME: u8 = 13;

/// Positions of fields in their tables.
mod field {
    pub(super) const HEADER_COLUMNS: usize = 7;
    pub(super) const HEADER_COUNT: usize = 8;
    pub(super) const HEADER_NODE_SIZE: usize = 9;
    pub(super) const COLUMN_TYPE: usize = 1;
    pub(super) const FEATURE_PROPERTIES: usize = 1;
    pub(super) const FEATURE_COLUMNS: usize = 2;
}

/// Something that is damaged, or that this look does not know.
#[derive(Debug)]
struct Unusual;

impl From<io::Error> for Unusual {
    fn from(_error: io::Error) -> Self {
        Self
    }
}

/// The positions of the columns with instants in which every value is a midnight without an offset from UTC,
/// and how many values each has; `None` where GDAL has to look.
pub(super) fn days(path: &Path) -> Option<BTreeMap<usize, u64>> {
    File::open(path).map_err(Unusual::from).and_then(days_of).ok()
}

fn days_of(input: impl Read) -> Result<BTreeMap<usize, u64>, Unusual> {
    let mut input = BufReader::with_capacity(1 << 20, input);
    let mut head = [0; 8];
    input.read_exact(&mut head)?;
    let mut bytes = Vec::new();
    if head[..7] != MAGIC || !next(&mut input, HEADER_MAX, &mut bytes)? {
        return Err(Unusual);
    }
    let header = Table::root(&bytes)?;
    let types = column_types(&header)?;
    let mut days: BTreeMap<usize, u64> =
        (0..types.len()).filter(|column| types[*column] == DATE_TIME).map(|column| (column, 0)).collect();
    let count = header.value(field::HEADER_COUNT)?.map_or(0, u64::from_le_bytes);
    let node_size = header.value(field::HEADER_NODE_SIZE)?.map_or(NODE_SIZE, u16::from_le_bytes);
    let index = index_size(count, node_size)?;
    if io::copy(&mut input.by_ref().take(index), &mut io::sink())? != index {
        return Err(Unusual);
    }
    while !days.is_empty() && next(&mut input, FEATURE_MAX, &mut bytes)? {
        let feature = Table::root(&bytes)?;
        // A feature may have columns of its own.
        if feature.vector(field::FEATURE_COLUMNS)?.is_some() {
            return Err(Unusual);
        }
        if let Some((start, length)) = feature.vector(field::FEATURE_PROPERTIES)? {
            let properties = bytes.get(start..).and_then(|rest| rest.get(..length)).ok_or(Unusual)?;
            look(properties, &types, &mut days)?;
        }
    }
    Ok(days)
}

/// Reads a size and as many bytes; `false` at the end of the file.
fn next(input: &mut impl Read, most: u32, bytes: &mut Vec<u8>) -> Result<bool, Unusual> {
    let mut size = [0; 4];
    if input.read(&mut size[..1])? == 0 {
        return Ok(false);
    }
    input.read_exact(&mut size[1..])?;
    let size = u32::from_le_bytes(size);
    bytes.clear();
    if size > most || input.take(size.into()).read_to_end(bytes)? as u64 != u64::from(size) {
        return Err(Unusual);
    }
    Ok(true)
}

fn column_types(header: &Table<'_>) -> Result<Vec<u8>, Unusual> {
    let Some((start, count)) = header.vector(field::HEADER_COLUMNS)? else { return Ok(Vec::new()) };
    let column = |index: usize| {
        let at = index.checked_mul(4).and_then(|offset| start.checked_add(offset)).ok_or(Unusual)?;
        let column = Table { bytes: header.bytes, at: header.target(at)? };
        Ok(column.value(field::COLUMN_TYPE)?.map_or(0, u8::from_le_bytes))
    };
    (0..count).map(column).collect()
}

/// Bytes of the packed index of `count` features: leaves, then each level above them up to the root.
fn index_size(count: u64, node_size: u16) -> Result<u64, Unusual> {
    if count == 0 || node_size == 0 {
        return Ok(0);
    }
    let node_size = u64::from(node_size.max(2));
    let (mut level, mut nodes) = (count, count);
    loop {
        level = level.div_ceil(node_size);
        nodes = nodes.checked_add(level).ok_or(Unusual)?;
        if level == 1 {
            return nodes.checked_mul(NODE).ok_or(Unusual);
        }
    }
}

/// Walks over the properties of a feature: each a column's position and a value by the column's type.
fn look(mut properties: &[u8], types: &[u8], days: &mut BTreeMap<usize, u64>) -> Result<(), Unusual> {
    while !properties.is_empty() {
        let column = usize::from(u16::from_le_bytes(bytes_at(properties, 0)?));
        let (start, length) = match types.get(column).ok_or(Unusual)? {
            0..=2 => (2, 1),
            3 | 4 => (2, 2),
            5 | 6 | 9 => (2, 4),
            7 | 8 | 10 => (2, 8),
            11..=14 => (6, u32::from_le_bytes(bytes_at(properties, 2)?) as usize),
            _ => return Err(Unusual),
        };
        let rest = properties.get(start..).ok_or(Unusual)?;
        let (value, rest) = rest.split_at_checked(length).ok_or(Unusual)?;
        if let Some(count) = days.get_mut(&column) {
            if is_midnight(value)? {
                *count += 1;
            } else {
                days.remove(&column);
            }
        }
        properties = rest;
    }
    Ok(())
}

/// Whether an instant, `YYYY-MM-DDThh:mm:ss`, is a midnight.
///
/// # Errors
/// [`Unusual`] for any other form, one with an offset or with fractions of a second among them.
fn is_midnight(text: &[u8]) -> Result<bool, Unusual> {
    let form = |(byte, form): (&u8, &u8)| if *form == b'0' { byte.is_ascii_digit() } else { byte == form };
    let pattern = b"0000-00-00T00:00:00";
    if text.len() != pattern.len() || !text.iter().zip(pattern).all(form) {
        return Err(Unusual);
    }
    let number = |from: usize, to: usize| {
        text[from..to].iter().fold(0_u32, |number, digit| number * 10 + u32::from(digit - b'0'))
    };
    let year = i32::try_from(number(0, 4)).map_err(|_large| Unusual)?;
    NaiveDate::from_ymd_opt(year, number(5, 7), number(8, 10)).ok_or(Unusual)?;
    match [number(11, 13), number(14, 16), number(17, 19)] {
        [0, 0, 0] => Ok(true),
        [0..24, 0..60, 0..60] => Ok(false),
        _ => Err(Unusual),
    }
}

/// The bytes from a position on, as many as are asked for.
fn bytes_at<const N: usize>(bytes: &[u8], at: usize) -> Result<[u8; N], Unusual> {
    bytes.get(at..).and_then(|rest| rest.first_chunk()).copied().ok_or(Unusual)
}

/// A table of FlatBuffers.
struct Table<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Table<'a> {
    fn root(bytes: &'a [u8]) -> Result<Self, Unusual> {
        Ok(Self { bytes, at: u32::from_le_bytes(bytes_at(bytes, 0)?) as usize })
    }

    /// Where the field at a position of the schema is; `None` if the table does not have it.
    fn field(&self, position: usize) -> Result<Option<usize>, Unusual> {
        let back = i64::from(i32::from_le_bytes(bytes_at(self.bytes, self.at)?));
        let at = i64::try_from(self.at).map_err(|_large| Unusual)?;
        let entries = at.checked_sub(back).and_then(|at| usize::try_from(at).ok()).ok_or(Unusual)?;
        let entry = 4 + 2 * position;
        if entry + 2 > usize::from(u16::from_le_bytes(bytes_at(self.bytes, entries)?)) {
            return Ok(None);
        }
        let at = entries.checked_add(entry).ok_or(Unusual)?;
        Ok(match u16::from_le_bytes(bytes_at(self.bytes, at)?) {
            0 => None,
            offset => Some(self.at.checked_add(offset.into()).ok_or(Unusual)?),
        })
    }

    /// The bytes of a number.
    fn value<const N: usize>(&self, position: usize) -> Result<Option<[u8; N]>, Unusual> {
        self.field(position)?.map(|at| bytes_at(self.bytes, at)).transpose()
    }

    /// What an offset at a position of the bytes points to.
    fn target(&self, at: usize) -> Result<usize, Unusual> {
        let offset = u32::from_le_bytes(bytes_at(self.bytes, at)?) as usize;
        at.checked_add(offset).ok_or(Unusual)
    }

    /// Where the elements of a vector begin, and how many there are.
    fn vector(&self, position: usize) -> Result<Option<(usize, usize)>, Unusual> {
        let Some(at) = self.field(position)? else { return Ok(None) };
        let start = self.target(at)?;
        let length = u32::from_le_bytes(bytes_at(self.bytes, start)?) as usize;
        Ok(Some((start.checked_add(4).ok_or(Unusual)?, length)))
    }
}

#[cfg(test)]
mod tests {
    use gdal::{
        DriverManager,
        spatial_ref::SpatialRef,
        vector::{FieldValue, LayerAccess, LayerOptions, OGRFieldType, OGRwkbGeometryType},
    };

    use super::*;

    /// A file of GDAL's with the instants as a second column, behind a text and before another text.
    fn file(folder: &Path, name: &str, instants: &[Option<&str>]) -> std::path::PathBuf {
        let path = folder.join(name);
        let mut dataset = DriverManager::get_driver_by_name("FlatGeobuf").unwrap().create_vector_only(&path);
        let dataset = dataset.as_mut().unwrap();
        let wgs84 = SpatialRef::from_epsg(4326).unwrap();
        let options = LayerOptions {
            name: "a",
            srs: Some(&wgs84),
            ty: OGRwkbGeometryType::wkbPoint,
            ..LayerOptions::default()
        };
        let layer = dataset.create_layer(options).unwrap();
        let fields = [
            ("x", OGRFieldType::OFTString),
            ("day", OGRFieldType::OFTDateTime),
            ("n", OGRFieldType::OFTInteger64),
            ("late", OGRFieldType::OFTDateTime),
        ];
        layer.create_defn_fields(&fields).unwrap();
        for (number, instant) in (0..).zip(instants) {
            let mut feature = gdal::vector::Feature::new(layer.defn()).unwrap();
            feature.set_geometry(gdal::vector::Geometry::from_wkt("POINT (106 10)").unwrap()).unwrap();
            feature.set_field(0, &FieldValue::StringValue("Nguyễn".into())).unwrap();
            feature.set_field(2, &FieldValue::Integer64Value(number)).unwrap();
            if let Some(text) = instant {
                feature.set_field(1, &FieldValue::StringValue((*text).into())).unwrap();
            }
            feature.set_field(3, &FieldValue::StringValue("2025/07/01 08:30:00".into())).unwrap();
            feature.create(&layer).unwrap();
        }
        path
    }

    #[test]
    fn columns_of_midnights_are_found_whatever_the_number_of_features() {
        let folder = tempfile::tempdir().unwrap();
        for count in [1, 2, 15, 16, 17, 256, 257, 300] {
            let instants: Vec<_> = (0..count).map(|i| (i % 3 > 0).then_some("2025/07/01 00:00:00")).collect();
            let days = days(&file(folder.path(), &format!("{count}.fgb"), &instants)).unwrap();
            let values = instants.iter().flatten().count() as u64;
            assert_eq!(days, BTreeMap::from([(1, values)]), "{count}");
        }
    }

    #[test]
    fn another_time_is_no_day_and_unusual_forms_are_left_to_gdal() {
        let folder = tempfile::tempdir().unwrap();
        let day = Some("2025/07/01 00:00:00");
        for (name, last, expected) in [
            ("late", "2025/07/01 00:00:01", Some(BTreeMap::new())),
            ("zone", "2025/07/01 00:00:00+07", None),
            ("fraction", "2025/07/01 00:00:00.250", None),
        ] {
            let path = file(folder.path(), &format!("{name}.fgb"), &[day, None, Some(last)]);
            assert_eq!(days(&path), expected, "{name}");
        }
    }

    #[test]
    fn no_bytes_make_it_panic_or_read_for_ever() {
        let folder = tempfile::tempdir().unwrap();
        let whole = std::fs::read(file(folder.path(), "a.fgb", &[Some("2025/07/01 00:00:00"); 3])).unwrap();
        assert!(days_of(whole.as_slice()).is_ok());
        for at in 0..whole.len() {
            let cut = days_of(&whole[..at]);
            assert!(cut.is_err() || cut.is_ok_and(|days| days.values().all(|count| *count < 3)), "{at}");
            for value in [0, 1, 0x7F, 0x80, 0xFF] {
                let mut changed = whole.clone();
                changed[at] = value;
                let _ = days_of(changed.as_slice());
            }
        }
    }
}
