//! How the city is drawn: MapLibre styles made from layer definitions, their legends, and pictures of them.
//!
//! A style is data with one source, so that the page, QGIS and the renderer draw the same map. [`styles`]
//! makes it from what the catalogue says of each layer (role, meanings of fields, code lists with official
//! colours) and from three tables that an operator can change: the colours, the themes, and whole styles of
//! their own. [`legend`] lists what a style draws at a zoom, in the colours that are seen.
//!
//! This crate knows neither HTTP nor a store: it receives definitions, and the addresses of tiles, glyphs and
//! symbols as texts.
//!
//! [`mod@print`] puts maps on paper at an exact scale, as [`pdf`] files with vectors and selectable text, and
//! [`report`] the report on a parcel.
//!
//! A picture is made in three steps: [`spec::Style::parse`] reads a style document, [`raster::View`] says
//! which part of the world the picture shows, and [`raster::draw`] paints it with the features of a city.
//!
//! ```
//! use citymap_crs::Crs;
//! use citymap_engine::{Cancel, City};
//! use citymap_render::{
//!     raster::{Ground, ImageFormat, Picture, Source, View, draw},
//!     spec::Style,
//! };
//! use citymap_tile::Tiler;
//!
//! let style = Style::parse(&serde_json::json!({"version": 8, "layers": [
//!     {"id": "ground", "type": "background", "paint": {"background-color": "#f6f4ef"}},
//!     {"id": "lots", "type": "fill", "source": "parcels", "paint": {"fill-color": "#e8c9a0"}},
//! ]}))
//! .unwrap();
//! let view = View::new(Crs::WGS84, [[106.69, 10.77], [106.70, 10.78]], [64, 64]).unwrap();
//! let (city, tiler, cancel) = (City::default(), Tiler::new(), Cancel::new());
//! let source = Source { city: &city, tiler: &tiler, time: None, cancel: &cancel };
//! let mut picture = Picture::new(view.size()).unwrap();
//! let notes = draw(&style, &view, &source, Ground::Style, &mut picture).unwrap();
//! assert!(notes.missing_layers.contains("parcels"), "the city is empty");
//! assert_eq!(picture.pixel(10, 10), Some([0xf6, 0xf4, 0xef, 255]));
//! let png = picture.encode(ImageFormat::Png).unwrap();
//! assert!(png.starts_with(b"\x89PNG"));
//! ```

pub mod annotation;
pub mod expression;
pub mod labels;
pub mod legend;
pub mod pdf;
pub mod print;
pub mod raster;
pub mod report;
pub mod spec;
pub mod sprite;
pub mod styles;
pub mod svg;
