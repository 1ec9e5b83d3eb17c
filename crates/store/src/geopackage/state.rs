//! A layer as of one revision: its table, less what the history says has happened since.

use citymap_model::{Feature, Fid, RevisionNumber};
use rusqlite::Connection;

use super::{
    decode::Decoder,
    entry::{self, Entry},
    failure::Failure,
    history,
    undo::{Undo, Was},
};
use crate::columns::quoted;

/// Features that are read together.
pub(super) const CHUNK: usize = 1024;

/// If the wanted features are farther apart than this on average, they are queried one by one, else read in
/// one scan.
const SPARSE: i64 = 4;

/// A layer as of one revision.
pub(super) struct State<'c> {
    conn: &'c Connection,
    entry: &'c Entry,
    /// The layer's own table, if it holds this generation.
    live: Option<Source>,
    former: Source,
    undo: Undo,
}

/// A table with features, and the column by which they are found in it.
struct Source {
    /// Selects fid, geometry, values and, last, the key column.
    select: String,
    key: &'static str,
}

impl Source {
    fn live(entry: &Entry) -> Self {
        let id = quoted(entry.layer.id.as_str());
        Self { select: format!("SELECT {}, \"fid\" FROM {id}", entry::columns(entry)), key: "\"fid\"" }
    }

    fn former(entry: &Entry) -> Self {
        let mut columns = "fid, geom".to_owned();
        for index in 0..entry.columns.len() {
            columns.push_str(&format!(", c{index}"));
        }
        let table = quoted(&history::table(entry.generation));
        Self { select: format!("SELECT {columns}, rowid FROM {table}"), key: "rowid" }
    }
}

impl<'c> State<'c> {
    /// The state of `entry`, the layer as of `revision`; `live` is the layer as its table holds it, as of
    /// revision `newest`.
    pub(super) fn open(
        conn: &'c Connection,
        entry: &'c Entry,
        live: Option<&Entry>,
        revision: RevisionNumber,
        newest: RevisionNumber,
    ) -> Result<Self, Failure> {
        let undo = Undo::read(conn, entry.generation, revision, newest)?;
        Ok(Self::with(conn, entry, live, undo))
    }

    /// The same with an undo log that was already read, or with the part of it that will be needed.
    pub(super) fn with(conn: &'c Connection, entry: &'c Entry, live: Option<&Entry>, undo: Undo) -> Self {
        let live = live.filter(|live| live.generation == entry.generation).map(|_| Source::live(entry));
        Self { conn, entry, live, former: Source::former(entry), undo }
    }

    /// All features in the order of their numbers.
    pub(super) fn features(&self) -> Features<'_, 'c> {
        Features { state: self, chunk: Vec::new().into_iter(), after: None, ended: false }
    }

    /// The features with these ascending numbers; `None` for those that do not exist.
    pub(super) fn get(&self, fids: &[Fid]) -> Result<Vec<Option<Feature>>, Failure> {
        let mut found: Vec<Option<Feature>> = fids.iter().map(|_| None).collect();
        let (mut live, mut former) = (Vec::new(), Vec::new());
        for (place, fid) in fids.iter().enumerate() {
            match self.undo.at(*fid) {
                Was::Row(row) => former.push((row, place)),
                Was::Untouched => live.push((*fid, place)),
                Was::Absent => {}
            }
        }
        let mut put = |place: usize, feature| found[place] = Some(feature);
        if let Some(source) = &self.live {
            self.pick(source, live, &mut put)?;
        }
        self.pick(&self.former, former, &mut put)?;
        Ok(found)
    }

    /// The next features with numbers above `after`, and the number up to which the list is complete.
    fn above(&self, after: Option<Fid>) -> Result<(Vec<Feature>, Fid), Failure> {
        let mut features = Vec::with_capacity(CHUNK);
        let mut last = Fid::MAX;
        if let Some(Source { select, key }) = &self.live {
            let decoder = Decoder::new(self.entry);
            let sql = format!("{select} WHERE {key} >= ?1 ORDER BY {key} LIMIT {CHUNK}");
            let mut statement = self.conn.prepare_cached(&sql)?;
            let from = after.map_or(Fid::MIN, |after| after.saturating_add(1));
            let mut rows = statement.query([from])?;
            let mut seen = 0;
            while let Some(row) = rows.next()? {
                seen += 1;
                let fid = row.get(0)?;
                if seen == CHUNK {
                    last = fid;
                }
                if self.undo.at(fid) == Was::Untouched {
                    features.push(decoder.feature(row)?);
                }
            }
        } else if let Some((fid, _)) = self.undo.former(after, Fid::MAX).nth(CHUNK - 1) {
            last = fid;
        }
        let wanted: Vec<(i64, usize)> = self.undo.former(after, last).map(|(_, row)| row).zip(0..).collect();
        if !wanted.is_empty() {
            self.pick(&self.former, wanted, &mut |_, feature| features.push(feature))?;
            features.sort_by_key(|feature| feature.fid);
        }
        Ok((features, last))
    }

    /// Hands over the features of a table that have these keys, each with the position given with its key.
    fn pick(
        &self,
        source: &Source,
        mut wanted: Vec<(i64, usize)>,
        put: &mut dyn FnMut(usize, Feature),
    ) -> Result<(), Failure> {
        wanted.sort_unstable();
        let (Some((first, _)), Some((last, _))) = (wanted.first(), wanted.last()) else { return Ok(()) };
        let Source { select, key } = source;
        let decoder = Decoder::new(self.entry);
        let many = i64::try_from(wanted.len()).unwrap_or(i64::MAX).saturating_mul(SPARSE);
        if last.saturating_sub(*first) > many {
            let mut statement = self.conn.prepare_cached(&format!("{select} WHERE {key} = ?1"))?;
            for (wanted, place) in wanted {
                let mut rows = statement.query([wanted])?;
                if let Some(row) = rows.next()? {
                    put(place, decoder.feature(row)?);
                }
            }
            return Ok(());
        }
        let sql = format!("{select} WHERE {key} BETWEEN ?1 AND ?2 ORDER BY {key}");
        let mut statement = self.conn.prepare_cached(&sql)?;
        let mut rows = statement.query([*first, *last])?;
        let mut wanted = wanted.into_iter().peekable();
        while let Some(row) = rows.next()? {
            let found: i64 = row.get(self.entry.columns.len() + 2)?;
            while wanted.next_if(|(key, _)| *key < found).is_some() {}
            if let Some((_, place)) = wanted.next_if(|(key, _)| *key == found) {
                put(place, decoder.feature(row)?);
            }
        }
        Ok(())
    }
}

/// Iterates over the features of a layer as of one revision, in the order of their numbers.
pub(super) struct Features<'s, 'c> {
    state: &'s State<'c>,
    chunk: std::vec::IntoIter<Feature>,
    after: Option<Fid>,
    ended: bool,
}

impl Features<'_, '_> {
    /// The next feature in the order of numbers; `None` after the last one.
    pub(super) fn next(&mut self) -> Result<Option<Feature>, Failure> {
        loop {
            if let Some(feature) = self.chunk.next() {
                return Ok(Some(feature));
            }
            if self.ended {
                return Ok(None);
            }
            let (features, last) = self.state.above(self.after)?;
            self.chunk = features.into_iter();
            self.after = Some(last);
            self.ended = last == Fid::MAX;
        }
    }
}
