//! Which coordinate system a file says it is in.
//!
//! GDAL reads the definition; what it means is decided here, because GDAL and PROJ would take
//! Vietnamese grids for others or shift them by the wrong set (EPSG:5194).

use citymap_crs::{CityArea, Crs, CrsError, Transform, ZoneProposal, propose_zones, vn2000::ZONES};
use citymap_model::quote;
use gdal::spatial_ref::SpatialRef;

use crate::crs_names::{UnknownCrs, named};

/// What a source layer says of its coordinate system.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Srs {
    /// A table without geometry needs no system.
    None,
    /// The source names a system that is known.
    Known { crs: Crs, how: String, warnings: Vec<String> },
    /// Not said, or not to be understood; why.
    Unknown(String),
}

/// The legal datum shift as `+towgs84` has it: three metres, three arc seconds of the other sign, ppm.
const LEGAL: [f64; 7] = [
    -191.904_414_29,
    -39.303_182_79,
    -111.450_328_35,
    0.009_288_36,
    -0.019_754_79,
    0.004_273_72,
    0.252_906_278,
];

/// What a definition without a datum shift means.
const WRITTEN_WITHOUT_SHIFT: &str = "which is not the legal one; EPSG:6960 (Decision 05/2007/QĐ-BTNMT) was \
     used. If the data was made from WGS 84 by a program without that shift, it is some 220 m off now: \
     transform it with the legal shift, or import it with the --crs of the WGS 84 system";

/// Why a geometry cannot be brought to another system, with its coordinates only if messages may have them.
pub(crate) fn immovable(error: &CrsError) -> String {
    match error {
        CrsError::OutOfRange { x, y, crs } => {
            format!("{} is outside of the area of {crs}", quote::coordinate([*x, *y]))
        }
        other => other.to_string(),
    }
}

/// Understands GDAL's definition. `said` says where it is from (`the .prj file`, `the file`).
pub(crate) fn identify(srs: Option<&SpatialRef>, said: &str) -> Srs {
    let Some(srs) = srs else { return Srs::Unknown(format!("{said} names no coordinate system")) };
    let name = srs.name().unwrap_or_default();
    let proj4 = srs.to_proj4().unwrap_or_default();
    let vietnamese = is_vietnamese(srs, &name);
    let mut warnings = Vec::new();
    if let Some(given) = towgs84(srs) {
        let legal = given.len() == 7 && given.iter().zip(LEGAL).all(|(a, b)| (a - b).abs() < 1e-4);
        if vietnamese && given.iter().all(|v| *v == 0.0) {
            warnings
                .push(format!("the definition has a datum shift of zero (TOWGS84), {WRITTEN_WITHOUT_SHIFT}"));
        } else if vietnamese && !legal {
            warnings.push(format!(
                "the datum shift in the definition ({}) is not the legal one; EPSG:6960 (Decision \
                 05/2007/QĐ-BTNMT) was used",
                given.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
            ));
        }
    }
    if vietnamese && towgs84(srs).is_none() && on_wgs84(srs) {
        warnings
            .push(format!("the definition names VN-2000, but its datum is WGS 84, {WRITTEN_WITHOUT_SHIFT}"));
    }
    // The grid's own numbers come first: a definition may carry the code of another grid only by
    // mistake, while a code without numbers does not exist.
    if let Some(crs) = vietnamese_grid(&proj4, vietnamese, &mut warnings) {
        return Srs::Known { crs, how: format!("{said}: `{name}`"), warnings };
    }
    if srs.is_geographic() && vietnamese {
        return Srs::Known { crs: Crs::VN2000, how: format!("{said}: `{name}`"), warnings };
    }
    let mut identified = srs.clone();
    // `auto_identify_epsg` knows UTM on WGS 84 and a few others; it errs where it knows nothing.
    let code = code(srs).or_else(|| identified.auto_identify_epsg().ok().and_then(|()| code(&identified)));
    if let Some(code) = code {
        return match Crs::new(code) {
            Ok(crs) => Srs::Known { crs, how: format!("{said}: `{name}`, EPSG:{code}"), warnings },
            Err(error) => Srs::Unknown(format!("{said} names EPSG:{code} (`{name}`): {error}")),
        };
    }
    if let Some(crs) = wgs84_utm(&proj4) {
        return Srs::Known { crs, how: format!("{said}: `{name}`, EPSG:{}", crs.code()), warnings };
    }
    if srs.is_geographic() && is_wgs84(srs, &proj4, &name) {
        return Srs::Known { crs: Crs::WGS84, how: format!("{said}: `{name}`"), warnings };
    }
    if is_mercator(&proj4) {
        return Srs::Known { crs: Crs::WEB_MERCATOR, how: format!("{said}: `{name}`"), warnings };
    }
    if !srs.is_local()
        && let Some(known) = by_name(srs, &name, said)
    {
        return match known {
            Srs::Known { crs, how, .. } => Srs::Known { crs, how, warnings },
            unknown => unknown,
        };
    }
    if srs.is_local() || proj4.is_empty() {
        return Srs::Unknown(format!("{said} says `{name}`, which has no place on the earth"));
    }
    Srs::Unknown(format!("{said} says `{name}`, which is no system with an EPSG code that is known here"))
}

/// The system whose name a definition has, where its numbers are the same; a refusal where they are not, or
/// where the name is like that of others.
fn by_name(srs: &SpatialRef, name: &str, said: &str) -> Option<Srs> {
    match named(name) {
        Ok(crs) if SpatialRef::from_epsg(crs.code()).is_ok_and(|own| is_same(srs, &own)) => {
            let how = format!("{said}: `{name}`, by this name {crs}");
            Some(Srs::Known { crs, how, warnings: Vec::new() })
        }
        Ok(crs) => Some(Srs::Unknown(format!(
            "{said} says `{name}`, but its numbers are not those of {crs} ({}); say which system it is with \
             --crs",
            crs.name()
        ))),
        Err(error @ UnknownCrs::Name { .. }) => Some(Srs::Unknown(format!("{said}: {error}"))),
        Err(_unknown) => None,
    }
}

/// Whether two definitions have the same numbers: kind, ellipsoid, unit, and parameters of the projection.
fn is_same(a: &SpatialRef, b: &SpatialRef) -> bool {
    let near = |a: f64, b: f64, by: f64| (a - b).abs() <= by;
    let same = |value: fn(&SpatialRef) -> Option<f64>, by: f64| match (value(a), value(b)) {
        (Some(a), Some(b)) => near(a, b, by),
        (a, b) => a.is_none() && b.is_none(),
    };
    let (a_text, b_text) = (a.to_proj4().unwrap_or_default(), b.to_proj4().unwrap_or_default());
    let unit = |srs: &SpatialRef| if srs.is_projected() { srs.linear_units() } else { srs.angular_units() };
    let is_plain = |text: &str| !text.is_empty() && parameter(text, "axis").is_none_or(|axis| axis == "enu");
    a.is_projected() == b.is_projected()
        && a.is_geographic() == b.is_geographic()
        && same(|srs| srs.semi_major().ok(), 0.01)
        && same(|srs| srs.semi_minor().ok(), 0.01)
        && near(unit(a), unit(b), 1e-9)
        && is_plain(&a_text)
        && is_plain(&b_text)
        && projection(&a_text) == projection(&b_text)
        && PARAMETERS.iter().all(|(name, default, by)| {
            near(projection_number(&a_text, name, *default), projection_number(&b_text, name, *default), *by)
        })
}

/// Parameters of projections with their defaults, and by how much two may differ: 1e-7 degrees are a
/// centimetre.
const PARAMETERS: [(&str, f64, f64); 13] = [
    ("lon_0", 0.0, 1e-7),
    ("lat_0", 0.0, 1e-7),
    ("lat_1", 0.0, 1e-7),
    ("lat_2", 0.0, 1e-7),
    ("lat_ts", 0.0, 1e-7),
    ("lonc", 0.0, 1e-7),
    ("lon_1", 0.0, 1e-7),
    ("lon_2", 0.0, 1e-7),
    ("alpha", 0.0, 1e-7),
    ("gamma", 0.0, 1e-7),
    ("k_0", 1.0, 1e-9),
    ("x_0", 0.0, 1e-3),
    ("y_0", 0.0, 1e-3),
];

/// The projection of a PROJ string; UTM is a transverse Mercator.
fn projection(proj4: &str) -> &str {
    match parameter(proj4, "proj").unwrap_or_default() {
        "utm" => "tmerc",
        "latlong" => "longlat",
        other => other,
    }
}

/// A parameter of the projection in a PROJ string, for UTM as the transverse Mercator has it.
fn projection_number(proj4: &str, name: &str, default: f64) -> f64 {
    if parameter(proj4, "proj") == Some("utm") {
        let south = proj4.split_whitespace().any(|word| word == "+south");
        return match name {
            "lon_0" => number(proj4, "zone", 0.0) * 6.0 - 183.0,
            "k_0" => 0.9996,
            "x_0" => 500_000.0,
            "y_0" if south => 10_000_000.0,
            _ => default,
        };
    }
    match name {
        "k_0" => number(proj4, "k", number(proj4, "k_0", default)),
        _ => number(proj4, name, default),
    }
}

fn code(srs: &SpatialRef) -> Option<u32> {
    (srs.auth_name().as_deref() == Some("EPSG"))
        .then(|| srs.auth_code().ok())
        .flatten()
        .and_then(|code| u32::try_from(code).ok())
}

fn is_vietnamese(srs: &SpatialRef, name: &str) -> bool {
    let datum = srs.get_attr_value("DATUM", 0).ok().flatten().unwrap_or_default();
    let geographic = srs.get_attr_value("GEOGCS", 0).ok().flatten().unwrap_or_default();
    let legal = towgs84(srs).is_some_and(|given| {
        given.len() == 7 && given.iter().zip(LEGAL).all(|(a, b)| (a.abs() - b.abs()).abs() < 1e-2)
    });
    legal
        || [name, &datum, &geographic].iter().any(|text| {
            let plain: String = text.to_lowercase().chars().filter(|c| c.is_alphanumeric()).collect();
            plain.contains("vn2000") || plain.contains("vietnam2000")
        })
}

/// Whether the datum under a definition is WGS 84 by name.
fn on_wgs84(srs: &SpatialRef) -> bool {
    let plain = |node| {
        let text = srs.get_attr_value(node, 0).ok().flatten().unwrap_or_default();
        text.to_lowercase().chars().filter(|c| c.is_alphanumeric()).collect::<String>()
    };
    let (datum, geographic) = (plain("DATUM"), plain("GEOGCS"));
    let vietnamese = |text: &str| text.contains("vn2000") || text.contains("vietnam2000");
    matches!(datum.trim_start_matches('d'), "wgs1984" | "wgs84" | "worldgeodeticsystem1984")
        && !vietnamese(&geographic)
}

fn towgs84(srs: &SpatialRef) -> Option<Vec<f64>> {
    let value =
        |child| srs.get_attr_value("TOWGS84", child).ok().flatten().and_then(|text| text.parse().ok());
    value(0)?;
    Some((0..7).map_while(value).collect())
}

/// A parameter of a PROJ string.
fn parameter<'a>(proj4: &'a str, name: &str) -> Option<&'a str> {
    proj4.split_whitespace().find_map(|word| word.strip_prefix('+')?.strip_prefix(name)?.strip_prefix('='))
}

fn number(proj4: &str, name: &str, default: f64) -> f64 {
    parameter(proj4, name).and_then(|text| text.parse().ok()).unwrap_or(default)
}

/// The VN-2000 grid with these numbers. TM-3 zones (k 0.9999, half-degree meridians) are Vietnam's own; on
/// UTM numbers the datum's name must say Vietnam.
fn vietnamese_grid(proj4: &str, vietnamese: bool, warnings: &mut Vec<String>) -> Option<Crs> {
    let (meridian, scale) = match parameter(proj4, "proj")? {
        "tmerc" => (number(proj4, "lon_0", 0.0), number(proj4, "k", number(proj4, "k_0", 1.0))),
        "utm" => (number(proj4, "zone", 0.0) * 6.0 - 183.0, 0.9996),
        _ => return None,
    };
    let wgs84 =
        [parameter(proj4, "datum"), parameter(proj4, "ellps")].iter().flatten().any(|name| *name == "WGS84")
            || (number(proj4, "a", 0.0) - 6_378_137.0).abs() < 0.1;
    let plain = number(proj4, "lat_0", 0.0) == 0.0
        && number(proj4, "x_0", 500_000.0) == 500_000.0
        && number(proj4, "y_0", 0.0) == 0.0
        && parameter(proj4, "units").unwrap_or("m") == "m"
        && !proj4.contains("+south");
    if !wgs84 || !plain || !(vietnamese || (scale - 0.9999).abs() < 1e-9) {
        return None;
    }
    let zone = ZONES.iter().find(|zone| {
        !zone.deprecated
            && (zone.central_meridian - meridian).abs() < 1e-6
            && (zone.scale - scale).abs() < 1e-9
    })?;
    if !vietnamese {
        warnings.push(format!(
            "the definition does not name VN-2000, but has the numbers of {} ({}); it was taken for that, \
             with the legal datum \
             shift. If it is really on WGS 84, the data is 220 m off: transform it before importing",
            zone.crs, zone.name
        ));
    }
    Some(zone.crs)
}

fn is_wgs84(srs: &SpatialRef, proj4: &str, name: &str) -> bool {
    let names = ["DATUM", "SPHEROID"]
        .map(|node| srs.get_attr_value(node, 0).ok().flatten().unwrap_or_default())
        .join(" ");
    let names = format!("{name} {names}").to_lowercase().replace([' ', '_'], "");
    let datum = parameter(proj4, "datum") == Some("WGS84") || parameter(proj4, "ellps") == Some("WGS84");
    // MapInfo's own WGS 84 has an ellipsoid one centimetre larger.
    let near = (number(proj4, "a", 0.0) - 6_378_137.0).abs() < 0.1
        && (number(proj4, "rf", 298.257_223_563) - 298.257_223_563).abs() < 1e-6;
    (datum || near)
        && names.contains("wgs")
        && parameter(proj4, "towgs84").is_none_or(|shift| shift.split(',').all(|v| v.parse() == Ok(0.0)))
}

/// UTM on WGS 84, by its numbers.
fn wgs84_utm(proj4: &str) -> Option<Crs> {
    let zone = parameter(proj4, "zone")?.parse::<u32>().ok().filter(|zone| (1..=60).contains(zone))?;
    let plain = parameter(proj4, "proj") == Some("utm")
        && parameter(proj4, "datum") == Some("WGS84")
        && parameter(proj4, "units").unwrap_or("m") == "m";
    let base = if proj4.contains("+south") { 32_700 } else { 32_600 };
    if plain { Crs::new(base + zone).ok() } else { None }
}

fn is_mercator(proj4: &str) -> bool {
    parameter(proj4, "proj") == Some("merc")
        && number(proj4, "a", 0.0) == 6_378_137.0
        && number(proj4, "b", 0.0) == 6_378_137.0
        && number(proj4, "lon_0", 0.0) == 0.0
        && number(proj4, "x_0", 0.0) == 0.0
        && number(proj4, "y_0", 0.0) == 0.0
}

/// The systems under which at least half of the points would fall inside the city, the best first.
pub(crate) fn readings(points: &[[f64; 2]], city: &CityArea) -> Vec<ZoneProposal> {
    let mut found = propose_zones(points, city).unwrap_or_default();
    found.retain(|one| one.share_inside >= 0.5);
    found
}

/// Readings for people, at most six; each begins with the options that choose it.
pub(crate) fn listed(readings: &[ZoneProposal]) -> Vec<String> {
    readings
        .iter()
        .take(6)
        .map(|one| {
            let near = if one.sample_commune.is_empty() {
                String::new()
            } else {
                format!(", near {}", one.sample_commune)
            };
            format!(
                "{}{} ({}{}: {:.0} % inside{near})",
                one.crs,
                if one.swapped { " --swap-xy" } else { "" },
                one.crs.name(),
                if one.swapped { ", with x and y exchanged" } else { "" },
                100.0 * one.share_inside,
            )
        })
        .collect()
}

/// A word on numbers that look like degrees, for data that lies in no proposal.
pub(crate) fn degrees_hint(points: &[[f64; 2]]) -> &'static str {
    if !points.is_empty() && points.iter().all(|[x, y]| x.abs() <= 180.0 && y.abs() <= 90.0) {
        "; its numbers look like degrees (WGS 84 is EPSG:4326, VN-2000 EPSG:4756)"
    } else {
        ""
    }
}

/// From the source's system to WGS 84; `None` where there is nothing to do, so that coordinates stay bit for
/// bit.
pub(crate) fn to_wgs84(crs: Crs) -> Result<Option<Transform>, citymap_crs::CrsError> {
    if crs == Crs::WGS84 { Ok(None) } else { Transform::new(crs, Crs::WGS84).map(Some) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known(definition: &str) -> (u32, usize) {
        match identify(Some(&SpatialRef::from_definition(definition).unwrap()), "test") {
            Srs::Known { crs, warnings, .. } => (crs.code(), warnings.len()),
            other => panic!("{definition}: {other:?}"),
        }
    }

    #[test]
    fn grids_are_known_by_code_by_name_and_by_numbers() {
        for zone in ZONES.iter().filter(|zone| !zone.deprecated) {
            assert_eq!(known(&format!("EPSG:{}", zone.crs.code())).0, zone.crs.code());
        }
        assert_eq!(known("EPSG:4326"), (4326, 0));
        assert_eq!(known("EPSG:4756"), (4756, 0));
        assert_eq!(known("EPSG:3857"), (3857, 0));
        assert_eq!(known("EPSG:32648"), (32648, 0));
        assert_eq!(known("EPSG:27700"), (27700, 0));
        assert_eq!(known("+proj=utm +zone=48 +datum=WGS84"), (32648, 0));
    }

    #[test]
    fn a_grid_without_a_name_is_taken_for_vietnams_with_a_warning() {
        assert_eq!(
            known("+proj=tmerc +lat_0=0 +lon_0=105.75 +k=0.9999 +x_0=500000 +y_0=0 +datum=WGS84 +units=m"),
            (9210, 1)
        );
    }

    #[test]
    fn a_datum_shift_that_is_not_the_legal_one_is_said_and_not_used() {
        let legal = "-191.90441429,-39.30318279,-111.45032835,0.00928836,-0.01975479,0.00427372,0.252906278";
        let grid = "+proj=tmerc +lat_0=0 +lon_0=105.75 +k=0.9999 +x_0=500000 +y_0=0 +ellps=WGS84 +units=m";
        assert_eq!(known(&format!("{grid} +towgs84={legal}")), (9210, 0));
        // The old sign error.
        let wrong = "-191.90441429,-39.30318279,-111.45032835,-0.00928836,0.01975479,-0.00427372,0.252906278";
        assert_eq!(known(&format!("{grid} +towgs84={wrong}")), (9210, 1));
        // No shift at all, under the grid's name.
        let named = |datum: &str, shift: &str| {
            format!(
                r#"PROJCS["VN2000_HCM",GEOGCS["{datum}",
                DATUM["{datum}",SPHEROID["WGS 84",6378137,298.257223563]{shift}],
                PRIMEM["Greenwich",0],UNIT["degree",0.0174532925199433]],PROJECTION["Transverse_Mercator"],
                PARAMETER["latitude_of_origin",0],PARAMETER["central_meridian",105.75],
                PARAMETER["scale_factor",0.9999],PARAMETER["false_easting",500000],
                PARAMETER["false_northing",0],UNIT["metre",1]]"#
            )
        };
        let zeros = ",TOWGS84[0,0,0,0,0,0,0]";
        assert_eq!(known(&named("Vietnam_2000", "")), (9210, 0));
        assert_eq!(known(&named("Vietnam_2000", zeros)), (9210, 1));
        assert_eq!(known(&named("WGS_1984", zeros)), (9210, 1));
        assert_eq!(known(&named("WGS_1984", "")), (9210, 1));
    }

    /// A definition as WKT with no code, under another name.
    fn renamed(epsg: u32, name: &str) -> SpatialRef {
        let wkt = SpatialRef::from_epsg(epsg).unwrap().to_wkt().unwrap();
        let mut bare = String::new();
        // Codes are the last members of their nodes.
        let mut rest = wkt.as_str();
        while let Some(at) = rest.find(",AUTHORITY[") {
            bare.push_str(&rest[..at]);
            rest = &rest[at + rest[at..].find(']').unwrap() + 1..];
        }
        bare.push_str(rest);
        let own = format!("[\"{}\"", SpatialRef::from_epsg(epsg).unwrap().name().unwrap());
        SpatialRef::from_wkt(&bare.replacen(&own, &format!("[\"{name}\""), 1)).unwrap()
    }

    #[test]
    fn a_definition_is_found_by_its_name_where_its_numbers_agree() {
        for (code, name) in [
            (2154, "RGF93 Lambert 93"),
            (2154, "RGF_1993_Lambert_93"),
            (28992, "Amersfoort_RD_New"),
            (25832, "ETRS89_UTM_zone_32N"),
            (27700, "British National Grid"),
        ] {
            match identify(Some(&renamed(code, name)), "test") {
                Srs::Known { crs, .. } => assert_eq!(crs.code(), code, "{name}"),
                other => panic!("{name}: {other:?}"),
            }
        }
        for (code, name, said) in [
            (2154, "ETRS89_LAEA_Europe", "numbers are not those of EPSG:3035"),
            (2154, "Lambert 93", "EPSG:2154"),
            (2154, "Belge Lambert 72", "EPSG:31370"),
        ] {
            match identify(Some(&renamed(code, name)), "test") {
                Srs::Unknown(reason) => assert!(reason.contains(said), "{name}: {reason}"),
                other => panic!("{name}: {other:?}"),
            }
        }
    }

    #[test]
    fn an_invented_grid_stays_unknown() {
        let srs =
            SpatialRef::from_definition("+proj=tmerc +lat_0=3 +lon_0=12.34 +k=0.7 +ellps=GRS80").unwrap();
        assert!(matches!(identify(Some(&srs), "test"), Srs::Unknown(_)));
        assert!(matches!(identify(None, "test"), Srs::Unknown(_)));
    }

    #[test]
    fn points_of_the_city_on_its_grid_propose_that_grid() {
        let points = [[603_481.588, 1_191_454.611], [603_500.0, 1_191_500.0]];
        let found = listed(&readings(&points, &CityArea::Communes));
        assert!(found.iter().any(|text| text.starts_with("EPSG:9210 ")), "{found:?}");
    }
}
