//! What runs along streets: the roads themselves, drains, power, light, hydrants.

use citymap_crs::CrsError;
use citymap_model::{NewFeature, Value};

use crate::{
    city::City,
    dice::{mix, mix_unit},
    frame::Batch,
    geom::{P, Tag, along},
    part::Part,
    quarter::{Cell, RoadPiece},
    road::{Class, Road},
    values::{maybe, txt},
};

/// Between the points of a line, metres: close enough to follow the warp within centimetres.
const STEP: f64 = 25.0;

/// A stretch of road with its own source of chance.
struct Stretch<'a> {
    road: &'a Road,
    tag: Tag,
    from: P,
    to: P,
    /// Whether pipes, cables and lights run along it.
    served: bool,
    word: u64,
}

impl Stretch<'_> {
    fn roll(&self, topic: u64) -> f64 {
        mix_unit(self.word, topic, 3)
    }

    /// The stretch moved sideways, metres to the left, warped.
    fn line(&self, city: &City, aside: f64) -> Vec<P> {
        let push = (self.to - self.from).unit().left() * aside;
        along(self.from, self.to, STEP).into_iter().map(|at| city.plan.warp.at(at + push)).collect()
    }

    /// Places every `step` metres, alternating between the sides at `aside` metres from the middle.
    fn places(&self, city: &City, step: f64, aside: f64) -> Vec<P> {
        let (ahead, length) = ((self.to - self.from).unit(), (self.to - self.from).len());
        let count = (length / step).floor() as usize;
        (0..count)
            .map(|i| {
                let side = if i % 2 == 0 { aside } else { -aside };
                city.plan.warp.at(self.from + ahead * (step * (i as f64 + 0.5)) + ahead.left() * side)
            })
            .collect()
    }
}

fn stretches(city: &City, part: Part) -> Vec<Stretch<'_>> {
    match part {
        Part::Cell(index) => {
            let cell = &city.cells[index];
            let roads = city.roads(cell);
            let stretch = |(i, piece): (usize, &RoadPiece)| {
                let road = roads.get(piece.road)?;
                let served = match piece.quarter {
                    Some(_) => road.class >= Class::Local && city.plan.density_at(piece.from) > 0.22,
                    None => city.plan.density_at(piece.from) > 0.1,
                };
                let word = mix(city.plan.seed, index as u64 + 1, i as u64);
                Some(Stretch { road, tag: piece.road, from: piece.from, to: piece.to, served, word })
            };
            cell.pieces.iter().enumerate().filter_map(stretch).collect()
        }
        Part::Whole => arterials(city),
    }
}

/// The mesh's roads: all of them inside the city, outside it those that join communes. Only trunk roads cross
/// the river.
fn arterials(city: &City) -> Vec<Stretch<'_>> {
    let plan = &city.plan;
    let mut out = Vec::new();
    for (i, road) in plan.mesh.roads.iter().enumerate() {
        let served = plan.density_at(road.from) > 0.0;
        let trunk = road.class >= Class::Primary;
        let parts = ((road.to - road.from).len() / 20.0).ceil().max(1.0) as usize;
        let at = |k: usize| road.from + (road.to - road.from) * (k as f64 / parts as f64);
        // The country has fewer roads than the mesh has lines, and only on land that belongs to a commune.
        if plan.mesh.unbuilt[i] {
            continue;
        }
        let land: Vec<bool> = (0..=parts / 15)
            .map(|k| served || city.communes.holds(plan.warp.at(at((k * 15 + 7).min(parts)))))
            .collect();
        let bad = |k: usize| {
            let wet = !trunk && plan.water.at(at(k), 3.0) == Some(true);
            wet || !land[k / 15]
        };
        let mut start = None;
        let mut piece = 0;
        for k in 0..=parts {
            let stop = bad(k) || k == parts;
            match (stop, start) {
                (false, None) => start = Some(k),
                (true, Some(first)) => {
                    let last = if k == parts && !bad(k) { k } else { k - 1 };
                    if last > first {
                        piece += 1;
                        let word = mix(plan.seed, 0, (i * 64 + piece) as u64);
                        out.push(Stretch {
                            road,
                            tag: i as Tag,
                            from: at(first),
                            to: at(last),
                            served,
                            word,
                        });
                    }
                    start = None;
                }
                _ => {}
            }
        }
    }
    out
}

pub(crate) fn roads(city: &City, part: Part) -> Result<Vec<NewFeature>, CrsError> {
    let mut batch = Batch::default();
    let place = match part {
        Part::Whole => 0,
        Part::Cell(cell) => cell + 1,
    };
    let empty = Cell { quarters: Vec::new(), roads: Vec::new(), pieces: Vec::new() };
    let cell = match part {
        Part::Whole => &empty,
        Part::Cell(cell) => &city.cells[cell],
    };
    for (i, stretch) in stretches(city, part).iter().enumerate() {
        let road = stretch.road;
        let one_way = road.class == Class::Local && stretch.served && stretch.roll(1) < 0.08;
        let values = vec![
            txt(format!("D{place:04}-{:04}", i + 1)),
            maybe(city.roads(cell).full_name(stretch.tag)),
            txt(road.class.code()),
            Value::Real(road.width),
            Value::Real(road.carriageway()),
            Value::Bool(one_way),
        ];
        batch.line(stretch.line(city, 0.0), values);
    }
    batch.finish()
}

pub(crate) fn drainage(city: &City, part: Part) -> Result<Vec<NewFeature>, CrsError> {
    let mut batch = Batch::default();
    for stretch in stretches(city, part).iter().filter(|stretch| stretch.served) {
        let (diameter, material) = match stretch.road.class {
            Class::Local => ([400, 600, 800][(stretch.roll(4) * 3.0) as usize], "Bê tông cốt thép"),
            Class::Secondary => ([1000, 1200][(stretch.roll(4) * 2.0) as usize], "Bê tông cốt thép"),
            _ => (1500, "Cống hộp bê tông"),
        };
        let material = if stretch.roll(5) < 0.1 { "HDPE" } else { material };
        batch.line(stretch.line(city, stretch.road.width * 0.22), vec![Value::Int(diameter), txt(material)]);
    }
    batch.finish()
}

pub(crate) fn power_lines(city: &City, part: Part) -> Result<Vec<NewFeature>, CrsError> {
    let mut batch = Batch::default();
    for stretch in stretches(city, part) {
        let (voltage, kind) = match (stretch.road.class, stretch.served) {
            (Class::National, _) => (110.0, "Đường dây trên không"),
            (Class::Primary | Class::Secondary, true) => (22.0, "Cáp ngầm"),
            (Class::Local, true) if stretch.roll(6) < 0.6 => (0.4, "Đường dây trên không"),
            _ => continue,
        };
        batch.line(stretch.line(city, -stretch.road.width * 0.42), vec![Value::Real(voltage), txt(kind)]);
    }
    batch.finish()
}

pub(crate) fn street_lights(city: &City, part: Part) -> Result<Vec<NewFeature>, CrsError> {
    let mut batch = Batch::default();
    for stretch in stretches(city, part).iter().filter(|stretch| stretch.served) {
        let main = stretch.road.class >= Class::Secondary;
        let (watt, aside) =
            if main { (150, stretch.road.width * 0.38) } else { (80, stretch.road.width * 0.36) };
        let lamp = if stretch.roll(7) < 0.7 { "LED" } else { "Sodium cao áp" };
        for at in stretch.places(city, if main { 30.0 } else { 36.0 }, aside) {
            batch.point(at, vec![Value::Int(watt), txt(lamp)]);
        }
    }
    batch.finish()
}

pub(crate) fn hydrants(city: &City, part: Part) -> Result<Vec<NewFeature>, CrsError> {
    let mut batch = Batch::default();
    for stretch in stretches(city, part).iter().filter(|stretch| stretch.served) {
        for (i, at) in stretch.places(city, 150.0, stretch.road.width * 0.44).into_iter().enumerate() {
            let broken = mix_unit(stretch.word, 8, i as u64) < 0.06;
            let diameter = if stretch.road.class >= Class::Secondary { 150 } else { 100 };
            batch.point(
                at,
                vec![Value::Int(diameter), txt(if broken { "Cần sửa chữa" } else { "Hoạt động tốt" })],
            );
        }
    }
    batch.finish()
}
