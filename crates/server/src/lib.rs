//! The city over HTTP: OGC API – Features, spatial questions, vector tiles, change feed, jobs, and the web
//! map.
//!
//! This crate translates between HTTP and the engine; it has no rules of the city. The paths and their
//! answers are described in `docs/http-api.md` and, for machines, at `/api/openapi.json`.
//!
//! - A request holds one [`citymap_live::CitySnapshot`] from start to end; its revision is in the header
//!   `Citymap-Revision`.
//! - A query is read once into a typed value. Each parameter is declared once, beside its handler; the
//!   declaration feeds the reading, the error messages and the OpenAPI document (`http/query.rs`).
//! - CPU work runs in bounded pools off the I/O threads; if a queue is full, the answer is 503 (`work/`).
//! - Every error is `application/problem+json` and says what to do next (`http/problem.rs`).
//! - Personal fields are absent from answers, schemas, filters, tiles and logs: all fields come through
//!   `citymap-access`.
//!
//! | folder | what it has |
//! |---|---|
//! | `http/` | the request as handlers see it, parameters, negotiation, problems, pages |
//! | `features/` | OGC API – Features |
//! | `questions/` | what is here, near, in this area; overlay of one feature, search, transformation |
//! | `tiles/`, `archives/`, `assets/` | vector tiles, PMTiles archives, files of the map |
//! | `maps/` | OGC API – Maps: the city as pictures |
//! | `styles/` | OGC API – Styles: the map's styles for any client |
//! | `changes/`, `write/` | the change feed over HTTP, and edits |
//! | `jobs/`, `processes/` | work that takes longer than a request: the runtime, and one file per process |
//! | `openapi/` | the description for machines |
//!
//! ```no_run
//! use std::sync::Arc;
//!
//! use citymap_live::Live;
//! use citymap_server::{Config, serve};
//!
//! # async fn run() -> Result<(), Box<dyn std::error::Error>> {
//! let store = citymap_store::open("city.gpkg", false)?;
//! let live = Arc::new(Live::open(store)?);
//! let stop = std::future::pending::<()>();
//! serve(live, Config::default(), |address| println!("http://{address}"), stop).await?;
//! # Ok(())
//! # }
//! ```

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
mod maps;
mod openapi;
mod prepare;
mod processes;
mod questions;
mod routes;
mod serve;
mod styles;
mod tiles;
mod versions;
mod work;
mod write;

pub use config::{Config, Limits};
pub use http::{
    auth::{Writer, WritersError, read_writers},
    base::parse_base_url,
    client::{Network, NetworkError},
    cors::{Cors, CorsError},
};
pub use jobs::limits::JobLimits;
pub use processes::fault_link;
pub use questions::verify::verification_link;
pub use serve::{ServeError, router, serve};
