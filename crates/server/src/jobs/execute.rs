//! Starts a job, and does its work.

use std::sync::Arc;

use axum::{
    body::Bytes,
    extract::{FromRequest, Request, State},
    http::{StatusCode, header},
    response::IntoResponse,
};
use chrono::Utc;
use citymap_engine::{Cancel, OverlayError, OverlayOptions, Progress};
use citymap_output::{Output, OutputError};

use super::{Job, JobState, status::document};
use crate::{
    app::App,
    http::{
        problem::Problem,
        request::{HandlerResult, RequestContext},
        response::JSON,
    },
    processes::overlay::inputs::Inputs,
};

/// Pieces after which the length of a result is looked at.
const LOOK: u64 = 1 << 16;

/// `POST /api/processes/overlay/execution`: 201 with the place of the job. It always runs as a job, whatever `Prefer` says.
pub(crate) async fn execute(State(app): State<Arc<App>>, request: Request) -> HandlerResult {
    let (mut parts, body) = request.into_parts();
    let context =
        <RequestContext as axum::extract::FromRequestParts<Arc<App>>>::from_request_parts(&mut parts, &app)
            .await?;
    context.no_more_of(&[])?;
    let body = Bytes::from_request(Request::from_parts(parts, body), &app).await.map_err(|rejection| {
        if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE {
            Problem::too_large(app.config.limits.body_bytes_max)
        } else {
            Problem::body(format!("the body could not be read: {rejection}"))
        }
    })?;
    let inputs = Inputs::read(&body, &context.city_snapshot, &app.config.limits)?;
    // What cannot be laid over one another is refused here, not by a job that fails.
    inputs.overlay()?;
    let [a, b] = &inputs.layers;
    let name = format!("{}_{}.{}", a.layer().id, b.layer().id, inputs.format.ending());
    let job = app.overlays.open(context.city_snapshot.revision(), inputs.format, name)?;
    let answer = document(&job, &context.base());
    let place = context.base().url(&format!("/api/jobs/{}", job.id));
    let (own, shared) = (Arc::clone(&job), Arc::clone(&app));
    tokio::spawn(async move {
        let (work, jobs) = (Arc::clone(&own), Arc::clone(&shared));
        let cancel = own.cancel.clone();
        let outcome =
            shared.jobs.run_with(cancel, move |cancel| lay_over(&jobs, &work, &inputs, cancel)).await;
        if let Err(problem) = outcome {
            let message = problem.detail().to_owned();
            own.update(|status| {
                status.state = JobState::Failed;
                status.message = message;
            });
        }
    });
    let headers = [
        (header::CONTENT_TYPE, JSON.to_owned()),
        (header::LOCATION, place),
        (header::CACHE_CONTROL, "no-store".to_owned()),
    ];
    Ok((StatusCode::CREATED, headers, answer.to_string()).into_response())
}

/// The work of a job: writes its result and tells how far it is.
fn lay_over(app: &App, job: &Arc<Job>, inputs: &Inputs, cancel: &Cancel) -> Result<(), Problem> {
    let started = job.update(|status| {
        status.state = JobState::Running;
        status.started = Some(Utc::now());
        status.message = "features are laid over".to_owned();
    });
    if !started {
        return Ok(());
    }
    let overlay = inputs.overlay()?;
    let rows = citymap_output::pieces(&overlay, inputs.geometry);
    let most = app.overlays.left();
    let shapes = overlay.shapes();
    let mut file = Output::create(&job.file, inputs.format, rows.table()).map_err(failed)?;
    let progress = |now: Progress| {
        job.update(|status| {
            // What ends the file comes after the last feature.
            status.progress = (now.done * 99 / now.total.max(1)) as u8;
            status.message = format!("{} of {} features, {} pieces", now.done, now.total, now.pieces);
        });
    };
    let options = OverlayOptions { cancel: cancel.clone(), progress: Some(&progress) };
    let mut looked = 0;
    let outcome = overlay.run(&options, |pieces| {
        for piece in pieces {
            rows.write(&shapes, piece, &mut file)?;
        }
        if file.rows() - looked >= LOOK {
            looked = file.rows();
            if file.bytes() > most {
                return Err(SinkError::TooLarge);
            }
        }
        Ok(())
    });
    let summary = match outcome {
        Ok(summary) => summary,
        Err(OverlayError::Cancelled(_)) => {
            job.update(|status| {
                status.state = JobState::Dismissed;
                status.message = "cancelled; nothing is left of it".to_owned();
            });
            return Ok(());
        }
        Err(OverlayError::Engine(error)) => return Err(error.into()),
        Err(OverlayError::Sink(SinkError::Output(error))) => return Err(failed(error)),
        Err(OverlayError::Sink(SinkError::TooLarge)) => {
            return Err(Problem::unavailable(
                format!(
                    "the result is larger than {most} bytes; ask for fewer features, or without geometry"
                ),
                60,
            ));
        }
        Err(error) => return Err(Problem::internal(error.to_string())),
    };
    file.finish().map_err(failed)?;
    let bytes = std::fs::metadata(&job.file).map_or(0, |found| found.len());
    let told = job.update(|status| {
        status.state = JobState::Successful;
        status.progress = 100;
        status.message = format!("{} pieces", summary.pieces);
        status.summary = Some(summary);
        status.bytes = bytes;
    });
    if !told {
        // Dismissed at the last moment.
        super::remove_file(job);
    }
    Ok(())
}

/// Why the result is not written on.
#[derive(Debug, thiserror::Error)]
enum SinkError {
    #[error(transparent)]
    Output(#[from] OutputError),
    #[error("the result is too large")]
    TooLarge,
}

/// A failure of the disk: the path is nobody's business.
fn failed(error: OutputError) -> Problem {
    tracing::error!(%error, "the result of a job could not be written");
    Problem::unavailable("the result could not be written; the server's log says why", 60)
}
