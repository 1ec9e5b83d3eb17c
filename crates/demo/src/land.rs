//! Land and what stands on it: communes, water, parcels, buildings, addresses, places, reports.

use chrono::{DateTime, NaiveDate};
use citymap_crs::CrsError;
use citymap_model::{NewFeature, Value};

use crate::{
    building::Site,
    city::{City, Number},
    dice::{mix, mix_unit},
    frame::Batch,
    geom::{P, ring_area2, ring_centroid},
    part::Part,
    quarter::{Lot, Quarter},
    road::street_name,
    style::Use,
    text,
    values::{day, maybe, txt},
};

pub(crate) fn communes(city: &City, part: Part) -> Result<Vec<NewFeature>, CrsError> {
    let mut batch = Batch::default();
    if part == Part::Whole {
        for unit in &city.communes.units {
            let kind = match unit.fact.kind {
                "phuong" => "Phường",
                "xa" => "Xã",
                _ => "Đặc khu",
            };
            let since = NaiveDate::from_ymd_opt(2025, 7, 1).map_or(Value::Null, Value::Date);
            let values =
                vec![txt(unit.fact.code), txt(unit.fact.name), txt(unit.fact.name_en), txt(kind), since];
            match &unit.rings[..] {
                [ring] => batch.polygon(ring.iter().copied(), values),
                rings => batch.polygons(rings, &[], values),
            }
        }
    }
    batch.finish()
}

pub(crate) fn water(city: &City, part: Part) -> Result<Vec<NewFeature>, CrsError> {
    let mut batch = Batch::default();
    if part == Part::Whole {
        batch.polygons(&city.communes.sea, &city.communes.islands, vec![txt("Biển Đông"), txt("Biển")]);
        // Pieces of about 2 km, so that a tile never has to clip a whole river.
        for course in &city.plan.water.courses {
            let last = course.points.len() - 1;
            for start in (0..last).step_by(100) {
                let end = (start + 100).min(last);
                let mut banks = [Vec::new(), Vec::new()];
                for i in start..=end {
                    let (left, right) = course.banks(i);
                    let ahead = course.normals[i].left() * -1.0;
                    for (bank, at) in banks.iter_mut().zip([right, left]) {
                        // In a sharp bend the inner bank would run backwards.
                        if i == end {
                            while bank.len() > 1
                                && bank.last().is_some_and(|last: &P| (at - *last).dot(ahead) < 1.0)
                            {
                                bank.pop();
                            }
                        }
                        if i == end || bank.last().is_none_or(|last| (at - *last).dot(ahead) > 1.0) {
                            bank.push(at);
                        }
                    }
                }
                let [right, left] = banks;
                let ring: Vec<P> =
                    right.into_iter().chain(left.into_iter().rev()).map(|at| city.plan.warp.at(at)).collect();
                batch.polygon(
                    ring,
                    vec![txt(course.name), txt(if course.river { "Sông" } else { "Kênh, rạch" })],
                );
            }
        }
    }
    batch.finish()
}

/// A lot with all that is known of it.
struct Plot<'a> {
    city: &'a City,
    cell: usize,
    quarter: &'a Quarter,
    lot: &'a Lot,
    number: Number,
    /// Its own source of chance.
    word: u64,
}

impl Plot<'_> {
    fn code(&self) -> &'static str {
        self.city.communes.units[usize::from(self.number.commune)].fact.code
    }

    fn commune(&self) -> &'static str {
        self.city.communes.units[usize::from(self.number.commune)].fact.name
    }

    fn roll(&self, topic: u64) -> f64 {
        mix_unit(self.word, topic, 1)
    }

    /// House number and street; neither where the road has no name.
    fn house(&self) -> Option<(String, String)> {
        let roads = self.city.roads(&self.city.cells[self.cell]);
        let (street, alleys) = roads.street(self.lot.road);
        let street = street_name(&street?.name)?;
        let mut number = self.lot.number.to_string();
        if let Some(letter) = self.lot.repeat.checked_sub(1) {
            number.push(char::from(b'A' + letter.min(25)));
        }
        Some((if alleys.is_empty() { number } else { format!("{alleys}/{number}") }, street))
    }

    /// Whether people or firms have their address here.
    fn addressed(&self) -> bool {
        !matches!(self.lot.use_, Use::Rice | Use::Orchard | Use::Crops | Use::Vacant | Use::Park)
    }

    /// The address as it is written on a certificate.
    fn address(&self) -> String {
        let commune = self.commune();
        match self.house() {
            Some((number, street)) if self.addressed() => format!("{number} {street}, {commune}"),
            Some((_, street)) => format!("{street}, {commune}"),
            None => {
                let hamlet = self.word_of_quarter() % 9 + 1;
                let kind = if commune.starts_with("Phường") { "Khu phố" } else { "Ấp" };
                format!("{kind} {hamlet}, {commune}")
            }
        }
    }

    fn word_of_quarter(&self) -> u64 {
        mix(self.city.plan.seed, self.cell as u64, (self.quarter.density * 1e9) as i64 as u64)
    }

    fn ring(&self) -> Vec<P> {
        self.quarter.ring(self.lot)
    }

    /// The land-use code: the land around a barracks is military, a house in a commune is rural.
    fn land_use(&self) -> &'static str {
        match self.lot.use_.code() {
            "ODT" if self.commune().starts_with("Xã") => "ONT",
            "ONT" if self.commune().starts_with("Phường") => "ODT",
            code => code,
        }
    }
}

fn plots(city: &City, part: Part) -> impl Iterator<Item = Plot<'_>> {
    let cell = match part {
        Part::Whole => None,
        Part::Cell(cell) => Some(cell),
    };
    cell.into_iter().flat_map(move |cell| {
        city.cells[cell].quarters.iter().enumerate().flat_map(move |(q, quarter)| {
            let base = mix(city.plan.seed, cell as u64, q as u64);
            quarter.lots.iter().enumerate().map(move |(i, lot)| Plot {
                city,
                cell,
                quarter,
                lot,
                number: city.numbers[cell][q][i],
                word: mix(base, i as u64, 7),
            })
        })
    })
}

pub(crate) fn parcels(city: &City, part: Part) -> Result<Vec<NewFeature>, CrsError> {
    let mut batch = Batch::default();
    for plot in plots(city, part) {
        let ring = plot.ring();
        // The certificate's figure was surveyed long ago: near what the map says, seldom equal to it.
        let area = ring_area2(&ring) / 2.0 * (1.0 + (plot.roll(1) - 0.5) * 0.03);
        let (code, sheet, parcel) = (plot.code(), plot.number.sheet, plot.number.parcel);
        let house = plot.house();
        let number = house.as_ref().filter(|_| plot.addressed()).map(|(number, _)| number.clone());
        let values = vec![
            txt(format!("{code}-{sheet}-{parcel}")),
            txt(code),
            Value::Int(sheet.into()),
            Value::Int(parcel.into()),
            txt(plot.land_use()),
            Value::Real((area * 10.0).round() / 10.0),
            txt(plot.address()),
            maybe(house.map(|(_, street)| street)),
            maybe(number),
            day((plot.roll(2) * 7_600.0) as u64),
        ];
        batch.polygon(ring, values);
    }
    batch.finish()
}

pub(crate) fn buildings(city: &City, part: Part) -> Result<Vec<NewFeature>, CrsError> {
    let mut batch = Batch::default();
    for plot in plots(city, part) {
        let ring = plot.ring();
        let site = Site {
            ring: &ring,
            front: usize::from(plot.lot.front),
            use_: plot.lot.use_,
            quarter: plot.quarter.kind,
            density: plot.quarter.density,
            word: plot.word,
        };
        for building in site.buildings() {
            let storey = if building.kind == "Nhà xưởng" { 8.5 } else { 3.4 };
            let height = building.storeys as f64 * storey + 1.0;
            let values = vec![
                Value::Int(building.storeys),
                Value::Real((height * 10.0).round() / 10.0),
                txt(building.kind),
            ];
            batch.polygon(building.ring, values);
        }
    }
    batch.finish()
}

pub(crate) fn addresses(city: &City, part: Part) -> Result<Vec<NewFeature>, CrsError> {
    let mut batch = Batch::default();
    for plot in plots(city, part).filter(Plot::addressed) {
        let Some((number, street)) = plot.house() else { continue };
        let ring = plot.ring();
        let front = usize::from(plot.lot.front);
        let door = (ring[front] + ring[(front + 1) % ring.len()]) * 0.5;
        // A little behind the door, inside the lot.
        let at = door + (ring_centroid(&ring) - door) * 0.2;
        batch.point(at, vec![txt(number), txt(street), txt(plot.address()), txt(plot.code())]);
    }
    batch.finish()
}

pub(crate) fn schools(city: &City, part: Part) -> Result<Vec<NewFeature>, CrsError> {
    let mut batch = Batch::default();
    for plot in plots(city, part).filter(|plot| plot.lot.use_ == Use::School) {
        let name = text::place_name(Use::School, plot.word, plot.commune());
        batch.point(ring_centroid(&plot.ring()), vec![maybe(name), txt(text::school_level(plot.word))]);
    }
    batch.finish()
}

pub(crate) fn places(city: &City, part: Part) -> Result<Vec<NewFeature>, CrsError> {
    let mut batch = Batch::default();
    for plot in plots(city, part) {
        let Some(kind) = text::place_kind(plot.lot.use_) else { continue };
        let ring = plot.ring();
        if ring_area2(&ring) < 2.0 * 600.0 {
            continue;
        }
        let name = text::place_name(plot.lot.use_, plot.word, plot.commune());
        batch.point(ring_centroid(&ring), vec![maybe(name), txt(kind)]);
    }
    batch.finish()
}

pub(crate) fn reports(city: &City, part: Part) -> Result<Vec<NewFeature>, CrsError> {
    let mut batch = Batch::default();
    for plot in plots(city, part).filter(|plot| plot.addressed() && plot.roll(30) < 0.012) {
        let ring = plot.ring();
        let front = usize::from(plot.lot.front);
        let door = (ring[front] + ring[(front + 1) % ring.len()]) * 0.5;
        // On the street before the house.
        let at = door + (door - ring_centroid(&ring)).unit() * 2.0;
        let (kind, what) = text::REPORTS[(plot.word >> 20) as usize % text::REPORTS.len()];
        let state = text::REPORT_STATES[(plot.roll(31).powf(0.7) * 3.999) as usize];
        // Minutes of 2025, Vietnamese time or not: instants are UTC.
        let time = DateTime::from_timestamp(1_735_689_600 + (plot.roll(32) * 525_599.0) as i64 * 60, 0);
        let values = vec![
            txt(format!("1022-{:010}", plot.word % 10_000_000_000)),
            txt(kind),
            txt(what),
            txt(state),
            time.map_or(Value::Null, Value::DateTime),
        ];
        batch.point(at, values);
    }
    batch.finish()
}
