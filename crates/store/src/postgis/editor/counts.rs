//! What a turn did, counted at its end: what was done and undone within it does not count.

use citymap_model::Fid;
use sqlx::{AssertSqlSafe, Row as _};

use crate::{
    StoreError,
    columns::{FID, quoted},
    postgis::{entry::Entry, publish, schema, session::Session},
};

/// How many features were added, changed and removed.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Counts {
    pub(super) added: u64,
    pub(super) changed: u64,
    pub(super) removed: u64,
}

impl Counts {
    /// Whether nothing was done.
    pub(super) fn is_zero(self) -> bool {
        self.added + self.changed + self.removed == 0
    }

    /// Counts what a turn did by what it has written to the history, and cleans the history of what was
    /// undone.
    pub(super) fn settled(session: &mut Session<'_>, entry: &Entry) -> Result<Self, StoreError> {
        let (id, revision) = (entry.layer.id.as_str(), entry.revision);
        session.ask(async |conn| {
            let row = sqlx::query("SELECT added, changed, removed FROM citymap.settle($1, $2)")
                .bind(id)
                .bind(revision)
                .fetch_one(conn)
                .await?;
            let number =
                |index: usize| Ok::<_, sqlx::Error>(row.try_get::<i64, _>(index)?.try_into().unwrap_or(0));
            Ok(Self { added: number(0)?, changed: number(1)?, removed: number(2)? })
        })
    }
}

/// Features as they were before a turn. They are needed for counting if an earlier turn of the same revision
/// has already written to the history.
#[derive(Debug, Default)]
pub(super) struct Remembered(Option<String>);

impl Remembered {
    /// Remembers the features with these numbers, and which of them do not exist, before they are edited for
    /// the first time.
    pub(super) fn add(
        &mut self,
        session: &mut Session<'_>,
        entry: &Entry,
        touched: &[Fid],
    ) -> Result<(), StoreError> {
        if self.0.is_none() {
            self.0 = Some(create(session, entry)?);
        }
        let sql = format!(
            "INSERT INTO pg_temp.{} ({FID}, revision{}) SELECT t.{FID}, l.{FID} IS NOT NULL{} \
             FROM unnest($1::bigint[]) AS t ({FID}) LEFT JOIN {} l ON l.{FID} = t.{FID} ON CONFLICT DO \
             NOTHING",
            quoted(self.0.as_deref().unwrap_or_default()),
            entry.list(""),
            entry.list("l."),
            entry.shape().live()
        );
        session.ask(async |conn| {
            sqlx::query(AssertSqlSafe(sql)).persistent(false).bind(touched).execute(conn).await.map(|_| ())
        })
    }

    /// Counts what became of the remembered features, and forgets them; `None` if none were remembered.
    pub(super) fn count(
        self,
        session: &mut Session<'_>,
        entry: &Entry,
    ) -> Result<Option<Counts>, StoreError> {
        let Some(name) = self.0 else { return Ok(None) };
        let found = session.numbers(
            format!(
                "SELECT count(*) FILTER (WHERE NOT b.revision AND l.{FID} IS NOT NULL), \
                 count(*) FILTER (WHERE b.revision AND l.{FID} IS NOT NULL \
                 AND ROW(l.{FID}{})::record *<> ROW(b.{FID}{})::record), \
                 count(*) FILTER (WHERE b.revision AND l.{FID} IS NULL) \
                 FROM pg_temp.{} b LEFT JOIN {} l ON l.{FID} = b.{FID}",
                entry.list("l."),
                entry.list("b."),
                quoted(&name),
                entry.shape().live()
            ),
            &[],
        )?;
        session.batch(format!("DROP TABLE pg_temp.{}", quoted(&name)))?;
        let number = |index: usize| {
            found.as_ref().and_then(|found| u64::try_from(found[index]).ok()).unwrap_or_default()
        };
        Ok(Some(Counts { added: number(0), changed: number(1), removed: number(2) }))
    }
}

/// Creates the temporary table of a layer's columns, with whether each feature existed. `revision` is a name
/// that no field's column has.
fn create(session: &mut Session<'_>, entry: &Entry) -> Result<String, StoreError> {
    let name = schema::unique(&entry.layer, publish::next_name(session)?);
    session.batch(format!(
        "CREATE TEMPORARY TABLE {} ON COMMIT DROP AS SELECT {FID}, true AS revision{} FROM {} WHERE false",
        quoted(&name),
        entry.list(""),
        entry.shape().live()
    ))?;
    session.batch(format!("ALTER TABLE pg_temp.{} ADD PRIMARY KEY ({FID})", quoted(&name)))?;
    if entry.spatial() {
        session.batch(format!("ALTER TABLE pg_temp.{} ALTER COLUMN geom TYPE geometry", quoted(&name)))?;
    }
    Ok(name)
}
