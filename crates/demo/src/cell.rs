//! One cell of the mesh cut into quarters, quarters into blocks, blocks by alleys.

use std::collections::HashMap;

use crate::{
    dice::Dice,
    geom::{Convex, NONE, P, Tag},
    lots::{self, Neighbourhood},
    mesh::Mesh,
    quarter::{Cell, Quarter, RoadPiece},
    road::{Class, Name, Road, Roads},
    style::{Kind, Style, Use},
    warp::{Noise, Warp},
    water::Water,
};

/// What all cells share.
pub(crate) struct Plan {
    pub(crate) seed: u64,
    /// The radius at which the city ends, metres.
    pub(crate) radius: f64,
    pub(crate) warp: Warp,
    pub(crate) density: Noise,
    pub(crate) wind: Noise,
    pub(crate) water: Water,
    pub(crate) mesh: Mesh,
    /// How many street names there are to draw from.
    pub(crate) streets: usize,
}

impl Plan {
    /// 1 in the centre, 0 at the edge, negative outside.
    pub(crate) fn density_at(&self, at: P) -> f64 {
        1.0 - at.len() * (1.0 + 0.24 * self.density.at(at)) / self.radius
    }
}

/// Builds one cell. Nothing depends on any other cell, so that cells may be built in any order.
pub(crate) fn build(plan: &Plan, index: usize) -> Cell {
    let dice = Dice::new(plan.seed, 10, index as u64);
    let mut builder = Builder {
        plan,
        dice,
        roads: Vec::new(),
        pieces: Vec::new(),
        inside: false,
        shapes: Vec::new(),
        taken: HashMap::new(),
        quarters: Vec::new(),
        name_start: 0,
        named: 0,
        // Numbered streets of neighbouring cells have other numbers.
        numbered: (index % 9) as u16 * 12,
    };
    builder.name_start = builder.dice.below(plan.streets);
    if let Some(ground) = plan.mesh.cells[index].inset(|tag| builder.half(tag)) {
        builder.quarters(ground);
    }
    Cell { quarters: builder.quarters, roads: builder.roads, pieces: builder.pieces }
}

struct Builder<'a> {
    plan: &'a Plan,
    dice: Dice,
    roads: Vec<Road>,
    pieces: Vec<RoadPiece>,
    inside: bool,
    /// The lots of the block at hand, and their use where that is settled.
    shapes: Vec<(Convex, Option<Use>)>,
    /// How many lots have each house number.
    taken: HashMap<(Tag, u32), u8>,
    quarters: Vec<Quarter>,
    name_start: usize,
    named: usize,
    numbered: u16,
}

/// A cut: where, and how wide a road runs in it.
struct Cut {
    n: P,
    c: f64,
}

impl Builder<'_> {
    fn roads(&self) -> Roads<'_> {
        Roads { arterial: &self.plan.mesh.roads, local: &self.roads }
    }

    fn half(&self, tag: Tag) -> f64 {
        self.roads().get(tag).map_or(0.0, |road| road.width / 2.0)
    }

    /// Cuts a cell into quarters along secondary streets and builds each.
    fn quarters(&mut self, ground: Convex) {
        let density = self.plan.density_at(ground.centroid());
        let size = Kind::quarter(density) * self.dice.range(0.85, 1.2);
        let (axis, length, _) = ground.main_axis();
        if length > size * 1.45 {
            let cut = self.cut(&ground, (axis, length), size, 0.10);
            let width = if density > 0.3 { 16.0 } else { 12.0 };
            let class = if length > size * 2.6 { Class::Secondary } else { Class::Local };
            let (left, right) = self.street(&ground, &cut, (class, width), density > 0.3);
            for half in [left, right].into_iter().flatten() {
                self.quarters(half);
            }
        } else if density > -0.06 {
            self.quarter(ground, density);
        }
    }

    /// Where to cut a polygon that is too long along an axis: across the axis, near a whole share of its
    /// length.
    fn cut(&mut self, ground: &Convex, (axis, length): (P, f64), target: f64, stray: f64) -> Cut {
        let parts = (length / target).ceil().max(2.0);
        let share = (parts / 2.0).floor() / parts + self.dice.range(-0.05, 0.05);
        let n = axis.turned(self.dice.range(-stray, stray));
        let (low, high) = ground.extent(n);
        Cut { n, c: low + (high - low) * share }
    }

    /// Lays a street in a cut: the two sides, and the street from centre line to centre line.
    fn street(
        &mut self,
        ground: &Convex,
        cut: &Cut,
        (class, width): (Class, f64),
        named: bool,
    ) -> (Option<Convex>, Option<Convex>) {
        let Some(ends) = ground.chord(cut.n, cut.c) else { return (Some(ground.clone()), None) };
        let tag = (self.plan.mesh.roads.len() + self.roads.len()) as Tag;
        let ahead = (ends[1].0 - ends[0].0).unit();
        let reach = |end: &(P, usize), ahead: P| {
            let (a, b) = (ground.v[end.1], ground.v[(end.1 + 1) % ground.v.len()]);
            let outward = (b - a).unit().left() * -1.0;
            let half = self.half(ground.tag[end.1]);
            end.0 + ahead * (half / ahead.dot(outward).abs().max(0.3))
        };
        let (from, to) = (reach(&ends[0], ahead * -1.0), reach(&ends[1], ahead));
        let name = match class {
            Class::Alley => self.alley_name(ground, &ends, ahead),
            Class::Track => Name::Unnamed,
            _ => self.street_name(named),
        };
        // House numbers grow away from where an alley leaves its street.
        let (from, to) = match &name {
            Name::Alley { .. } if self.leaves_backwards(ground, &ends) => (to, from),
            _ => (from, to),
        };
        self.roads.push(Road { from, to, class, width, name, before: 0.0 });
        self.keep_dry(tag, from, to, class);
        ground.split(cut.n, cut.c, width / 2.0, tag)
    }

    fn street_name(&mut self, named: bool) -> Name {
        if named && self.dice.chance(0.8) {
            // A step with no common factor goes through all the names before one comes again.
            self.named += 1;
            let n = self.plan.streets;
            let step = (n / 3..).find(|step| gcd(*step, n) == 1).unwrap_or(1);
            Name::Street(((self.name_start + self.named * step) % n) as u16)
        } else {
            self.numbered += 1;
            Name::Number(self.numbered)
        }
    }

    /// An alley starts at the end that faces a road, of two the wider one.
    fn leaves_backwards(&self, ground: &Convex, ends: &[(P, usize); 2]) -> bool {
        self.half(ground.tag[ends[1].1]) > self.half(ground.tag[ends[0].1])
    }

    fn alley_name(&self, ground: &Convex, ends: &[(P, usize); 2], ahead: P) -> Name {
        let (start, ahead) =
            if self.leaves_backwards(ground, ends) { (&ends[1], ahead * -1.0) } else { (&ends[0], ahead) };
        let parent = ground.tag[start.1];
        match self.roads().get(parent) {
            Some(road) => Name::Alley { parent, number: road.number_at(start.0 + ahead) },
            None => Name::Unnamed,
        }
    }

    /// Keeps of a road what lies on land, or crosses a canal on a bridge.
    fn keep_dry(&mut self, tag: Tag, from: P, to: P, class: Class) {
        let length = (to - from).len();
        let parts = (length / 8.0).ceil().max(1.0) as usize;
        let at = |i: usize| from + (to - from) * (i as f64 / parts as f64);
        let quarter = self.inside.then_some(self.quarters.len() as u32);
        let mut keep = |from, to| self.pieces.push(RoadPiece { road: tag, from, to, quarter });
        let mut start = None;
        for i in 0..=parts {
            let wet = match self.plan.water.at(at(i), 2.0) {
                None => false,
                Some(river) => river || class < Class::Secondary,
            };
            match (wet, start) {
                (false, None) => start = Some(i),
                (true, Some(first)) => {
                    if i - first > 2 {
                        keep(at(first), at(i - 1));
                    }
                    start = None;
                }
                _ => {}
            }
        }
        if let Some(first) = start.filter(|first| parts - first > 1 || *first == 0) {
            keep(at(first), to);
        }
    }

    fn quarter(&mut self, ground: Convex, density: f64) {
        let kind = Kind::draw(density, self.plan.wind.at(ground.centroid()), &mut self.dice);
        let style = kind.style();
        let mut quarter = Quarter {
            kind,
            ground: ground.clone(),
            density,
            corners: Vec::new(),
            rings: Vec::new(),
            lots: Vec::new(),
        };
        self.inside = true;
        self.blocks(ground, &style, &mut quarter, 0);
        self.inside = false;
        self.quarters.push(quarter);
    }

    fn blocks(&mut self, ground: Convex, style: &Style, quarter: &mut Quarter, depth: u32) {
        let (axis, length, width) = ground.main_axis();
        let (block_width, block_length) = style.block;
        let (long, thick) = (length / block_length, width / block_width);
        if (long <= 1.12 && thick <= 1.12) || ground.area() < 900.0 {
            for piece in self.plan.water.dry(ground) {
                self.block(piece, style, quarter.kind);
            }
            // All lots of a block at once: neighbours share their corners across every row and strip.
            let shapes = std::mem::take(&mut self.shapes);
            let roads = Roads { arterial: &self.plan.mesh.roads, local: &self.roads };
            let around = Neighbourhood { roads, warp: &self.plan.warp };
            lots::add(quarter, &shapes, &around, &mut self.taken, &mut self.dice);
            return;
        }
        let diagonal = depth == 0 && long > 1.9 && quarter.kind.built_up() && self.dice.chance(0.16);
        let cut = if diagonal {
            let turn = if self.dice.chance(0.5) { 0.5 } else { -0.5 };
            let n = axis.turned(turn * self.dice.range(0.6, 1.2));
            let (low, high) = ground.extent(n);
            Cut { n, c: low + (high - low) * self.dice.range(0.42, 0.58) }
        } else if long >= thick || (thick <= 1.12) {
            self.cut(&ground, (axis, length), block_length, style.stray)
        } else {
            self.cut(&ground, (axis.left(), width), block_width, style.stray * 0.5)
        };
        let (width, class) = match quarter.kind {
            Kind::Field => (style.street, Class::Track),
            _ if diagonal => (style.street + 4.0, Class::Local),
            _ => (style.street * self.dice.range(0.85, 1.15), Class::Local),
        };
        let width = (width * 2.0).round() / 2.0;
        let named = matches!(quarter.kind, Kind::Core | Kind::Tube | Kind::Urban | Kind::Campus);
        let (left, right) = self.street(&ground, &cut, (class, width), named);
        for half in [left, right].into_iter().flatten() {
            self.blocks(half, style, quarter, depth + 1);
        }
    }

    fn block(&mut self, block: Convex, style: &Style, kind: Kind) {
        let area = block.area();
        if area < 60.0 {
            return;
        }
        if let Some(use_) = self.facility(kind, area) {
            self.lots(vec![block], Some(use_));
            return;
        }
        match kind {
            Kind::Park | Kind::Campus => {
                let uses = if kind == Kind::Park { Some(Use::Park) } else { None };
                let parts = self.halves(block, 18_000.0);
                self.lots(parts, uses);
            }
            Kind::Apartment | Kind::Industrial => {
                let target = if kind == Kind::Apartment { 7_500.0 } else { 16_000.0 };
                let target = target * self.dice.range(0.5, 1.8);
                let parts = self.halves(block, target);
                self.lots(parts, None);
            }
            Kind::Core | Kind::Tube | Kind::Urban | Kind::Village => {
                let ends = self.end_strips(block, style);
                if let Some(body) = ends {
                    self.alleys(body, style, 0);
                }
            }
            Kind::Field => {
                if let Some(body) = self.ribbon(block) {
                    let crop = Use::of_fields(&mut self.dice);
                    let lots = lots::rows(body, style, &mut self.dice);
                    self.lots(lots, crop);
                }
            }
            Kind::Planned | Kind::Villa => self.leaf(block, style),
        }
    }

    /// Now and then houses stand in a ribbon along a country road, fields behind them.
    fn ribbon(&mut self, block: Convex) -> Option<Convex> {
        let (axis, length, width) = block.main_axis();
        if width < 90.0 || length < 120.0 || !self.dice.chance(0.28) {
            return Some(block);
        }
        let n = if self.dice.chance(0.5) { axis.left() } else { axis.left() * -1.0 };
        let near = block
            .edges()
            .filter(|(a, b, tag)| *tag != NONE && (*b - *a).unit().left().dot(n) < -0.9)
            .map(|(a, b, _)| a.dot(n).min(b.dot(n)))
            .fold(f64::MAX, f64::min);
        if near == f64::MAX {
            return Some(block);
        }
        let (rest, strip) = block.split(n, near - self.dice.range(26.0, 44.0), 0.0, NONE);
        if let Some(strip) = strip {
            let style = Style { lot: (7.0, 19.0), leaf: 90.0, ..Kind::Village.style() };
            let lots = lots::rows(strip, &style, &mut self.dice);
            for lot in lots {
                let use_ = if self.dice.chance(0.7) { Use::RuralHouse } else { Use::Orchard };
                self.lots(vec![lot], Some(use_));
            }
        }
        rest
    }

    /// A block that one institution takes whole.
    fn facility(&mut self, kind: Kind, area: f64) -> Option<Use> {
        let roll = self.dice.unit();
        let (schools, parks) = match kind {
            Kind::Core => (0.02, 0.04),
            Kind::Tube | Kind::Urban => (0.025, 0.022),
            Kind::Planned | Kind::Villa => (0.02, 0.04),
            Kind::Village => (0.02, 0.0),
            Kind::Apartment => (0.05, 0.12),
            _ => return None,
        };
        if area < 1_200.0 {
            return (roll < 0.03).then_some(Use::Park);
        }
        let mut edge = 0.0;
        let table = [(schools, Use::School), (parks, Use::Park), (0.006, Use::Market), (0.008, Use::Pagoda)];
        for (share, use_) in table.into_iter().chain([(0.004, Use::Hospital), (0.005, Use::Office)]) {
            edge += share;
            if roll < edge {
                return Some(use_);
            }
        }
        None
    }

    /// Cuts without streets until no part is larger than `target` m².
    fn halves(&mut self, part: Convex, target: f64) -> Vec<Convex> {
        if part.area() < target * 1.4 {
            return vec![part];
        }
        let (axis, length, _) = part.main_axis();
        let cut = self.cut(&part, (axis, length), length / 2.0, 0.03);
        let (left, right) = part.split(cut.n, cut.c, 0.0, NONE);
        [left, right].into_iter().flatten().flat_map(|half| self.halves(half, target)).collect()
    }

    /// Rows of lots that face the short sides of a block; what is left is its body.
    fn end_strips(&mut self, block: Convex, style: &Style) -> Option<Convex> {
        let (axis, length, width) = block.main_axis();
        if length < 70.0 || width < style.leaf * 1.25 {
            return Some(block);
        }
        let mut body = block;
        for n in [axis, axis * -1.0] {
            let faces = body.edges().any(|(a, b, tag)| {
                let outward = (b - a).unit().left() * -1.0;
                tag != NONE && outward.dot(n) > 0.8 && (b - a).len() > width * 0.4
            });
            if !faces || !self.dice.chance(0.78) {
                continue;
            }
            let depth = self.dice.range(0.40, 0.56) * style.leaf;
            let (_, high) = body.extent(n);
            let shortest = body
                .edges()
                .filter(|(a, b, _)| (*b - *a).unit().left().dot(n) < -0.8)
                .map(|(a, b, _)| a.dot(n).min(b.dot(n)))
                .fold(high, f64::min);
            let (rest, strip) = body.split(n, shortest - depth, 0.0, NONE);
            if let Some(strip) = strip {
                self.leaf(strip, style);
            }
            body = rest?;
        }
        Some(body)
    }

    /// Cuts a body by alleys until two rows of lots fill what is between them.
    fn alleys(&mut self, body: Convex, style: &Style, depth: u32) {
        let (axis, length, width) = body.main_axis();
        let wide = width > style.leaf * 1.15;
        if depth > 5 || (!wide && length < style.leaf * 4.2) {
            self.leaf(body, style);
            return;
        }
        // Where nothing at either end faces a road an alley would have no mouth.
        // Alleys branch: some cross the block first, and others leave them.
        let across = width > style.leaf * 1.7 && length > width * 0.9 && self.dice.chance(0.5);
        let cut = if across {
            self.cut(&body, (axis, length), length / 2.0, 0.07)
        } else if wide {
            self.cut(&body, (axis.left(), width), style.leaf, 0.035)
        } else {
            self.cut(&body, (axis, length), style.leaf * 2.6, 0.08)
        };
        let mouth =
            body.chord(cut.n, cut.c).is_some_and(|ends| ends.iter().any(|(_, edge)| body.tag[*edge] != NONE));
        let (left, right) = if mouth {
            let width = (style.alley * self.dice.range(0.7, 1.35) * 2.0).round() / 2.0;
            self.street(&body, &cut, (Class::Alley, width), false)
        } else {
            let n = axis;
            let (low, high) = body.extent(n);
            let across = Cut { n, c: f64::midpoint(low, high) };
            if wide
                && body
                    .chord(across.n, across.c)
                    .is_some_and(|ends| ends.iter().any(|e| body.tag[e.1] != NONE))
            {
                // From the street at the side into the middle; the next cut then starts at this alley.
                self.street(&body, &across, (Class::Alley, style.alley), false)
            } else {
                self.leaf(body, style);
                return;
            }
        };
        for half in [left, right].into_iter().flatten() {
            self.alleys(half, style, depth + 1);
        }
    }

    /// What lies between streets and alleys: rows of lots.
    fn leaf(&mut self, leaf: Convex, style: &Style) {
        let lots = lots::rows(leaf, style, &mut self.dice);
        self.lots(lots, None);
    }

    fn lots(&mut self, shapes: Vec<Convex>, use_: Option<Use>) {
        self.shapes.extend(shapes.into_iter().map(|shape| (shape, use_)));
    }
}

fn gcd(a: usize, b: usize) -> usize {
    if b == 0 { a } else { gcd(b, a % b) }
}
