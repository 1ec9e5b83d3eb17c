//! Pages of the lists of processes and jobs.

use std::ops::Range;

use serde_json::Value;

use crate::{
    features::describe::link,
    http::{
        base::query_with,
        parameters::{Count, Limit},
        query::{Declared, Parameter},
        request::RequestContext,
        response::JSON,
    },
};

/// Maximum and default number of entries of a page.
const ENTRIES_MAX: usize = 200;

pub(crate) static LIST_LIMIT: Parameter<Limit> = Parameter::new(
    "limit",
    "Maximum number of entries; more than the maximum counts as the maximum",
    Limit { default: |_| ENTRIES_MAX, max: |_| ENTRIES_MAX },
)
.component("list-limit");

pub(crate) static OFFSET: Parameter<Count> =
    Parameter::new("offset", "The number of entries before the page; the `next` link carries it", Count);

/// The parameters of lists that the OpenAPI document shares.
pub(crate) static SHARED_PARAMETERS: [&dyn Declared; 2] = [&LIST_LIMIT, &OFFSET];

/// Which entries of a list are on a page.
pub(crate) struct Page {
    start: usize,
    end: usize,
    total: usize,
}

impl Page {
    /// The page of at most `limit` entries after the first `offset` of `total`.
    pub(crate) fn new(total: usize, limit: usize, offset: u64) -> Self {
        let start = usize::try_from(offset).unwrap_or(usize::MAX).min(total);
        Self { start, end: start.saturating_add(limit).min(total), total }
    }

    /// The positions of the entries.
    pub(crate) fn range(&self) -> Range<usize> {
        self.start..self.end
    }

    /// The links of the page: to itself, and to the next one if there is one.
    pub(crate) fn links(&self, context: &RequestContext, path: &str, title: &str) -> Vec<Value> {
        let url = |query: String| context.base().url(&format!("{path}{query}"));
        let mut links = vec![link("self", JSON, title, url(query_with(&context.given, &[])))];
        if self.end < self.total {
            let next = query_with(&context.given, &[("offset", Some(&self.end.to_string()))]);
            links.push(link("next", JSON, "The next page", url(next)));
        }
        links
    }
}
