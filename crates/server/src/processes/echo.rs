//! The process `echo` gives back what it is sent: for clients and test suites that try how processes work
//! here.

use citymap_engine::Cancel;
use citymap_live::CitySnapshot;
use serde_json::{Map, Value, json};

use super::process::{Description, ExecuteRequest, Execution, Input, Process, ResponseForm};
use crate::{
    config::Limits,
    http::{problem::Problem, response::JSON},
    jobs::job::{Job, ResultFile},
};

/// The name of the input and of the output.
const MESSAGE: &str = "message";

fn message_schema() -> Value {
    json!({"type": "string"})
}

const INPUTS: &[Input] = &[Input {
    name: MESSAGE,
    title: "Any text",
    required: true,
    schema: message_schema,
    openapi: message_schema,
}];

/// The process `echo`: a text in, the same text out.
pub(crate) struct EchoProcess;

impl Process for EchoProcess {
    fn id(&self) -> &'static str {
        "echo"
    }

    fn describe(&self) -> Description {
        Description {
            title: "Echo",
            description: "Gives back the text that it is sent, to try how processes work here",
            start: "Send a text and get it back; with Prefer: respond-async as a job",
            summary: "What an echo takes and gives",
            inputs: INPUTS,
            quick: true,
            outputs: json!({MESSAGE: {"title": "The same text", "schema": message_schema()}}),
        }
    }

    fn example(&self, _layer: &str) -> Value {
        json!({"inputs": {MESSAGE: "xin chào"}})
    }

    fn read_inputs(
        &self,
        request: &ExecuteRequest<'_>,
        _city: &CitySnapshot,
        _limits: &Limits,
    ) -> Result<Box<dyn Execution>, Problem> {
        let Some(Value::String(message)) = request.inputs.get(MESSAGE) else {
            return Err(Problem::body(format!("`{MESSAGE}` must be a text; send {}", self.example(""))));
        };
        let value = Value::from(message.as_str());
        let result = match request.response {
            ResponseForm::Raw => value,
            ResponseForm::Document => json!({MESSAGE: value}),
        };
        Ok(Box::new(Echo(result.to_string().into_bytes())))
    }
}

/// The result as JSON.
struct Echo(Vec<u8>);

impl Execution for Echo {
    fn at_once(&self) -> Option<Vec<u8>> {
        Some(self.0.clone())
    }

    fn result(&self) -> ResultFile {
        let name = "echo.json".to_owned();
        ResultFile { media_type: JSON, name, extension: "json", referred_as: None }
    }

    fn run(&self, job: &Job, bytes_max: u64, _cancel: &Cancel) -> Result<(), Problem> {
        if self.0.len() as u64 > bytes_max {
            return Err(Problem::unavailable("the disk space for results is used up; try again later", 300));
        }
        std::fs::write(&job.file, &self.0)
            .map_err(|error| Problem::internal(format!("the result could not be written: {error}")))?;
        job.succeed("done".to_owned(), Map::new());
        Ok(())
    }
}
