use std::sync::Arc;

use axum::{
    extract::{FromRequestParts, RawPathParams},
    http::{HeaderMap, HeaderValue, StatusCode, Uri, header, request::Parts},
    response::{IntoResponse, Response},
};
use citymap_engine::{LayerSnapshot, TimeInterval};
use citymap_live::Scene;

use crate::{
    app::App,
    asof::Shown,
    base::Base,
    datetime::interval,
    nearest::nearest,
    negotiate::{View, matches_etag},
    outer::MIN_REVISION,
    params::Params,
    problem::Problem,
};

/// Why a handler ends before its answer.
#[derive(Debug)]
pub(crate) enum Stop {
    /// Something is wrong.
    Problem(Problem),
    /// The client has the answer already; its tag.
    NotModified(String),
}

impl From<Problem> for Stop {
    fn from(problem: Problem) -> Self {
        Self::Problem(problem)
    }
}

impl From<citymap_crs::CrsError> for Stop {
    fn from(error: citymap_crs::CrsError) -> Self {
        Self::Problem(error.into())
    }
}

impl IntoResponse for Stop {
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

/// One request as the handlers see it: the city as of one revision, and what is asked of it.
pub(crate) struct Ask {
    pub(crate) app: Arc<App>,
    pub(crate) scene: Scene,
    /// The scene is the city as it was at a revision that was asked for.
    pub(crate) former: bool,
    uri: Uri,
    places: RawPathParams,
    /// The parameters as they came.
    pub(crate) given: Params,
    /// Those that nobody has taken yet.
    pub(crate) params: Params,
    pub(crate) headers: HeaderMap,
    /// The revision that the answer's header will name.
    pub(crate) shown: Shown,
}

/// What the outer layer tells the handlers: one city for the answer and its revision header.
#[derive(Clone)]
pub(crate) struct Seen {
    pub(crate) scene: Scene,
    pub(crate) shown: Shown,
}

impl FromRequestParts<Arc<App>> for Ask {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Problem> {
        let mut params = Params::parse(parts.uri.query())?;
        // The outer layer has waited for it.
        params.take(MIN_REVISION)?;
        let places = match RawPathParams::from_request_parts(parts, app).await {
            Ok(places) => places,
            Err(_not_utf8) => {
                return Err(Problem::not_found("the path is not UTF-8 text; percent-encode it as UTF-8"));
            }
        };
        let Seen { scene, shown } = parts
            .extensions
            .remove::<Seen>()
            .unwrap_or_else(|| Seen { scene: app.live.scene(), shown: Shown::new(0) });
        Ok(Self {
            app: Arc::clone(app),
            scene,
            former: false,
            uri: parts.uri.clone(),
            places,
            given: params.clone(),
            params,
            // Nobody reads them after this.
            headers: std::mem::take(&mut parts.headers),
            shown,
        })
    }
}

impl Ask {
    /// The part of the path that the route calls `name`.
    pub(crate) fn place(&self, name: &str) -> &str {
        self.places.iter().find(|(own, _)| *own == name).map_or("", |(_, value)| value)
    }

    /// The path asked for.
    pub(crate) fn path(&self) -> &str {
        self.uri.path()
    }

    /// The address under which the client reached us.
    pub(crate) fn base(&self) -> Base {
        Base::of(self.app.config.base_url.as_deref(), &self.headers, &self.uri)
    }

    /// Format and language.
    pub(crate) fn view(&mut self) -> Result<View, Problem> {
        View::take(&mut self.params, &self.headers)
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
    pub(crate) fn etag(&self, view: View) -> String {
        let Self { app, scene, .. } = self;
        let (epoch, revision) = (scene.epoch, scene.revision());
        format!("W/\"{:x}-{epoch}-{revision}-{:?}-{}\"", app.boot, view.format, view.lang)
    }

    /// Stops where the client has the answer with this tag.
    pub(crate) fn unless_known(&self, etag: &str) -> Result<(), Stop> {
        if matches_etag(&self.headers, etag) { Err(Stop::NotModified(etag.to_owned())) } else { Ok(()) }
    }

    /// The valid time that `datetime` asks for.
    pub(crate) fn time(&mut self) -> Result<Option<TimeInterval>, Problem> {
        self.params.take("datetime")?.map(|text| interval(&text)).transpose()
    }

    /// The layer that the path names.
    pub(crate) fn layer(&self) -> Result<Arc<LayerSnapshot>, Problem> {
        let id = self.place("layer");
        self.scene.city.layer(id).cloned().ok_or_else(|| Problem::not_found(no_layer(&self.scene, id)))
    }

    /// The layers that `layers=a,b` names, in its order; without it all of them in catalogue order.
    pub(crate) fn layers(&mut self) -> Result<Vec<Arc<LayerSnapshot>>, Problem> {
        let Some(names) = self.params.take("layers")? else { return Ok(catalogue(&self.scene)) };
        let wanted: Vec<&str> = names.split(',').map(str::trim).collect();
        for name in &wanted {
            if self.scene.city.layer(name).is_none() {
                return Err(Problem::parameter(no_layer(&self.scene, name)));
            }
        }
        let named = |snapshot: &&Arc<LayerSnapshot>| wanted.contains(&snapshot.layer().id.as_str());
        let mut layers: Vec<_> = self.scene.city.layers.values().filter(named).cloned().collect();
        in_order(&mut layers);
        Ok(layers)
    }
}

/// All layers as they are listed: by role, then by id.
pub(crate) fn catalogue(scene: &Scene) -> Vec<Arc<LayerSnapshot>> {
    let mut layers: Vec<_> = scene.city.layers.values().cloned().collect();
    in_order(&mut layers);
    layers
}

fn in_order(layers: &mut [Arc<LayerSnapshot>]) {
    let place = |snapshot: &Arc<LayerSnapshot>| snapshot.layer().role;
    // By id they are already.
    layers.sort_by_key(place);
}

/// What to say of a layer that there is not.
pub(crate) fn no_layer(scene: &Scene, name: &str) -> String {
    let names: Vec<&str> = scene.city.layers.keys().map(citymap_model::LayerId::as_str).collect();
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
pub(crate) type Answer = Result<Response, Stop>;
