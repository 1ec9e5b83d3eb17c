//! MapLibre styles (version 8 of the style specification) made from layer definitions.
//!
//! A [`StyleBook`] holds what styles are made of: the colours (`tiles/styles/look.json`), the themes
//! (`tiles/styles/themes.json`), and whole styles of an operator's own. [`StyleBook::style`] turns a theme
//! and the catalogue into a document.
//!
//! # How the map is drawn
//! - **One system of colours a theme.** The law has colours for land uses and others for planned functions.
//!   A theme fills areas with one of them; where both are asked for, the plan is a band along the borders.
//! - **What is seen is in the table.** Areas are opaque: an official colour is toned towards the ground once,
//!   so that the legend shows the very colour of the map.
//! - **Streets first.** Labels are placed in the order of slots from the top: areas, streets, symbols, zones,
//!   parcels, houses.
//! - **No layer is unknown.** A layer is drawn by its role, its kind of geometry and the meanings of its
//!   fields, never by its name; one of no known kind gets the colours of its code list, or one by its
//!   position.
//! - **Nothing personal.** Fields come through `citymap-access`, as the public sees them.
//!
//! # Examples
//! ```
//! use citymap_model::{CityProfile, GeometryKind, Layer, Role, Title};
//! use citymap_render::styles::{
//!     Addresses, Appearance, CatalogueLayer, StyleBook, StyleRequest, StyledCity,
//! };
//!
//! let id = "roads".parse().unwrap();
//! let roads = Layer::new(id, Title::new("Đường", "Roads"), Role::Road, GeometryKind::Line);
//! let layers = [CatalogueLayer { layer: &roads, count: 7, labels: &[] }];
//! let city = StyledCity { profile: CityProfile::builtin(), layers: &layers };
//! let request = StyleRequest { appearance: Appearance::Dark, lang: "vi", level: None, layers: None };
//! let addresses = Addresses {
//!     root: "https://map.example.vn",
//!     glyphs: "https://map.example.vn/fonts/{fontstack}/{range}.pbf",
//!     sprite: "https://map.example.vn/sprites/citymap",
//!     tiles: &|layers| format!("https://map.example.vn/tiles/{}.json", layers.join(",")),
//!     layers_max: 64,
//! };
//!
//! let book = StyleBook::load(None).unwrap();
//! let style = book.style("streets", city, &request, &addresses).unwrap();
//! assert_eq!(style["version"], 8);
//! assert_eq!(style["sources"]["citymap-base"]["url"], "https://map.example.vn/tiles/roads.json");
//! ```

mod area_labels;
mod book;
mod build;
mod classify;
mod codes;
mod draw;
mod error;
mod expression;
mod map_theme;
mod nation;
mod own;
mod palette;
mod plan_level;
mod rgb;
#[cfg(test)]
pub(crate) mod tests;

pub use area_labels::area_labels;
pub use book::{StyleBook, StyleEntry};
pub use build::{Addresses, AreaLabel, CatalogueLayer, StyleRequest, StyledCity, label_fields};
pub(crate) use classify::{color_field, kind_of, meant, public};
pub(crate) use draw::{LEGEND, road::class_field};
pub use error::{Fault, StylesError};
pub(crate) use map_theme::DrawKind;
pub use palette::Appearance;
pub use plan_level::{LEVEL_NAMES, level_name, level_named};
pub use rgb::{InvalidRgb, Rgb};
