//! Writes one layer of merged polygons to one tile.

use std::cell::RefCell;

use citymap_engine::{LayerSnapshot, PartKind, Row, ShapeKind};

use super::{
    area::CellAreas,
    area_cutter::AreaCutter,
    cell_grid::{CELL_SIDE, Cell, WorldBox},
    contour::Contours,
    derived::DerivedLayer,
    labels::write_label,
    mosaic::{Frame, Mosaic},
    write::{MERGED_ID, MergedLayer},
};
use crate::{
    GZIP_LEVEL, TileId, TileOptions,
    cut::{
        grid::{Grid, SIDE, TilePoint},
        line::LineCutter,
        point,
        polygon::PolygonCutter,
        rings::{Ring, Rings, doubled_area},
    },
    gzip,
    layer_tile::LayerTile,
};

/// Maximum number of times that the pixels of a tile are doubled to meet its budget.
pub(crate) const MAX_STEPS: u8 = 3;

/// What was drawn of a layer, for [`Tiler::explain`](crate::Tiler::explain).
#[derive(Clone, Debug, Default)]
pub(crate) struct Drawing {
    /// `None`: areas with exact borders. Otherwise a raster with 256 pixels across the tile, halved that many
    /// times.
    pub(crate) raster: Option<u8>,
    /// Number of features in the cells of the tile, or drawn individually.
    pub(crate) candidates: u64,
    /// Number of merged polygons.
    pub(crate) areas: u64,
    /// Number of features drawn individually.
    pub(crate) single: u64,
    /// Number of vertices removed from borders.
    pub(crate) simplified: u64,
    /// Size (gzip, in bytes) of each attempt that exceeded the budget.
    pub(crate) too_large: Vec<u64>,
}

/// A layer of a tile under construction, with the counts of what was drawn so far.
struct TileDraft {
    grid: Grid,
    layer: MergedLayer,
    drawing: Drawing,
}

impl TileDraft {
    fn new(tile: TileId, options: &TileOptions) -> Self {
        let grid = Grid::new(tile, options.buffer);
        Self { grid, layer: MergedLayer::default(), drawing: Drawing::default() }
    }
}

/// Buffers that a thread reuses from tile to tile.
#[derive(Default)]
struct TileScratch {
    mosaic: Mosaic,
    contours: Contours,
    cutter: AreaCutter,
    polygons: PolygonCutter,
    lines: LineCutter,
    points: Vec<TilePoint>,
    label: Vec<u8>,
}

thread_local! {
    static SCRATCH: RefCell<TileScratch> = RefCell::default();
}

impl DerivedLayer {
    /// Appends the layer's merged polygons to a tile of a zoom below its detail zoom. Returns what was drawn.
    pub(crate) fn encode(&self, request: LayerTile<'_>, out: &mut Vec<u8>) -> Drawing {
        let LayerTile { snapshot, rule, tile, options, cancel, .. } = request;
        let budget = rule.budget;
        let stamps = self.stamps(snapshot);
        let mut drawing = Drawing::default();
        let name = snapshot.layer().id.as_str();
        let class = self.class.map(|index| snapshot.layer().fields[index].name.as_str());
        let fits = |bytes: &[u8], drawing: &mut Drawing| {
            if bytes.len() <= budget as usize {
                return true;
            }
            let encoded = gzip(bytes, GZIP_LEVEL).len();
            if encoded <= budget as usize {
                return true;
            }
            drawing.too_large.push(encoded as u64);
            false
        };
        let mut first_step = 0;
        if tile.z() + 1 == self.cell_grid.zoom() {
            first_step = 1;
            let (low, high) = ([2 * tile.x(), 2 * tile.y()], [2 * tile.x() + 1, 2 * tile.y() + 1]);
            let last = (1u32 << self.cell_grid.zoom()) - 1;
            // Areas of the cells around reach up to half a cell into this tile.
            let around = (CELL_SIDE as u32 / 2 + u32::from(options.buffer) + 1).div_ceil(CELL_SIDE as u32);
            let range =
                [low.map(|at| at.saturating_sub(around)), high.map(|at| at.saturating_add(around).min(last))];
            let cells = self.areas(snapshot, &stamps, &self.cell_index.cells(&stamps, range), cancel);
            let mut draft = TileDraft::new(tile, options);
            SCRATCH.with_borrow_mut(|scratch| {
                for (cell, areas) in &cells {
                    scratch.write_areas(*cell, areas, tile, &mut draft);
                }
                for list in [&stamps.wide, &stamps.single] {
                    self.write_single(snapshot, list, scratch, &mut draft);
                }
            });
            let mut bytes = Vec::new();
            draft.layer.finish(name, class, &mut bytes);
            drawing = draft.drawing;
            if fits(&bytes, &mut drawing) {
                out.extend_from_slice(&bytes);
                return drawing;
            }
        }
        for step in first_step..=MAX_STEPS {
            let frame = Frame::new(tile, self.cell_grid, options.buffer, step);
            let cells = self.cell_index.cells(&stamps, frame.cells(self.cell_grid));
            let cells = self.rasters(snapshot, &stamps, &cells, cancel);
            if cancel.is_cancelled() {
                break;
            }
            let mut draft = TileDraft::new(tile, options);
            draft.drawing.too_large = std::mem::take(&mut drawing.too_large);
            draft.drawing.raster = Some(step);
            SCRATCH.with_borrow_mut(|scratch| {
                scratch.mosaic.assemble(&frame, &cells);
                scratch.write_regions(&frame, &mut draft);
                self.write_single(snapshot, &stamps.single, scratch, &mut draft);
            });
            let mut bytes = Vec::new();
            draft.layer.finish(name, class, &mut bytes);
            drawing = draft.drawing;
            if fits(&bytes, &mut drawing) || step == MAX_STEPS {
                out.extend_from_slice(&bytes);
                break;
            }
        }
        drawing
    }

    /// Draws the rows near the tile individually, each with its class and a count of 1.
    fn write_single(
        &self,
        snapshot: &LayerSnapshot,
        rows: &[(Row, WorldBox)],
        scratch: &mut TileScratch,
        draft: &mut TileDraft,
    ) {
        let TileDraft { grid, layer, drawing } = draft;
        let grid = &*grid;
        let near = |around: &WorldBox| {
            let [low, high] = around.map(|corner| grid.place(corner));
            (0..2).all(|axis| low[axis] <= grid.high + 1 && grid.low - 1 <= high[axis])
        };
        let during = snapshot.during(self.time);
        let mut near: Vec<Row> = rows
            .iter()
            .filter(|(row, around)| near(around) && during.has(*row))
            .map(|(row, _)| *row)
            .collect();
        snapshot.sort(&mut near);
        for row in near {
            let shape = snapshot.shape(row);
            let id = snapshot.fid(row) as u64;
            let mut label = std::mem::take(&mut scratch.label);
            label.clear();
            if let Some(field) = self.class {
                write_label(snapshot.value(row, field), &mut label);
            }
            let before = layer.len;
            let has = |kind: PartKind| shape.parts().any(|part| part.kind == kind);
            if has(PartKind::Point) {
                point::cut(shape, grid, &mut scratch.points);
                if !scratch.points.is_empty() {
                    layer.other(id, &label, 1, |commands| commands.points(&scratch.points));
                }
            }
            if has(PartKind::Line) {
                scratch.lines.cut(shape, grid);
                if scratch.lines.pieces().next().is_some() {
                    layer.other(id, &label, 2, |commands| {
                        scratch.lines.pieces().for_each(|piece| commands.line(piece));
                    });
                }
            }
            if matches!(shape.kind(), ShapeKind::Polygon | ShapeKind::MultiPolygon | ShapeKind::Collection) {
                let rings = scratch.polygons.cut(shape, grid);
                if !rings.rings.is_empty() {
                    layer.polygons(Some(id), &label, 1, rings);
                }
            }
            scratch.label = label;
            drawing.single += layer.len - before;
            drawing.candidates += 1;
        }
    }
}

impl TileScratch {
    fn write_areas(&mut self, cell: Cell, areas: &CellAreas, tile: TileId, draft: &mut TileDraft) {
        let TileDraft { grid, layer, drawing } = draft;
        let corner = |cell: u32, tile: u32| (i64::from(cell) - 2 * i64::from(tile)) * i64::from(CELL_SIDE);
        let corner = [corner(cell.x, tile.x()), corner(cell.y, tile.y())];
        let mut rings = Rings::default();
        let mut any = false;
        for (number, area) in areas.areas.iter().enumerate() {
            let low = [0, 1].map(|axis| corner[axis] + i64::from(area.low[axis]));
            let high = [0, 1].map(|axis| corner[axis] + i64::from(area.high[axis]));
            if (0..2).any(|axis| high[axis] < grid.low || low[axis] > grid.high) {
                continue;
            }
            rings.clear();
            for (points, outer) in areas.rings(area) {
                let start = rings.points.len();
                let points = points
                    .iter()
                    .map(|point| [0, 1].map(|axis| (corner[axis] + i64::from(point[axis])) as i32));
                rings.points.extend(points);
                rings.rings.push(Ring { start, end: rings.points.len(), outer });
            }
            // The cell and the number of the area in it. Only areas that another tile shows too have an id:
            // it takes a sixth of the compressed tile if every area has one.
            let shared =
                (0..2).any(|axis| low[axis] <= grid.high - SIDE || high[axis] >= 2 * SIDE - grid.high);
            let id = (shared && number < 1 << 14)
                .then(|| MERGED_ID | u64::from(cell.x) << 32 | u64::from(cell.y) << 14 | number as u64);
            let label = &areas.labels[usize::from(area.label)];
            // Polygons that overlap in the record may still overlap here; the cutter then resolves them.
            let rings = self.cutter.cut(&rings, grid);
            if !rings.rings.is_empty() {
                layer.polygons(id, label, area.count, rings);
                drawing.areas += 1;
                drawing.candidates += u64::from(area.count);
                any = true;
            }
        }
        drawing.simplified += if any { u64::from(areas.simplified) } else { 0 };
    }

    fn write_regions(&mut self, frame: &Frame, draft: &mut TileDraft) {
        let TileDraft { grid, layer, drawing } = draft;
        let Self { mosaic, contours, cutter, .. } = self;
        contours.find(frame, mosaic);
        contours.polygons(frame, |region, rings| {
            let mut inside = true;
            let (mut low, mut high) = ([i32::MAX; 2], [i32::MIN; 2]);
            for point in &rings.points {
                low = [low[0].min(point[0]), low[1].min(point[1])];
                high = [high[0].max(point[0]), high[1].max(point[1])];
            }
            for axis in 0..2 {
                if i64::from(high[axis]) <= grid.low || i64::from(low[axis]) >= grid.high {
                    return;
                }
                inside &= low[axis] >= 0 && i64::from(high[axis]) <= SIDE;
            }
            let rings = if inside { rings } else { cutter.cut(rings, grid) };
            if rings.rings.is_empty() {
                return;
            }
            debug_assert!(rings.iter().all(|ring| doubled_area(ring) != 0));
            layer.polygons(None, &mosaic.labels[usize::from(region.class) - 1], region.count, rings);
            drawing.areas += 1;
            drawing.candidates += u64::from(region.count);
        });
        drawing.simplified += u64::from(contours.simplified);
    }
}
