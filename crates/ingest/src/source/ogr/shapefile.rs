//! Shapefiles: several files whose records belong together by their position.
//!
//! GDAL counts features by the `.dbf` alone and passes over what only one part has. Here the parts are held
//! against each other before GDAL opens them: a shape without a row gets a row without values, a row without
//! a shape becomes a feature without geometry, and a note gives the counts.

use std::{
    fs::{self, File},
    io::{self, BufReader, Read, Seek, SeekFrom, Write},
    os::unix::fs::symlink,
    path::{Path, PathBuf},
};

use citymap_model::counted;
use tempfile::TempDir;

use super::{
    dbf,
    prepare::{Charset, Way},
};
use crate::source::parts::{beside, sides};

/// The bytes before the first record of a `.shp` or `.shx`.
const HEAD: u64 = 100;

/// The rows of a table that have no shape, to be read after the shapes.
pub(super) struct RowsBeyond {
    /// The `.dbf` on its own, where GDAL sees no shapes beside it.
    pub table: PathBuf,
    /// The first row without a shape, from 0.
    pub first: u64,
}

/// What a `.dbf` says in its head.
struct DbfHead {
    rows: u64,
    head: u64,
    row: u64,
}

impl Way {
    /// A Shapefile by its bytes, unless its `.cpg` or `.dbf` names an encoding that is GDAL's to convert.
    /// What GDAL would not find or would pass over is mended in a folder of links and copies.
    pub(super) fn shapefile(&mut self, path: &Path, notes: &mut Vec<String>) -> io::Result<()> {
        let parts: Vec<(&str, PathBuf)> =
            sides(path).iter().filter_map(|side| Some((*side, beside(path, side)?))).collect();
        let part = |side: &str| parts.iter().find(|(own, _)| *own == side).map(|(_, path)| path.as_path());
        let walked = || shapes_by_walk(path);
        let (shapes, index) = match part("shx") {
            None => {
                notes.push("the .shx file is missing; it was made again from the .shp".into());
                let (shapes, is_cut) = walked()?;
                if is_cut {
                    self.opener.incomplete = true;
                    notes.push(format!(
                        "the .shp ends inside a shape after {}; it is cut off, and what follows is missing: \
                         get it again",
                        counted(shapes, "whole one", "whole ones")
                    ));
                }
                (shapes, false)
            }
            Some(shx) => {
                let listed = shapes_by_index(shx)?;
                if shapes_follow(path, shx, listed)? {
                    let (shapes, _) = walked()?;
                    notes.push(format!(
                        "the .shx file lists {listed} of {}; it was made again from the .shp",
                        counted(shapes, "shape", "shapes")
                    ));
                    (shapes, false)
                } else {
                    (listed, true)
                }
            }
        };
        let dbf = part("dbf");
        let mut rows = None;
        match dbf {
            None => notes.push("the .dbf file is missing: the layer has geometry and no attributes".into()),
            Some(dbf) => {
                self.declare(charset(dbf, part("cpg"), notes)?);
                self.opener.dbf = Some(dbf::Source::dbf(dbf.to_owned()));
                rows = DbfHead::of(dbf)?;
            }
        }
        self.by_bytes();
        let short = rows.as_ref().filter(|head| head.rows < shapes);
        if let Some(head) = short {
            self.opener.incomplete = true;
            let (more, rows) = (shapes - head.rows, head.rows);
            notes.push(format!(
                "the .shp holds {} and the .dbf {}: the last {} read without values",
                counted(shapes, "shape", "shapes"),
                counted(rows, "row", "rows"),
                counted(more, "shape was", "shapes were")
            ));
        }
        self.opener.records = Some(rows.as_ref().map_or(shapes, |head| head.rows.max(shapes)));
        let found = is_found_by_gdal(path) && parts.iter().all(|(side, part)| stands(path, side, part));
        if !found || !index || short.is_some() {
            let folder = tempfile::tempdir()?;
            let name = |side: &str| in_folder(&folder, path, side);
            link(path, &name("shp"))?;
            for (side, part) in parts.iter().filter(|(side, _)| index || *side != "shx") {
                match short {
                    Some(head) if *side == "dbf" => head.lengthen(part, &name(side), shapes)?,
                    _ => link(part, &name(side))?,
                }
            }
            self.opener.path = name("shp");
            if !index {
                self.opener.config.push(("SHAPE_RESTORE_SHX", "YES"));
            }
            self.opener.keep(folder);
        }
        if let (Some(head), Some(dbf)) = (rows, dbf)
            && head.rows > shapes
        {
            self.opener.incomplete = true;
            notes.push(format!(
                "the .dbf holds {} and the .shp {}: the last {} read without geometry",
                counted(head.rows, "row", "rows"),
                counted(shapes, "shape", "shapes"),
                counted(head.rows - shapes, "row was", "rows were")
            ));
            let folder = tempfile::tempdir()?;
            let table = in_folder(&folder, path, "dbf");
            link(dbf, &table)?;
            self.opener.rows_beyond = Some(RowsBeyond { table, first: shapes });
            self.opener.keep(folder);
        }
        Ok(())
    }

    /// A `.dbf` without shapes: a table.
    pub(super) fn table(&mut self, path: &Path, notes: &mut Vec<String>) -> io::Result<()> {
        self.declare(charset(path, beside(path, "cpg").as_deref(), notes)?);
        self.opener.dbf = Some(dbf::Source::dbf(path.to_owned()));
        self.by_bytes();
        self.opener.records = DbfHead::of(path)?.map(|head| head.rows);
        if !is_found_by_gdal(path) {
            let folder = tempfile::tempdir()?;
            self.opener.path = in_folder(&folder, path, "dbf");
            link(path, &self.opener.path)?;
            self.opener.keep(folder);
        }
        Ok(())
    }

    /// One byte, one character: nothing is lost, and the bytes come back from it.
    fn by_bytes(&mut self) {
        if self.declared.by_bytes {
            self.opener.options.push("ENCODING=ISO-8859-1".into());
        }
    }
}

/// What the file declares of its encoding, unless its texts plainly are something else: programs declare
/// the page of the machine whatever the text is in.
fn charset(dbf: &Path, cpg: Option<&Path>, notes: &mut Vec<String>) -> io::Result<Charset> {
    let said = Charset::of_dbf(dbf, cpg)?;
    if let Charset::Foreign(how) = &said
        && let Some(plain) = dbf::plain_encoding(dbf)?
    {
        notes.push(format!(
            "{how}, but the texts are {plain} and were read as that; if they are wrong, give the encoding \
             with --encoding"
        ));
        return Ok(Charset::Unsaid);
    }
    Ok(said)
}

impl DbfHead {
    /// The head of a `.dbf`; none of a file that is too short to have one, which GDAL refuses.
    fn of(dbf: &Path) -> io::Result<Option<Self>> {
        let mut head = [0; 32];
        let mut file = File::open(dbf)?;
        if file.metadata()?.len() < 32 {
            return Ok(None);
        }
        file.read_exact(&mut head)?;
        Ok(Some(Self {
            rows: u64::from(u32::from_le_bytes([head[4], head[5], head[6], head[7]])),
            head: u64::from(u16::from_le_bytes([head[8], head[9]])),
            row: u64::from(u16::from_le_bytes([head[10], head[11]])),
        }))
    }

    /// A copy with rows without values at its end, `count` rows in all.
    fn lengthen(&self, dbf: &Path, copy: &Path, count: u64) -> io::Result<()> {
        let mut source = BufReader::new(File::open(dbf)?);
        let mut copy = io::BufWriter::new(File::create(copy)?);
        let mut head = Vec::new();
        source.by_ref().take(self.head).read_to_end(&mut head)?;
        if let (Some(slot), Ok(count)) = (head.get_mut(4..8), u32::try_from(count)) {
            slot.copy_from_slice(&count.to_le_bytes());
        }
        copy.write_all(&head)?;
        io::copy(&mut source.take(self.rows * self.row), &mut copy)?;
        let blank = self.blank(&head);
        for _ in self.rows..count {
            copy.write_all(&blank)?;
        }
        copy.write_all(&[0x1A])?;
        copy.flush()
    }

    /// A row in which no field has a value: blanks, and `?` where the field is true or false.
    fn blank(&self, head: &[u8]) -> Vec<u8> {
        let mut row = vec![b' '; usize::try_from(self.row).unwrap_or_default()];
        let mut at = 1;
        for field in head.get(32..).unwrap_or_default().chunks_exact(32).take_while(|f| f[0] != 0x0D) {
            let width = usize::from(field[16]);
            if field[11] == b'L'
                && let Some(slot) = row.get_mut(at..at + width)
            {
                slot.fill(b'?');
            }
            at += width;
        }
        row
    }
}

/// How many shapes an index lists.
fn shapes_by_index(shx: &Path) -> io::Result<u64> {
    Ok(fs::metadata(shx)?.len().saturating_sub(HEAD) / 8)
}

/// How many whole records a `.shp` holds, and whether it ends inside another one.
fn shapes_by_walk(shp: &Path) -> io::Result<(u64, bool)> {
    let end = fs::metadata(shp)?.len();
    let mut file = BufReader::new(File::open(shp)?);
    file.seek(SeekFrom::Start(HEAD))?;
    let (mut at, mut count) = (HEAD, 0);
    while at + 8 <= end {
        let (_, length) = record_head(&mut file)?;
        at += 8 + length;
        if at > end {
            return Ok((count, true));
        }
        count += 1;
        file.seek_relative(i64::try_from(length).unwrap_or(i64::MAX))?;
    }
    Ok((count, at < end))
}

/// The number of a record, from 1, and the bytes of its content.
fn record_head(file: &mut impl Read) -> io::Result<(u64, u64)> {
    let mut head = [0; 8];
    file.read_exact(&mut head)?;
    let number = |bytes: [u8; 4]| u64::from(u32::from_be_bytes(bytes));
    let [a, b, c, d, e, f, g, h] = head;
    Ok((number([a, b, c, d]), 2 * number([e, f, g, h])))
}

/// Whether the next record stands in the `.shp` behind the last one that the index lists.
fn shapes_follow(shp: &Path, shx: &Path, listed: u64) -> io::Result<bool> {
    let mut end = HEAD;
    if listed > 0 {
        let mut index = File::open(shx)?;
        index.seek(SeekFrom::Start(HEAD + 8 * (listed - 1)))?;
        let (offset, length) = record_head(&mut index)?;
        end = 2 * offset + 8 + length;
    }
    if end + 12 > fs::metadata(shp)?.len() {
        return Ok(false);
    }
    let mut file = File::open(shp)?;
    file.seek(SeekFrom::Start(end))?;
    Ok(record_head(&mut file)?.0 == listed + 1)
}

/// Whether GDAL takes the file for what it is: it knows extensions in one case only.
fn is_found_by_gdal(path: &Path) -> bool {
    path.extension().is_some_and(|own| {
        let own = own.to_string_lossy();
        own == own.to_lowercase() || own == own.to_uppercase()
    })
}

/// Whether GDAL finds a part where it is.
fn stands(path: &Path, side: &str, part: &Path) -> bool {
    [side.to_owned(), side.to_uppercase()].iter().any(|side| path.with_extension(side) == part)
}

/// The place of a part in a folder of its own, under the name of the source.
fn in_folder(folder: &TempDir, path: &Path, side: &str) -> PathBuf {
    folder.path().join(path.file_stem().unwrap_or_default()).with_added_extension(side)
}

fn link(file: &Path, at: &Path) -> io::Result<()> {
    symlink(std::path::absolute(file)?, at)
}
