//! Which columns of a table are coordinates, by their names.

use citymap_model::text::without_diacritics;

/// What a pair of columns is called after.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Family {
    /// Called after longitude and latitude.
    Geographic,
    /// Easting and northing by name, which nobody exchanges.
    Grid,
    /// X and Y, which Vietnamese papers exchange.
    Plain,
}

/// Two columns that may be coordinates, x (or longitude, or easting) first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Pair {
    pub family: Family,
    pub x: usize,
    pub y: usize,
    /// Whether the names say VN-2000.
    pub vn2000: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Axis {
    X,
    Y,
}

/// The words of names: family, axis, the word as folded text, and whether it tells enough in a longer name.
const WORDS: [(Family, Axis, &str, bool); 28] = [
    (Family::Geographic, Axis::X, "longitude", true),
    (Family::Geographic, Axis::Y, "latitude", true),
    (Family::Geographic, Axis::X, "lon", true),
    (Family::Geographic, Axis::X, "long", true),
    (Family::Geographic, Axis::X, "lng", true),
    (Family::Geographic, Axis::Y, "lat", true),
    (Family::Geographic, Axis::X, "kinh do", true),
    (Family::Geographic, Axis::X, "kinhdo", true),
    (Family::Geographic, Axis::Y, "vi do", true),
    (Family::Geographic, Axis::Y, "vido", true),
    (Family::Geographic, Axis::X, "longtitude", true),
    (Family::Geographic, Axis::Y, "latitute", true),
    (Family::Grid, Axis::X, "easting", true),
    (Family::Grid, Axis::X, "east", false),
    (Family::Grid, Axis::Y, "northing", true),
    (Family::Grid, Axis::Y, "north", false),
    (Family::Grid, Axis::X, "e", false),
    (Family::Grid, Axis::Y, "n", false),
    (Family::Plain, Axis::X, "x", false),
    (Family::Plain, Axis::Y, "y", false),
    (Family::Plain, Axis::X, "xcoord", false),
    (Family::Plain, Axis::Y, "ycoord", false),
    (Family::Plain, Axis::X, "toadox", false),
    (Family::Plain, Axis::Y, "toadoy", false),
    (Family::Plain, Axis::X, "coordx", false),
    (Family::Plain, Axis::Y, "coordy", false),
    (Family::Plain, Axis::X, "pointx", false),
    (Family::Plain, Axis::Y, "pointy", false),
];

/// Words that stand beside the word of an axis and change nothing: `POINT_X`, `X_VN2000`, `Tọa độ X (m)`.
const BESIDE: [&str; 42] = [
    "point",
    "pt",
    "diem",
    "toa",
    "do",
    "toado",
    "coord",
    "coords",
    "coordinate",
    "coordinates",
    "co",
    "ord",
    "gps",
    "geo",
    "gis",
    "map",
    "vn",
    "vn2000",
    "vn2k",
    "2000",
    "wgs",
    "wgs84",
    "84",
    "utm",
    "utm48",
    "utm48n",
    "tm3",
    "tm",
    "epsg",
    "4326",
    "9210",
    "m",
    "met",
    "meter",
    "metre",
    "dd",
    "deg",
    "degree",
    "degrees",
    "decimal",
    "center",
    "centroid",
];

/// A column whose name holds the word of an axis.
struct Named {
    column: usize,
    family: Family,
    axis: Axis,
    /// How far the name is from the bare word: 0 the word itself, 1 with words that change nothing, 2 with
    /// others.
    distance: u8,
    /// The rest of the name, by which partners are known: `x_vn2000` and `y_vn2000`.
    rest: String,
}

/// A name in lower case without diacritics, brackets and what is in them (units), its words apart.
pub(super) fn folded(name: &str) -> String {
    let mut out = String::new();
    let mut depth = 0_usize;
    for letter in without_diacritics(name).chars() {
        match letter {
            '(' | '[' => depth += 1,
            ')' | ']' => depth = depth.saturating_sub(1),
            _ if depth > 0 => {}
            _ if letter.is_alphanumeric() => out.push(letter),
            _ if !out.ends_with(' ') => out.push(' '),
            _ => {}
        }
    }
    out.trim().to_owned()
}

/// The pairs that the names make, the most telling ones first.
pub(super) fn pairs(names: &[String]) -> Vec<Pair> {
    let named: Vec<Named> =
        names.iter().enumerate().flat_map(|(column, name)| named(column, &folded(name))).collect();
    let mut found: Vec<(u8, Pair)> = Vec::new();
    for family in [Family::Geographic, Family::Grid, Family::Plain] {
        let of = |axis: Axis| named.iter().filter(move |own| own.family == family && own.axis == axis);
        for x in of(Axis::X) {
            let mut partners: Vec<&Named> = of(Axis::Y).filter(|y| y.rest == x.rest).collect();
            // `longitude` and `lat_1`: without a partner of its own, the only one there is.
            if partners.is_empty() && of(Axis::X).count() == 1 && of(Axis::Y).count() == 1 {
                partners = of(Axis::Y).collect();
            }
            let Some(y) = partners.into_iter().min_by_key(|y| (y.distance, y.column)) else { continue };
            let pair = Pair {
                family,
                x: x.column,
                y: y.column,
                vn2000: x.rest.contains("vn") && (x.rest.contains("2000") || x.rest.contains("2k")),
            };
            let known =
                |own: &(u8, Pair)| own.1.family == family && (own.1.x == x.column || own.1.y == y.column);
            if !found.iter().any(known) {
                found.push((x.distance.max(y.distance), pair));
            }
        }
    }
    // The sort is stable: longitude and latitude name their system, and so come before equals.
    found.sort_by_key(|(distance, _)| *distance);
    found.into_iter().map(|(_, pair)| pair).collect()
}

/// What a folded name says of an axis, once for each family.
fn named(column: usize, name: &str) -> Vec<Named> {
    let words: Vec<&str> = name.split(' ').collect();
    let mut found: Vec<Named> = Vec::new();
    for (family, axis, word, tells) in WORDS {
        let parts: Vec<&str> = word.split(' ').collect();
        let Some(at) = words.windows(parts.len()).position(|window| window == parts) else { continue };
        let rest: Vec<&str> = words
            .iter()
            .enumerate()
            .filter(|(i, _)| *i < at || *i >= at + parts.len())
            .map(|(_, w)| *w)
            .collect();
        let plain = rest.iter().all(|word| BESIDE.contains(word));
        let distance = match rest.len() {
            0 => 0,
            _ if plain => 1,
            _ if tells => 2,
            _ => continue,
        };
        if found.iter().all(|own| own.family != family) {
            found.push(Named { column, family, axis, distance, rest: rest.join(" ") });
        }
    }
    found
}

/// Whether a name is one that geometry as text has. `true` for names that are used for nothing else.
pub(super) fn geometry_name(name: &str) -> Option<bool> {
    match folded(name).replace(' ', "_").as_str() {
        "wkt" | "ewkt" | "wkb" | "ewkb" | "geojson" | "the_geom" | "wkt_geom" | "geom_wkt"
        | "geometry_wkt" | "wkt_geometry" | "wkb_geometry" | "geom_wkb" | "hex_wkb" | "geom_json"
        | "geom" | "geometry" => Some(true),
        "shape" | "hinh_hoc" | "hinhhoc" | "the_geog" | "geog" | "geography" | "sp_geometry"
        | "ogr_geometry" => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn first(names: &[&str]) -> Option<(Family, usize, usize)> {
        let names: Vec<String> = names.iter().map(ToString::to_string).collect();
        pairs(&names).first().map(|pair| (pair.family, pair.x, pair.y))
    }

    #[test]
    fn everyday_names_are_pairs() {
        for (x, y, family) in [
            ("lon", "lat", Family::Geographic),
            ("Kinh độ", "Vĩ độ", Family::Geographic),
            ("KINH_DO", "VI_DO", Family::Geographic),
            ("longitude", "lat", Family::Geographic),
            ("lng", "latitude", Family::Geographic),
            ("lon_wgs84", "lat_wgs84", Family::Geographic),
            ("geo_longitude", "this_is_latitude_yo", Family::Geographic),
            ("Longitude (°)", "Latitude (°)", Family::Geographic),
            ("POINT_X", "POINT_Y", Family::Plain),
            ("X (m)", "Y (m)", Family::Plain),
            ("X_VN2000", "Y_VN2000", Family::Plain),
            ("Tọa độ X", "Tọa độ Y", Family::Plain),
            ("toado_x", "toado_y", Family::Plain),
            ("x_coord", "y_coord", Family::Plain),
            ("XCoord", "YCoord", Family::Plain),
            ("Easting [m]", "Northing [m]", Family::Grid),
            ("E", "N", Family::Grid),
        ] {
            assert_eq!(first(&["ten", x, y]), Some((family, 1, 2)), "{x} {y}");
            assert_eq!(first(&[y, "ten", x]), Some((family, 2, 0)), "{y} {x}");
        }
        for names in
            [["x", "ten"], ["xa", "huyen"], ["east_side", "north_side"], ["exit", "year"], ["do", "m"]]
        {
            assert_eq!(first(&names), None, "{names:?}");
        }
    }

    #[test]
    fn partners_share_the_rest_of_their_names() {
        let names: Vec<String> =
            ["X_VN2000", "lat", "Y_WGS84", "X_WGS84", "lon", "Y_VN2000"].map(str::to_owned).to_vec();
        let found: Vec<(usize, usize, bool)> =
            pairs(&names).iter().map(|pair| (pair.x, pair.y, pair.vn2000)).collect();
        assert_eq!(found, [(4, 1, false), (0, 5, true), (3, 2, false)]);
    }
}
