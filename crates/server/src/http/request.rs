//! One request as handlers see it, and what a handler gives.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use axum::{
    extract::{FromRequestParts, RawPathParams, Request},
    http::{HeaderMap, HeaderValue, StatusCode, Uri, header, request::Parts},
    response::{IntoResponse, Response},
};
use chrono::{DateTime, Utc};
use citymap_engine::LayerSnapshot;
use citymap_live::{CitySnapshot, LiveError};
use citymap_model::{AsOf, RevisionNumber, nearest};
use tracing::{Span, field::display};

use crate::{
    app::App,
    hash::hash_of,
    http::{
        base::{BaseUrl, PageLinks},
        feature_path::OriginalAddress,
        negotiate::{Representation, matches_etag},
        params::{MIN_REVISION, Params},
        problem::Problem,
        query::{Query, QueryReader},
        response::VARY,
    },
};

/// Why a handler gives no answer of its own.
#[derive(Debug)]
pub(crate) enum Rejection {
    /// The request cannot be answered.
    Problem(Problem),
    /// The client has the answer with this ETag already: 304.
    NotModified(String),
}

impl From<Problem> for Rejection {
    fn from(problem: Problem) -> Self {
        Self::Problem(problem)
    }
}

impl From<citymap_crs::CrsError> for Rejection {
    fn from(error: citymap_crs::CrsError) -> Self {
        Self::Problem(error.into())
    }
}

impl IntoResponse for Rejection {
    fn into_response(self) -> Response {
        match self {
            Self::Problem(problem) => problem.into_response(),
            Self::NotModified(etag) => {
                let mut response = StatusCode::NOT_MODIFIED.into_response();
                // As on the answer that the client has (RFC 9110, 15.4.5).
                let headers = response.headers_mut();
                if let Ok(etag) = HeaderValue::from_str(&etag) {
                    headers.insert(header::ETAG, etag);
                }
                headers.insert(header::VARY, VARY);
                headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
                response
            }
        }
    }
}

/// The revision that the header `Citymap-Revision` of the answer will name: that of the snapshot, unless the
/// handler sets another one. Clones share the number.
#[derive(Clone)]
pub(crate) struct RevisionHeader(Arc<AtomicU64>);

impl RevisionHeader {
    pub(crate) fn new(revision: u64) -> Self {
        Self(Arc::new(AtomicU64::new(revision)))
    }

    pub(crate) fn set(&self, revision: u64) {
        self.0.store(revision, Ordering::Relaxed);
    }

    pub(crate) fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// A request with the city at one revision, which stays the same until the answer is complete.
pub(crate) struct RequestContext {
    pub(crate) app: Arc<App>,
    pub(crate) city_snapshot: CitySnapshot,
    /// True if the snapshot is a past state of the city, requested with `revision`.
    pub(crate) past: bool,
    uri: Uri,
    /// The address as it came, where an id with slashes has been joined in `uri`.
    original: Option<Uri>,
    path_params: RawPathParams,
    /// The parameters as they were given.
    pub(crate) given: Params,
    /// The parameters that have not been taken yet.
    pub(crate) params: Params,
    pub(crate) headers: HeaderMap,
    /// The revision that the answer's header will name.
    pub(crate) revision_header: RevisionHeader,
}

/// What the middleware hands to the handler: the city for the answer, and its revision header.
#[derive(Clone)]
pub(crate) struct RequestSnapshot {
    pub(crate) city_snapshot: CitySnapshot,
    pub(crate) revision_header: RevisionHeader,
}

impl FromRequestParts<Arc<App>> for RequestContext {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Problem> {
        let mut params = Params::parse(parts.uri.query())?;
        // The middleware has waited for that revision.
        params.take(MIN_REVISION)?;
        let path_params = match RawPathParams::from_request_parts(parts, app).await {
            Ok(path_params) => path_params,
            Err(_not_utf8) => {
                return Err(Problem::not_found("the path is not UTF-8 text; percent-encode it as UTF-8"));
            }
        };
        let RequestSnapshot { city_snapshot, revision_header } =
            parts.extensions.remove::<RequestSnapshot>().unwrap_or_else(|| RequestSnapshot {
                city_snapshot: app.live.snapshot(),
                revision_header: RevisionHeader::new(0),
            });
        Ok(Self {
            app: Arc::clone(app),
            city_snapshot,
            past: false,
            uri: parts.uri.clone(),
            original: parts.extensions.remove::<OriginalAddress>().map(|original| original.0),
            path_params,
            given: params.clone(),
            params,
            // Nothing reads them after this.
            headers: std::mem::take(&mut parts.headers),
            revision_header,
        })
    }
}

impl RequestContext {
    /// Splits off the context and leaves the request with its body.
    ///
    /// # Errors
    /// 400 if the query cannot be read.
    pub(crate) async fn split(app: &Arc<App>, request: Request) -> Result<(Self, Request), Problem> {
        let (mut parts, body) = request.into_parts();
        let context = Self::from_request_parts(&mut parts, app).await?;
        Ok((context, Request::from_parts(parts, body)))
    }

    /// The path parameter `name` of the route; empty if the route has none.
    pub(crate) fn path_param(&self, name: &str) -> &str {
        self.path_params.iter().find(|(own, _)| *own == name).map_or("", |(_, value)| value)
    }

    /// The path of the request.
    pub(crate) fn path(&self) -> &str {
        self.uri.path()
    }

    /// The URL under which the client reached this server.
    pub(crate) fn base(&self) -> BaseUrl {
        BaseUrl::of(self.app.config.base_url.as_deref(), &self.headers, &self.uri)
    }

    /// How the page that answers this request links to other paths.
    pub(crate) fn page_links(&self) -> PageLinks {
        let address = self.original.as_ref().unwrap_or(&self.uri);
        PageLinks::new(self.base(), address.path(), self.original.is_some())
    }

    /// Reads the query of a route that knows no other parameters.
    ///
    /// # Errors
    /// 400 for the first parameter that cannot be used or is not known.
    pub(crate) fn query<Q: Query>(&mut self) -> Result<Q, Problem> {
        let query = self.read_query()?;
        Q::finish(&self.params)?;
        Ok(query)
    }

    /// Reads the declared parameters of a query; the others stay in `params`.
    ///
    /// # Errors
    /// 400 for the first parameter that cannot be used.
    pub(crate) fn read_query<Q: Query>(&mut self) -> Result<Q, Problem> {
        let limits = &self.app.config.limits;
        Q::read(&mut QueryReader { params: &mut self.params, headers: &self.headers, limits })
    }

    /// Checks that no parameter was given besides `min-revision`.
    ///
    /// # Errors
    /// 400 for the first one.
    pub(crate) fn no_query(&self) -> Result<(), Problem> {
        self.params.finish(&[MIN_REVISION])
    }

    /// The ETag of an answer that depends on the city, the request and its representation only.
    pub(crate) fn etag(&self, representation: Representation) -> String {
        let Self { app, city_snapshot, .. } = self;
        let (epoch, revision) = (city_snapshot.epoch, city_snapshot.revision());
        // Links begin with the base URL, so an answer under another one is another answer.
        let start = hash_of(&(app.boot, self.base().as_str()));
        format!("W/\"{start:x}-{epoch}-{revision}-{:?}-{}\"", representation.format, representation.lang)
    }

    /// Ends the handler with 304 if the client has the answer with this ETag.
    ///
    /// # Errors
    /// [`Rejection::NotModified`].
    pub(crate) fn check_if_none_match(&self, etag: &str) -> Result<(), Rejection> {
        if matches_etag(&self.headers, etag) { Err(Rejection::NotModified(etag.to_owned())) } else { Ok(()) }
    }

    /// Turns to the city at the state that was asked for, if one was. A state that is not in memory is made,
    /// which may wait for others.
    ///
    /// # Errors
    /// 400 if there is no such revision, 429 or 503 if too many states are wanted.
    pub(crate) async fn as_of(&mut self, state: Option<AsOf>) -> Result<(), Problem> {
        let Some(asked) = state.filter(|asked| *asked != AsOf::Revision(self.city_snapshot.revision()))
        else {
            return Ok(());
        };
        let number = match asked {
            AsOf::Revision(number) => number,
            AsOf::Instant(time) => self.revision_at(time).await?,
            AsOf::Day(day) => {
                let end = self.city_snapshot.city.profile.end_of(day);
                self.revision_at(end.unwrap_or(DateTime::<Utc>::MAX_UTC)).await?
            }
        };
        let city_snapshot = self.app.former.at(number).await?;
        self.revision_header.set(city_snapshot.revision());
        // Links lead to the same state even after newer revisions.
        self.given.set("revision", &city_snapshot.revision().to_string());
        self.city_snapshot = city_snapshot;
        self.past = true;
        Ok(())
    }

    /// The last revision up to an instant.
    async fn revision_at(&self, time: DateTime<Utc>) -> Result<RevisionNumber, Problem> {
        let live = Arc::clone(&self.app.live);
        let find = move || Ok(live.store().revision_at(time).map_err(LiveError::from)?);
        self.app.pool.run(find).await
    }

    /// The layer that the path names.
    ///
    /// # Errors
    /// 404 if there is none.
    pub(crate) fn layer(&self) -> Result<Arc<LayerSnapshot>, Problem> {
        let id = self.path_param("layer");
        let layer = self.city_snapshot.city.layer(id).cloned();
        let layer = layer.ok_or_else(|| Problem::not_found(no_layer(&self.city_snapshot, id)))?;
        // Only ids of layers that exist: what else the path holds is not for the log.
        Span::current().record("layer", display(id));
        Ok(layer)
    }

    /// The layers that a list `a,b` names, or all layers; in catalogue order.
    ///
    /// # Errors
    /// 400 if a layer does not exist.
    pub(crate) fn layers(&self, names: Option<&str>) -> Result<Vec<Arc<LayerSnapshot>>, Problem> {
        let Some(names) = names else { return Ok(catalogue(&self.city_snapshot)) };
        let wanted: Vec<&str> = names.split(',').map(str::trim).collect();
        for name in &wanted {
            if self.city_snapshot.city.layer(name).is_none() {
                return Err(Problem::parameter(no_layer(&self.city_snapshot, name)));
            }
        }
        let named = |snapshot: &&Arc<LayerSnapshot>| wanted.contains(&snapshot.layer().id.as_str());
        let mut layers: Vec<_> = self.city_snapshot.city.layers.values().filter(named).cloned().collect();
        in_order(&mut layers);
        Ok(layers)
    }
}

/// All layers in catalogue order: by role, then by id.
pub(crate) fn catalogue(city_snapshot: &CitySnapshot) -> Vec<Arc<LayerSnapshot>> {
    let mut layers: Vec<_> = city_snapshot.city.layers.values().cloned().collect();
    in_order(&mut layers);
    layers
}

fn in_order(layers: &mut [Arc<LayerSnapshot>]) {
    // They are sorted by id already, and the sort is stable.
    layers.sort_by_key(|snapshot| snapshot.layer().role);
}

/// The message for a layer that does not exist, with the most similar names.
pub(crate) fn no_layer(city_snapshot: &CitySnapshot, name: &str) -> String {
    let names: Vec<&str> = city_snapshot.city.layers.keys().map(citymap_model::LayerId::as_str).collect();
    let name: String = name.chars().take(80).collect();
    if names.is_empty() {
        return format!(
            "there is no layer `{name}`: the city is empty; `citymap import` or `citymap demo` fills it"
        );
    }
    let near = nearest(&name, &names, 5).join(", ");
    format!("there is no layer `{name}`; the nearest names are: {near}; /api/collections lists all")
}

/// The answer of a handler.
pub(crate) type HandlerResult = Result<Response, Rejection>;
