//! Coordinates in queries: systems, boxes and positions.
//!
//! In questions (`x`, `y`, `/api/within`) x is easting or longitude always. `crs` and `bbox-crs` of OGC API –
//! Features follow the axis order of the authority ([`NamedCrs`]).

use citymap_crs::{Crs, CrsError, NamedCrs, Transform};
use citymap_engine::Bbox;
use geo::{Coord, LineString, MultiPolygon, Polygon};

use crate::http::problem::Problem;

/// Reads the system that the parameter or header `name` names: a URI, `EPSG:n`, `[EPSG:n]` or `CRS84`.
/// Refuses a system in which features are not offered.
///
/// # Errors
/// 400 if the system is not known or not offered.
pub(crate) fn named_crs(name: &str, text: &str) -> Result<NamedCrs, Problem> {
    NamedCrs::find(text)?.ok_or_else(|| {
        Problem::parameter(format!(
            "features are not offered in `{name}={text}`; the collection's `crs` lists the systems they are \
                offered in, \
             /api/transform takes any system"
        ))
    })
}

/// The area that a query is restricted to.
#[derive(Clone, Debug)]
pub(crate) enum Window {
    /// A box along longitude and latitude.
    Bbox(Bbox),
    /// A box along the axes of another system, in degrees: its edges are curves, given by many points.
    Polygon(Polygon<f64>),
}

impl Window {
    /// The same area as polygons; two if it crosses the antimeridian.
    pub(crate) fn to_polygons(&self) -> MultiPolygon<f64> {
        match self {
            Self::Polygon(polygon) => MultiPolygon::new(vec![polygon.clone()]),
            Self::Bbox(bbox) => {
                let (boxes, count) = bbox.split();
                MultiPolygon::new(boxes[..count].iter().map(|bbox| bbox.to_polygon()).collect())
            }
        }
    }
}

/// Reads `bbox` in the system `crs`: four numbers, or six of which the heights are ignored.
///
/// # Errors
/// 400 with the reason and the expected order.
pub(crate) fn window(text: &str, crs: &NamedCrs) -> Result<Window, Problem> {
    let order = if crs.swapped { "south,west,north,east" } else { "west,south,east,north" };
    let refuse =
        |why: &str| Problem::parameter(format!("`bbox={text}` cannot be used: {why}; the order is {order}"));
    let numbers: Vec<f64> = text
        .split(',')
        .map(|number| number.trim().parse().ok().filter(|value: &f64| value.is_finite()))
        .collect::<Option<_>>()
        .ok_or_else(|| refuse("it has a value that is not a number"))?;
    let (low, high) = match *numbers.as_slice() {
        [a, b, c, d] => ([a, b], [c, d]),
        [a, b, _, c, d, _] => ([a, b], [c, d]),
        _ => return Err(refuse("it has neither four nor six numbers")),
    };
    window_of([low, high], crs).map_err(|fault| match fault {
        BoxFault::Crs(error) => error.into(),
        fault => refuse(&fault.to_string()),
    })
}

/// Why two corners are not a box.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BoxFault {
    #[error("its south is greater than its north")]
    South,
    #[error("its west is greater than its east")]
    West,
    #[error("latitude {0} is beyond 90 degrees; perhaps the axes are exchanged")]
    Latitude(f64),
    #[error("longitude {0} is beyond 180 degrees")]
    Longitude(f64),
    #[error("only a box in CRS84 or EPSG:4326 may cross the antimeridian")]
    Antimeridian,
    #[error(transparent)]
    Crs(#[from] CrsError),
}

/// The box between two corners in the system `crs`, in its axis order.
///
/// # Errors
/// [`BoxFault`] with the edge that cannot be used.
pub(crate) fn window_of([low, high]: [[f64; 2]; 2], crs: &NamedCrs) -> Result<Window, BoxFault> {
    let ([west, south], [east, north]) = (crs.turn(low), crs.turn(high));
    if south > north {
        return Err(BoxFault::South);
    }
    if crs.crs.is_geographic() {
        if let Some(bad) = [south, north].into_iter().find(|lat| lat.abs() > 90.0) {
            return Err(BoxFault::Latitude(bad));
        }
        if let Some(bad) = [west, east].into_iter().find(|lon| lon.abs() > 180.0) {
            return Err(BoxFault::Longitude(bad));
        }
    } else if west > east {
        return Err(BoxFault::West);
    }
    if crs.crs == Crs::WGS84 {
        return Ok(Window::Bbox(Bbox::new(west, south, east, north)));
    }
    if west > east {
        return Err(BoxFault::Antimeridian);
    }
    Ok(Window::Polygon(curved([west, south], [east, north], crs.crs)?))
}

/// A box in another system as a polygon in longitude and latitude with 32 points per edge. In the city it is
/// within a millimetre of the true curve for a box of 30 km.
fn curved([west, south]: [f64; 2], [east, north]: [f64; 2], crs: Crs) -> Result<Polygon<f64>, CrsError> {
    const STEPS: u32 = 32;
    let corners = [[west, south], [east, south], [east, north], [west, north], [west, south]];
    let mut points: Vec<[f64; 2]> = Vec::new();
    for edge in corners.windows(2) {
        points.extend((0..STEPS).map(|step| {
            let t = f64::from(step) / f64::from(STEPS);
            [edge[0][0] + t * (edge[1][0] - edge[0][0]), edge[0][1] + t * (edge[1][1] - edge[0][1])]
        }));
    }
    Transform::new(crs, Crs::WGS84)?.apply(&mut points)?;
    let mut ring: LineString<f64> = points.into_iter().map(|[x, y]| Coord { x, y }).collect();
    ring.close();
    Ok(Polygon::new(ring, Vec::new()))
}

/// The position that the parameters of a question give, if they give one: `lon` and `lat`, or `x`, `y` and
/// `crs`. WGS 84 longitude and latitude.
///
/// # Errors
/// 400 if some parameters of one way are missing, or both ways are mixed.
pub(crate) fn position(
    [lon, lat]: [Option<f64>; 2],
    [x, y]: [Option<f64>; 2],
    crs: Option<Crs>,
) -> Result<Option<[f64; 2]>, Problem> {
    match (lon, lat, x, y, crs) {
        (None, None, None, None, None) => Ok(None),
        (Some(lon), Some(lat), None, None, None) => Ok(Some([lon, lat])),
        (None, None, Some(x), Some(y), Some(crs)) => {
            Ok(Some(Transform::new(crs, Crs::WGS84)?.point([x, y])?))
        }
        _ => Err(Problem::parameter(
            "give either lon and lat, or x (easting), y (northing) and crs: all of one kind and none of the \
                other",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::{
        parameters::POSITION,
        params::Params,
        query::{QueryReader, QuerySource},
    };

    #[test]
    fn a_box_in_the_wrong_order_is_explained() {
        let lonlat = NamedCrs::crs84();
        for (text, word) in [
            ("10.7,106.6,10.8,106.7", "latitude 106.6"),
            ("106.6,10.8,106.7,10.7", "south is greater"),
            ("106.6,10.8,106.7", "neither four nor six"),
            ("a,b,c,d", "not a number"),
            ("106.6,10.8,NaN,11", "not a number"),
            ("-190,0,0,1", "longitude -190"),
        ] {
            let problem = window(text, &lonlat).unwrap_err();
            assert!(problem.detail().contains(word), "{text}: {}", problem.detail());
        }
        let lat_first = named_crs("bbox-crs", "EPSG:4326").unwrap();
        let Window::Bbox(bbox) = window("10.7,106.6,10.8,106.7", &lat_first).unwrap() else { panic!() };
        assert_eq!(bbox, Bbox::new(106.6, 10.7, 106.7, 10.8));
    }

    #[test]
    fn a_box_may_cross_the_antimeridian_and_have_heights() {
        let Window::Bbox(bbox) = window("170,-10,0,-170,10,5", &NamedCrs::crs84()).unwrap() else { panic!() };
        assert_eq!(bbox, Bbox::new(170.0, -10.0, -170.0, 10.0));
        assert_eq!(Window::Bbox(bbox).to_polygons().0.len(), 2);
    }

    #[test]
    fn a_position_is_given_in_one_way() {
        let limits = crate::config::Limits::default();
        let headers = axum::http::HeaderMap::new();
        let read = |query: &str| {
            let mut params = Params::parse(Some(query)).unwrap();
            POSITION.take(&mut QueryReader { params: &mut params, headers: &headers, limits: &limits })
        };
        assert_eq!(read("lon=106.698&lat=10.7725").unwrap(), [106.698, 10.7725]);
        let [lon, lat] = read("x=603481.588&y=1191454.611&crs=EPSG:9210").unwrap();
        assert!((lon - 106.698).abs() < 1e-8 && (lat - 10.7725).abs() < 1e-8);
        for query in [
            "",
            "lon=1",
            "lon=1&lat=2&x=3",
            "x=1&y=2",
            "lon=181&lat=0",
            "lon=1&lat=2&crs=EPSG:9210",
            "x=1&y=2&crs=9999999",
        ] {
            assert!(read(query).is_err(), "{query}");
        }
    }
}
