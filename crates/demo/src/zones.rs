//! Planning zones of three levels. They follow the main streets, as plans do, and cut through lots,
//! as plans do too: their grid is a few metres off, and turned against the lots'.

use citymap_crs::CrsError;
use citymap_model::{NewFeature, Value, codes};

use crate::{
    city::City,
    dice::Dice,
    frame::Batch,
    geom::{Convex, NONE, P, dense_ring},
    part::Part,
    style::Kind,
    values::{day, txt},
};

/// How far each level's drawing is off the ground, metres: no two plans were traced from one survey.
const OFF: [P; 3] = [P { x: 9.0, y: -6.0 }, P { x: -4.5, y: 5.0 }, P { x: 2.5, y: 3.5 }];

pub(crate) fn zones(city: &City, part: Part) -> Result<Vec<NewFeature>, CrsError> {
    let Part::Cell(cell) = part else { return Ok(Vec::new()) };
    let mut draft = Draft {
        city,
        dice: Dice::new(city.plan.seed, 20, cell as u64),
        cell,
        count: 0,
        batch: Batch::default(),
    };
    let ground = &city.plan.mesh.cells[cell];
    let middle = ground.centroid();
    if city.communes.holds(city.plan.warp.at(middle)) {
        let function = draft.general(city.plan.density_at(middle));
        draft.zone(ground, Level::Qhc, function);
    }
    for quarter in &city.cells[cell].quarters {
        if quarter.density < 0.28 {
            continue;
        }
        let target = quarter.ground.area() / draft.dice.range(2.5, 5.5);
        for piece in draft.pieces(quarter.ground.clone(), target) {
            let function = draft.function(quarter.kind);
            draft.zone(&piece, Level::Qhpk, function);
        }
        if quarter.kind.built_up() && draft.dice.chance(0.14) {
            let target = quarter.ground.area() / draft.dice.range(9.0, 16.0);
            for piece in draft.pieces(quarter.ground.clone(), target) {
                let function = draft.function(quarter.kind);
                draft.zone(&piece, Level::Qhct, function);
            }
        }
    }
    draft.batch.finish()
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Level {
    /// General plan at a scale of 1/10 000.
    Qhc,
    /// Zoning plan at a scale of 1/2 000.
    Qhpk,
    /// Detailed plan at a scale of 1/500.
    Qhct,
}

/// What people call a zone with this function: the text of the code, without what it excludes.
fn name_of(function: &str) -> &str {
    let entry = codes::builtin("planning_function").and_then(|list| list.get(function));
    let text = entry.map_or(function, |entry| entry.title.get("vi"));
    text.split(" (").next().unwrap_or(text)
}

struct Draft<'a> {
    city: &'a City,
    dice: Dice,
    cell: usize,
    count: usize,
    batch: Batch,
}

impl Draft<'_> {
    /// What the general plan says where the city is `u` dense.
    fn general(&mut self, u: f64) -> &'static str {
        let roll = self.dice.unit();
        match u {
            u if u > 0.75 => {
                if roll < 0.75 {
                    "O_HH"
                } else {
                    "DV"
                }
            }
            u if u > 0.3 => {
                if roll < 0.78 {
                    "O_Nhomnhao"
                } else {
                    "O_HH"
                }
            }
            u if u > 0.0 => {
                if roll < 0.45 {
                    "O_LX"
                } else if roll < 0.6 {
                    "SX"
                } else {
                    "NN"
                }
            }
            u if u > -3.0 => {
                if roll < 0.7 {
                    "NN"
                } else if roll < 0.82 {
                    "SX"
                } else {
                    "O_LX"
                }
            }
            _ => {
                if roll < 0.55 {
                    "NN"
                } else if roll < 0.75 {
                    "RSX"
                } else if roll < 0.88 {
                    "RPH"
                } else {
                    "O_LX"
                }
            }
        }
    }

    fn function(&mut self, kind: Kind) -> &'static str {
        let table: &[&str] = match kind {
            Kind::Core => &["O_HH", "O_HH", "DV", "CQ", "CXCC", "VH", "DV", "TH"],
            Kind::Tube => &["O_Nhomnhao", "O_Nhomnhao", "O_Nhomnhao", "O_HH", "TH", "CXCC", "YT"],
            Kind::Urban => &["O_Nhomnhao", "O_Nhomnhao", "O_HH", "TH", "CXCC", "DV"],
            Kind::Planned => &["O_Nhomnhao", "O_Nhomnhao", "O_HH", "CXCC", "TH", "BDX"],
            Kind::Villa => &["O_Nhomnhao", "O_Nhomnhao", "CXCC", "TDTT"],
            Kind::Apartment => &["O_HH", "O_HH", "O_Nhomnhao", "CXCC", "DV"],
            Kind::Industrial => &["SX", "SX", "SX", "HTK", "CXCD"],
            Kind::Park => &["CXCC", "CXCC", "TDTT"],
            Kind::Campus => &["DTNC", "YT", "CQ", "THPT"],
            Kind::Village => &["O_LX", "O_LX", "O_Nhomnhao", "NN"],
            Kind::Field => &["NN", "NN", "O_Nhomnhao", "O_LX", "CXCC"],
        };
        table[self.dice.below(table.len())]
    }

    /// Cuts ground with a turn of its own until no piece is larger than `target` m².
    fn pieces(&mut self, ground: Convex, target: f64) -> Vec<Convex> {
        if ground.area() < target * 1.4 {
            return vec![ground];
        }
        let (axis, _, _) = ground.main_axis();
        let n = axis.turned(self.dice.range(-0.22, 0.22));
        let (low, high) = ground.extent(n);
        let c = low + (high - low) * self.dice.range(0.36, 0.64);
        let (left, right) = ground.split(n, c, 0.0, NONE);
        [left, right].into_iter().flatten().flat_map(|half| self.pieces(half, target)).collect()
    }

    fn zone(&mut self, ground: &Convex, level: Level, function: &str) {
        let (cap, off, step) = match level {
            Level::Qhc => ("QHC", OFF[0], 150.0),
            Level::Qhpk => ("QHPK", OFF[1], 60.0),
            Level::Qhct => ("QHCT", OFF[2], 40.0),
        };
        // The country's cells are kilometres wide: 150 m follow the warp closely enough.
        let warp = &self.city.plan.warp;
        let ring: Vec<P> = dense_ring(&ground.v, step).into_iter().map(|at| warp.at(at + off)).collect();
        self.count += 1;
        let dice = &mut self.dice;
        let home = matches!(function, "O_HH" | "O_Nhomnhao" | "O_LX");
        let built = home
            || matches!(
                function,
                "DV" | "SX" | "TH" | "THPT" | "YT" | "CQ" | "VH" | "DTNC" | "HTK" | "TDTT" | "BDX"
            );
        let coverage = if built { (dice.range(30.0, 70.0) / 5.0).round() * 5.0 } else { 5.0 };
        let most = match function {
            "O_HH" | "DV" => 6 + dice.below(30),
            "O_Nhomnhao" => 4 + dice.below(8),
            _ if built => 2 + dice.below(4),
            _ => 1,
        };
        let least = if most > 3 { 1 + dice.below(2) } else { 1 };
        let ratio = if built {
            (coverage / 100.0 * most as f64 * dice.range(0.6, 0.95) * 10.0).round() / 10.0
        } else {
            0.05
        };
        let density = match level {
            Level::Qhc => 0.006,
            _ => 0.022,
        };
        let people =
            if home { (ground.area() * density * dice.range(0.6, 1.4) / 10.0).round() * 10.0 } else { 0.0 };
        let decision = format!("{}/QĐ-UBND", 100 + dice.below(6_800));
        let since = day(2_500 + dice.below(5_100) as u64);
        let agency = if level == Level::Qhct {
            "Sở Quy hoạch – Kiến trúc"
        } else {
            "Ủy ban nhân dân Thành phố Hồ Chí Minh"
        };
        let name = format!("{} {}.{}", name_of(function), self.cell + 1, self.count);
        let values = vec![
            txt(format!("{cap}-{:04}-{:03}", self.cell + 1, self.count)),
            txt(name),
            txt(cap),
            txt(function),
            Value::Real(coverage),
            Value::Real(ratio),
            Value::Int(least as i64),
            Value::Int(most as i64),
            Value::Int(people as i64),
            txt(decision),
            since,
            txt(format!("{agency} (giả lập)")),
        ];
        self.batch.polygon(ring, values);
    }
}
