//! Crossings of two streets: `ngã tư Hàng Xanh - Bạch Đằng`, `Cửu Long x Chương Dương`.

use citymap_engine::{Bbox, LayerSnapshot, Row};
use citymap_model::{Geometry, Role, text::fold};
use geo::{Coord, Line, LineIntersection, LineString, line_intersection::line_intersection};

use crate::{
    hit::{Hit, HitKind, Precision},
    phrases::{Fit, PhraseQuery},
    query_run::QueryRun,
    words::split_kind,
};

/// What people write between the names of two streets.
const BETWEEN: [&str; 10] =
    [" - ", " – ", " x ", " X ", " × ", " & ", " giao với ", " giao ", " và ", " cắt "];
/// What people write in front of the names, folded.
const BEFORE: [&str; 9] = [
    "nga tu giua ",
    "nga ba giua ",
    "nga tu ",
    "nga ba ",
    "nga nam ",
    "nga sau ",
    "nut giao ",
    "giao lo ",
    "goc ",
];
/// Maximum number of parts of a street that are compared with those of another.
const PARTS_MAX: usize = 400;
/// Maximum number of crossings of two names.
const CROSSINGS_MAX: usize = 8;
/// Degrees within which ends of two streets meet: about 15 m.
const NEAR: f64 = 0.000_14;
/// Degrees within which two places are one crossing: about 60 m, a square with islands.
const SAME: f64 = 0.000_55;

/// The ways to read a text as two streets: folded names. The first are the likelier ones.
fn readings(text: &str) -> Vec<[String; 2]> {
    let mut found = Vec::new();
    let without = |name: &str| {
        let folded = fold(name);
        BEFORE.iter().find_map(|word| folded.strip_prefix(word)).map_or(folded.clone(), str::to_owned)
    };
    for between in BETWEEN {
        for (at, _) in text.match_indices(between) {
            found.push([without(&text[..at]), fold(&text[at + between.len()..])]);
        }
    }
    // `ngã tư Bạch Đằng Điện Biên Phủ` says that there are two.
    let folded = fold(text);
    if let Some(rest) = BEFORE.iter().find_map(|word| folded.strip_prefix(word)) {
        found.extend(
            rest.match_indices(' ')
                .map(|(space, _)| [rest[..space].to_owned(), rest[space + 1..].to_owned()]),
        );
    }
    found.retain(|[one, other]| !one.is_empty() && !other.is_empty() && one != other);
    found
}

/// A part of a street.
struct Part {
    label: String,
    lines: Vec<LineString<f64>>,
    bbox: Bbox,
}

impl QueryRun<'_> {
    /// The crossings of two streets that the text names, the nearest to where the map is first; nothing for
    /// any other text.
    pub(crate) fn crossings(&self, text: &str) -> Vec<Hit> {
        for [one, other] in readings(text) {
            let parts = self.street(&one);
            if parts.is_empty() || self.cancel.is_cancelled() {
                continue;
            }
            let others = self.street(&other);
            let mut found: Vec<([f64; 2], String)> = Vec::new();
            for a in &parts {
                for b in &others {
                    let Some(at) = meeting(a, b) else { continue };
                    let is_known = |known: &([f64; 2], String)| {
                        (0..2).all(|axis| (known.0[axis] - at[axis]).abs() < SAME)
                    };
                    if !found.iter().any(is_known) {
                        found.push((at, format!("{} – {}", a.label, b.label)));
                    }
                }
            }
            if let Some([lon, lat]) = self.near {
                let far = |at: [f64; 2]| (at[0] - lon).hypot(at[1] - lat);
                found.sort_by(|(a, _), (b, _)| far(*a).total_cmp(&far(*b)));
            }
            if !found.is_empty() {
                let hits = found.into_iter().take(CROSSINGS_MAX.min(self.limit)).enumerate();
                return hits.map(|(position, (at, label))| self.crossing(position, at, label)).collect();
            }
        }
        Vec::new()
    }

    #[expect(clippy::cast_precision_loss, reason = "a handful of crossings")]
    fn crossing(&self, position: usize, [lon, lat]: [f64; 2], label: String) -> Hit {
        Hit {
            kind: HitKind::Crossing,
            layer: None,
            id: None,
            row: None,
            label,
            detail: self.commune_at([lon, lat]).unwrap_or_default(),
            lonlat: Some([lon, lat]),
            bbox: Some(Bbox::new(lon - NEAR, lat - NEAR, lon + NEAR, lat + NEAR)),
            precision: Precision::Rooftop,
            communes: self.commune_at([lon, lat]).into_iter().collect(),
            elsewhere: false,
            similar: false,
            score: 0.98 - 0.01 * position as f64,
        }
    }

    /// The parts of the streets that have exactly this name, with or without their kind.
    fn street(&self, name: &str) -> Vec<Part> {
        let (kind, core) = split_kind(name);
        let asked = PhraseQuery { kind, core, partial: false };
        let mut parts = Vec::new();
        for (_, layer, snapshot) in self.layers().filter(|(_, layer, _)| layer.role == Role::Road) {
            let names = layer.names(snapshot);
            for (_, phrase) in
                names.find(asked, CROSSINGS_MAX).into_iter().filter(|(fit, _)| *fit == Fit::Exact)
            {
                let room = PARTS_MAX - parts.len().min(PARTS_MAX);
                parts.extend(names.rows(phrase).take(room).filter_map(|row| part(snapshot, row)));
            }
        }
        parts
    }
}

fn part(snapshot: &LayerSnapshot, row: Row) -> Option<Part> {
    let lines = match snapshot.geometry(row)? {
        Geometry::LineString(line) => vec![line],
        Geometry::MultiLineString(lines) => lines.0,
        _ => return None,
    };
    Some(Part { label: snapshot.label(row), lines, bbox: snapshot.bbox(row)? })
}

/// Where two parts of streets cross, or where an end of one is near an end of the other.
fn meeting(a: &Part, b: &Part) -> Option<[f64; 2]> {
    let wide =
        Bbox::new(a.bbox.min[0] - NEAR, a.bbox.min[1] - NEAR, a.bbox.max[0] + NEAR, a.bbox.max[1] + NEAR);
    if !wide.intersects(&b.bbox) {
        return None;
    }
    let edges = |part: &Part| part.lines.iter().flat_map(LineString::lines).collect::<Vec<Line<f64>>>();
    let (first, second) = (edges(a), edges(b));
    let crossing = first.iter().find_map(|one| {
        second.iter().find_map(|other| match line_intersection(*one, *other)? {
            LineIntersection::SinglePoint { intersection, .. } => Some(intersection),
            LineIntersection::Collinear { intersection } => Some(intersection.start),
        })
    });
    let ends = |part: &Part| {
        let ends = part.lines.iter().flat_map(|line| [line.0.first().copied(), line.0.last().copied()]);
        ends.flatten().collect::<Vec<Coord<f64>>>()
    };
    let touching = || {
        let others = ends(b);
        ends(a).into_iter().find_map(|one| {
            let near = others.iter().find(|other| (one.x - other.x).hypot(one.y - other.y) < NEAR)?;
            Some(Coord { x: f64::midpoint(one.x, near.x), y: f64::midpoint(one.y, near.y) })
        })
    };
    crossing.or_else(touching).map(|at| [at.x, at.y])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_read_as_two_streets() {
        let first = |text: &str| readings(text).into_iter().next();
        let pair = |one: &str, other: &str| Some([one.to_owned(), other.to_owned()]);
        assert_eq!(first("Cửu Long - Chương Dương"), pair("cuu long", "chuong duong"));
        assert_eq!(first("ngã tư Cửu Long x Chương Dương"), pair("cuu long", "chuong duong"));
        assert_eq!(first("Lê Lợi giao Pasteur"), pair("le loi", "pasteur"));
        assert!(
            readings("ngã ba Cửu Long Chương Dương").contains(&["cuu long".into(), "chuong duong".into()])
        );
        assert_eq!(first("Nguyễn Trãi"), None);
        assert_eq!(first("Bà Rịa - Bà Rịa"), None, "a street does not cross itself");
    }
}
