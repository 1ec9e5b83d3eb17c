//! From a checked request to a revision: edits are prepared, written and answered, once for each
//! `Idempotency-Key`.

use std::sync::Arc;

use citymap_edit::{AppliedEdit, ApplyError, PreparedEdit};
use citymap_live::{Decision, Live, Written};
use citymap_model::{CommitMeta, RevisionNumber};
use serde_json::{Value, json};

use super::{
    idempotency::{Answered, Key},
    refusal,
};
use crate::http::{problem::Problem, request::RequestContext};

/// What a request asks to write.
pub(crate) struct WriteTask {
    pub(crate) meta: CommitMeta,
    /// The key by which a repeat of the request is recognised.
    pub(crate) key: Option<Key>,
    pub(crate) edits: Box<dyn RequestedEdits>,
}

/// The edits of a request, as its body gives them: the edit of one feature, or those of a batch.
pub(crate) trait RequestedEdits: Send {
    /// Reads the edits against their layers.
    ///
    /// # Errors
    /// The edits that cannot be made, by position.
    fn prepare(&self) -> Result<Vec<PreparedEdit>, Vec<(usize, Problem)>>;

    /// The document that answers.
    fn document(&self, applied: &[AppliedEdit], revision: RevisionNumber) -> Value;
}

/// What came of a request to write.
pub(crate) enum WriteOutcome {
    /// The edits are a revision; the document that answers names it.
    Written(Vec<AppliedEdit>, Answered),
    /// An earlier request with the same key was written and answered with this.
    Repeated(Answered),
    /// Nothing was written, because these edits cannot be made (by their position in the request).
    Refused(Vec<(usize, Problem)>),
}

/// Writes the edits of a request as one revision, off the threads that serve clients.
///
/// # Errors
/// The store or the pool failed. Whether anything was written may then be unknown.
pub(crate) async fn write(context: &RequestContext, task: WriteTask) -> Result<WriteOutcome, Problem> {
    let live = Arc::clone(&context.app.live);
    let outcome = context.app.write_pool.run(move || task.run(&live)).await?;
    if let WriteOutcome::Written(_, answered) | WriteOutcome::Repeated(answered) = &outcome {
        context.revision_header.set(answered.revision);
    }
    Ok(outcome)
}

impl WriteTask {
    /// Writes the edits, or finds the answer to an earlier request with the same key. Blocks.
    fn run(self, live: &Live) -> Result<WriteOutcome, Problem> {
        let Self { meta, key, edits } = self;
        let store = live.store();
        let Some(key) = key else { return commit(live, meta, None, edits.as_ref()) };
        if let Some(answered) = key.begin(store)? {
            return Ok(WriteOutcome::Repeated(answered));
        }
        let outcome = commit(live, meta, Some(&key), edits.as_ref());
        match &outcome {
            Ok(WriteOutcome::Written(_, answered)) => key.finish(store, answered),
            Ok(WriteOutcome::Repeated(answered)) if answered.document.is_none() => {
                return Ok(WriteOutcome::Repeated(key.wait(store, answered.revision)?));
            }
            Ok(WriteOutcome::Repeated(_)) => {}
            Ok(WriteOutcome::Refused(_)) => key.withdraw(store),
            // If the record went away, it is unknown whether the edits were written: the key must stay.
            Err(problem) if problem.status().is_server_error() => {}
            Err(_) => key.withdraw(store),
        }
        outcome
    }
}

/// Commits the edits, unless an earlier request with the same key has committed them or some of them are
/// refused.
fn commit(
    live: &Live,
    meta: CommitMeta,
    key: Option<&Key>,
    edits: &dyn RequestedEdits,
) -> Result<WriteOutcome, Problem> {
    let prepared = match edits.prepare() {
        Ok(prepared) => prepared,
        Err(refused) => return Ok(WriteOutcome::Refused(refused)),
    };
    let written = live.write_or_abandon(meta, |transaction| -> Result<_, Problem> {
        if let Some(answered) = key.map(|key| key.committed(live.store())).transpose()?.flatten() {
            return Ok(Decision::Abandon(WriteOutcome::Repeated(answered)));
        }
        match citymap_edit::apply(transaction, &live.snapshot().city, prepared) {
            Ok(applied) => Ok(Decision::Commit(applied)),
            Err(ApplyError::Refused(refused)) => {
                let problems = refused
                    .iter()
                    .map(|(position, refusal)| (*position, refusal::problem(refusal)))
                    .collect();
                Ok(Decision::Abandon(WriteOutcome::Refused(problems)))
            }
            Err(ApplyError::Store(error)) => Err(error.into()),
            Err(error) => Err(Problem::internal(error.to_string())),
        }
    })?;
    Ok(match written {
        Written::Abandoned(outcome) => outcome,
        Written::Committed(mut applied, revision) => {
            let snapshot = live.snapshot();
            if snapshot.revision() >= revision.number {
                citymap_edit::settle_ids(&mut applied, &snapshot.city);
            }
            let document = Some(edits.document(&applied, revision.number));
            WriteOutcome::Written(applied, Answered { revision: revision.number, document })
        }
    })
}

/// What an edit has done, as answers say it.
pub(crate) fn summary(edit: &AppliedEdit) -> Value {
    json!({
        "op": edit.kind.as_str(),
        "layer": edit.layer.as_str(),
        "id": edit.id.to_json(),
        "fid": edit.fid,
        "etag": edit.tag.as_ref().map(|tag| format!("\"{tag}\"")),
    })
}
