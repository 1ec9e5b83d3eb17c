//! One change set: a transaction on one connection, from the writers' lock to the commit.

use chrono::{DateTime, Utc};
use citymap_model::{
    CommitMeta, Feature, Fid, Layer, LayerChange, LayerId, Mode, NewFeature, Revision, RevisionNumber,
};
use sqlx::Row as _;

use super::{
    commit::WRITER_LOCK,
    connect::Database,
    editor::LayerEditor,
    entry::{self, Entry},
    publish, schema,
    session::Session,
    writer::LayerWriter,
};
use crate::{
    Edit, Put, StoreError, Transaction,
    columns::FID,
    turn::{self, Call},
};

/// What the transaction has turned to.
enum Turn {
    None,
    Writes(Box<LayerWriter>),
    Edits(Box<LayerEditor>),
    /// A layer that was dropped.
    Drops(LayerChange),
}

/// Holds the writers' lock until it is committed or dropped.
pub(super) struct PostgisTransaction<'a> {
    session: Session<'a>,
    meta: CommitMeta,
    number: i64,
    token: String,
    changes: Vec<LayerChange>,
    /// The number of features of the layer after each change.
    counts: Vec<u64>,
    turn: Turn,
    /// Whether a call has failed: then nothing may become a revision.
    broken: bool,
    over: bool,
}

impl<'a> PostgisTransaction<'a> {
    /// Waits for the writer before, at most [`crate::Pool::writer_wait`], then begins the next revision.
    pub(super) fn begin(database: &'a Database, meta: CommitMeta) -> Result<Self, StoreError> {
        let mut session = Session::open(database)?;
        let wait = database.pool().writer_wait.as_millis().max(1);
        let begun = session.batch(format!(
            "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE; SET LOCAL statement_timeout = 0; \
             SET LOCAL idle_in_transaction_session_timeout = 0; SET LOCAL lock_timeout = {wait}; \
             SET LOCAL client_min_messages = warning; SELECT pg_advisory_xact_lock({WRITER_LOCK})"
        ));
        let opened = begun.and_then(|()| open_revision(&mut session, &meta));
        let (number, token) = match opened {
            Ok(opened) => opened,
            Err(error) => {
                session.roll_back(None);
                return Err(error);
            }
        };
        Ok(Self {
            session,
            meta,
            number,
            token,
            changes: Vec::new(),
            counts: Vec::new(),
            turn: Turn::None,
            broken: false,
            over: false,
        })
    }

    fn turn_away(&mut self) -> Result<(), StoreError> {
        let (change, count) = match std::mem::replace(&mut self.turn, Turn::None) {
            Turn::None => return Ok(()),
            Turn::Writes(writer) => writer.finish(&mut self.session)?,
            Turn::Edits(editor) => editor.finish(&mut self.session)?,
            Turn::Drops(change) => (change, 0),
        };
        self.changes.push(change);
        self.counts.push(count);
        Ok(())
    }

    fn turn_to(&mut self, layer: &Layer, mode: Mode) -> Result<(), StoreError> {
        self.turn_away()?;
        self.turn = match mode {
            Mode::Edit => Turn::Edits(Box::new(LayerEditor::open(&mut self.session, layer, self.number)?)),
            Mode::Drop => Turn::Drops(self.drop_layer(layer)?),
            mode => Turn::Writes(Box::new(LayerWriter::open(&mut self.session, layer, mode, self.number)?)),
        };
        Ok(())
    }

    /// Drops a layer; its features go to the history.
    fn drop_layer(&mut self, layer: &Layer) -> Result<LayerChange, StoreError> {
        let session = &mut self.session;
        let id = &layer.id;
        let entry = entry::load(session, id)?.ok_or_else(|| StoreError::NoLayer(id.clone()))?;
        publish::lock(session, &entry)?;
        let (shape, number) = (entry.shape(), self.number);
        let found = session.numbers(format!("SELECT count(*) FROM {}", shape.live()), &[])?;
        publish::keep_all(session, &entry, number, entry.revision == number)?;
        publish::refuse_views(session, layer)?;
        session.batch(publish::SWAP_WAIT)?;
        session.batch(schema::drop(layer))?;
        session.ask(async |conn| {
            sqlx::query(
                "DELETE FROM citymap.layer WHERE id = \
                $1",
            )
            .bind(id.as_str())
            .execute(&mut *conn)
            .await?;
            sqlx::query(
                "INSERT INTO citymap.layer_version (layer, revision, columns, spatial, generation, history) \
                 VALUES ($1, $2, '{}', false, $3, $4) ON CONFLICT (layer, revision) DO UPDATE SET \
                 definition = NULL",
            )
            .bind(id.as_str())
            .bind(number)
            .bind(entry.generation)
            .bind(&entry.history)
            .execute(conn)
            .await
            .map(|_| ())
        })?;
        let removed = found.map_or(0, |found| found[0]).try_into().unwrap_or(0);
        Ok(LayerChange { removed, ..turn::no_change(id, Mode::Drop) })
    }

    /// Writes the revision to the log and commits. `other` is a revision of another store that this one
    /// repeats.
    fn finish(&mut self, other: Option<&Revision>) -> Result<Revision, StoreError> {
        self.turn_away()?;
        let changes = match other {
            Some(revision) => revision.changes.clone(),
            None => std::mem::take(&mut self.changes),
        };
        let counts = match other {
            Some(_) => self.counts_of(&changes)?,
            None => std::mem::take(&mut self.counts),
        };
        let number = self.number;
        let given = other.map(|revision| revision.time);
        let meta = other.map_or(&self.meta, |revision| &revision.meta);
        let time: DateTime<Utc> = self.session.ask(async |conn| {
            for (position, (change, count)) in (0i32..).zip(changes.iter().zip(&counts)) {
                sqlx::query("INSERT INTO citymap.change VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)")
                    .bind(number)
                    .bind(position)
                    .bind(change.layer.as_str())
                    .bind(change.mode.as_str())
                    .bind(signed(change.added))
                    .bind(signed(change.changed))
                    .bind(signed(change.removed))
                    .bind(signed(change.rejected))
                    .bind(signed(*count))
                    .execute(&mut *conn)
                    .await?;
            }
            let row = sqlx::query(
                "UPDATE citymap.revision SET open = false, author = $2, message = $3, source = $4, \
                 source_sha256 = $5, time = coalesce($6, greatest(date_trunc('milliseconds', \
                 clock_timestamp()), (SELECT max(b.time) FROM citymap.revision b WHERE b.number < $1))) \
                 WHERE number = $1 RETURNING time",
            )
            .bind(number)
            .bind(&meta.author)
            .bind(&meta.message)
            .bind(&meta.source)
            .bind(&meta.source_sha256)
            .bind(given)
            .fetch_one(&mut *conn)
            .await?;
            sqlx::query(
                "SELECT pg_notify('citymap', \
                $1::text)",
            )
            .bind(number.to_string())
            .execute(conn)
            .await?;
            row.try_get(0)
        })?;
        self.over = true;
        self.session.commit(&self.token)?;
        let meta = meta.clone();
        Ok(Revision { number: self.number(), time, meta, changes })
    }

    /// The counts of the layers that another store's revision changed. They are marked as touched by this
    /// revision even if nothing happened to them here.
    fn counts_of(&mut self, changes: &[LayerChange]) -> Result<Vec<u64>, StoreError> {
        let mut counts = Vec::with_capacity(changes.len());
        for change in changes {
            counts.push(entry::load(&mut self.session, &change.layer)?.map_or(0, |entry| entry.count));
            let (id, number) = (change.layer.as_str(), self.number);
            self.session.ask(async |conn| {
                sqlx::query("UPDATE citymap.layer SET revision = $2 WHERE id = $1")
                    .bind(id)
                    .bind(number)
                    .execute(conn)
                    .await
            })?;
        }
        Ok(counts)
    }

    fn number(&self) -> RevisionNumber {
        self.number.try_into().unwrap_or(0)
    }

    /// The error for a feature before the first layer: a mistake in the program, not in the data.
    fn without_layer(&self) -> StoreError {
        StoreError::database(
            self.session.database.location().to_owned(),
            "a feature came before its layer, a mistake in the program".to_owned(),
        )
    }

    fn broken(&self) -> StoreError {
        StoreError::database(
            self.session.database.location().to_owned(),
            "the change set failed half way, and nothing of it was committed".to_owned(),
        )
    }

    fn settle<T>(&mut self, outcome: Result<T, StoreError>) -> Result<T, StoreError> {
        self.broken |= outcome.is_err();
        outcome
    }

    fn find(&mut self, layer: &LayerId, fid: Fid) -> Result<Option<Feature>, StoreError> {
        let (entry, table) = match &mut self.turn {
            Turn::Writes(writer) if writer.entry().layer.id == *layer => {
                (writer.entry().clone(), writer.table(&mut self.session)?)
            }
            Turn::Edits(editor) if editor.entry().layer.id == *layer => {
                editor.flush(&mut self.session)?;
                (editor.entry().clone(), editor.entry().shape().live())
            }
            _ => {
                let entry = self.entry(layer)?;
                let table = entry.shape().live();
                (entry, table)
            }
        };
        let shape = entry.shape();
        let list = shape.list(|column| format!("t.{column}"));
        let sql = format!("SELECT {list} FROM {table} t WHERE t.{FID} = $1");
        let row = self.session.ask(async |conn| {
            sqlx::query(sqlx::AssertSqlSafe(sql)).persistent(false).bind(fid).fetch_optional(conn).await
        })?;
        let Some(row) = row else { return Ok(None) };
        shape.whole_feature(&row, fid, 0).map(Some).map_err(|problem| {
            StoreError::database(
                self.session.database.location().to_owned(),
                format!("layer `{layer}`, feature {fid}{}", problem.0),
            )
        })
    }

    fn entry(&mut self, layer: &LayerId) -> Result<Entry, StoreError> {
        // The connection is busy while rows of another layer are being sent.
        if let Turn::Writes(writer) = &mut self.turn {
            writer.flush(&mut self.session)?;
        }
        entry::load(&mut self.session, layer)?.ok_or_else(|| StoreError::NoLayer(layer.clone()))
    }
}

/// The error of a call that does not go with the mode of the turn.
fn misused(session: &Session<'_>, entry: &Entry, mode: Mode, call: Call) -> StoreError {
    match turn::check_call(&entry.layer, mode, call) {
        Err(error) => error,
        Ok(()) => StoreError::database(
            session.database.location(),
            format!("mode {mode:?} takes no {call:?}, a mistake in the program"),
        ),
    }
}

/// The number and the token of a new revision.
fn open_revision(session: &mut Session<'_>, meta: &CommitMeta) -> Result<(i64, String), StoreError> {
    session.ask(async |conn| {
        let row = sqlx::query(
            "INSERT INTO citymap.revision (number, time, author, message, token, open) SELECT \
             coalesce(max(number), 0) + 1, clock_timestamp(), $1, $2, gen_random_uuid(), true FROM \
             citymap.revision RETURNING number, token::text, set_config('search_path', 'pg_catalog, ' || \
             citymap.postgis_schema(), true), set_config('role', (SELECT pg_get_userbyid(relowner)::text \
             FROM pg_class WHERE oid = 'citymap.layer'::regclass), true), set_config('maintenance_work_mem', \
             greatest(524288, pg_size_bytes(current_setting('maintenance_work_mem')) / 1024)::text || 'kB', \
             true), set_config('work_mem', greatest(131072, pg_size_bytes(current_setting('work_mem')) / \
             1024)::text || 'kB', true)",
        )
        .bind(&meta.author)
        .bind(&meta.message)
        .fetch_one(conn)
        .await?;
        Ok((row.try_get(0)?, row.try_get(1)?))
    })
}

fn signed(number: u64) -> i64 {
    number.try_into().unwrap_or(i64::MAX)
}

impl Transaction for PostgisTransaction<'_> {
    fn number(&self) -> RevisionNumber {
        self.number()
    }

    fn layer(&mut self, layer: &Layer, mode: Mode) -> Result<(), StoreError> {
        if self.broken {
            return Err(self.broken());
        }
        let outcome = self.turn_to(layer, mode);
        self.settle(outcome)
    }

    fn put(&mut self, feature: NewFeature) -> Result<Put, StoreError> {
        let outcome = match &mut self.turn {
            Turn::Writes(writer) => writer.put(&mut self.session, feature),
            Turn::Edits(editor) => Err(misused(&self.session, editor.entry(), Mode::Edit, Call::Put)),
            Turn::Drops(_) | Turn::None => return Err(self.without_layer()),
        };
        self.settle(outcome)
    }

    fn put_at(&mut self, fid: Fid, feature: NewFeature) -> Result<Put, StoreError> {
        let outcome = match &mut self.turn {
            Turn::Writes(writer) => writer.put_at(&mut self.session, fid, feature),
            Turn::Edits(editor) => Err(misused(&self.session, editor.entry(), Mode::Edit, Call::PutAt)),
            Turn::Drops(_) | Turn::None => return Err(self.without_layer()),
        };
        self.settle(outcome)
    }

    fn edit(&mut self, edit: Edit) -> Result<Put, StoreError> {
        let outcome = match &mut self.turn {
            Turn::Edits(editor) => editor.edit(&mut self.session, edit),
            Turn::Writes(writer) => Err(misused(&self.session, writer.entry(), writer.mode(), Call::Edit)),
            Turn::Drops(_) | Turn::None => return Err(self.without_layer()),
        };
        self.settle(outcome)
    }

    fn feature(&mut self, layer: &LayerId, fid: Fid) -> Result<Option<Feature>, StoreError> {
        let outcome = self.find(layer, fid);
        if matches!(outcome, Err(StoreError::NoLayer(_))) {
            return outcome;
        }
        self.settle(outcome)
    }

    fn definition(&mut self, layer: &LayerId) -> Result<Option<Layer>, StoreError> {
        match &self.turn {
            Turn::Writes(writer) if writer.entry().layer.id == *layer => {
                return Ok(Some(writer.entry().layer.clone()));
            }
            Turn::Edits(editor) if editor.entry().layer.id == *layer => {
                return Ok(Some(editor.entry().layer.clone()));
            }
            _ => {}
        }
        match self.entry(layer) {
            Ok(entry) => Ok(Some(entry.layer)),
            Err(StoreError::NoLayer(_)) => Ok(None),
            Err(error) => self.settle(Err(error)),
        }
    }

    fn rejected(&mut self, count: u64) -> Result<(), StoreError> {
        match &mut self.turn {
            Turn::Writes(writer) => writer.rejected(count),
            Turn::Edits(editor) => editor.rejected(count),
            Turn::Drops(change) => change.rejected += count,
            Turn::None => return Err(self.without_layer()),
        }
        Ok(())
    }

    fn changes(&mut self) -> Result<Vec<LayerChange>, StoreError> {
        if self.broken {
            return Err(self.broken());
        }
        let outcome = self.turn_away();
        self.settle(outcome)?;
        Ok(self.changes.clone())
    }

    fn commit(mut self: Box<Self>) -> Result<Revision, StoreError> {
        if self.broken {
            return Err(self.broken());
        }
        self.finish(None)
    }

    fn commit_as(mut self: Box<Self>, revision: &Revision) -> Result<(), StoreError> {
        if self.broken {
            return Err(self.broken());
        }
        if revision.number != self.number() {
            return Err(StoreError::database(
                self.session.database.location().to_owned(),
                format!(
                    "revision {} cannot come next here, {} does; copy into an empty city",
                    revision.number,
                    self.number()
                ),
            ));
        }
        self.finish(Some(revision)).map(|_| ())
    }
}

impl Drop for PostgisTransaction<'_> {
    fn drop(&mut self) {
        if self.over {
            return;
        }
        let copying = match &mut self.turn {
            Turn::Writes(writer) => writer.stop(),
            _ => None,
        };
        self.session.roll_back(copying);
    }
}
