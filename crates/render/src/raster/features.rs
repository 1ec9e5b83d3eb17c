//! The features of one layer of the city, in pixels of a picture.

use std::{borrow::Cow, ops::Range, sync::Arc};

use citymap_access::{Audience, visible};
use citymap_crs::CrsError;
use citymap_engine::{Cancel, City, LayerSnapshot, PartKind, Row, ShapeKind, TimeInterval, ValueRef};
use citymap_model::GeometryKind;
use citymap_tile::{EXTENT, MAX_ZOOM, TileId, TileOptions, Tiler};
use serde_json::{Map, Value as Json};

use super::{
    RenderError, View,
    clip::{PixelBox, RingClipper, clip_line, doubled_area},
    mvt::TileLayer,
};
use crate::{
    expression::{Feature, GeometryType, Value},
    spec::InlineFeature,
};

/// Maximum number of corners of one layer in one picture; they take 8 bytes each.
const MAX_POINTS: usize = 8_000_000;

/// Maximum number of features of one layer in one picture.
const MAX_FEATURES: usize = 1_000_000;

/// Maximum number of tiles that a picture is put together from, for a layer below its detail zoom.
const MAX_TILES: u64 = 400;

/// Points closer than this to the one before are left out, in pixels: far less than can be seen.
const NEAR: f64 = 0.04;

/// Where the features of a picture come from: a city at one revision, at one valid time.
///
/// From the detail zoom of a layer on ([`citymap_model::TileRule`]) its features are read from the snapshot
/// as they are. Below it, they are those of the vector tiles: merged by class, thinned, or clustered, as in
/// the web map.
#[derive(Clone, Copy, Debug)]
pub struct Source<'a> {
    /// The city at the wanted revision.
    pub city: &'a City,
    /// Cuts tiles, and keeps what it derives from a layer.
    pub tiler: &'a Tiler,
    /// Only features that are valid at some instant of the interval.
    pub time: Option<TimeInterval>,
    /// Ends the work soon after it is set.
    pub cancel: &'a Cancel,
}

/// The features of a layer that meet a picture, cut to it and a margin.
#[derive(Debug)]
pub struct Features {
    origin: Origin,
    items: Vec<Item>,
    /// Pixels of the picture.
    points: Vec<[f32; 2]>,
    /// Where each ring, line or point ends in `points`.
    ends: Vec<u32>,
}

/// Where the properties of the features are.
#[derive(Debug)]
enum Origin {
    /// The public fields of a snapshot: their positions by name.
    Snapshot {
        snapshot: Arc<LayerSnapshot>,
        public: Vec<usize>,
        key: Option<usize>,
    },
    Tiles(Vec<TileLayer>),
    /// The properties of features that the style carries itself.
    Inline(Vec<Map<String, Json>>),
}

/// One feature, or the points, the lines or the polygons of one with several kinds of geometry.
#[derive(Clone, Debug)]
pub(crate) struct Item {
    pub(crate) kind: GeometryType,
    /// The number of the tile; 0 for a snapshot.
    tile: u32,
    /// The row of the snapshot, or the number in the tile or of the source.
    number: u32,
    /// Its rings, lines or points.
    rings: Range<u32>,
}

/// An item with its properties.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ItemFeature<'a> {
    features: &'a Features,
    pub(crate) item: &'a Item,
}

impl Source<'_> {
    /// The features of a layer; `None` if the city has no such layer.
    ///
    /// # Errors
    /// [`RenderError`] if there are too many, or the work was cancelled.
    pub fn load(&self, layer: &str, view: &View) -> Result<Option<Features>, RenderError> {
        let Some(snapshot) = self.city.layer(layer) else { return Ok(None) };
        let rule = snapshot.layer().tile_rule();
        let zoom = (view.zoom() + 1e-6).floor().clamp(0.0, f64::from(MAX_ZOOM)) as u8;
        let thinned = matches!(
            snapshot.layer().geometry,
            GeometryKind::Polygon | GeometryKind::Line | GeometryKind::Point
        );
        if thinned && zoom < rule.detail_zoom {
            return self.load_tiles(snapshot, view, zoom).map(Some);
        }
        self.load_rows(snapshot, view).map(Some)
    }

    fn load_rows(&self, snapshot: &Arc<LayerSnapshot>, view: &View) -> Result<Features, RenderError> {
        let layer = snapshot.layer();
        let seen = visible(layer, &Audience::Public);
        let public = seen.iter().map(|(index, _)| index).collect();
        let origin = Origin::Snapshot { snapshot: Arc::clone(snapshot), public, key: seen.key_index() };
        let mut builder = Builder::new(origin, view);
        let mut rows: Vec<Row> = Vec::new();
        snapshot.during(self.time).candidates(&view.search_box(), |row| rows.push(row));
        snapshot.sort(&mut rows);
        rows.dedup();
        for (index, &row) in rows.iter().enumerate() {
            if index.is_multiple_of(256) {
                self.cancel.check()?;
            }
            builder.row(snapshot, row)?;
        }
        Ok(builder.features)
    }

    fn load_tiles(
        &self,
        snapshot: &Arc<LayerSnapshot>,
        view: &View,
        zoom: u8,
    ) -> Result<Features, RenderError> {
        let bbox = view.search_box();
        let first = TileId::at([bbox.min[0], bbox.max[1]], zoom)?;
        let last = TileId::at([bbox.max[0], bbox.min[1]], zoom)?;
        let (columns, rows) = (u64::from(last.x() - first.x() + 1), u64::from(last.y() - first.y() + 1));
        if columns * rows > MAX_TILES {
            return Err(RenderError::TooLarge { what: "tiles", max: MAX_TILES as usize });
        }
        // No buffer: where tiles meet, their content meets, and is drawn as one path.
        let options = TileOptions::default().buffer(0).during(self.time);
        let mut builder = Builder::new(Origin::Tiles(Vec::new()), view);
        for y in first.y()..=last.y() {
            for x in first.x()..=last.x() {
                let tile = TileId::new(zoom, x, y)?;
                let bytes = self.tiler.encode_until(&[snapshot], tile, &options, self.cancel)?;
                self.cancel.check()?;
                for (_, layer) in TileLayer::read(&bytes)? {
                    builder.tile(layer, tile)?;
                }
            }
        }
        Ok(builder.features)
    }
}

/// Converts geometry to pixels.
struct Builder<'a> {
    features: Features,
    view: &'a View,
    within: PixelBox,
    pixels: Vec<[f64; 2]>,
    slim: Vec<[f64; 2]>,
    clipper: RingClipper,
}

impl<'a> Builder<'a> {
    fn new(origin: Origin, view: &'a View) -> Self {
        let within = PixelBox::of_picture(view.size(), View::MARGIN);
        let features = Features { origin, items: Vec::new(), points: Vec::new(), ends: Vec::new() };
        let (pixels, slim) = (Vec::new(), Vec::new());
        Self { features, view, within, pixels, slim, clipper: RingClipper::default() }
    }

    fn row(&mut self, snapshot: &LayerSnapshot, row: Row) -> Result<(), RenderError> {
        let shape = snapshot.shape(row);
        let kinds: &[PartKind] = match shape.kind() {
            ShapeKind::Null => return Ok(()),
            ShapeKind::Point | ShapeKind::MultiPoint => &[PartKind::Point],
            ShapeKind::Line | ShapeKind::MultiLine => &[PartKind::Line],
            ShapeKind::Polygon | ShapeKind::MultiPolygon => &[PartKind::Polygon],
            ShapeKind::Collection => &[PartKind::Point, PartKind::Line, PartKind::Polygon],
        };
        for &kind in kinds {
            let start = self.features.ends.len() as u32;
            for part in shape.parts().filter(|part| part.kind == kind) {
                for (number, ring) in part.rings().enumerate() {
                    let view = self.view;
                    if view.is_mercator() {
                        let world = shape.mercator_ring(ring).iter().map(|point| point.map(f64::from));
                        view.pixels_of_mercator(world, &mut self.pixels)?;
                    } else {
                        view.pixels_of_lonlat(shape.ring(ring), &mut self.pixels)?;
                    }
                    match kind {
                        PartKind::Point => self.push_points(),
                        PartKind::Line => self.push_line(),
                        PartKind::Polygon => self.push_ring(Some(number == 0)),
                    }
                }
            }
            let kind = match kind {
                PartKind::Point => GeometryType::Point,
                PartKind::Line => GeometryType::Line,
                PartKind::Polygon => GeometryType::Polygon,
            };
            self.end_item(Item { kind, tile: 0, number: row, rings: start..start })?;
        }
        Ok(())
    }

    fn tile(&mut self, layer: TileLayer, tile: TileId) -> Result<(), RenderError> {
        let Origin::Tiles(tiles) = &self.features.origin else { return Ok(()) };
        let number = tiles.len() as u32;
        let side = 2_f64.powi(32 - i32::from(tile.z()));
        let corner = [f64::from(tile.x()) * side, f64::from(tile.y()) * side];
        let unit = side / f64::from(EXTENT);
        for (index, feature) in layer.features.iter().enumerate() {
            let start = self.features.ends.len() as u32;
            let mut outcome: Result<(), CrsError> = Ok(());
            feature.rings(|ring| {
                let world =
                    ring.iter().map(|point| [0, 1].map(|axis| corner[axis] + f64::from(point[axis]) * unit));
                let view = self.view;
                if let Err(error) = view.pixels_of_mercator(world, &mut self.pixels) {
                    outcome = Err(error);
                    return;
                }
                match feature.kind {
                    GeometryType::Point => self.push_points(),
                    GeometryType::Line => self.push_line(),
                    // The direction already says which rings are holes.
                    GeometryType::Polygon => self.push_ring(None),
                }
            })?;
            outcome?;
            self.end_item(Item {
                kind: feature.kind,
                tile: number,
                number: index as u32,
                rings: start..start,
            })?;
        }
        if let Origin::Tiles(tiles) = &mut self.features.origin {
            tiles.push(layer);
        }
        Ok(())
    }

    fn end_item(&mut self, mut item: Item) -> Result<(), RenderError> {
        item.rings.end = self.features.ends.len() as u32;
        if item.rings.is_empty() {
            return Ok(());
        }
        self.features.items.push(item);
        if self.features.points.len() > MAX_POINTS {
            return Err(RenderError::TooLarge { what: "corners", max: MAX_POINTS });
        }
        if self.features.items.len() > MAX_FEATURES {
            return Err(RenderError::TooLarge { what: "features", max: MAX_FEATURES });
        }
        Ok(())
    }

    fn push_points(&mut self) {
        for &point in &self.pixels {
            if self.within.contains(point) {
                self.features.points.push(point.map(|value| value as f32));
                self.features.ends.push(self.features.points.len() as u32);
            }
        }
    }

    fn push_line(&mut self) {
        self.thin();
        let Features { points, ends, .. } = &mut self.features;
        clip_line(&self.slim, &self.within, |piece| {
            points.extend(piece.iter().map(|point| point.map(|value| value as f32)));
            ends.push(points.len() as u32);
        });
    }

    /// Adds a ring; `outer` says which direction it must have: outer rings clockwise on the screen, so that
    /// several polygons can be filled as one path by the winding rule.
    fn push_ring(&mut self, outer: Option<bool>) {
        self.thin();
        let ring = self.clipper.clip(&self.slim, &self.within);
        if ring.len() < 3 {
            return;
        }
        let turn = outer.is_some_and(|outer| (doubled_area(ring) > 0.0) != outer);
        let points = ring.iter().map(|point| point.map(|value| value as f32));
        if turn {
            self.features.points.extend(points.rev());
        } else {
            self.features.points.extend(points);
        }
        self.features.ends.push(self.features.points.len() as u32);
    }

    /// Leaves out points that hardly differ from the one before; the first and the last stay.
    fn thin(&mut self) {
        self.slim.clear();
        let last = self.pixels.len().saturating_sub(1);
        for (index, &point) in self.pixels.iter().enumerate() {
            let far = self
                .slim
                .last()
                .is_none_or(|before| (0..2).any(|axis| (point[axis] - before[axis]).abs() > NEAR));
            if far || index == last {
                self.slim.push(point);
            }
        }
    }
}

impl Features {
    /// The features that a style carries itself.
    ///
    /// # Errors
    /// [`RenderError`] if a position has no place in the picture's system, or there are too many corners.
    pub(crate) fn of_inline(list: &[InlineFeature], view: &View) -> Result<Self, RenderError> {
        let origin = Origin::Inline(list.iter().map(|feature| feature.properties.clone()).collect());
        let mut builder = Builder::new(origin, view);
        let near = view.search_box();
        for (number, feature) in list.iter().enumerate() {
            // A name far away may have no place in a local system.
            let inside = |[lon, lat]: &[f64; 2]| {
                (near.min[0]..=near.max[0]).contains(lon) && (near.min[1]..=near.max[1]).contains(lat)
            };
            if !feature.rings.iter().any(|(_, ring)| ring.iter().any(inside)) {
                continue;
            }
            let start = builder.features.ends.len() as u32;
            for (outer, ring) in &feature.rings {
                view.pixels_of_lonlat(ring, &mut builder.pixels)?;
                match feature.kind {
                    GeometryType::Point => builder.push_points(),
                    GeometryType::Line => builder.push_line(),
                    GeometryType::Polygon => builder.push_ring(Some(*outer)),
                }
            }
            let item = Item { kind: feature.kind, tile: 0, number: number as u32, rings: start..start };
            builder.end_item(item)?;
        }
        Ok(builder.features)
    }

    /// The features in drawing order: by fid, or as the tiles have them.
    pub(crate) fn iter(&self) -> impl Iterator<Item = ItemFeature<'_>> {
        self.items.iter().map(|item| ItemFeature { features: self, item })
    }

    /// The number of features.
    pub fn len(&self) -> usize {
        self.items.len()
    }

    /// True if no feature meets the picture.
    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }
}

impl<'a> ItemFeature<'a> {
    /// The rings (open), lines or points, in pixels.
    pub(crate) fn rings(&self) -> impl Iterator<Item = &'a [[f32; 2]]> + use<'a> {
        let features = self.features;
        self.item.rings.clone().map(move |ring| {
            let start = if ring == 0 { 0 } else { features.ends[ring as usize - 1] };
            &features.points[start as usize..features.ends[ring as usize] as usize]
        })
    }
}

impl Feature for ItemFeature<'_> {
    fn property(&self, name: &str) -> Value<'_> {
        match &self.features.origin {
            Origin::Snapshot { snapshot, public, key } => {
                let row = self.item.number;
                let fields = &snapshot.layer().fields;
                match public.iter().find(|&&index| fields[index].name == name) {
                    Some(&index) => value_of(snapshot.value(row, index)),
                    None if name == "_id" && key.is_some() => Value::text(snapshot.id(row).to_string()),
                    None => Value::Null,
                }
            }
            Origin::Tiles(tiles) => {
                let tile = &tiles[self.item.tile as usize];
                tile.property(&tile.features[self.item.number as usize], name)
            }
            Origin::Inline(list) => match list[self.item.number as usize].get(name) {
                Some(Json::Bool(value)) => Value::Bool(*value),
                Some(Json::Number(number)) => number.as_f64().map_or(Value::Null, Value::Number),
                Some(Json::String(text)) => Value::text(text.as_str()),
                _ => Value::Null,
            },
        }
    }

    fn id(&self) -> Option<u64> {
        match &self.features.origin {
            Origin::Snapshot { snapshot, .. } => Some(snapshot.fid(self.item.number) as u64),
            Origin::Tiles(tiles) => tiles[self.item.tile as usize].features[self.item.number as usize].id,
            Origin::Inline(_) => None,
        }
    }

    fn geometry_type(&self) -> GeometryType {
        self.item.kind
    }
}

/// A value as vector tiles carry it: dates and instants are texts.
fn value_of(value: ValueRef<'_>) -> Value<'_> {
    match value {
        ValueRef::Null => Value::Null,
        ValueRef::Bool(value) => Value::Bool(value),
        ValueRef::Int(value) => Value::Number(value as f64),
        ValueRef::Real(value) if value.is_finite() => Value::Number(value),
        ValueRef::Real(_) => Value::Null,
        ValueRef::Text(text) => Value::Text(Cow::Borrowed(text)),
        ValueRef::Date(_) | ValueRef::DateTime(_) => Value::Text(Cow::Owned(value.to_text())),
    }
}
