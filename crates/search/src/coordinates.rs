//! Coordinates as people write them: decimal degrees, degrees with minutes and seconds, metres of the city's
//! grid.

use citymap_crs::{Crs, Transform};

use citymap_model::text::fold;

/// A position that was written as numbers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Position {
    /// WGS 84 longitude and latitude, degrees.
    pub lonlat: [f64; 2],
    /// The coordinate system that it was written in: WGS 84 or the city's grid.
    pub crs: Crs,
}

/// A direction or an axis next to a number.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Mark {
    Lat(f64),
    Lon(f64),
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Token {
    Number(f64, bool),
    Degree,
    Minute,
    Second,
    Mark(Mark),
    Break,
}

/// An angle or a number of metres while its tokens are put together.
#[derive(Clone, Copy, Debug)]
struct Part {
    value: f64,
    negative: bool,
    /// Whether it has a fraction or a degree sign. Whole numbers alone are not taken as coordinates.
    precise: bool,
    mark: Option<Mark>,
}

/// Reads a position in any usual notation; `None` for any other text.
///
/// `10.7725, 106.698` · `106.698 10.7725` · `10,7725; 106,698` · `10°46'21"N 106°41'53"E` · `10°46'21" B,
/// 106°41'53" Đ` · `N 10.7725 E 106.698` · `603481.588 1191454.611`, metres of EPSG:9210 in either order,
/// also as `X 1.191.562,33 · Y 602.941,92` · `geo:10.7725,106.698` · the address of a map page. Two values
/// that could both be latitudes are taken as latitude, longitude.
pub fn parse_coordinates(text: &str) -> Option<Position> {
    if text.len() > 600 {
        return None;
    }
    let plain = plain(text)?;
    let text = plain.as_str();
    let read = |decimal_comma| parts(&tokens(text, decimal_comma)?);
    let pair = if text.contains('.') { read(false) } else { read(true).or_else(|| read(false)) }?;
    grid(pair).or_else(|| degrees(pair))
}

/// The text without what other programs and our own pages write around the numbers: the position of a `geo:`
/// address or of a map link, numbers without points between thousands, no names of axes. `None` for an
/// address without a position.
fn plain(text: &str) -> Option<String> {
    let text = text.trim();
    if let Some(position) = text.strip_prefix("geo:") {
        return Some(position.split([';', '?']).next()?.split(',').take(2).collect::<Vec<_>>().join(", "));
    }
    if text.starts_with("http://") || text.starts_with("https://") {
        return from_link(text);
    }
    let points = |number: &str| number.matches('.').count();
    let plain: Vec<String> = text
        .split_whitespace()
        .filter(|word| !matches!(*word, "·" | "|"))
        .map(|word| {
            // `1.191.562,33` and `602.941,92`: a comma behind the points, or more points than one.
            let (first, comma, rest) = match word.split_once(',') {
                Some((first, rest)) => (first, ",", rest),
                None => (word, "", ""),
            };
            let grouped = first
                .split('.')
                .skip(1)
                .all(|group| group.len() == 3 && group.bytes().all(|byte| byte.is_ascii_digit()));
            if points(first) > 0 && grouped && (points(first) > 1 || !rest.is_empty()) {
                format!("{}{}{rest}", first.replace('.', ""), if rest.is_empty() { comma } else { "." })
            } else {
                word.to_owned()
            }
        })
        .filter(|word| !matches!(word.trim_end_matches([':', '=']), "X" | "Y" | "x" | "y" | "m"))
        .collect();
    Some(plain.join(" "))
}

/// The position in the address of a map page: behind `@`, or the value of `q`, `ll`, `query` or `center`.
fn from_link(link: &str) -> Option<String> {
    let after = |mark: &str| link.split_once(mark).map(|(_, rest)| rest);
    let rest = after("!3d")
        .map(|rest| rest.replacen("!4d", ",", 1))
        .or_else(|| after("/@").map(str::to_owned))
        .or_else(|| {
            ["q=", "ll=", "query=", "center="].iter().find_map(|name| after(name)).map(str::to_owned)
        })?;
    let rest = rest.replace("%2C", ",").replace("%2c", ",");
    let mut numbers = rest.split([',', '&', '/', '!', '?', '#']);
    Some(format!("{}, {}", numbers.next()?, numbers.next()?))
}

fn tokens(text: &str, decimal_comma: bool) -> Option<Vec<Token>> {
    let letters: Vec<char> = text.trim().chars().collect();
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(&letter) = letters.get(at) {
        at += 1;
        match letter {
            '0'..='9' | '-' | '+' | '.' => {
                if !letter.is_ascii_digit() && !letters.get(at).is_some_and(char::is_ascii_digit) {
                    // A dash between two values.
                    found.push(Token::Break);
                    continue;
                }
                let mut number = String::from(letter);
                while let Some(&next) = letters.get(at) {
                    let follows = letters.get(at + 1).is_some_and(char::is_ascii_digit);
                    match next {
                        '0'..='9' => number.push(next),
                        '.' if follows && !number.contains('.') => number.push('.'),
                        ',' if decimal_comma && follows && !number.contains('.') => number.push('.'),
                        _ => break,
                    }
                    at += 1;
                }
                found.push(Token::Number(number.parse().ok()?, number.contains('.')));
            }
            '°' | 'º' | '˚' => found.push(Token::Degree),
            '\'' | '′' | '’' | '‘' if found.last() == Some(&Token::Minute) => {
                found.pop();
                found.push(Token::Second);
            }
            '\'' | '′' | '’' | '‘' => found.push(Token::Minute),
            '"' | '″' | '”' | '“' => found.push(Token::Second),
            ',' | ';' | '/' | '|' | '(' | ')' | '[' | ']' => found.push(Token::Break),
            ':' | '=' => {}
            _ if letter.is_whitespace() => {}
            _ if letter.is_alphabetic() => {
                let start = at - 1;
                while letters.get(at).is_some_and(|next| next.is_alphabetic()) {
                    at += 1;
                }
                found.push(Token::Mark(mark(&letters[start..at].iter().collect::<String>())?));
            }
            _ => return None,
        }
    }
    Some(found)
}

fn mark(word: &str) -> Option<Mark> {
    Some(match fold(word).as_str() {
        // Also next to Đ: no place in Vietnam is in the south, and *Nam* is written out.
        "n" | "north" | "b" | "bac" | "lat" | "latitude" => Mark::Lat(1.0),
        "s" | "south" | "nam" => Mark::Lat(-1.0),
        "e" | "east" | "d" | "dong" | "lon" | "lng" | "long" | "longitude" => Mark::Lon(1.0),
        "w" | "west" | "t" | "tai" => Mark::Lon(-1.0),
        _ => return None,
    })
}

/// The two values of the text; `None` for any other number of them.
fn parts(tokens: &[Token]) -> Option<[Part; 2]> {
    let mut found: Vec<Part> = Vec::new();
    // Marks stand before their values or behind them, throughout.
    let before = matches!(tokens.first(), Some(Token::Mark(_)));
    let mut pending = None;
    // The unit that the next bare number of a running angle has.
    let mut scale: Option<f64> = None;
    for (position, token) in tokens.iter().enumerate() {
        match *token {
            Token::Number(value, fraction) => {
                let unit = match tokens.get(position + 1) {
                    Some(Token::Minute) => Some(60.0),
                    Some(Token::Second) => Some(3600.0),
                    Some(Token::Degree) => None,
                    _ => scale,
                };
                match (unit, found.last_mut()) {
                    (Some(unit), Some(last)) => {
                        if !(0.0..60.0).contains(&value) {
                            return None;
                        }
                        last.value += value / unit;
                        scale = (unit < 3600.0).then_some(3600.0);
                    }
                    (Some(_), None) => return None,
                    (None, _) => {
                        let negative = value.is_sign_negative();
                        found.push(Part {
                            value: value.abs(),
                            negative,
                            precise: fraction,
                            mark: pending.take(),
                        });
                        scale = None;
                    }
                }
            }
            Token::Degree => {
                found.last_mut()?.precise = true;
                scale = Some(60.0);
            }
            Token::Minute | Token::Second => {
                if !matches!(position.checked_sub(1).and_then(|at| tokens.get(at)), Some(Token::Number(..))) {
                    return None;
                }
            }
            Token::Mark(mark) => {
                if before {
                    pending = Some(mark);
                } else {
                    found.last_mut()?.mark.get_or_insert(mark);
                }
                scale = None;
            }
            Token::Break => scale = None,
        }
        if found.len() > 2 {
            return None;
        }
    }
    found.try_into().ok()
}

/// Metres of the city's grid, in either order.
fn grid(pair: [Part; 2]) -> Option<Position> {
    if pair.iter().any(|part| part.mark.is_some() || part.negative) {
        return None;
    }
    let [a, b] = pair.map(|part| part.value);
    let fits = |east: f64, north: f64| {
        (100_000.0..1_000_000.0).contains(&east) && (800_000.0..2_700_000.0).contains(&north)
    };
    let [east, north] = if fits(a, b) && (!fits(b, a) || a <= b) {
        [a, b]
    } else if fits(b, a) {
        [b, a]
    } else {
        return None;
    };
    let lonlat = Transform::new(Crs::home(), Crs::WGS84).ok()?.point([east, north]).ok()?;
    Some(Position { lonlat, crs: Crs::home() })
}

fn degrees(pair: [Part; 2]) -> Option<Position> {
    if !pair.iter().all(|part| part.precise || part.mark.is_some()) {
        return None;
    }
    let signed = |part: Part| {
        let sign = match part.mark {
            Some(Mark::Lat(sign) | Mark::Lon(sign)) => sign,
            None => 1.0,
        };
        sign * if part.negative { -part.value } else { part.value }
    };
    let [first, second] = pair;
    let swapped = match (first.mark, second.mark) {
        (Some(Mark::Lat(_)), Some(Mark::Lat(_))) | (Some(Mark::Lon(_)), Some(Mark::Lon(_))) => return None,
        (Some(Mark::Lon(_)), _) | (_, Some(Mark::Lat(_))) => true,
        (Some(Mark::Lat(_)), _) | (_, Some(Mark::Lon(_))) => false,
        _ => first.value > 90.0,
    };
    let (lat, lon) = if swapped { (signed(second), signed(first)) } else { (signed(first), signed(second)) };
    (lat.abs() <= 90.0 && lon.abs() <= 180.0).then_some(Position { lonlat: [lon, lat], crs: Crs::WGS84 })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn every_usual_notation_is_read() {
        for text in [
            "10.7725, 106.698",
            "10.7725,106.698",
            "106.698 10.7725",
            "106.698;10.7725",
            "10,7725; 106,698",
            "10,7725 106,698",
            "10,7725, 106,698",
            "(10.7725, 106.698)",
            "10.7725°N 106.698°E",
            "N 10.7725 E 106.698",
            "106.698 E, 10.7725 N",
            "10°46'21\"N 106°41'52.8\"E",
            "10°46′21″ B, 106°41′52.8″ Đ",
            "10° 46' 21'' N  106° 41' 52.8'' E",
            "10°46.35'N 106°41.88'E",
            "lat: 10.7725 lon: 106.698",
            "vĩ độ",
            "603481.588 1191454.611",
            "1191454.611, 603481.588",
            "603481,588; 1191454,611",
            "603482 1191455",
            "X 1.191.454,61 · Y 603.481,59",
            "X: 1.191.454,61 Y: 603.481,59 m",
            "1.191.454,61; 603.481,59",
            "geo:10.7725,106.698;u=35",
            "https://www.google.com/maps/@10.7725,106.698,17z",
            "https://www.google.com/maps/place/Ch%E1%BB%A3/@10.7,106.6,17z/data=!3d10.7725!4d106.698",
            "https://maps.google.com/?q=10.7725,106.698&z=5",
        ] {
            if text == "vĩ độ" {
                assert_eq!(parse_coordinates(text), None);
                continue;
            }
            let found = parse_coordinates(text).unwrap_or_else(|| panic!("{text}"));
            let gap = (found.lonlat[0] - 106.698).hypot(found.lonlat[1] - 10.7725);
            assert!(gap < 1e-5, "{text}: {found:?}");
        }
    }

    #[test]
    fn what_is_no_position_stays_text() {
        for text in [
            "",
            "12 345",
            "12/345",
            "123/4/5 Nguyễn Trãi",
            "26740-12-345",
            "10.7725",
            "Quận 1",
            "3 tháng 2",
            "1.2 3.4 5.6",
            "95.5, 200.5",
            "tờ 12 thửa 345",
            "0123456789",
            "10°75'0\"N 106°0'0\"E",
            "10.5 N 11.5 N",
            "'",
            "-",
            "https://example.org/",
            "geo:",
        ] {
            assert_eq!(parse_coordinates(text), None, "{text}");
        }
    }

    #[test]
    fn south_and_west_are_negative() {
        assert_eq!(parse_coordinates("33.5 S, 70.25 W").unwrap().lonlat, [-70.25, -33.5]);
        assert_eq!(parse_coordinates("-33.5, -70.25").unwrap().lonlat, [-70.25, -33.5]);
    }

    proptest! {
        #[test]
        fn nothing_panics(text in any::<String>()) {
            let _ = parse_coordinates(&text);
        }

        #[test]
        fn near_misses_do_not_panic(text in "[0-9 .,;°'\"NESWĐB/+-]{0,30}") {
            let _ = parse_coordinates(&text);
        }
    }
}
