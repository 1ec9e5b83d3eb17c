//! A layer as of one revision: its table, less what happened since.

use citymap_model::{Feature, Fid, RevisionNumber};
use rusqlite::Connection;

use super::{
    catalogue::{self, Entry},
    decode::Decoder,
    failure::Failure,
    history,
    undo::{Undo, Was},
};
use crate::columns::quoted;

/// Features that are read together.
pub(super) const CHUNK: usize = 1024;

/// Features are picked one by one where they lie farther apart than this on average, else read in one sweep.
const SPARSE: i64 = 4;

/// A layer as of one revision.
pub(super) struct State<'c> {
    conn: &'c Connection,
    entry: &'c Entry,
    /// Whether the layer's table holds this generation.
    live: bool,
    undo: Undo,
}

impl<'c> State<'c> {
    /// The state of `entry`, which is the layer's as of `revision`; `live` is what the layer's table holds as of
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

    /// The same, where what happened since is known, or as much of it as is asked for.
    pub(super) fn with(conn: &'c Connection, entry: &'c Entry, live: Option<&Entry>, undo: Undo) -> Self {
        let live = live.is_some_and(|live| live.generation == entry.generation);
        Self { conn, entry, live, undo }
    }

    /// All features, by number.
    pub(super) fn features(&self) -> Features<'_, 'c> {
        Features { state: self, chunk: Vec::new().into_iter(), after: None, ended: false }
    }

    /// The features with these ascending numbers; `None` for those that are not there.
    pub(super) fn get(&self, fids: &[Fid]) -> Result<Vec<Option<Feature>>, Failure> {
        let decoder = Decoder::new(self.entry);
        let mut found: Vec<Option<Feature>> = Vec::with_capacity(fids.len());
        let mut live = Vec::new();
        for (place, fid) in fids.iter().enumerate() {
            found.push(None);
            match self.undo.at(*fid) {
                Was::Row(row) => found[place] = self.former(&decoder, row)?,
                Was::Untouched if self.live => live.push(place),
                Was::Untouched | Was::Absent => {}
            }
        }
        let (Some(first), Some(last)) = (live.first(), live.last()) else { return Ok(found) };
        let (first, last) = (fids[*first], fids[*last]);
        let sql = catalogue::select(self.entry);
        let sparse =
            i64::try_from(live.len()).unwrap_or(i64::MAX).saturating_mul(SPARSE) < last.saturating_sub(first);
        if sparse {
            let mut statement = self.conn.prepare_cached(&format!("{sql} WHERE \"fid\" = ?1"))?;
            for place in live {
                let mut rows = statement.query([fids[place]])?;
                found[place] = rows.next()?.map(|row| decoder.feature(row)).transpose()?;
            }
            return Ok(found);
        }
        let mut statement =
            self.conn.prepare_cached(&format!("{sql} WHERE \"fid\" BETWEEN ?1 AND ?2 ORDER BY \"fid\""))?;
        let mut rows = statement.query([first, last])?;
        let mut live = live.into_iter().peekable();
        while let Some(row) = rows.next()? {
            let fid: Fid = row.get(0)?;
            while live.next_if(|place| fids[*place] < fid).is_some() {}
            if let Some(place) = live.next_if(|place| fids[*place] == fid) {
                found[place] = Some(decoder.feature(row)?);
            }
        }
        Ok(found)
    }

    /// Some of the features with numbers above `after`, and the number up to which they are all there are.
    fn above(&self, after: Option<Fid>) -> Result<(Vec<Feature>, Fid), Failure> {
        let decoder = Decoder::new(self.entry);
        let mut features = Vec::with_capacity(CHUNK);
        let mut last = Fid::MAX;
        if self.live {
            let mut statement = self.conn.prepare_cached(&format!(
                "{} WHERE \"fid\" >= ?1 ORDER BY \"fid\" LIMIT {CHUNK}",
                catalogue::select(self.entry)
            ))?;
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
        let untouched = features.len();
        for (_, row) in self.undo.former(after, last) {
            features.extend(self.former(&decoder, row)?);
        }
        if untouched > 0 && untouched < features.len() {
            features.sort_by_key(|feature| feature.fid);
        }
        Ok((features, last))
    }

    /// A row of the history.
    fn former(&self, decoder: &Decoder<'_>, row: i64) -> Result<Option<Feature>, Failure> {
        let mut sql = "SELECT fid, geom".to_owned();
        for index in 0..self.entry.columns.len() {
            sql.push_str(&format!(", c{index}"));
        }
        sql.push_str(&format!(" FROM {} WHERE rowid = ?1", quoted(&history::table(self.entry.generation))));
        let mut statement = self.conn.prepare_cached(&sql)?;
        let mut rows = statement.query([row])?;
        rows.next()?.map(|row| decoder.feature(row)).transpose()
    }
}

/// All features of a layer as of one revision, by number.
pub(super) struct Features<'s, 'c> {
    state: &'s State<'c>,
    chunk: std::vec::IntoIter<Feature>,
    after: Option<Fid>,
    ended: bool,
}

impl Features<'_, '_> {
    /// The next feature.
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
