//! Which boxes of a picture are taken.

use super::LabelBox;

/// Side of a cell of the grid, in pixels.
const CELL: f32 = 64.0;

/// The boxes of the labels that have been placed, in a grid of cells.
#[derive(Debug)]
pub(super) struct Collisions {
    columns: usize,
    rows: usize,
    cells: Vec<Vec<u32>>,
    boxes: Vec<LabelBox>,
}

impl Collisions {
    pub(super) fn new(size: [u32; 2]) -> Self {
        let [columns, rows] = size.map(|side| (side as f32 / CELL).ceil() as usize + 1);
        Self { columns, rows, cells: vec![Vec::new(); columns * rows], boxes: Vec::new() }
    }

    /// The numbers of the cells that a box meets; boxes beyond the picture count to the cells at its edge.
    fn cells(&self, area: &LabelBox) -> impl Iterator<Item = usize> + use<> {
        let column = |x: f32| ((x / CELL).max(0.0) as usize).min(self.columns - 1);
        let row = |y: f32| ((y / CELL).max(0.0) as usize).min(self.rows - 1);
        let (columns, width) = (column(area.low[0])..=column(area.high[0]), self.columns);
        let rows = row(area.low[1])..=row(area.high[1]);
        rows.flat_map(move |row| columns.clone().map(move |column| row * width + column))
    }

    /// Whether a box meets none of those that were added.
    pub(super) fn is_free(&self, area: &LabelBox) -> bool {
        self.cells(area)
            .all(|cell| self.cells[cell].iter().all(|&other| !self.boxes[other as usize].meets(area)))
    }

    pub(super) fn add(&mut self, area: LabelBox) {
        let number = self.boxes.len() as u32;
        self.boxes.push(area);
        for cell in self.cells(&area) {
            self.cells[cell].push(number);
        }
    }

    /// All boxes, in the order in which they were added.
    #[cfg(test)]
    pub(super) fn boxes(&self) -> &[LabelBox] {
        &self.boxes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_box_is_free_until_another_meets_it() {
        let area = |x: f32, y: f32| LabelBox { low: [x, y], high: [x + 30.0, y + 10.0] };
        let mut taken = Collisions::new([200, 100]);
        taken.add(area(50.0, 50.0));
        assert!(!taken.is_free(&area(79.0, 59.0)));
        assert!(taken.is_free(&area(80.0, 50.0)), "edges may touch");
        taken.add(area(-20.0, -5.0));
        assert!(!taken.is_free(&area(-40.0, -4.0)), "also outside of the picture");
        assert_eq!(taken.boxes().len(), 2);
    }
}
