//! The whole city: the cells built side by side, exactly as many lots as asked for, numbered.

use std::collections::BTreeMap;

use rayon::prelude::*;

use crate::{
    DemoError, Recipe,
    cell::{self, Plan},
    communes::Communes,
    dice::mix_unit,
    geom::{P, ring_centroid},
    mesh::Mesh,
    quarter::{Cell, Lot, Quarter},
    road::Roads,
    text,
    warp::{Noise, Warp},
    water::Water,
};

/// What stands on a lot's certificate: its commune, sheet and number.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Number {
    pub(crate) commune: u8,
    pub(crate) sheet: u16,
    pub(crate) parcel: u16,
}

/// The city in memory: 1 M lots take about 300 MB.
pub(crate) struct City {
    pub(crate) plan: Plan,
    pub(crate) communes: Communes,
    pub(crate) cells: Vec<Cell>,
    /// By cell, quarter and lot.
    pub(crate) numbers: Vec<Vec<Vec<Number>>>,
}

/// Lots to a map sheet, at most.
const SHEET: u16 = 780;

/// The share of parcels that repeat the number before them in their sheet, as real registers do.
const REPEATED: f64 = 0.002;

impl Quarter {
    /// A lot's corners, metres from the centre, counter-clockwise, the end not repeated.
    pub(crate) fn ring(&self, lot: &Lot) -> Vec<P> {
        let start = lot.start as usize;
        self.rings[start..start + usize::from(lot.count)]
            .iter()
            .map(|corner| self.corners[*corner as usize])
            .collect()
    }
}

impl City {
    /// Plans and builds the city, and numbers its lots.
    pub(crate) fn build(
        recipe: &Recipe,
        progress: &mut dyn FnMut(&str, u64, u64),
    ) -> Result<Self, DemoError> {
        let wanted = recipe.parcels as usize;
        let communes = Communes::new(recipe.seed)?;
        let mut radius = (f64::from(recipe.parcels) / 100_000.0).sqrt() * 6_400.0;
        // Nearly all that is built is kept, so that the city ends in countryside. How much room the first
        // guess has depends on the seed's water.
        for attempt in 0..8 {
            progress("plan", attempt, 8);
            let plan = plan(recipe.seed, radius.max(1_400.0));
            let mut cells: Vec<Cell> = (0..plan.mesh.cells.len())
                .into_par_iter()
                .map(|index| {
                    let centre = plan.mesh.cells[index].centroid();
                    let nearest =
                        plan.mesh.cells[index].v.iter().map(|v| v.len()).fold(centre.len(), f64::min);
                    if nearest > plan.radius * 1.4 {
                        return Cell { quarters: Vec::new(), roads: Vec::new(), pieces: Vec::new() };
                    }
                    cell::build(&plan, index)
                })
                .collect();
            let total: usize =
                cells.iter().flat_map(|cell| &cell.quarters).map(|quarter| quarter.lots.len()).sum();
            let share = wanted as f64 / total.max(1) as f64;
            let least = radius <= 1_400.0;
            if share > 1.0 || (share < 0.87 && !least && attempt < 5) {
                radius = radius.max(1_400.0) * (share * 1.04).sqrt().clamp(0.4, 3.0);
                continue;
            }
            keep_nearest(&mut cells, wanted);
            let mut city = Self { plan, communes, cells, numbers: Vec::new() };
            city.number();
            return Ok(city);
        }
        Err(DemoError::TooFewLots { wanted: recipe.parcels })
    }

    pub(crate) fn roads<'a>(&'a self, cell: &'a Cell) -> Roads<'a> {
        Roads { arterial: &self.plan.mesh.roads, local: &cell.roads }
    }

    /// Gives each lot its commune, then sheets and numbers, in the order in which quarters lie side by side.
    fn number(&mut self) {
        let communes: Vec<Vec<Vec<u8>>> = self
            .cells
            .par_iter()
            .map(|cell| {
                let of_lot = |quarter: &Quarter, lot| self.communes.at(ring_centroid(&quarter.ring(lot)));
                cell.quarters.iter().map(|q| q.lots.iter().map(|lot| of_lot(q, lot)).collect()).collect()
            })
            .collect();
        let mut last: BTreeMap<u8, (u16, u16)> = BTreeMap::new();
        let mut count = 0_u64;
        self.numbers = communes
            .into_iter()
            .map(|cell| {
                cell.into_iter()
                    .map(|quarter| {
                        quarter
                            .into_iter()
                            .map(|commune| {
                                let (sheet, parcel) = last.entry(commune).or_insert((1, 0));
                                count += 1;
                                let repeats =
                                    *parcel > 0 && mix_unit(self.plan.seed, 0x7265_7065, count) < REPEATED;
                                if !repeats {
                                    *parcel += 1;
                                }
                                if *parcel > SHEET {
                                    (*sheet, *parcel) = (*sheet + 1, 1);
                                }
                                Number { commune, sheet: *sheet, parcel: *parcel }
                            })
                            .collect()
                    })
                    .collect()
            })
            .collect();
    }
}

fn plan(seed: u64, radius: f64) -> Plan {
    let streets = text::STREETS.len();
    Plan {
        seed,
        radius,
        warp: Warp::new(seed),
        density: Noise::new(seed, 1, radius * 1.1),
        wind: Noise::new(seed, 2, 5_000.0),
        water: Water::new(seed, radius),
        mesh: Mesh::new(seed, radius, streets),
        streets,
    }
}

/// Drops the quarters furthest out, by density, until exactly `wanted` lots are left; the last
/// quarter kept may lose some of its lots.
fn keep_nearest(cells: &mut [Cell], wanted: usize) {
    let mut order: Vec<(usize, usize)> = cells
        .iter()
        .enumerate()
        .flat_map(|(c, cell)| (0..cell.quarters.len()).map(move |q| (c, q)))
        .collect();
    order.sort_by(|a, b| {
        let density = |(c, q): (usize, usize)| cells[c].quarters[q].density;
        density(*b).total_cmp(&density(*a)).then(a.cmp(b))
    });
    let mut left = wanted;
    for (c, q) in order {
        let lots = &mut cells[c].quarters[q].lots;
        lots.truncate(left);
        left -= lots.len();
    }
    for cell in cells {
        let quarters = &cell.quarters;
        cell.pieces.retain(|piece| match piece.quarter {
            Some(quarter) => quarters.get(quarter as usize).is_some_and(|quarter| !quarter.lots.is_empty()),
            None => quarters.iter().any(|quarter| !quarter.lots.is_empty()),
        });
        cell.quarters.retain(|quarter| !quarter.lots.is_empty());
    }
}
