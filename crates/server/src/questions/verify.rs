//! `/api/reports/verify`: whether a report on a parcel says what the record said, and what has changed since.

use std::sync::Arc;

use axum::{
    extract::{Request, State},
    http::StatusCode,
};
use citymap_engine::{Cancel, City, TimeInterval};
use citymap_live::CitySnapshot;
use citymap_model::{AsOf, RevisionNumber};
use citymap_planning::{Difference, ParcelReport, ReportChange, differences, report_hash, wording::id_text};
use serde::Serialize;
use serde_json::Value;

use super::{
    AnswerForm, Content, WorkSize, answer_as,
    report::{make, parcel, today},
    verify_page,
    within::json_body,
};
use crate::{
    app::App,
    http::{
        base, body,
        datetime::interval,
        negotiate::{DocumentFormat, Representation},
        parameters::{AS_OF, DATETIME, REPRESENTATION, Text},
        problem::Problem,
        query::{Declared, Parameter, query},
        request::{HandlerResult, RequestContext},
        response::JSON,
    },
};

static PARCEL: Parameter<Text> =
    Parameter::new("parcel", "The id of the parcel, as the report names it", Text).example("26743-12-45");

static LAYER: Parameter<Text> =
    Parameter::new("layer", "The layer of the parcel, as the report names it", Text)
        .component("report-layer");

static HASH: Parameter<Text> = Parameter::new(
    "hash",
    "The content hash of the report: `verification.hash`, 64 hexadecimal digits",
    Text,
)
.component("report-hash")
.example("2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae");

/// The parameters of this file, for the OpenAPI document.
pub(crate) static SHARED_PARAMETERS: [&dyn Declared; 3] = [&PARCEL, &LAYER, &HASH];

query! {
    /// The query of `GET /api/reports/verify`: what the link of a report holds.
    pub(crate) struct VerifyQuery {
        parcel: Option<String> = PARCEL,
        layer: Option<String> = LAYER,
        time: Option<TimeInterval> = DATETIME,
        hash: Option<String> = HASH,
        revision: Option<AsOf> = AS_OF,
        representation: Representation = REPRESENTATION,
    }
}

query! {
    /// The query of `POST /api/reports/verify`, whose report is in the body.
    pub(crate) struct VerifyDocumentQuery {
        representation: Representation = REPRESENTATION,
    }
}

/// The address that confirms a report, below the base URL of a server.
pub fn verification_link(base_url: &str, report: &ParcelReport) -> String {
    let time = report.valid_time.as_ref().map(|time| match (&time.start, &time.end) {
        (Some(start), Some(end)) if start == end => start.clone(),
        (start, end) => {
            let open = || "..".to_owned();
            format!("{}/{}", start.clone().unwrap_or_else(open), end.clone().unwrap_or_else(open))
        }
    });
    let (id, revision) = (id_text(&report.id), report.revision.to_string());
    let mut pairs = vec![("parcel", id.as_str()), ("layer", &report.layer), ("revision", &revision)];
    pairs.extend(time.as_deref().map(|time| ("datetime", time)));
    pairs.push(("hash", &report.verification.hash));
    format!("{}/api/reports/verify{}", base_url.trim_end_matches('/'), base::query(pairs))
}

/// What a report says of itself.
#[derive(Clone)]
struct Claim {
    parcel: String,
    layer: Option<String>,
    time: TimeInterval,
    hash: String,
    /// The whole report, where it was sent.
    document: Option<Value>,
}

/// Whether a report says what the record said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Verdict {
    /// It says what the record said.
    Confirmed,
    /// It says something else, or the record never had such a parcel or revision.
    Refused,
}

/// Why a report is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Reason {
    /// The record has no such revision, or does not reach back to it.
    Revision,
    /// The record had no such parcel at the revision.
    Parcel,
    /// The content is not what the record said.
    Content,
}

/// The answer about one report.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Verified {
    pub(super) result: Verdict,
    /// Only of a report that is refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) reason: Option<Reason>,
    /// Where the report that was sent is not as the record said.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) differences: Vec<Difference>,
    /// What the record said at the revision, for comparison with the paper.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) report: Option<ParcelReport>,
    /// The newest revision, at which `changes` ends.
    pub(super) newest_revision: RevisionNumber,
    /// Whether the parcel exists now; `null` if it never did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) exists: Option<bool>,
    /// What has changed on the parcel since then, as of today.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) changes: Option<Vec<ReportChange>>,
}

/// Maximum number of differences that an answer names.
const DIFFERENCES_MAX: usize = 100;

const TITLE: (&str, &str) = ("Kiểm tra bản thông tin quy hoạch của thửa đất", "Check a report on a parcel");

/// The handler of `GET /api/reports/verify`.
pub(crate) async fn verify(mut context: RequestContext) -> HandlerResult {
    let query: VerifyQuery = context.query()?;
    let representation = query.representation;
    let asked = query.parcel.is_some() || query.hash.is_some() || query.revision.is_some();
    if !asked && representation.format == DocumentFormat::Html {
        return answer_as(context, form(representation, WorkSize::Small), move |_, _| {
            Ok(Content::Page(verify_page::form(representation.lang)))
        })
        .await;
    }
    let advice = "give parcel, revision, datetime and hash as the link of the report does";
    let missing = |name: &str| Problem::parameter(format!("`{name}` is missing; {advice}"));
    let claim = Claim {
        parcel: query.parcel.ok_or_else(|| missing("parcel"))?,
        layer: query.layer,
        time: query.time.ok_or_else(|| missing("datetime"))?,
        hash: query.hash.ok_or_else(|| missing("hash"))?,
        document: None,
    };
    let revision = query.revision.ok_or_else(|| missing("revision"))?;
    run(context, claim, revision, representation).await
}

/// The handler of `POST /api/reports/verify`: the report itself as its JSON document.
pub(crate) async fn verify_document(State(app): State<Arc<App>>, request: Request) -> HandlerResult {
    let (mut context, request) = RequestContext::split(&app, request).await?;
    json_body(&context.headers, "the report as application/json")?;
    let VerifyDocumentQuery { representation } = context.query()?;
    let body = body::read(&context.headers, request, app.config.limits.body_bytes_max).await?;
    let read = move || {
        serde_json::from_slice::<Value>(&body)
            .map_err(|error| Problem::body(format!("the body is not JSON: {error}; send a report")))
    };
    let document = app.pool.run(read).await?;
    let (claim, revision) = claim_of(document)?;
    run(context, claim, AsOf::Revision(revision), representation).await
}

/// Reads what a report says of itself.
fn claim_of(document: Value) -> Result<(Claim, RevisionNumber), Problem> {
    let missing = |name: &str| {
        Problem::body(format!(
            "the report has no usable member `{name}`; send the JSON document of /api/parcels/{{id}}/report"
        ))
    };
    let instant = |name: &str| document["validTime"][name].as_str().unwrap_or("..");
    let time = match (instant("start"), instant("end")) {
        ("..", "..") => return Err(missing("validTime")),
        (start, end) => interval(&format!("{start}/{end}"))?,
    };
    let id = document.get("id").filter(|id| id.is_string() || id.is_number());
    let claim = Claim {
        parcel: id.map(id_text).ok_or_else(|| missing("id"))?,
        layer: Some(document["layer"].as_str().ok_or_else(|| missing("layer"))?.to_owned()),
        time,
        hash: document["verification"]["hash"].as_str().unwrap_or_default().to_owned(),
        document: None,
    };
    let revision = document["revision"].as_u64().ok_or_else(|| missing("revision"))?;
    Ok((Claim { document: Some(document), ..claim }, revision))
}

fn form(representation: Representation, size: WorkSize) -> AnswerForm {
    // It depends on the newest revision and on today.
    AnswerForm { representation, title: TITLE, media_type: JSON, etag: None, size }
}

async fn run(
    mut context: RequestContext,
    claim: Claim,
    revision: AsOf,
    representation: Representation,
) -> HandlerResult {
    let now = context.city_snapshot.clone();
    let then = match context.as_of(Some(revision)).await {
        Ok(()) => Some(context.city_snapshot.clone()),
        // Who reads the answer holds a paper: that there is no such revision is a verdict.
        Err(problem) if problem.status() == StatusCode::BAD_REQUEST => None,
        Err(problem) => return Err(problem.into()),
    };
    context.revision_header.set(now.revision());
    answer_as(context, form(representation, WorkSize::Middle), move |context, cancel| {
        let mut verified = check(&claim, then.as_ref(), &now, cancel)?;
        if let Some(report) = &mut verified.report {
            report.verification.link = Some(verification_link(context.base().as_str(), report));
        }
        Ok(match representation.format {
            DocumentFormat::Html => {
                Content::Page(verify_page::content(&verified, representation.lang, &context.page_links()))
            }
            DocumentFormat::Json => {
                let written = serde_json::to_vec(&verified);
                Content::Json(written.map_err(|error| Problem::internal(error.to_string()))?)
            }
        })
    })
    .await
}

/// Asks the record again, as it was and as it is.
fn check(
    claim: &Claim,
    then: Option<&CitySnapshot>,
    now: &CitySnapshot,
    cancel: &Cancel,
) -> Result<Verified, Problem> {
    let refused = |reason| Verified {
        result: Verdict::Refused,
        reason: Some(reason),
        differences: Vec::new(),
        report: None,
        newest_revision: now.revision(),
        exists: None,
        changes: None,
    };
    let Some(then) = then else { return Ok(refused(Reason::Revision)) };
    let asked = |city: &City, time: TimeInterval| match parcel(city, claim.layer.as_deref(), &claim.parcel) {
        None => Ok(None),
        Some((parcels, row)) => make(city, (&parcels, row), time, cancel).map(Some),
    };
    let Some(report) = asked(&then.city, claim.time)? else { return Ok(refused(Reason::Parcel)) };
    let present = asked(&now.city, today(&now.city))?;
    let mut equal = report.verification.hash.eq_ignore_ascii_case(claim.hash.trim());
    let mut found = Vec::new();
    if let Some(document) = &claim.document {
        let record = serde_json::to_value(&report).map_err(|error| Problem::internal(error.to_string()))?;
        found = differences(document, &record, DIFFERENCES_MAX);
        equal = equal && found.is_empty() && report_hash(document) == report.verification.hash;
    }
    Ok(Verified {
        result: if equal { Verdict::Confirmed } else { Verdict::Refused },
        reason: (!equal).then_some(Reason::Content),
        differences: found,
        newest_revision: now.revision(),
        exists: Some(present.is_some()),
        changes: present.map(|present| report.changes_until(&present)),
        report: Some(report),
    })
}
