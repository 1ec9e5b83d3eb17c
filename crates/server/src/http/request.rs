use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use axum::{
    extract::{FromRequestParts, RawPathParams},
    http::{HeaderMap, HeaderValue, StatusCode, Uri, header, request::Parts},
    response::{IntoResponse, Response},
};
use citymap_engine::{LayerSnapshot, TimeInterval};
use citymap_live::{CitySnapshot, LiveError};
use citymap_model::AsOf;
use citymap_model::nearest;

use crate::{
    app::App,
    http::{
        base::BaseUrl,
        datetime::interval,
        middleware::MIN_REVISION,
        negotiate::{Representation, matches_etag},
        params::Params,
        problem::Problem,
    },
};

/// Why a handler ends before its answer.
#[derive(Debug)]
pub(crate) enum Rejection {
    /// Something is wrong.
    Problem(Problem),
    /// The client has the answer already; its tag.
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
                if let Ok(etag) = HeaderValue::from_str(&etag) {
                    response.headers_mut().insert(header::ETAG, etag);
                }
                response
            }
        }
    }
}

/// The revision that an answer shows, for its header: that of the snapshot, unless the handler says otherwise.
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

/// One request as the handlers see it: the city as of one revision, and what is asked of it.
pub(crate) struct RequestContext {
    pub(crate) app: Arc<App>,
    pub(crate) city_snapshot: CitySnapshot,
    /// The snapshot is the city as it was at a revision that was asked for.
    pub(crate) former: bool,
    uri: Uri,
    path_params: RawPathParams,
    /// The parameters as they came.
    pub(crate) given: Params,
    /// Those that nobody has taken yet.
    pub(crate) params: Params,
    pub(crate) headers: HeaderMap,
    /// The revision that the answer's header will name.
    pub(crate) revision_header: RevisionHeader,
}

/// What the outer layer tells the handlers: one city for the answer and its revision header.
#[derive(Clone)]
pub(crate) struct RequestSnapshot {
    pub(crate) city_snapshot: CitySnapshot,
    pub(crate) revision_header: RevisionHeader,
}

impl FromRequestParts<Arc<App>> for RequestContext {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Problem> {
        let mut params = Params::parse(parts.uri.query())?;
        // The outer layer has waited for it.
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
            former: false,
            uri: parts.uri.clone(),
            path_params,
            given: params.clone(),
            params,
            // Nobody reads them after this.
            headers: std::mem::take(&mut parts.headers),
            revision_header,
        })
    }
}

impl RequestContext {
    /// The part of the path that the route calls `name`.
    pub(crate) fn path_param(&self, name: &str) -> &str {
        self.path_params.iter().find(|(own, _)| *own == name).map_or("", |(_, value)| value)
    }

    /// The path asked for.
    pub(crate) fn path(&self) -> &str {
        self.uri.path()
    }

    /// The address under which the client reached us.
    pub(crate) fn base(&self) -> BaseUrl {
        BaseUrl::of(self.app.config.base_url.as_deref(), &self.headers, &self.uri)
    }

    /// Format and language.
    pub(crate) fn representation(&mut self) -> Result<Representation, Problem> {
        Representation::take(&mut self.params, &self.headers)
    }

    /// Refuses parameters that nobody took; `known` are those of the path, the common ones aside.
    pub(crate) fn no_more(&self, known: &[&str]) -> Result<(), Problem> {
        let mut all = known.to_vec();
        all.extend(["min-revision", "f", "lang"]);
        self.params.finish(&all)
    }

    /// The same for what has neither forms nor languages.
    pub(crate) fn no_more_of(&self, known: &[&str]) -> Result<(), Problem> {
        self.params.finish(&[known, &["min-revision"]].concat())
    }

    /// The tag of an answer that depends on nothing but the city and the view.
    pub(crate) fn etag(&self, representation: Representation) -> String {
        let Self { app, city_snapshot, .. } = self;
        let (epoch, revision) = (city_snapshot.epoch, city_snapshot.revision());
        format!("W/\"{:x}-{epoch}-{revision}-{:?}-{}\"", app.boot, representation.format, representation.lang)
    }

    /// Stops where the client has the answer with this tag.
    pub(crate) fn check_if_none_match(&self, etag: &str) -> Result<(), Rejection> {
        if matches_etag(&self.headers, etag) { Err(Rejection::NotModified(etag.to_owned())) } else { Ok(()) }
    }

    /// The valid time that `datetime` asks for.
    pub(crate) fn time(&mut self) -> Result<Option<TimeInterval>, Problem> {
        self.params.take("datetime")?.map(|text| interval(&text)).transpose()
    }

    /// Turns to the city of the `revision` asked for: its number, an instant, or a day (its end, UTC+7). Making it may
    /// take a turn in the pool.
    pub(crate) async fn as_of(&mut self) -> Result<(), Problem> {
        let Some(text) = self.params.take("revision")? else { return Ok(()) };
        // In a query an unescaped `+07:00` comes as ` 07:00`.
        let asked: AsOf = text
            .replace(' ', "+")
            .parse()
            .map_err(|error| Problem::parameter(format!("`revision`: {error}")))?;
        if asked == AsOf::Revision(self.city_snapshot.revision()) {
            return Ok(());
        }
        let live = Arc::clone(&self.app.live);
        let city_snapshot = self
            .app
            .pool
            .run(move || {
                let number = match asked {
                    AsOf::Revision(number) => number,
                    AsOf::Instant(time) => live.store().revision_at(time).map_err(LiveError::from)?,
                };
                Ok(live.snapshot_at(number)?)
            })
            .await?;
        self.revision_header.set(city_snapshot.revision());
        // Links lead to the same state, also when a newer one has come.
        self.given.set("revision", &city_snapshot.revision().to_string());
        self.city_snapshot = city_snapshot;
        self.former = true;
        Ok(())
    }

    /// The layer that the path names.
    pub(crate) fn layer(&self) -> Result<Arc<LayerSnapshot>, Problem> {
        let id = self.path_param("layer");
        self.city_snapshot
            .city
            .layer(id)
            .cloned()
            .ok_or_else(|| Problem::not_found(no_layer(&self.city_snapshot, id)))
    }

    /// The layers that `layers=a,b` names, in its order; without it all of them in catalogue order.
    pub(crate) fn layers(&mut self) -> Result<Vec<Arc<LayerSnapshot>>, Problem> {
        let Some(names) = self.params.take("layers")? else { return Ok(catalogue(&self.city_snapshot)) };
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

/// All layers as they are listed: by role, then by id.
pub(crate) fn catalogue(city_snapshot: &CitySnapshot) -> Vec<Arc<LayerSnapshot>> {
    let mut layers: Vec<_> = city_snapshot.city.layers.values().cloned().collect();
    in_order(&mut layers);
    layers
}

fn in_order(layers: &mut [Arc<LayerSnapshot>]) {
    let path_param = |snapshot: &Arc<LayerSnapshot>| snapshot.layer().role;
    // By id they are already.
    layers.sort_by_key(path_param);
}

/// What to say of a layer that there is not.
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

/// A handler's answer.
pub(crate) type HandlerResult = Result<Response, Rejection>;
