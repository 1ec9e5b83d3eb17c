//! Writes merged features to a layer of a tile.

use rustc_hash::FxHashMap;

use crate::{
    EXTENT,
    cut::rings::Rings,
    mvt::pbf::{self, Commands},
};

/// The attribute with the number of features that a merged one stands for.
pub(crate) const COUNT_KEY: &str = "_count";

/// A bit in the ids of merged features that no stored feature's id has.
pub(crate) const MERGED_ID: u64 = 1 << 52;

/// A layer of merged features under construction. Each has its class and the number of features that it
/// stands for.
#[derive(Default)]
pub(crate) struct MergedLayer {
    features: Vec<u8>,
    values: Vec<u8>,
    classes: FxHashMap<Box<[u8]>, u32>,
    counts: FxHashMap<u32, u32>,
    next: u32,
    commands: Vec<u8>,
    tags: Vec<u8>,
    /// Number of features written so far.
    pub(crate) len: u64,
}

impl MergedLayer {
    fn value(&mut self, wire: &[u8]) -> u32 {
        pbf::bytes(&mut self.values, 4, wire);
        self.next += 1;
        self.next - 1
    }

    /// Adds polygons. `class` is its value as on the wire; empty for none.
    pub(crate) fn polygons(&mut self, id: Option<u64>, class: &[u8], count: u32, rings: &Rings) {
        self.commands.clear();
        let mut commands = Commands::new(&mut self.commands);
        rings.iter().for_each(|ring| commands.ring(ring));
        self.feature(id, class, count, 3);
    }

    /// Adds a feature with other geometry, whose commands `write` writes.
    pub(crate) fn other(&mut self, id: u64, class: &[u8], kind: u8, write: impl FnOnce(&mut Commands<'_>)) {
        self.commands.clear();
        write(&mut Commands::new(&mut self.commands));
        self.feature(Some(id), class, 1, kind);
    }

    fn feature(&mut self, id: Option<u64>, class: &[u8], count: u32, kind: u8) {
        self.tags.clear();
        if !class.is_empty() {
            let number = match self.classes.get(class) {
                Some(&number) => number,
                None => {
                    let number = self.value(class);
                    self.classes.insert(class.into(), number);
                    number
                }
            };
            self.tags.push(1);
            pbf::varint(&mut self.tags, number.into());
        }
        let number = match self.counts.get(&count) {
            Some(&number) => number,
            None => {
                let mut wire = Vec::with_capacity(6);
                pbf::key(&mut wire, 5, pbf::VARINT);
                pbf::varint(&mut wire, count.into());
                let number = self.value(&wire);
                self.counts.insert(count, number);
                number
            }
        };
        self.tags.push(0);
        pbf::varint(&mut self.tags, number.into());
        let mut len = 2 + 1 + pbf::varint_len(self.tags.len() as u64) + self.tags.len();
        len += 1 + pbf::varint_len(self.commands.len() as u64) + self.commands.len();
        len += id.map_or(0, |id| 1 + pbf::varint_len(id));
        let out = &mut self.features;
        pbf::key(out, 2, pbf::BYTES);
        pbf::varint(out, len as u64);
        if let Some(id) = id {
            pbf::key(out, 1, pbf::VARINT);
            pbf::varint(out, id);
        }
        pbf::bytes(out, 2, &self.tags);
        pbf::key(out, 3, pbf::VARINT);
        pbf::varint(out, kind.into());
        pbf::bytes(out, 4, &self.commands);
        self.len += 1;
    }

    /// Appends the layer to a tile unless it is empty.
    pub(crate) fn finish(&self, name: &str, class: Option<&str>, out: &mut Vec<u8>) {
        if self.features.is_empty() {
            return;
        }
        let mut head = Vec::with_capacity(name.len() + 8);
        pbf::key(&mut head, 15, pbf::VARINT);
        pbf::varint(&mut head, 2);
        pbf::bytes(&mut head, 1, name.as_bytes());
        let mut tail = Vec::with_capacity(64);
        pbf::bytes(&mut tail, 3, COUNT_KEY.as_bytes());
        if let Some(class) = class.filter(|_| !self.classes.is_empty()) {
            pbf::bytes(&mut tail, 3, class.as_bytes());
        }
        let mut end = Vec::with_capacity(4);
        pbf::key(&mut end, 5, pbf::VARINT);
        pbf::varint(&mut end, u64::from(EXTENT));
        let parts = [&head, &self.features, &tail, &self.values, &end];
        pbf::key(out, 3, pbf::BYTES);
        pbf::varint(out, parts.iter().map(|part| part.len() as u64).sum());
        parts.iter().for_each(|part| out.extend_from_slice(part));
    }
}
