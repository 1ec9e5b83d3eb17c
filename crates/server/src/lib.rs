//! The city over HTTP: OGC API – Features, the spatial questions of services, vector tiles, and the web map.
//!
//! This room only translates: every rule of the city lives in the engine and its neighbours. What the paths are and answer
//! stands in `docs/http-api.md` and, for machines, at `/api/openapi.json`.
//!
//! - A request holds one [`citymap_live::CitySnapshot`] from start to end; its revision is in the `Citymap-Revision` header.
//! - CPU work runs in a bounded pool off the threads that talk to clients; past its queue the answer is 503.
//! - Every refusal is `application/problem+json`, and says what to do next.
//! - Personal fields are absent: from answers, schemas, filters, tiles and logs.

mod app;
mod archives;
mod assets;
mod changes;
mod config;
mod features;
mod hash;
mod health;
mod http;
mod jobs;
mod openapi;
mod prepare;
mod processes;
mod questions;
mod routes;
mod serve;
mod tiles;
mod versions;
mod work;
mod write;

pub use config::{Config, Limits};
pub use http::auth::{Writer, WritersError, read_writers};
pub use serve::{ServeError, router, serve};
