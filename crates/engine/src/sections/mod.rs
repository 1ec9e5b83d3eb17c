//! Stores a packed snapshot as named sections of bytes, and reads it back.
//!
//! The sections are the snapshot's own buffers in the byte order of this machine. Writing copies nothing, and
//! a snapshot that is read from a mapped file uses the file in place. The caller must make sure that the
//! sections are unchanged (with a checksum) and of the same [`FORMAT`]. Nevertheless every number that points
//! into a buffer is checked again: damage is an error here, never a panic later.

mod check;

use std::borrow::Cow;

use arrow_buffer::ArrowNativeType;
use bytes::Bytes;
use citymap_model::{FieldType, Layer, RevisionNumber};
use rayon::prelude::*;

use crate::{
    Bbox, Block, Buffer, Column, Dictionary, EngineError, LayerSnapshot,
    columns::{
        bits::Bits, block::BoxIndex, buffer::TextBuffer, column::Nulls, keys::KeyIndex, shapes::ShapeColumn,
        tree::Tree,
    },
};

/// Version of the sections. Increase it whenever their layout changes, or what is computed from the stored
/// data (projection, index, order of keys). Sections of another version cannot be read.
pub const FORMAT: u32 = 1;

/// A named run of bytes of a snapshot.
#[derive(Clone, Debug)]
pub struct Section<'a> {
    /// Name of the section, unique within the snapshot.
    pub name: String,
    /// The content in the byte order of this machine.
    pub bytes: Cow<'a, [u8]>,
}

/// Why sections are not those of a snapshot.
#[derive(Debug)]
pub(crate) struct Damage {
    section: String,
    reason: &'static str,
}

impl Damage {
    fn new(section: impl Into<String>, reason: &'static str) -> Self {
        Self { section: section.into(), reason }
    }
}

/// Reads sections as typed buffers.
struct SectionReader<'a>(&'a (dyn Fn(&str) -> Option<Bytes> + Sync));

impl SectionReader<'_> {
    /// The bytes of a section; empty if it is missing.
    fn bytes(&self, name: &str) -> Bytes {
        (self.0)(name).unwrap_or_default()
    }

    fn numbers<T: ArrowNativeType>(&self, name: &str) -> Result<Buffer<T>, Damage> {
        Buffer::from_bytes(self.bytes(name))
            .ok_or_else(|| Damage::new(name, "its length or alignment does not suit its numbers"))
    }

    /// A set of rows below `rows`.
    fn bits(&self, name: &str, rows: usize) -> Result<Bits, Damage> {
        let words = self.numbers::<u64>(name)?;
        Bits::from_words(words.to_vec(), rows)
            .ok_or_else(|| Damage::new(name, "it has bits for more rows than there are"))
    }
}

/// Collects the sections of a block.
#[derive(Default)]
struct SectionWriter<'a>(Vec<Section<'a>>);

impl<'a> SectionWriter<'a> {
    /// Adds a section unless it is empty.
    fn add(&mut self, name: impl Into<String>, bytes: &'a [u8]) {
        if !bytes.is_empty() {
            self.0.push(Section { name: name.into(), bytes: Cow::Borrowed(bytes) });
        }
    }

    fn bits(&mut self, name: impl Into<String>, bits: &Bits) {
        if !bits.is_empty() {
            let bytes: Vec<u8> = bits.words().iter().flat_map(|word| word.to_ne_bytes()).collect();
            self.0.push(Section { name: name.into(), bytes: Cow::Owned(bytes) });
        }
    }
}

impl LayerSnapshot {
    /// The snapshot as sections; `None` if it has a delta. Fold it in first with [`LayerSnapshot::merged`].
    pub fn sections(&self) -> Option<Vec<Section<'_>>> {
        (self.delta_len() == 0).then(|| self.base().sections())
    }

    /// Reads a snapshot from the sections that [`LayerSnapshot::sections`] returned for a snapshot with this
    /// definition and revision. `section` returns the bytes of a section by name, or `None` if it was not
    /// stored. Sections of numbers must begin at multiples of 8 in memory. Only one bit for each missing
    /// value is copied; everything is read once, in parallel.
    ///
    /// # Errors
    /// [`EngineError::Section`] if the sections are not those of a snapshot.
    pub fn from_sections(
        layer: Layer,
        revision: RevisionNumber,
        section: &(dyn Fn(&str) -> Option<Bytes> + Sync),
    ) -> Result<Self, EngineError> {
        match Block::from_sections(&layer, &SectionReader(section)) {
            Ok(base) => Ok(Self::packed(layer.into(), revision, base)),
            Err(Damage { section, reason }) => Err(EngineError::Section { layer: layer.id, section, reason }),
        }
    }

    /// The size in bytes of each part of the snapshot, by name. Parts of the delta have names that begin with
    /// `delta.`. Parts in a mapped file are counted too.
    pub fn memory(&self) -> Vec<(String, usize)> {
        let sized = |section: Section<'_>| (section.name, section.bytes.len());
        let base = self.base().sections().into_iter().map(sized);
        let over = self.delta().sections().into_iter().map(sized);
        let mut memory: Vec<_> =
            base.chain(over.map(|(name, bytes)| (format!("delta.{name}"), bytes))).collect();
        let hidden = size_of_val(self.delta.hidden.words());
        let rest = size_of_val(&*self.delta.flipped) + size_of_val(&*self.delta.stamps) + hidden;
        if rest > 0 {
            memory.push(("delta.marks".into(), rest));
        }
        memory
    }
}

impl Block {
    fn sections(&self) -> Vec<Section<'_>> {
        let mut out = SectionWriter::default();
        out.add("fids", self.fids.as_bytes());
        let shapes = &self.shapes;
        out.add("kinds", shapes.kinds.as_bytes());
        out.add("row_parts", shapes.row_parts.as_bytes());
        out.add("part_kinds", shapes.part_kinds.as_bytes());
        out.add("part_rings", shapes.part_rings.as_bytes());
        out.add("ring_coords", shapes.ring_coords.as_bytes());
        out.add("lonlat", shapes.lonlat.as_bytes());
        out.add("mercator", shapes.mercator.as_bytes());
        if let Some(tree) = &self.index.tree {
            out.add("tree", tree.as_bytes());
            out.add("tree.rows", self.index.rows.as_bytes());
        }
        out.add("keys", self.keys.order.as_bytes());
        out.bits("keys.repeated", &self.keys.repeated);
        for (number, column) in self.columns.iter().enumerate() {
            let name = |what: &str| format!("field.{number}.{what}");
            match column {
                Column::Bool(values) => out.add(name("values"), values.as_bytes()),
                Column::Int(values, nulls) => {
                    out.add(name("values"), values.as_bytes());
                    out.bits(name("nulls"), &nulls.0);
                }
                Column::Real(values, nulls) => {
                    out.add(name("values"), values.as_bytes());
                    out.bits(name("nulls"), &nulls.0);
                }
                Column::Text(codes, texts) => {
                    out.add(name("values"), codes.as_bytes());
                    out.add(name("texts"), texts.text.as_bytes());
                    out.add(name("ends"), texts.ends.as_bytes());
                }
                Column::Date(values) => out.add(name("values"), values.as_bytes()),
                Column::DateTime(values) => out.add(name("values"), values.as_bytes()),
            }
        }
        out.0
    }

    fn from_sections(layer: &Layer, reader: &SectionReader<'_>) -> Result<Self, Damage> {
        let fids = reader.numbers::<i64>("fids")?;
        let rows = fids.len();
        check::rows(&fids)?;
        let (columns, (shapes, (index, keys))) = rayon::join(
            || {
                let fields: Vec<_> = layer.fields.iter().enumerate().collect();
                let column = |(number, field): (usize, &citymap_model::Field)| {
                    column(reader, number, field.field_type, rows)
                };
                fields.into_par_iter().map(column).collect::<Result<Vec<Column>, Damage>>()
            },
            || {
                rayon::join(
                    || shapes(reader, rows),
                    || {
                        rayon::join(
                            || index(reader, rows),
                            || keys(reader, layer.key_index().is_some(), rows),
                        )
                    },
                )
            },
        );
        Ok(Self::new(fids, shapes?, columns?, keys?, index?))
    }
}

fn shapes(reader: &SectionReader<'_>, rows: usize) -> Result<ShapeColumn, Damage> {
    let shapes = ShapeColumn {
        kinds: reader.numbers("kinds")?,
        row_parts: reader.numbers("row_parts")?,
        part_kinds: reader.numbers("part_kinds")?,
        part_rings: reader.numbers("part_rings")?,
        ring_coords: reader.numbers("ring_coords")?,
        lonlat: reader.numbers("lonlat")?,
        mercator: reader.numbers("mercator")?,
    };
    check::shapes(&shapes, rows)?;
    Ok(shapes)
}

fn index(reader: &SectionReader<'_>, rows: usize) -> Result<BoxIndex, Damage> {
    let bytes = reader.bytes("tree");
    if bytes.is_empty() {
        return Ok(BoxIndex::default());
    }
    let tree = Tree::from_bytes(bytes).map_err(|reason| Damage::new("tree", reason))?;
    let item_rows = reader.numbers("tree.rows")?;
    check::index(&tree, &item_rows, rows)?;
    let [west, south, east, north] = tree.extent();
    Ok(BoxIndex { tree: Some(tree), rows: item_rows, extent: Some(Bbox::new(west, south, east, north)) })
}

fn keys(reader: &SectionReader<'_>, keyed: bool, rows: usize) -> Result<KeyIndex, Damage> {
    if !keyed {
        return Ok(KeyIndex::default());
    }
    let order = reader.numbers("keys")?;
    check::below(&order, rows).map_err(|reason| Damage::new("keys", reason))?;
    Ok(KeyIndex { order, repeated: reader.bits("keys.repeated", rows)? })
}

fn column(reader: &SectionReader<'_>, number: usize, kind: FieldType, rows: usize) -> Result<Column, Damage> {
    let name = |what: &str| format!("field.{number}.{what}");
    let values = name("values");
    let nulls = || Ok(Nulls(reader.bits(&name("nulls"), rows)?));
    let column = match kind {
        FieldType::Bool => Column::Bool(reader.numbers(&values)?),
        FieldType::Int => Column::Int(reader.numbers(&values)?, nulls()?),
        FieldType::Real => Column::Real(reader.numbers(&values)?, nulls()?),
        FieldType::Date => Column::Date(reader.numbers(&values)?),
        FieldType::DateTime => Column::DateTime(reader.numbers(&values)?),
        FieldType::Text => {
            let codes = reader.numbers(&values)?;
            let text = TextBuffer::from_bytes(reader.bytes(&name("texts")))
                .ok_or_else(|| Damage::new(name("texts"), "it is not UTF-8 text"))?;
            let texts = Dictionary { text, ends: reader.numbers(&name("ends"))? };
            check::texts(&codes, &texts).map_err(|reason| Damage::new(name("texts"), reason))?;
            Column::Text(codes, texts)
        }
    };
    if column.len() == rows { Ok(column) } else { Err(Damage::new(values, "it has another number of rows")) }
}
