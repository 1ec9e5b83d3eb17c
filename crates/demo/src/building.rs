//! What stands on a lot.

use crate::{
    dice::mix_unit,
    geom::{Convex, NONE, P, p},
    style::{Kind, Use},
};

/// A building: a convex footprint inside its lot, metres from the centre, warped.
pub(crate) struct Building {
    pub(crate) ring: Vec<P>,
    pub(crate) storeys: i64,
    pub(crate) kind: &'static str,
}

/// The lot as the builder sees it.
pub(crate) struct Site<'a> {
    pub(crate) ring: &'a [P],
    /// The edge that faces the road, by its first corner.
    pub(crate) front: usize,
    pub(crate) use_: Use,
    pub(crate) quarter: Kind,
    /// How dense the city is here, 1 in the centre.
    pub(crate) density: f64,
    /// The lot's own source of chance.
    pub(crate) word: u64,
}

impl Site<'_> {
    fn roll(&self, topic: u64) -> f64 {
        mix_unit(self.word, topic, 0)
    }

    fn between(&self, topic: u64, low: f64, high: f64) -> f64 {
        low + (high - low) * self.roll(topic)
    }

    /// The buildings on the lot; none on a field, a park or an empty lot.
    pub(crate) fn buildings(&self) -> Vec<Building> {
        let lot = Convex::new(self.ring.to_vec(), vec![NONE; self.ring.len()]);
        let area = lot.area();
        let storeys = |low: f64, high: f64| self.between(1, low, high + 1.0).floor() as i64;
        let one = |ring: Option<Vec<P>>, storeys, kind| {
            ring.map(|ring| Building { ring, storeys, kind }).into_iter().collect::<Vec<_>>()
        };
        let tall = (self.density * 1.6).min(1.4);
        match self.use_ {
            _ if area < 22.0 => Vec::new(),
            Use::House if self.roll(9) < 0.035 => Vec::new(),
            Use::House | Use::Shop if area < 420.0 => {
                let high = if self.use_ == Use::Shop { 3.0 + 4.0 * tall } else { 1.6 + 2.8 * tall };
                let kind = if self.use_ == Use::Shop { "Nhà phố kinh doanh" } else { "Nhà phố" };
                one(self.terrace(&lot), storeys(1.0 + tall, high), kind)
            }
            Use::House | Use::Shop => one(self.inner(&lot, 0.7), storeys(2.0, 6.0), "Nhà riêng lẻ"),
            Use::Villa => one(self.inner(&lot, 0.66), storeys(2.0, 3.0), "Biệt thự"),
            Use::RuralHouse => one(self.cottage(&lot), storeys(1.0, 1.4), "Nhà ở nông thôn"),
            Use::Tower if area < 6_000.0 => one(self.inner(&lot, 0.76), storeys(9.0, 38.0), "Cao ốc"),
            Use::Tower => self.bars(&lot, [38.0, 34.0], storeys(12.0, 45.0), "Cao ốc"),
            Use::Apartment => self.bars(&lot, [58.0, 21.0], storeys(9.0, 25.0), "Chung cư"),
            Use::Factory if area < 1_500.0 => one(self.inner(&lot, 0.8), 1, "Nhà xưởng"),
            Use::Factory => self.bars(&lot, [85.0, 42.0], 1, "Nhà xưởng"),
            Use::School => self.bars(&lot, [46.0, 13.0], storeys(2.0, 4.0), "Trường học"),
            Use::Hospital => self.bars(&lot, [52.0, 18.0], storeys(3.0, 9.0), "Bệnh viện"),
            Use::Office | Use::Barracks => self.bars(&lot, [40.0, 15.0], storeys(2.0, 5.0), "Trụ sở"),
            Use::Market if area < 9_000.0 => one(self.inner(&lot, 0.72), 1, "Chợ"),
            Use::Market => self.bars(&lot, [60.0, 30.0], 1, "Chợ"),
            Use::Pagoda => one(self.inner(&lot, 0.45), 1, "Cơ sở tôn giáo"),
            Use::Park | Use::Rice | Use::Orchard | Use::Crops | Use::Vacant => Vec::new(),
        }
    }

    /// From wall to wall behind the front, with a yard at the back.
    fn terrace(&self, lot: &Convex) -> Option<Vec<P>> {
        let inward = self.inward();
        let line = self.ring[self.front].dot(inward);
        let (_, far) = lot.extent(inward);
        let depth = far - line;
        let setback = match self.quarter {
            Kind::Core | Kind::Tube => {
                if self.roll(2) < 0.75 {
                    0.0
                } else {
                    1.4
                }
            }
            Kind::Planned => 2.4,
            _ => self.between(2, 0.0, 2.5),
        };
        let share = self.between(3, 0.74, 0.97);
        let body = lot.clip(inward, line + depth * share, NONE)?.clip(
            inward * -1.0,
            -(line + setback.min(depth * 0.2)),
            NONE,
        )?;
        Some(shrunk(&body, 0.985))
    }

    /// The lot's own shape, smaller.
    fn inner(&self, lot: &Convex, share: f64) -> Option<Vec<P>> {
        Some(shrunk(lot, share * self.between(4, 0.9, 1.06)))
    }

    /// A small house near the road, whatever the lot's size.
    fn cottage(&self, lot: &Convex) -> Option<Vec<P>> {
        let inward = self.inward();
        let line = self.ring[self.front].dot(inward);
        let (_, far) = lot.extent(inward);
        let start = self.between(2, 2.0, 9.0).min((far - line) * 0.3);
        let along = inward.left();
        let strip = lot.clip(inward, line + start + self.between(3, 7.0, 14.0), NONE)?.clip(
            inward * -1.0,
            -(line + start),
            NONE,
        )?;
        let middle = strip.centroid().dot(along) + self.between(5, -1.5, 1.5);
        let half = self.between(6, 2.6, 5.0);
        let body = strip.clip(along, middle + half, NONE)?.clip(along * -1.0, half - middle, NONE)?;
        Some(shrunk(&body, 0.93))
    }

    /// Long buildings side by side, as many as have room, each wholly inside the lot.
    fn bars(
        &self,
        lot: &Convex,
        [length, width]: [f64; 2],
        storeys: i64,
        kind: &'static str,
    ) -> Vec<Building> {
        let (axis, reach, across) = lot.main_axis();
        let (columns, rows) =
            ((reach / (length * 1.35)).floor().max(1.0), (across / (width * 1.9)).floor().max(1.0));
        let (columns, rows) = (columns.min(6.0), rows.min(5.0));
        let (length, width) = (length.min(reach * 0.72), width.min(across * 0.6));
        let side = axis.left();
        let ((low, high), (near, far)) = (lot.extent(axis), lot.extent(side));
        let mut out = Vec::new();
        for i in 0..(columns * rows) as u64 {
            let (column, row) = ((i as f64 % columns), (i as f64 / columns).floor());
            let middle = axis * (low + (high - low) * (column + 0.5) / columns)
                + side * (near + (far - near) * (row + 0.5) / rows);
            let (l, w) = (length * self.between(20 + i, 0.38, 0.5), width * self.between(40 + i, 0.4, 0.5));
            let corners = [p(-l, -w), p(l, -w), p(l, w), p(-l, w)];
            let ring: Vec<P> = corners.into_iter().map(|c| middle + axis * c.x + side * c.y).collect();
            let holds =
                ring.iter().all(|corner| lot.edges().all(|(a, b, _)| (b - a).cross(*corner - a) > 1.0));
            if holds && self.roll(60 + i) > 0.08 {
                out.push(Building { ring, storeys, kind });
            }
        }
        out
    }

    /// The direction from the road into the lot.
    fn inward(&self) -> P {
        let n = self.ring.len();
        (self.ring[(self.front + 1) % n] - self.ring[self.front % n]).unit().left()
    }
}

/// A convex ring shrunk towards its centroid, so that the walls of neighbours do not touch. Corners within 5
/// cm are joined.
fn shrunk(shape: &Convex, share: f64) -> Vec<P> {
    let middle = shape.centroid();
    let mut ring: Vec<P> = Vec::with_capacity(shape.v.len());
    for v in &shape.v {
        let at = middle + (*v - middle) * share;
        if ring.last().is_none_or(|last| (*last - at).len() > 0.05) {
            ring.push(at);
        }
    }
    ring
}
