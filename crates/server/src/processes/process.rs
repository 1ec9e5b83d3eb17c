//! What a process is: the interface between the routes and each kind of job.

use citymap_engine::Cancel;
use citymap_live::CitySnapshot;
use citymap_model::{AsOf, RevisionNumber};
use serde_json::{Map, Value, json};

use crate::{
    config::Limits,
    http::{problem::Problem, request::RequestContext},
    jobs::job::{Job, ResultFile},
};

/// A kind of work that runs as a job.
pub(crate) trait Process: Send + Sync {
    /// The name in the path: `/api/processes/{id}`.
    fn id(&self) -> &'static str;

    /// What the process is, takes and gives.
    fn describe(&self) -> Description;

    /// Members of the description that the standard does not have.
    fn additions(&self) -> Map<String, Value> {
        Map::new()
    }

    /// An execute request that works on a city whose first layer is `layer`, for the OpenAPI document.
    fn example(&self, layer: &str) -> Value;

    /// The state of the city that an execution reads, if its inputs name one; without it the newest.
    ///
    /// # Errors
    /// 400 if the input cannot be used.
    fn revision(&self, _inputs: &Map<String, Value>) -> Result<Option<AsOf>, Problem> {
        Ok(None)
    }

    /// The former revision of the city that an execution needs besides the newest, if it needs one. Reading
    /// the inputs gets that city.
    ///
    /// # Errors
    /// 400 with the input that cannot be used.
    fn former_revision(&self, _inputs: &Map<String, Value>) -> Result<Option<RevisionNumber>, Problem> {
        Ok(None)
    }

    /// Reads and checks an execute request. What can be refused is refused here, not by a job that fails.
    ///
    /// # Errors
    /// 400 with the input that cannot be used.
    fn read_inputs(
        &self,
        request: &ExecuteRequest<'_>,
        city: &CitySnapshot,
        limits: &Limits,
    ) -> Result<Box<dyn Execution>, Problem>;
}

/// An execute request whose members are known and of the right kind.
pub(crate) struct ExecuteRequest<'a> {
    /// The inputs, of which only those exist that the process has.
    pub(crate) inputs: &'a Map<String, Value>,
    pub(crate) response: ResponseForm,
    /// The request, with the city that the execution reads.
    pub(crate) context: &'a RequestContext,
    /// The city at [`Process::former_revision`].
    pub(crate) former: Option<CitySnapshot>,
}

/// The form of results that a client asks for with `response`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ResponseForm {
    /// The value of the output, in its own media type.
    Raw,
    /// A JSON document with the outputs by name.
    Document,
}

/// One execution of a process, with its inputs.
pub(crate) trait Execution: Send {
    /// The result, for a process that [`Description::quick`] declares: it is at hand without a job.
    fn at_once(&self) -> Option<Vec<u8>> {
        None
    }

    /// Whether the result is made while the client waits ([`Execution::make`]), unless it prefers a job.
    fn is_brief(&self) -> bool {
        false
    }

    /// Makes the result of an execution that is brief.
    ///
    /// # Errors
    /// The problem that is answered.
    fn make(&self, _cancel: &Cancel) -> Result<Vec<u8>, Problem> {
        Err(Problem::internal("this process runs as a job only"))
    }

    /// The file that it will make.
    fn result(&self) -> ResultFile;

    /// Does the work: writes `job.file`, at most `bytes_max` bytes, and keeps the job's status up to date.
    ///
    /// # Errors
    /// The problem whose detail becomes the message of the failed job.
    fn run(&self, job: &Job, bytes_max: u64, cancel: &Cancel) -> Result<(), Problem>;
}

/// What a process is, takes and gives.
pub(crate) struct Description {
    pub(crate) title: &'static str,
    pub(crate) description: &'static str,
    /// One line of what starting it does, for the OpenAPI document.
    pub(crate) start: &'static str,
    /// One line of what its description says, for the OpenAPI document.
    pub(crate) summary: &'static str,
    pub(crate) inputs: &'static [Input],
    /// Whether the result is at hand at once, so that clients get it without a job unless they prefer one.
    pub(crate) quick: bool,
    /// The outputs by name, as OGC API – Processes describes them.
    pub(crate) outputs: Value,
}

/// One input of a process: read by name, described once.
pub(crate) struct Input {
    pub(crate) name: &'static str,
    pub(crate) title: &'static str,
    pub(crate) required: bool,
    /// The JSON Schema of the process description.
    pub(crate) schema: fn() -> Value,
    /// The JSON Schema in the OpenAPI document, which must not use what OpenAPI 3.0 does not have.
    pub(crate) openapi: fn() -> Value,
}

impl Input {
    /// The input as OGC API – Processes describes it.
    pub(super) fn describe(&self) -> Value {
        json!({
            "title": self.title, "minOccurs": u8::from(self.required), "maxOccurs": 1,
                "schema": (self.schema)(),
        })
    }
}
