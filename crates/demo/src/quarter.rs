//! What a built cell consists of: quarters with their lots, and the pieces of its roads.

use crate::{
    geom::{Convex, P, Tag},
    road::Road,
    style::{Kind, Use},
};

/// A lot: its ring in its quarter, what it faces, what it is for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Lot {
    /// Where its ring starts in [`Quarter::rings`].
    pub(crate) start: u32,
    /// How many corners it has.
    pub(crate) count: u8,
    /// Which of its edges faces the road; none where `road` is [`NONE`].
    pub(crate) front: u8,
    /// The road it faces.
    pub(crate) road: Tag,
    /// Its number on that road.
    pub(crate) number: u32,
    /// How many lots on that road have the number before it: 0 is `12`, 1 is `12A`.
    pub(crate) repeat: u8,
    pub(crate) use_: Use,
}

/// A quarter with its lots.
pub(crate) struct Quarter {
    pub(crate) kind: Kind,
    /// Its ground up to the middle of the streets around it, in the plan's frame.
    pub(crate) ground: Convex,
    /// How dense the city is here: 1 in the centre, 0 at the edge.
    pub(crate) density: f64,
    /// Corners of its lots, metres from the centre, warped; neighbours share them.
    pub(crate) corners: Vec<P>,
    /// The lots' rings as places in `corners`.
    pub(crate) rings: Vec<u32>,
    pub(crate) lots: Vec<Lot>,
}

/// One cell of the mesh with everything that was built in it.
pub(crate) struct Cell {
    pub(crate) quarters: Vec<Quarter>,
    /// The cell's own roads; tags count on from the mesh's.
    pub(crate) roads: Vec<Road>,
    /// Which parts of each road exist: streets have their water cut out.
    pub(crate) pieces: Vec<RoadPiece>,
}

/// A part of a road that is on land or on a bridge.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RoadPiece {
    pub(crate) road: Tag,
    pub(crate) from: P,
    pub(crate) to: P,
    /// The quarter that it is in, as an index among the cell's; none for the streets between quarters.
    pub(crate) quarter: Option<u32>,
}
