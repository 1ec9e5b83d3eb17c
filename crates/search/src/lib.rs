//! Search for names, addresses, parcels and coordinates, without regard to diacritics.
//!
//! A query is free text: a commune, a ward or district that no longer exists, a street, an address with alley
//! numbers (*hẻm*), a parcel (`tờ 12 thửa 345`, `26740-12-345`), or coordinates in any usual notation.
//!
//! [`SearchIndex::build`] indexes a [`City`](citymap_engine::City) once. [`SearchIndex::update`] keeps what
//! has not changed: of a layer that was edited, all but the edited features. Which fields are indexed follows
//! from the meanings in the layer's definition. Personal fields are never indexed.
//!
//! # How it works
//!
//! Each block of a layer has a segment: its distinct names and streets, sorted, with their words and house
//! numbers. A layer has three segments, for its base, for an earlier state of its delta and for what has
//! changed since, which a query reads as one. Candidates from keys, parcels, names and addresses are scored
//! by how well they fit, what they are and how near they are, and the best become answers.
//!
//! # Examples
//!
//! ```
//! use citymap_engine::{City, SnapshotBuilder};
//! use citymap_model::{Feature, Field, FieldType, GeometryKind, Layer, Role, Title, Value};
//! use citymap_search::{SearchIndex, SearchQuery};
//!
//! let title = Title::new("Đường", "Roads");
//! let mut roads = Layer::new("roads".parse().unwrap(), title, Role::Road, GeometryKind::Line);
//! roads.fields.push(Field::new("name", FieldType::Text));
//! roads.label = Some("name".into());
//! let mut builder = SnapshotBuilder::new(roads);
//! let line = geo::LineString::from(vec![(106.70, 10.77), (106.71, 10.78)]);
//! let values = vec![Value::Text("Nguyễn Huệ".into())];
//! builder.push(&Feature { fid: 1, geometry: Some(line.into()), values }).unwrap();
//! let layer = builder.finish(1);
//!
//! let mut city = City { revision: 1, ..City::default() };
//! city.layers.insert(layer.layer().id.clone(), layer.into());
//! let index = SearchIndex::build(&city);
//! let query = SearchQuery { text: "nguyen hue".into(), limit: 5, near: None, lang: "vi" };
//! assert_eq!(index.search(&city, &query).hits[0].label, "Nguyễn Huệ");
//! ```

mod builder;
mod coordinates;
mod crossings;
mod delta_segment;
mod fields;
mod hit;
mod hits;
mod index;
mod layer;
mod parcel;
mod phrases;
mod places;
mod postings;
mod query_run;
mod question;
mod rank;
mod segment;
mod similar;
mod text_list;
mod units;
mod words;

pub use coordinates::{Position, parse_coordinates};
pub use hit::{Answer, AskedPlace, Hit, HitKind, Precision, SearchQuery};
pub use index::SearchIndex;
pub use parcel::{ParcelNumber, parse_parcel};
