//! The overlay of two layers as a job: the pieces that their features share, written to a file.

pub(super) mod inputs;

use citymap_engine::{Cancel, OverlayError, OverlayOptions, Progress, Summary};
use citymap_live::CitySnapshot;
use citymap_model::counted;
use citymap_output::{Output, OutputError};
use serde_json::{Map, Value, json};

use self::inputs::{INPUTS, OverlayInputs};
use super::process::{Description, ExecuteRequest, Execution, Process, ResponseForm};
use crate::{
    config::Limits,
    http::problem::Problem,
    jobs::job::{Job, ResultFile},
};

/// The number of pieces after which the size of the result is checked again.
const SIZE_CHECK_ROWS: u64 = 256;

/// The name of the output.
const PIECES: &str = "pieces";

/// The process `overlay`: two layers in, their pieces out.
pub(crate) struct OverlayProcess;

impl Process for OverlayProcess {
    fn id(&self) -> &'static str {
        "overlay"
    }

    fn describe(&self) -> Description {
        Description {
            title: "Lay one layer on another",
            description: "What each feature of one layer shares with each of the other, exactly, on the \
                home grid",
            start: "Lay one layer on another, as a job; one job runs at a time, few wait",
            summary: "What an overlay takes and gives",
            inputs: INPUTS,
            quick: false,
            outputs: json!({PIECES: {
                "title": "The pieces",
                "description": "A row for each feature of the first layer and each of the second that share \
                    an area, a length or \
                    points: both ids, both features' public fields, the measures, the shares, the shape \
                    (WGS 84)",
                "schema": {"oneOf": [
                    {"type": "string", "format": "binary",
                        "contentMediaType": "application/vnd.apache.parquet"},
                    {"type": "string", "format": "binary",
                        "contentMediaType": "application/geopackage+sqlite3"},
                    {"type": "string", "contentMediaType": "text/csv"},
                ]},
            }}),
        }
    }

    fn example(&self, layer: &str) -> Value {
        json!({"inputs": {"layer": layer, "with": layer, "format": "csv", "geometry": false}})
    }

    fn read_inputs(
        &self,
        request: &ExecuteRequest<'_>,
        city: &CitySnapshot,
        limits: &Limits,
    ) -> Result<Box<dyn Execution>, Problem> {
        let inputs = OverlayInputs::read(request.inputs, city, limits)?;
        // Layers that cannot be laid on one another are refused now.
        inputs.overlay()?;
        Ok(Box::new(OverlayExecution { inputs, response: request.response }))
    }
}

/// Why the writing of pieces ends early.
#[derive(Debug, thiserror::Error)]
enum SinkError {
    #[error(transparent)]
    Output(#[from] OutputError),
    #[error("the result is too large")]
    TooLarge,
}

/// An overlay that is to run, and the form in which its result is wanted.
struct OverlayExecution {
    inputs: OverlayInputs,
    response: ResponseForm,
}

impl Execution for OverlayExecution {
    fn result(&self) -> ResultFile {
        let [a, b] = &self.inputs.layers;
        let extension = self.inputs.format.ending();
        ResultFile {
            media_type: self.inputs.format.media_type(),
            name: format!("{}_{}.{extension}", a.layer().id, b.layer().id),
            extension,
            referred_as: (self.response == ResponseForm::Document).then_some(PIECES),
        }
    }

    fn run(&self, job: &Job, bytes_max: u64, cancel: &Cancel) -> Result<(), Problem> {
        let overlay = self.inputs.overlay()?;
        let rows = citymap_output::pieces(&overlay, self.inputs.geometry);
        let shapes = overlay.shapes();
        let mut file = Output::create(&job.file, self.inputs.format, rows.table()).map_err(write_failed)?;
        let progress = |now: Progress| {
            job.update(|status| {
                // The last percent is for what follows the last feature: closing the file.
                status.progress = (now.done * 99 / now.total.max(1)) as u8;
                status.message = format!(
                    "{} of {}, {}",
                    now.done,
                    counted(now.total, "feature", "features"),
                    counted(now.pieces, "piece", "pieces")
                );
            });
        };
        let options = OverlayOptions { cancel: cancel.clone(), progress: Some(&progress) };
        let mut checked = 0;
        let outcome = overlay.run(&options, |pieces| {
            for piece in pieces {
                rows.write(&shapes, piece, &mut file)?;
                if file.rows() - checked >= SIZE_CHECK_ROWS {
                    checked = file.rows();
                    if file.bytes() > bytes_max {
                        return Err(SinkError::TooLarge);
                    }
                }
            }
            if file.bytes() > bytes_max { Err(SinkError::TooLarge) } else { Ok(()) }
        });
        let summary = match outcome {
            Ok(summary) => summary,
            Err(OverlayError::Cancelled(_)) => {
                job.dismiss();
                return Ok(());
            }
            Err(OverlayError::Engine(error)) => return Err(error.into()),
            Err(OverlayError::Sink(SinkError::Output(error))) => return Err(write_failed(error)),
            Err(OverlayError::Sink(SinkError::TooLarge)) => {
                return Err(too_large(bytes_max));
            }
            Err(error) => return Err(Problem::internal(error.to_string())),
        };
        file.finish().map_err(write_failed)?;
        // What a format keeps until the end is in the file now.
        if std::fs::metadata(&job.file).is_ok_and(|found| found.len() > bytes_max) {
            job.remove_file();
            return Err(too_large(bytes_max));
        }
        job.succeed(counted(summary.pieces, "piece", "pieces"), figures(&summary));
        Ok(())
    }
}

fn figures(summary: &Summary) -> Map<String, Value> {
    let figures: [(&str, Value); 8] = [
        ("rowsA", summary.rows_a.into()),
        ("rowsB", summary.rows_b.into()),
        ("pairs", summary.pairs.into()),
        ("pieces", summary.pieces.into()),
        ("contacts", summary.contacts.into()),
        ("area", summary.area.into()),
        ("length", summary.length.into()),
        ("count", summary.count.into()),
    ];
    figures.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

/// The problem of a result that takes more than is left.
pub(super) fn too_large(bytes_max: u64) -> Problem {
    let advice = "ask for fewer features, or for a smaller area";
    Problem::unavailable(format!("the result is larger than {bytes_max} bytes; {advice}"), 60)
}

/// The problem of a disk that cannot be written; the path stays in the log.
pub(super) fn write_failed(error: OutputError) -> Problem {
    tracing::error!(error = &error as &dyn std::error::Error, "the result of a job could not be written");
    Problem::unavailable("the result could not be written; see the server's log", 60)
}
