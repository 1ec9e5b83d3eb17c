//! Writing Mapbox vector tiles, version 2.1: protocol buffers ([`pbf`]), values on the wire ([`wire`]) and
//! the keys and values of a layer ([`values`]).

mod delta_texts;
mod numbers;
pub(crate) mod pbf;
pub(crate) mod values;
pub(crate) mod wire;
