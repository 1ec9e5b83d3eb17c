//! Coordinate systems by their names.
//!
//! Programs write the same name in many ways: `WGS 84 / UTM zone 48N`, `WGS_1984_UTM_Zone_48N`, `wgs84 utm
//! 48n`, `UTM Zone 48, Northern Hemisphere (WGS 84)`. Names are compared without punctuation, case and words
//! that say nothing, with those of the EPSG register and the aliases that it has from EPSG and Esri, as the
//! database of PROJ holds them. A name that fits several systems, or none, finds nothing: nothing is guessed.

use std::{
    collections::{BTreeMap, HashMap},
    env,
    path::PathBuf,
    sync::LazyLock,
};

use citymap_crs::{Crs, CrsError, vn2000::ZONES};
use rusqlite::{Connection, OpenFlags};

use crate::worker::DATA_FOLDERS;

/// Why a text is not taken for a coordinate system.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum UnknownCrs {
    /// It states no code that PROJ knows, and resembles no name.
    #[error(transparent)]
    Unknown(#[from] CrsError),
    /// It is the name of several coordinate systems, or like the names of some.
    #[error(
        "`{name}` is not the name of one coordinate system; give the code of the one that is meant: {}",
        listed(proposals)
    )]
    Name {
        /// What was given, cut where it is long.
        name: String,
        /// The systems that may be meant, the likeliest first.
        proposals: Vec<Crs>,
    },
}

/// Systems with their names.
fn listed(systems: &[Crs]) -> String {
    systems.iter().map(|crs| format!("{crs} ({})", crs.name())).collect::<Vec<_>>().join(", ")
}

/// Maximum number of systems that are proposed for a name.
const PROPOSED: usize = 6;

/// Every name of every system with horizontal coordinates in the EPSG register.
const EPSG_NAMES: &str = "
    SELECT code, name, deprecated, 0 FROM projected_crs WHERE auth_name = 'EPSG'
    UNION ALL
    SELECT code, name, deprecated, 0 FROM geodetic_crs WHERE auth_name = 'EPSG' AND type = 'geographic 2D'
    UNION ALL
    SELECT a.code, a.alt_name, c.deprecated, 1 FROM alias_name a
    JOIN projected_crs c ON c.auth_name = a.auth_name AND c.code = a.code
    WHERE a.table_name = 'projected_crs' AND a.auth_name = 'EPSG'
    UNION ALL
    SELECT a.code, a.alt_name, c.deprecated, 1 FROM alias_name a
    JOIN geodetic_crs c ON c.auth_name = a.auth_name AND c.code = a.code
    WHERE a.table_name = 'geodetic_crs' AND a.auth_name = 'EPSG' AND c.type = 'geographic 2D'";

/// The names that Esri gives its own codes.
const ESRI_NAMES: &str = "
    SELECT code, name FROM projected_crs WHERE auth_name = 'ESRI'
    UNION ALL
    SELECT code, name FROM geodetic_crs WHERE auth_name = 'ESRI' AND type = 'geographic 2D'";

/// How good a name is: those that are in use before withdrawn ones, official ones before aliases.
type Rank = (bool, bool);

#[derive(Default)]
struct Names {
    /// Systems by the keys of their names.
    by_key: HashMap<String, Vec<(Rank, u32)>>,
    /// The words of official names, for proposals.
    words: Vec<(u32, Vec<String>)>,
    /// The names that Esri gives its own codes.
    esri: HashMap<u32, String>,
}

static NAMES: LazyLock<Names> = LazyLock::new(|| {
    let mut names = Names::default();
    for zone in ZONES {
        names.put(zone.crs.code(), zone.name, (zone.deprecated, false));
    }
    // Without the database, the names of our own zones are left.
    if let Some(database) = database() {
        let _ = names.read(&database);
    }
    names
});

/// The database of PROJ, where PROJ and the confined reader look for it.
fn database() -> Option<Connection> {
    let listed = ["PROJ_DATA", "PROJ_LIB"].into_iter().filter_map(env::var_os);
    let mut folders: Vec<PathBuf> =
        listed.flat_map(|list| env::split_paths(&list).collect::<Vec<_>>()).collect();
    folders.extend(DATA_FOLDERS.iter().map(PathBuf::from));
    let file = folders.iter().map(|folder| folder.join("proj.db")).find(|file| file.is_file())?;
    Connection::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_ONLY).ok()
}

impl Names {
    fn read(&mut self, database: &Connection) -> rusqlite::Result<()> {
        let mut statement = database.prepare(EPSG_NAMES)?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            // Codes of a few systems are no numbers.
            if let Ok(code) = row.get(0) {
                let name: String = row.get(1)?;
                self.put(code, &name, (row.get(2)?, row.get(3)?));
            }
        }
        let mut statement = database.prepare(ESRI_NAMES)?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            if let Ok(code) = row.get(0) {
                self.esri.insert(code, row.get(1)?);
            }
        }
        Ok(())
    }

    fn put(&mut self, code: u32, name: &str, rank: Rank) {
        let words = words(name);
        let known = self.by_key.entry(key(&words)).or_default();
        known.push((rank, code));
        if rank == (false, false) {
            self.words.push((code, words));
        }
    }

    /// The systems that have a name, if it is that of one only, or the best of it are several.
    fn find(&self, words: &[String]) -> Vec<u32> {
        let Some(known) = self.by_key.get(&key(words)) else { return Vec::new() };
        let best = known.iter().map(|(rank, _)| *rank).min();
        let mut codes: Vec<u32> =
            known.iter().filter(|(rank, _)| Some(*rank) == best).map(|(_, code)| *code).collect();
        codes.sort_unstable();
        codes.dedup();
        codes
    }

    /// The systems whose names have most of the words, the best first.
    fn similar(&self, words: &[String]) -> Vec<u32> {
        let mut scores: BTreeMap<(usize, usize, usize, u32), u32> = BTreeMap::new();
        for (code, own) in &self.words {
            let missing = words.iter().filter(|word| !own.contains(word)).count();
            if missing * 2 <= words.len() && missing < words.len() {
                let more = own.iter().filter(|word| !words.contains(word)).count();
                scores.insert((missing, usual(*code), more, *code), *code);
            }
        }
        let mut codes: Vec<u32> = Vec::new();
        for code in scores.into_values() {
            if codes.len() < PROPOSED && !codes.contains(&code) {
                codes.push(code);
            }
        }
        codes
    }
}

/// Finds the system that a text states by its code, in the forms that [`Crs`] reads, or by its name in the
/// EPSG register, whatever its punctuation and case. `ESRI:n` is found where the name that Esri gives it is
/// also that of an EPSG code.
///
/// ```
/// use citymap_ingest::find_crs;
///
/// for name in ["EPSG:9210", "VN-2000 / TM-3 105-45", "VN2000_TM3_105_45"] {
///     assert_eq!(find_crs(name)?.code(), 9210);
/// }
/// // Of which datum?
/// assert!(find_crs("UTM zone 48N").is_err());
/// # Ok::<(), citymap_ingest::UnknownCrs>(())
/// ```
///
/// # Errors
/// [`UnknownCrs::Unknown`] if it states no known code and resembles no name, [`UnknownCrs::Name`] with
/// proposals if it names several systems or is only like the names of some.
pub fn find_crs(text: &str) -> Result<Crs, UnknownCrs> {
    let unknown = match text.parse::<Crs>() {
        Ok(crs) => return Ok(crs),
        Err(unknown) => unknown,
    };
    let esri = text.trim().to_ascii_uppercase();
    if let Some(code) = esri.strip_prefix("ESRI:").and_then(|code| code.trim().parse().ok()) {
        return match NAMES.esri.get(&code) {
            Some(name) => named(name),
            None => Err(unknown.into()),
        };
    }
    if text.contains(':') || text.trim().bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(unknown.into());
    }
    named(text)
}

/// Finds the system of a name.
///
/// # Errors
/// As [`find_crs`].
pub(crate) fn named(name: &str) -> Result<Crs, UnknownCrs> {
    let words = words(name);
    let mut codes = NAMES.find(&words);
    if codes.is_empty() {
        codes = vietnamese(&words);
    }
    if let [code] = codes.as_slice() {
        return Ok(Crs::new(*code)?);
    }
    if codes.is_empty() {
        codes = NAMES.similar(&words);
    }
    let proposals: Vec<Crs> =
        codes.into_iter().filter_map(|code| Crs::new(code).ok()).take(PROPOSED).collect();
    let name: String = name.chars().take(200).collect();
    if proposals.is_empty() {
        return Err(CrsError::Unknown(name).into());
    }
    Err(UnknownCrs::Name { name, proposals })
}

/// How usual a system is: that of the city, then VN-2000, WGS 84, and all others.
fn usual(code: u32) -> usize {
    match code {
        _ if code == Crs::home().code() => 0,
        4756 => 1,
        _ if ZONES.iter().any(|zone| zone.crs.code() == code && !zone.deprecated) => 1,
        4326 | 3857 | 32_601..=32_660 | 32_701..=32_760 => 2,
        _ => 3,
    }
}

/// The zones of VN-2000 that a name means by a central meridian, as Vietnamese files have it: `VN2000 KTT
/// 105-45 múi 3`, `VN-2000 105°45'`.
fn vietnamese(words: &[String]) -> Vec<u32> {
    let follows = |a: &str, b: &str| words.windows(2).any(|pair| pair[0] == a && pair[1] == b);
    if !(follows("vn", "2000") || follows("vietnam", "2000")) {
        return Vec::new();
    }
    let number = |word: &String| word.parse::<u32>().ok();
    let degrees = words.iter().position(|word| number(word).is_some_and(|it| (102..=114).contains(&it)));
    let Some(at) = degrees else { return Vec::new() };
    let minutes = match words.get(at + 1).map(String::as_str) {
        Some("d" | "do" | "độ" | "deg") => words.get(at + 2),
        _ => words.get(at + 1),
    };
    let minutes = minutes.and_then(number).unwrap_or(0);
    let degrees = number(&words[at]).unwrap_or_default();
    let narrow = ["tm", "mui", "múi"].iter().any(|word| follows(word, "3"))
        || ["do", "độ"].iter().any(|word| follows("3", word));
    let wide = words.iter().any(|word| word == "utm")
        || ["tm", "mui", "múi"].iter().any(|word| follows(word, "6"))
        || ["do", "độ"].iter().any(|word| follows("6", word));
    let meridian = f64::from(degrees) + f64::from(minutes) / 60.0;
    ZONES
        .iter()
        .filter(|zone| !zone.deprecated && (zone.central_meridian - meridian).abs() < 1e-9)
        .filter(|zone| if zone.scale < 0.9998 { wide || !narrow } else { narrow || !wide })
        .map(|zone| zone.crs.code())
        .collect()
}

/// The words of a name in lower case: letters and numbers apart, without those that say nothing. A year of
/// the last century after letters has two digits (`WGS_1984`, `WGS 84`); in UTM, the datum comes first.
fn words(name: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut rest = name;
    while let Some(first) = rest.chars().next() {
        let same = |c: char| {
            if first.is_ascii_digit() {
                c.is_ascii_digit()
            } else {
                c.is_alphabetic() && first.is_alphabetic()
            }
        };
        let end = rest.find(|c| !same(c)).unwrap_or(rest.len());
        if end == 0 {
            // The plus tells CH1903+ from CH1903.
            if first == '+' {
                words.push("plus".into());
            }
            rest = &rest[first.len_utf8()..];
            continue;
        }
        let word = rest[..end].to_lowercase();
        rest = &rest[end..];
        let after_letters = words.last().is_some_and(|last| last.chars().all(char::is_alphabetic));
        match word.strip_prefix("19") {
            Some(year) if year.len() == 2 && after_letters => words.push(year.to_owned()),
            _ if matches!(word.as_str(), "zone" | "gcs" | "pcs") => {}
            _ => words.push(word),
        }
    }
    utm_last(words)
}

/// Puts `utm`, the number of the zone and its hemisphere behind the datum.
fn utm_last(mut words: Vec<String>) -> Vec<String> {
    let is_number = |word: &String| word.bytes().all(|byte| byte.is_ascii_digit());
    let Some(at) = words.iter().position(|word| word == "utm") else { return words };
    if !words.get(at + 1).is_some_and(is_number) {
        return words;
    }
    let mut utm = vec![words.remove(at), words.remove(at)];
    let hemisphere = match words.get(at).map(String::as_str) {
        Some("n" | "north" | "northern") => Some("n"),
        Some("s" | "south" | "southern") => Some("s"),
        _ => None,
    };
    if let Some(hemisphere) = hemisphere {
        words.remove(at);
        utm.push(hemisphere.to_owned());
        if words.get(at).is_some_and(|word| word == "hemisphere") {
            words.remove(at);
        }
    }
    words.append(&mut utm);
    words
}

/// Words as one text, with numbers next to each other apart.
fn key(words: &[String]) -> String {
    let mut key = String::new();
    for word in words {
        let digit = |c: Option<char>| c.is_some_and(|c| c.is_ascii_digit());
        if digit(key.chars().last()) && digit(word.chars().next()) {
            key.push('-');
        }
        key.push_str(word);
    }
    key
}

#[cfg(test)]
mod tests {
    use super::*;

    fn proposals(name: &str) -> Vec<u32> {
        match find_crs(name) {
            Err(UnknownCrs::Name { proposals, .. }) => proposals.iter().map(|crs| crs.code()).collect(),
            other => panic!("{name}: {other:?}"),
        }
    }

    #[test]
    fn a_name_is_found_however_it_is_written() {
        for (code, names) in [
            (
                32648,
                &[
                    "WGS 84 / UTM zone 48N",
                    "WGS_1984_UTM_Zone_48N",
                    "wgs84 utm 48n",
                    "WGS84/UTM48N",
                    "WGS 84 UTM Zone 48 North",
                    "UTM Zone 48, Northern Hemisphere (WGS 84)",
                    "wgs-84-utm-zone-48-n",
                ][..],
            ),
            (32748, &["WGS 84 / UTM zone 48S", "UTM Zone 48, Southern Hemisphere (WGS 84)"]),
            (3405, &["VN-2000 / UTM zone 48N", "VN_2000_UTM_Zone_48N", "VN2000 UTM 48N"]),
            (9210, &["VN-2000 / TM-3 105-45", "VN-2000_TM-3_105-45", "VN2000 TM3 105 45", "vn2000 105-45"]),
            (9210, &["VN2000 KTT 105-45 múi 3", "VN-2000 105°45' múi 3 độ", "Vietnam 2000 105d45"]),
            (5899, &["VN-2000 / TM-3 107-45", "VN_2000_TM3_107_45", "VN-2000 TM-3 107°45'"]),
            (5897, &["VN-2000 / TM-3 zone 482", "VN-2000 / TM-3 105-00", "VN2000 TM-3 105"]),
            (4756, &["VN-2000", "VN2000", "GCS_VN_2000"]),
            (4326, &["WGS 84", "wgs84", "GCS_WGS_1984", "WGS_1984"]),
            (3857, &["WGS 84 / Pseudo-Mercator", "Web Mercator", "WGS_1984_Web_Mercator_Auxiliary_Sphere"]),
            (2154, &["RGF93 / Lambert-93", "RGF93 Lambert 93", "RGF_1993_Lambert_93", "rgf93 lambert-93"]),
            (25832, &["ETRS89 / UTM zone 32N", "ETRS89 UTM 32N"]),
            (27700, &["OSGB 1936 / British National Grid", "British National Grid"]),
            (4149, &["CH1903"]),
            (4150, &["CH1903+"]),
            (4269, &["NAD83", "GCS_North_American_1983"]),
            (3857, &["ESRI:102100", "epsg:3857"]),
        ] {
            for name in names {
                assert_eq!(find_crs(name).map(Crs::code).ok(), Some(code), "{name}");
            }
        }
    }

    #[test]
    fn a_name_of_several_systems_is_refused_with_all_of_them() {
        assert!(proposals("UTM zone 48N").contains(&32648));
        assert_eq!(proposals("VN-2000 105-00"), [5897, 3405]);
        assert!(proposals("VN2000 HCM").contains(&9210));
        assert!(proposals("WGS 84 / UTM zone 48").contains(&32648));
        assert_eq!(proposals("Belge Lambert 72"), [31300, 31370]);
        assert!(proposals("Lambert 93").contains(&2154));
    }

    #[test]
    fn what_is_no_name_is_unknown() {
        for text in
            ["", "?", "unnamed", "EPSG:0", "99999999", "ESRI:1", "urn:x:y", "x".repeat(10_000).as_str()]
        {
            assert!(matches!(find_crs(text), Err(UnknownCrs::Unknown(_))), "{text:?}");
        }
    }

    #[test]
    fn every_official_name_finds_its_own_system() {
        let mut others = 0;
        for (code, words) in &NAMES.words {
            let found = NAMES.find(words);
            assert!(found.contains(code), "{code} {words:?}: {found:?}");
            others += usize::from(found.len() > 1);
        }
        assert!(NAMES.words.len() > 5_000 && others < 20, "{} {others}", NAMES.words.len());
    }
}
