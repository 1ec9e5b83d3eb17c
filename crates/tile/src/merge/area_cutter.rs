//! Cuts areas that are already valid on the tile's grid.

use crate::cut::{
    clip::{clip_ring, insert_seams},
    grid::{Grid, TilePoint, WidePoint},
    repair::Repair,
    rings::{Rings, clean, doubled_area},
    simple::Checker,
};

/// Cuts valid polygons on the tile's grid to its clip box. Its buffers are reused.
#[derive(Default)]
pub(crate) struct AreaCutter {
    ring: Vec<WidePoint>,
    spare: Vec<WidePoint>,
    near: Vec<TilePoint>,
    corners: Vec<(TilePoint, usize)>,
    checker: Checker,
    repair: Repair,
    out: Rings,
}

impl AreaCutter {
    /// The part of the polygons in the clip box: valid, and empty if there is none. The rings are an outer
    /// one, its holes, the next outer one and so on, in tile units.
    pub(crate) fn cut<'a>(&'a mut self, rings: &Rings, grid: &Grid) -> &'a Rings {
        self.out.clear();
        self.repair.clear();
        for (index, ring) in rings.iter().enumerate() {
            self.spare.clear();
            self.spare.extend(ring.iter().map(|point| point.map(i64::from)));
            insert_seams(&self.spare, true, &mut self.ring);
            clip_ring(&mut self.ring, grid.low, grid.high, &mut self.spare);
            let points = || self.ring.iter().map(|&[x, y]| [x as i32, y as i32]);
            if self.ring.len() >= 3 {
                self.repair.add(points());
            }
            clean(points(), &mut self.near);
            let area = doubled_area(&self.near);
            if self.near.len() >= 3 && area != 0 {
                self.out.push(&self.near, area, rings.rings[index].outer);
            }
        }
        if self.touch() || !self.checker.polygons_fit(&self.out) {
            self.out.clear();
            self.repair.finish(&mut self.checker, &mut self.out);
        }
        &self.out
    }

    /// Whether polygons share a vertex. There they may cross without an edge that crosses another.
    fn touch(&mut self) -> bool {
        self.corners.clear();
        for (index, ring) in self.out.rings.iter().enumerate().filter(|(_, ring)| ring.outer) {
            let points = &self.out.points[ring.start..ring.end];
            self.corners.extend(points.iter().map(|&point| (point, index)));
        }
        self.corners.sort_unstable();
        self.corners.windows(2).any(|pair| pair[0].0 == pair[1].0 && pair[0].1 != pair[1].1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::TileId;

    #[test]
    fn what_reaches_beyond_the_box_is_cut_and_stays_valid() {
        let grid = Grid::new(TileId::new(1, 0, 0).unwrap(), 64);
        let mut rings = Rings::default();
        // A comb whose teeth are in the tile and whose back is beyond the box.
        let comb = [[-200, 0], [100, 0], [100, 20], [-100, 20], [-100, 40], [100, 40], [100, 60], [-200, 60]];
        rings.push(&comb, doubled_area(&comb), true);
        let mut cutter = AreaCutter::default();
        let cut = cutter.cut(&rings, &grid);
        assert_eq!(cut.rings.len(), 2);
        assert!(cut.iter().all(|ring| doubled_area(ring) == 2 * 164 * 20));
        rings.clear();
        let around = [[-900, -900], [9000, -900], [9000, 9000], [-900, 9000]];
        let hole = [[-500, -500], [-500, 8000], [8000, 8000], [8000, -500]];
        rings.push(&around, doubled_area(&around), true);
        rings.push(&hole, doubled_area(&hole), false);
        assert!(cutter.cut(&rings, &grid).rings.is_empty(), "the tile lies in a hole");
    }
}
