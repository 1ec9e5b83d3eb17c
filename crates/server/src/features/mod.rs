//! OGC API – Features: the landing page, the layers, their schemas and their features, as JSON and as pages
//! for people.

pub(crate) mod chosen;
pub(crate) mod describe;
pub(crate) mod geojson;
pub(crate) mod items;
pub(crate) mod landing;
pub(crate) mod modified;
pub(crate) mod pages;
pub(crate) mod schema;
