//! Positions as XML files have them, read before GDAL does: it takes what is no number for 0, or for the
//! number that it begins with (`10,77` for 10), without a word.
//!
//! Positions that cannot be read are [marked](mark) in a copy of the file, and the feature that comes back
//! with a mark is rejected with the reason.

use citymap_geometry::wkb;
use citymap_model::{counted, quote::described};
use geo::CoordsIter;

/// The first mark. No coordinate on the earth is near it.
const MARK: f64 = 1e9;

/// The mark of a reason, which stands in place of every number of positions that cannot be read: so it is
/// found whatever their dimension and the order of their axes.
pub(super) fn mark(reason: usize) -> f64 {
    MARK + reason as f64
}

/// Why the positions of a geometry could not be read, if they are marked.
pub(super) fn misplaced<'a>(bytes: &[u8], reasons: &'a [String]) -> Option<&'a str> {
    if reasons.is_empty() {
        return None;
    }
    let read = wkb::read_source(bytes).ok()?;
    let marked = read.geometry.coords_iter().find(|at| at.x >= MARK)?;
    reasons.get((marked.x - MARK) as usize).map(String::as_str)
}

/// The reason for which a feature is rejected: positions cannot be read, and `form` is what they should be.
pub(super) fn unreadable(text: &str, why: &str, form: &str) -> String {
    format!("its positions, {}, cannot be read: {why}; {form}", described(text.trim()))
}

/// A latitude or a longitude in an attribute of GPX.
///
/// # Errors
/// Why it is none.
pub(super) fn degree(text: Option<&str>) -> Result<(), String> {
    match text.map(str::trim) {
        None | Some("") => Err("it has none, or only one of the two".into()),
        Some(number) => check(number),
    }
}

/// The numbers of `<pos>` and `<posList>` of GML, with spaces between.
///
/// # Errors
/// Why they are no positions of two or three numbers.
pub(super) fn of_list(text: &str) -> Result<(), String> {
    if text.contains(',') && !text.contains('.') {
        return Err("its commas may be decimal ones".into());
    }
    let numbers: Vec<&str> =
        text.split(|c: char| c.is_whitespace() || c == ',').filter(|part| !part.is_empty()).collect();
    numbers.iter().try_for_each(|number| check(number))?;
    let count = numbers.len();
    if count == 0 || count.is_multiple_of(2) || count.is_multiple_of(3) {
        return Ok(());
    }
    let count = counted(count, "number makes", "numbers make");
    Err(format!("{count} no positions of two or three"))
}

/// The signs that `<coordinates>` of GML has between numbers, between positions, and in front of decimals.
pub(super) struct Separators {
    pub numbers: char,
    pub positions: char,
    pub decimals: char,
}

impl Default for Separators {
    fn default() -> Self {
        Self { numbers: ',', positions: ' ', decimals: '.' }
    }
}

/// The positions of `<coordinates>` of GML.
///
/// # Errors
/// Why they are no positions of two or three numbers.
pub(super) fn of_coordinates(text: &str, signs: &Separators) -> Result<(), String> {
    let is_end = |c: char| c == signs.positions || (c.is_whitespace() && signs.numbers != ' ');
    for position in text.split(is_end).map(str::trim).filter(|position| !position.is_empty()) {
        let numbers: Vec<String> = position
            .split(signs.numbers)
            .map(|number| number.replace(signs.decimals, "."))
            .filter(|number| signs.numbers != ' ' || !number.is_empty())
            .collect();
        numbers.iter().try_for_each(|number| check(number))?;
        if !matches!(numbers.len(), 2 | 3) {
            return Err(match numbers.len() {
                1 => "a single number stands alone".into(),
                count => format!("{count} numbers make no position of two or three"),
            });
        }
    }
    Ok(())
}

/// What a text of positions of KML is: numbers with commas inside a position and spaces between positions.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Positions {
    /// Written as KML has them.
    AsTheyAre,
    /// Not written so, but without doubt: as KML has them.
    Mended(String),
}

impl Positions {
    /// Reads the text of `<coordinates>`. A point has one position.
    ///
    /// # Errors
    /// Why it is none, or may be several things.
    pub(super) fn of(text: &str, point: bool) -> Result<Self, String> {
        let runs = runs(text);
        let mut mended = runs.iter().any(|run| run.spaced);
        let mut positions: Vec<Vec<&str>> = Vec::new();
        let mut singles = Vec::new();
        for run in &runs {
            let mut numbers: Vec<&str> = run.text.split(',').collect();
            while numbers.len() > 1 && numbers.last().is_some_and(|last| last.is_empty()) {
                numbers.pop();
                mended = true;
            }
            numbers.iter().try_for_each(|number| check(number))?;
            match numbers.len() {
                1 => singles.extend(numbers),
                2 | 3 => positions.push(numbers),
                _ => {
                    if numbers.iter().all(|number| !number.contains('.')) {
                        return Err("its commas may be decimal ones".into());
                    }
                    positions.extend(grouped(&numbers)?);
                    mended = true;
                }
            }
        }
        if !singles.is_empty() {
            if !positions.is_empty() {
                return Err(counted(
                    singles.len(),
                    "single number stands alone",
                    "single numbers stand alone",
                ));
            }
            positions = grouped(&singles)?;
            mended = true;
        }
        if point && positions.len() > 1 {
            return Err(format!("a point has one position, and these are {}", positions.len()));
        }
        if !mended {
            return Ok(Self::AsTheyAre);
        }
        let written: Vec<String> = positions.iter().map(|numbers| numbers.join(",")).collect();
        Ok(Self::Mended(written.join(" ")))
    }

    /// Reads the text of a position of a track (`<gx:coord>`): two or three numbers with spaces between.
    ///
    /// # Errors
    /// Why it is none.
    pub(super) fn of_track(text: &str) -> Result<Self, String> {
        let numbers: Vec<&str> =
            text.split(|c: char| c.is_whitespace() || c == ',').filter(|part| !part.is_empty()).collect();
        numbers.iter().try_for_each(|number| check(number))?;
        match numbers.len() {
            2 | 3 if text.contains(',') => match Self::of(text, true)? {
                Self::AsTheyAre | Self::Mended(_) => Ok(Self::Mended(numbers.join(" "))),
            },
            2 | 3 => Ok(Self::AsTheyAre),
            count => Err(format!("a position of a track has two or three numbers, and these are {count}")),
        }
    }
}

/// Numbers that commas hold together, whatever spaces are around the commas.
struct Run {
    text: String,
    /// Whether there were spaces.
    spaced: bool,
}

fn runs(text: &str) -> Vec<Run> {
    let mut runs: Vec<Run> = Vec::new();
    for word in text.split_whitespace() {
        match runs.last_mut() {
            Some(run) if run.text.ends_with(',') || word.starts_with(',') => {
                run.text.push_str(word);
                run.spaced = true;
            }
            _ => runs.push(Run { text: word.to_owned(), spaced: false }),
        }
    }
    runs
}

fn check(number: &str) -> Result<(), String> {
    let digits = number.trim_start_matches(['-', '+']);
    let begins = digits.starts_with(|c: char| c.is_ascii_digit() || c == '.');
    match number.parse::<f64>() {
        Ok(value) if begins && value.is_finite() => Ok(()),
        _ if number.is_empty() => Err("a number is missing before a comma".into()),
        _ => Err(format!("it holds {}, which is no number", described(number))),
    }
}

/// A list of numbers as positions of two or three, whichever of both puts all of them on the earth.
fn grouped<'a>(numbers: &[&'a str]) -> Result<Vec<Vec<&'a str>>, String> {
    let on_earth = |position: &[&str]| {
        let limit = |at: usize, most: f64| {
            position.get(at).and_then(|text| text.parse::<f64>().ok()).is_some_and(|v| v.abs() <= most)
        };
        limit(0, 180.0) && limit(1, 90.0)
    };
    let fits = |size: usize| numbers.len().is_multiple_of(size) && numbers.chunks(size).all(on_earth);
    let size = match (fits(2), fits(3)) {
        (true, false) => 2,
        (false, true) => 3,
        (true, true) => return Err("it may be positions of two numbers or of three".into()),
        (false, false) => {
            let count = counted(numbers.len(), "number makes", "numbers make");
            return Err(format!("{count} no positions of two or three"));
        }
    };
    Ok(numbers.chunks(size).map(<[&str]>::to_vec).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_that_leave_no_doubt_are_read() {
        for as_they_are in ["106.7,10.8", "106.7,10.8,0", "\n\t106.7,10.8 106.8,10.9,1e1\r\n", "", " "] {
            assert_eq!(Positions::of(as_they_are, false), Ok(Positions::AsTheyAre), "{as_they_are}");
        }
        for (text, read) in [
            ("106.7, 10.8, 0", "106.7,10.8,0"),
            ("106.7 , 10.8\n,0", "106.7,10.8,0"),
            ("106.7, 10.8 106.8, 10.9", "106.7,10.8 106.8,10.9"),
            ("106.7, 10.8, 0 106.8, 10.9, 0", "106.7,10.8,0 106.8,10.9,0"),
            ("106.7,10.8,", "106.7,10.8"),
            ("106.7,10.8,0, 106.8,10.9,0,", "106.7,10.8,0 106.8,10.9,0"),
            ("106.7,10.8,106.8,10.9", "106.7,10.8 106.8,10.9"),
            ("106.7 10.8", "106.7,10.8"),
            ("106.7 10.8 0 106.8 10.9 0", "106.7,10.8,0 106.8,10.9,0"),
        ] {
            assert_eq!(Positions::of(text, false), Ok(Positions::Mended(read.into())), "{text}");
        }
        assert_eq!(Positions::of_track("106.7 10.8 0"), Ok(Positions::AsTheyAre));
        assert_eq!(Positions::of_track("106.7,10.8,0"), Ok(Positions::Mended("106.7 10.8 0".into())));
    }

    #[test]
    fn others_are_refused_with_the_reason() {
        for (text, reason) in [
            ("106,7,10,8", "decimal"),
            ("106;10", "no number"),
            ("106.7,abc", "3 letters"),
            ("106.7,nan", "3 letters"),
            ("106.7,,10.8", "missing"),
            (",106.7,10.8", "missing"),
            ("106.7,10.8 106.8", "single"),
            ("106.7", "1 number makes"),
            ("106.7,10.8,5,16.8,10.9,0", "two numbers or of three"),
            ("106.7°,10.8°", "no number"),
        ] {
            let error = Positions::of(text, false).unwrap_err();
            assert!(error.contains(reason), "{text}: {error}");
        }
        assert!(Positions::of("106,7 10,8", true).unwrap_err().contains("one position"));
        for text in ["106.7", "106.7 10.8 0 1", "106,7 10,8", "a b"] {
            assert!(Positions::of_track(text).is_err(), "{text}");
        }
    }
}
