//! Exact tests of a point against the geometry of a row, directly on the buffers.

use geo::Orientation;
use geo::{
    Coord,
    kernels::{Kernel, RobustKernel},
};

use crate::{PartKind, ShapeRef};

/// The position of a point relative to a closed ring.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum RingPosition {
    Inside,
    Edge,
    Outside,
}

fn position_in_ring(ring: &[[f64; 2]], point: [f64; 2]) -> RingPosition {
    let [px, py] = point;
    let mut inside = false;
    for edge in ring.windows(2) {
        let ([ax, ay], [bx, by]) = (edge[0], edge[1]);
        if (py < ay && py < by) || (py > ay && py > by) || (px > ax && px > bx) {
            continue;
        }
        let side =
            RobustKernel::orient2d(Coord { x: ax, y: ay }, Coord { x: bx, y: by }, Coord { x: px, y: py });
        match side {
            // The point is on the line through a and b, and the box tests above left only its western side
            // open.
            Orientation::Collinear if px >= ax.min(bx) => return RingPosition::Edge,
            Orientation::Collinear => {}
            // A ray to the east crosses an edge that runs up if the point is on its left, or one that runs
            // down if it is on its right. The lower end belongs to the edge, the upper one does not.
            Orientation::CounterClockwise if ay <= py && py < by => inside = !inside,
            Orientation::Clockwise if by <= py && py < ay => inside = !inside,
            _ => {}
        }
    }
    if inside { RingPosition::Inside } else { RingPosition::Outside }
}

/// Whether the shape contains the point or has it on its edge.
pub(crate) fn covers_point(shape: ShapeRef<'_>, point: [f64; 2]) -> bool {
    shape.parts().any(|part| match part.kind {
        PartKind::Point => shape.ring(part.rings().start)[0] == point,
        PartKind::Line => {
            shape.ring(part.rings().start).windows(2).any(|edge| on_segment(edge[0], edge[1], point))
        }
        PartKind::Polygon => {
            let mut rings = part.rings();
            let Some(outer) = rings.next() else { return false };
            match position_in_ring(shape.ring(outer), point) {
                RingPosition::Outside => false,
                RingPosition::Edge => true,
                RingPosition::Inside => {
                    rings.all(|hole| position_in_ring(shape.ring(hole), point) != RingPosition::Inside)
                }
            }
        }
    })
}

fn on_segment([ax, ay]: [f64; 2], [bx, by]: [f64; 2], [px, py]: [f64; 2]) -> bool {
    ax.min(bx) <= px
        && px <= ax.max(bx)
        && ay.min(by) <= py
        && py <= ay.max(by)
        && RobustKernel::orient2d(Coord { x: ax, y: ay }, Coord { x: bx, y: by }, Coord { x: px, y: py })
            == Orientation::Collinear
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::columns::shapes::ShapeBuilder;
    use geo::{Geometry, Intersects, LineString, Point, Polygon, Validation};
    use proptest::prelude::*;

    /// Small integer coordinates, so that points on edges and corners are common.
    fn ring() -> impl Strategy<Value = LineString<f64>> {
        prop::collection::vec((0..8i32, 0..8i32), 3..7).prop_map(|points| {
            let mut line: LineString<f64> =
                points.iter().map(|&(x, y)| (f64::from(x), f64::from(y))).collect();
            line.close();
            line
        })
    }

    proptest! {
        #[test]
        fn agrees_with_geo_on_and_off_the_edge(ring in ring(), x in 0..16i32, y in 0..16i32) {
            let point = [f64::from(x) / 2.0, f64::from(y) / 2.0];
            // Rings that cross themselves are rejected at import, and geo counts their inside differently.
            prop_assume!(Polygon::new(ring.clone(), vec![]).is_valid());
            for shape in [Geometry::from(Polygon::new(ring.clone(), vec![])), Geometry::from(ring.clone())] {
                let mut shapes = ShapeBuilder::default();
                shapes.push(Some(&shape));
                let shapes = shapes.finish();
                let covers = covers_point(ShapeRef::new(&shapes, 0), point);
                prop_assert_eq!(covers, shape.intersects(&Point::from((point[0], point[1]))));
            }
        }
    }
}
