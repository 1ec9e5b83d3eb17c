//! Names, addresses and parcel keys to places, without regard to diacritics.
//!
//! [`SearchIndex::build`] reads a [`City`](citymap_engine::City) once; [`SearchIndex::update`] keeps what has not
//! changed: of a layer that was edited, all but the edited features. A question is free text: a commune, a ward or district that no longer exists, a street, an address with *hẻm*
//! numbers, a parcel (`tờ 12 thửa 345`, `26740-12-345`), or coordinates in any notation.
//!
//! Fields declared personal are never read.

mod all;
mod answer;
mod asking;
mod builder;
mod coordinates;
mod fields;
mod fold;
mod hit;
mod index;
mod layer;
mod older;
mod parcel;
mod part;
mod phrases;
mod rank;
mod texts;
mod units;
mod words;

pub use coordinates::{Position, parse_coordinates};
pub use fold::fold;
pub use hit::{Hit, HitKind, Precision, SearchQuery};
pub use index::SearchIndex;
pub use parcel::{ParcelNumber, parse_parcel};
