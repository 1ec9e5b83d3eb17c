//! The city over HTTP: OGC API – Features, the spatial questions of services, vector tiles, and the web map.
//!
//! This room only translates: every rule of the city lives in the engine and its neighbours. What the paths are and answer
//! stands in `docs/http-api.md` and, for machines, at `/api/openapi.json`.
//!
//! - A request holds one [`citymap_live::Scene`] from start to end; its revision is in the `Citymap-Revision` header.
//! - CPU work runs in a bounded pool off the threads that talk to clients; past its queue the answer is 503.
//! - Every refusal is `application/problem+json`, and says what to do next.
//! - Personal fields are absent: from answers, schemas, filters, tiles and logs.

mod app;
mod archives;
mod ask;
mod asof;
mod assets;
mod auth;
mod base;
mod config;
mod coords;
mod datetime;
mod describe;
mod feed;
mod geojson;
mod health;
mod html;
mod items;
mod jobs;
mod landing;
mod nearest;
mod negotiate;
mod openapi;
mod outer;
mod params;
mod prepare;
mod problem;
mod questions;
mod reply;
mod routes;
mod schema;
mod serve;
mod tiles;
mod versions;
mod work;
mod write;

pub use auth::{Writer, WritersError, read_writers};
pub use config::{Config, Limits};
pub use feed::webhooks;
pub use serve::{ServeError, router, serve};
