//! The formats of vector tiles, and which of them a client gets.

use axum::http::{HeaderMap, header};

use crate::http::negotiate::weight_of;

/// A format of vector tiles.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum TileFormat {
    /// Mapbox Vector Tile 2.1.
    Mvt,
    /// MapLibre Tile 1, stored in columns.
    Mlt,
}

/// The media type that MapLibre GL JS 6 accepts for a source with `"encoding": "mlt"`.
const MLT: &str = "application/vnd.maplibre-tile";
/// The media type that other clients use; neither is registered yet.
const MLT_LONG: &str = "application/vnd.maplibre-vector-tile";
const MVT: &str = "application/vnd.mapbox-vector-tile";

impl TileFormat {
    /// The media type of answers.
    pub(crate) fn media_type(self) -> &'static str {
        match self {
            Self::Mvt => MVT,
            Self::Mlt => MLT,
        }
    }

    /// Splits a last path segment such as `26301.mlt` into the number and the format, if a suffix names one.
    pub(crate) fn of_suffix(text: &str) -> (&str, Option<Self>) {
        let strip = |suffix: &str| text.strip_suffix(suffix);
        match strip(".pbf").or_else(|| strip(".mvt")) {
            Some(rest) => (rest, Some(Self::Mvt)),
            None => strip(".mlt").map_or((text, None), |rest| (rest, Some(Self::Mlt))),
        }
    }

    /// The format that `Accept` asks for: MLT only if the client names it and does not prefer MVT.
    pub(crate) fn of_accept(headers: &HeaderMap) -> Self {
        if !headers.contains_key(header::ACCEPT) {
            return Self::Mvt;
        }
        let mlt = weight_of(headers, &[MLT, MLT_LONG]);
        let mvt = weight_of(headers, &[MVT, "application/x-protobuf"]);
        if mlt > 0 && mlt >= mvt { Self::Mlt } else { Self::Mvt }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mlt_is_served_only_to_clients_that_name_it() {
        for (accept, format) in [
            ("*/*", TileFormat::Mvt),
            ("application/vnd.maplibre-tile", TileFormat::Mlt),
            ("application/vnd.maplibre-vector-tile;q=0.9, */*;q=0.1", TileFormat::Mlt),
            ("application/vnd.maplibre-tile;q=0.5, application/vnd.mapbox-vector-tile", TileFormat::Mvt),
            ("application/vnd.maplibre-tile;q=0", TileFormat::Mvt),
            ("Application/VND.maplibre-tile", TileFormat::Mlt),
        ] {
            let headers = HeaderMap::from_iter([(header::ACCEPT, accept.parse().unwrap())]);
            assert_eq!(TileFormat::of_accept(&headers), format, "{accept}");
        }
        assert_eq!(TileFormat::of_accept(&HeaderMap::new()), TileFormat::Mvt);
        assert_eq!(TileFormat::of_suffix("7.mlt"), ("7", Some(TileFormat::Mlt)));
        assert_eq!(TileFormat::of_suffix("7.pbf"), ("7", Some(TileFormat::Mvt)));
        assert_eq!(TileFormat::of_suffix("7"), ("7", None));
    }
}
