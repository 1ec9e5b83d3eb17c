//! The change feed: what each revision of a city changed, for programs that follow the city.
//!
//! A reader of the feed names the last revision that it knows and gets the next ones. This crate
//! holds the parts that do not depend on how the reader is connected:
//!
//! - [`Hub`] gives the next revisions as JSON. It turns each revision into JSON once, however many
//!   readers ask for it, and keeps the newest ones in memory.
//! - [`RenderedRevision`] is one revision as JSON, in parts, so that a reader that asked for some
//!   layers gets only those.
//! - [`webhooks`] sends each revision to the subscribers' addresses, signed, in order, at least
//!   once.
//!
//! Pages (`GET /api/changes`) and streams (`GET /api/events`) are served by the `server` crate from
//! the same [`Hub`]. The JSON never holds a personal field: a feature is named by its number where
//! its key is personal, and the JSON is made again when a field becomes personal.
//!
//! # Examples
//!
//! Subscriptions are kept in the store, next to the record. They can be changed while servers run:
//!
//! ```
//! use citymap_feed::webhooks::{self, NewSubscription};
//!
//! # let folder = tempfile::tempdir()?;
//! # let path = folder.path().join("city.gpkg");
//! # let path = path.to_str().unwrap();
//! let store = citymap_store::open(path, true)?;
//! let added = webhooks::add(store.as_ref(), NewSubscription {
//!     name: "permits".into(),
//!     url: "https://permits.example.vn/hook".into(),
//!     layers: Some(vec!["parcels".parse()?]),
//!     ..NewSubscription::default()
//! })?;
//! assert!(added.secret.starts_with("whsec_"));
//! assert_eq!(webhooks::list(store.as_ref())?[0].name, "permits");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod error;
mod hub;
mod limits;
mod rendered;
mod tiles;
pub mod webhooks;

pub use error::FeedError;
pub use hub::Hub;
pub use limits::FeedLimits;
pub use rendered::RenderedRevision;
