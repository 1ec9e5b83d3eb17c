//! The report on a parcel as a PDF file.

use std::sync::Arc;

use axum::{
    http::header,
    response::{IntoResponse, Response},
};
use citymap_engine::{Cancel, LayerSnapshot, Row, TimeInterval};
use citymap_planning::wording::file_stem;
use citymap_render::{
    print::{Highlight, PrintError, Styled},
    raster::{RenderError, Source},
    report::{ReportPrinter, ReportSetting, style_id},
};

use super::report::linked;
use crate::{
    http::{
        negotiate::{DocumentFormat, Representation, first_listed},
        parameters::{Choice, LANG},
        problem::Problem,
        query::{Declared, Parameter, QueryReader, QuerySource},
        request::{Rejection, RequestContext},
        response::ResponseBuilder,
    },
    processes::print::{PDF, refusal},
    styles::{
        LookQuery,
        documents::{StyleOrder, document},
    },
    tiles::TileState,
};

static REPORT_F: Parameter<Choice> = Parameter::new(
    "f",
    "Format, instead of Accept: the document, a page, or A4 sheets as PDF",
    Choice { values: &["json", "html", "pdf"], default: None },
)
.component("report-f");

/// The parameter of this file, for the OpenAPI document.
pub(crate) static SHARED_PARAMETERS: [&dyn Declared; 1] = [&REPORT_F];

/// How a report is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ReportRepresentation {
    /// The format of the document, where no PDF file is asked for; and the language.
    pub(crate) representation: Representation,
    pub(crate) is_pdf: bool,
}

/// The source of a field of type [`ReportRepresentation`]: `f` and `lang`, else what the headers ask for.
pub(crate) struct ReportRepresentationSource;

/// `f` and `lang` of a report.
pub(crate) static REPORT_REPRESENTATION: ReportRepresentationSource = ReportRepresentationSource;

impl QuerySource for ReportRepresentationSource {
    type Value = ReportRepresentation;

    fn take(&self, reader: &mut QueryReader<'_>) -> Result<ReportRepresentation, Problem> {
        let format = REPORT_F.take(reader)?;
        let as_document = format.filter(|format| *format != PDF_NAME);
        let representation = Representation::choose(as_document, LANG.take(reader)?, reader.headers);
        let is_pdf = match format {
            Some(format) => format == PDF_NAME,
            None => first_listed(reader.headers, &[PDF, "text/html", "application/xhtml+xml"]) == Some(PDF),
        };
        Ok(ReportRepresentation { representation, is_pdf })
    }

    fn declare(&'static self, list: &mut Vec<&'static dyn Declared>) {
        REPORT_F.declare(list);
        LANG.declare(list);
    }
}

/// The value of `f` for a PDF file.
pub(super) const PDF_NAME: &str = "pdf";

impl ReportRepresentation {
    /// What distinguishes the ETag of the PDF file from that of the document.
    pub(super) fn etag_part(self) -> &'static str {
        if self.is_pdf { "-pdf" } else { "" }
    }

    /// Whether a page is asked for.
    pub(super) fn is_page(self) -> bool {
        !self.is_pdf && self.representation.format == DocumentFormat::Html
    }
}

/// Answers with the report on a parcel as a PDF file, which is made where large work runs.
pub(super) async fn answer(
    context: RequestContext,
    (parcels, row, time): (Arc<LayerSnapshot>, Row, TimeInterval),
    (lang, etag): (&'static str, String),
) -> Result<Response, Rejection> {
    context.check_if_none_match(&etag)?;
    let app = Arc::clone(&context.app);
    let name = file_stem(&parcels.id(row).to_string());
    let work = move |cancel: &Cancel| made(&context, (&parcels, row, time), (lang, cancel));
    let bytes = app.batch.run(work).await?;
    // The name has letters, digits and a few marks only.
    let disposition = format!("inline; filename=\"{name}.pdf\"");
    let response = ResponseBuilder::new(PDF, bytes)
        .with(header::CONTENT_DISPOSITION, &disposition)
        .with(header::CONTENT_LANGUAGE, lang)
        .tagged(&etag);
    Ok(response.into_response())
}

fn made(
    context: &RequestContext,
    (parcels, row, time): (&LayerSnapshot, Row, TimeInterval),
    (lang, cancel): (&'static str, &Cancel),
) -> Result<Vec<u8>, Problem> {
    let app = &context.app;
    let report = linked(context, (parcels, row), time, cancel)?;
    let id = style_id(&app.styles.book).ok_or_else(|| Problem::internal("the server has no style"))?;
    let state = TileState { time: Some(time), revision: None };
    let look = LookQuery { appearance: None, level: None, state };
    let style = document(context, &StyleOrder { id, look: &look, layers: None, lang })?;
    let styled = Styled { document: style, level: None };
    let bytes_max = app.config.limits.answer_bytes_max as u64;
    let setting = ReportSetting { styled: &styled, template: &app.print_template, lang, bytes_max };
    let source =
        Source { city: &context.city_snapshot.city, tiler: app.tiles.tiler(), time: Some(time), cancel };
    let parcel = Highlight::of(parcels, row);
    let printed = ReportPrinter::new(setting)
        .and_then(|printer| printer.write(&report, (&source, parcel.as_ref()), Vec::new()));
    printed.map_err(|error| match error {
        PrintError::Render(RenderError::TooLarge { .. } | RenderError::Outside(_)) => {
            Problem::unprocessable(format!("the map of the report cannot be drawn: {error}"))
        }
        other => refusal(other),
    })
}
