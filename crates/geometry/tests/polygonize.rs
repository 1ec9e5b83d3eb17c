//! Random planar subdivisions, cut into lines, come back whole.
#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

use citymap_geometry::{check_validity, polygonize};
use geo::{Area, Contains, InteriorPoint};
use geo_types::{Coord, LineString, Polygon, line_string};
use proptest::prelude::*;

const SIZE: usize = 6;
const STEP: f64 = 100.0;

/// A net of cells with moved corners: which of its sides are drawn, and how.
#[derive(Clone, Debug)]
struct Net {
    moved: Vec<(f64, f64)>,
    /// Whether the sides between neighbours are drawn, first to the east, then to the north.
    drawn: Vec<bool>,
    /// For each side: whether it is drawn backwards, where it is cut in two, and how far its ends miss.
    how: Vec<(bool, f64, (f64, f64))>,
}

fn net() -> impl Strategy<Value = Net> {
    let corners = (SIZE + 1) * (SIZE + 1);
    let sides = 2 * corners;
    (
        prop::collection::vec((-30.0..30.0, -30.0..30.0), corners),
        prop::collection::vec(prop::bool::weighted(0.75), sides),
        prop::collection::vec((any::<bool>(), 0.2..0.8, (-1.0..1.0, -1.0..1.0)), sides),
    )
        .prop_map(|(moved, drawn, how)| Net { moved, drawn, how })
}

/// Number of a side of the net.
fn side(i: usize, j: usize, north: bool) -> usize {
    2 * (i * (SIZE + 1) + j) + usize::from(north)
}

impl Net {
    fn at(&self, i: usize, j: usize) -> Coord {
        let (dx, dy) = self.moved[i * (SIZE + 1) + j];
        Coord { x: 603_000.0 + i as f64 * STEP + dx, y: 1_191_000.0 + j as f64 * STEP + dy }
    }

    /// Whether a side of the net is drawn; those of the outer boundary always are.
    fn is_drawn(&self, i: usize, j: usize, north: bool) -> bool {
        let border = if north { i == 0 || i == SIZE } else { j == 0 || j == SIZE };
        border || self.drawn[side(i, j, north)]
    }

    fn sides(&self) -> Vec<(usize, usize, bool)> {
        let all = (0..=SIZE).flat_map(|i| (0..=SIZE).flat_map(move |j| [(i, j, false), (i, j, true)]));
        all.filter(|&(i, j, north)| if north { j < SIZE } else { i < SIZE })
            .filter(|&(i, j, north)| self.is_drawn(i, j, north))
            .collect()
    }

    /// The sides as lines whose ends miss their corners by up to `miss`; some are cut in two.
    fn lines(&self, miss: f64) -> Vec<LineString> {
        let mut lines = Vec::new();
        for (i, j, north) in self.sides() {
            let (from, to) = (self.at(i, j), if north { self.at(i, j + 1) } else { self.at(i + 1, j) });
            let (backwards, cut, (dx, dy)) = self.how[side(i, j, north)];
            let shift = Coord { x: dx * miss, y: dy * miss };
            let middle = from + (to - from) * cut;
            let mut parts = vec![line_string![from + shift, middle], line_string![middle, to + shift * -1.0]];
            if cut > 0.5 {
                parts = vec![LineString::new(vec![from + shift, middle, to + shift * -1.0])];
            }
            if backwards {
                parts.iter_mut().for_each(|part| part.0.reverse());
            }
            lines.extend(parts);
        }
        lines
    }

    /// The cells that can be reached from each other without crossing a drawn side, as numbers of groups.
    fn groups(&self) -> Vec<usize> {
        let mut group: Vec<usize> = (0..SIZE * SIZE).collect();
        let mut changed = true;
        while changed {
            changed = false;
            for i in 0..SIZE {
                for j in 0..SIZE {
                    let own = i * SIZE + j;
                    let mut join = |other: usize| {
                        let least = group[own].min(group[other]);
                        changed |= group[own] != group[other];
                        (group[own], group[other]) = (least, least);
                    };
                    if i + 1 < SIZE && !self.is_drawn(i + 1, j, true) {
                        join(own + SIZE);
                    }
                    if j + 1 < SIZE && !self.is_drawn(i, j + 1, false) {
                        join(own + 1);
                    }
                }
            }
        }
        group
    }

    fn cell(&self, number: usize) -> Polygon {
        let (i, j) = (number / SIZE, number % SIZE);
        let ring = vec![self.at(i, j), self.at(i + 1, j), self.at(i + 1, j + 1), self.at(i, j + 1)];
        Polygon::new(LineString::new(ring), vec![])
    }
}

fn check(net: &Net, miss: f64, tolerance: f64, slack: f64) {
    let built = polygonize(&net.lines(miss), tolerance);
    let groups = net.groups();
    let mut expected = groups.clone();
    expected.sort_unstable();
    expected.dedup();
    assert_eq!(built.polygons.len(), expected.len(), "faces");
    for polygon in &built.polygons {
        assert!(check_validity(&polygon.clone().into()).is_ok());
    }
    for group in expected {
        let cells: Vec<Polygon> =
            (0..SIZE * SIZE).filter(|&cell| groups[cell] == group).map(|cell| net.cell(cell)).collect();
        let inside = cells[0].interior_point().unwrap();
        let face: Vec<&Polygon> = built.polygons.iter().filter(|polygon| polygon.contains(&inside)).collect();
        assert_eq!(face.len(), 1);
        let area: f64 = cells.iter().map(Area::unsigned_area).sum();
        assert!((face[0].unsigned_area() - area).abs() <= slack, "{} {area}", face[0].unsigned_area());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn exact_lines_give_the_faces_exactly(net in net()) {
        check(&net, 0.0, 1e-6, 1e-2);
    }

    #[test]
    fn ends_that_miss_by_less_than_the_tolerance_are_joined(net in net()) {
        // Both ends of two lines may miss in opposite directions, and to a corner's side.
        check(&net, 0.003, 0.02, 20.0);
    }

    #[test]
    fn lines_that_cross_are_cut(angles in prop::collection::vec(0.01..3.1, 2..12)) {
        // Diameters of a circle through its centre, slightly off it, and the circle.
        let circle: LineString = (0..=360)
            .map(|degree| f64::from(degree % 360).to_radians())
            .map(|angle| (100.0 * angle.cos(), 100.0 * angle.sin()))
            .collect::<Vec<_>>()
            .into();
        let mut lines = vec![circle];
        lines.extend(angles.iter().enumerate().map(|(number, angle): (usize, &f64)| {
            let (dx, dy) = (150.0 * angle.cos(), 150.0 * angle.sin());
            let off = number as f64 * 1.7;
            line_string![(x: off - dx, y: -dy), (x: off + dx, y: dy)]
        }));
        let built = polygonize(&lines, 1e-6);
        let area: f64 = built.polygons.iter().map(Area::unsigned_area).sum();
        let whole = Polygon::new(lines[0].clone(), vec![]).unsigned_area();
        // Two lines that meet outside of the circle enclose something there as well.
        prop_assert!(area >= whole - 1e-3, "{} {}", area, whole);
        prop_assert!(built.polygons.iter().all(|polygon| check_validity(&polygon.clone().into()).is_ok()));
    }
}

/// An island in a parcel is a hole of it and a polygon of its own; a line that joins it to the shore is a
/// bridge; a line that ends in the middle dangles, with the distance that it lacks.
#[test]
fn islands_bridges_and_open_ends_are_told_apart() {
    let square = |x: f64, y: f64, size: f64| {
        let to = [x + size, y + size];
        LineString::from(vec![[x, y], [to[0], y], to, [x, to[1]], [x, y]])
    };
    let lines = [
        square(0.0, 0.0, 10.0),
        square(3.0, 3.0, 2.0),
        line_string![(x: 0.0, y: 4.0), (x: 3.0, y: 4.0)],
        line_string![(x: 10.0, y: 8.0), (x: 5.0, y: 8.0)],
    ];
    let built = polygonize(&lines, 0.01);
    let mut areas: Vec<f64> = built.polygons.iter().map(Area::unsigned_area).collect();
    areas.sort_by(f64::total_cmp);
    assert_eq!(areas, [4.0, 96.0]);
    assert_eq!(built.bridges.len(), 1);
    assert_eq!(built.bridges[0].length, 3.0);
    assert_eq!((built.dangling.len(), built.dangling[0].at), (1, Coord { x: 5.0, y: 8.0 }));
    assert_eq!((built.dangling[0].length, built.dangling[0].gap), (5.0, Some(2.0)));
}

/// A line that hangs on nothing has two loose ends, a comb as many as it has teeth and ends.
#[test]
fn each_loose_end_is_reported() {
    let outline = LineString::from(vec![[0.0, 0.5], [0.0, 9.0], [9.0, 9.0], [9.0, 0.0], [0.0, 0.0]]);
    let built = polygonize(&[outline], 0.01);
    assert!(built.polygons.is_empty());
    assert_eq!(built.dangling.len(), 2);
    let comb: Vec<LineString> = std::iter::once(line_string![(x: 0.0, y: 0.0), (x: 5.0, y: 0.0)])
        .chain((1..5).map(|x| line_string![(x: f64::from(x), y: 0.0), (x: f64::from(x), y: 2.0)]))
        .collect();
    assert_eq!(polygonize(&comb, 0.01).dangling.len(), 6);
}

/// An island that touches the shore in one point is a hole that touches the shell, which is valid.
#[test]
fn what_touches_from_inside_is_a_hole() {
    let outer = LineString::from(vec![[0.0, 0.0], [10.0, 0.0], [10.0, 10.0], [0.0, 10.0], [0.0, 0.0]]);
    let inner = line_string![(x: 0.0, y: 5.0), (x: 4.0, y: 3.0), (x: 4.0, y: 7.0), (x: 0.0, y: 5.0)];
    let built = polygonize(&[outer, inner], 0.001);
    assert_eq!(built.polygons.len(), 2);
    let holed = built.polygons.iter().find(|polygon| !polygon.interiors().is_empty()).unwrap();
    assert_eq!(holed.unsigned_area(), 92.0);
    assert!(check_validity(&holed.clone().into()).is_ok());
}
