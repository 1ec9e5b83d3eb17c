//! Features that stand for all of a code: what a style draws of them is what the legend shows.

use citymap_model::{Field, GeometryKind, Layer, Meaning, codes::Code};

use crate::{
    expression::{Feature, GeometryType, Value},
    styles::{DrawKind, class_field, color_field, kind_of, meant, public},
};

/// The width in metres of a carriageway and of a right-of-way that a legend shows.
const WIDTHS: [f64; 2] = [8.0, 16.0];

/// A feature of a layer with a code and nothing else.
#[derive(Clone, Debug)]
pub(super) struct Sample<'a> {
    pub(super) code: Option<&'a Code>,
    field: Option<&'a str>,
    numbers: Vec<(&'a str, f64)>,
    geometry: GeometryType,
}

impl Feature for Sample<'_> {
    fn property(&self, name: &str) -> Value<'_> {
        if self.field == Some(name) {
            return self.code.map_or(Value::Null, |code| Value::text(code.code.as_str()));
        }
        let number = self.numbers.iter().find(|(own, _)| *own == name);
        number.map_or(Value::Null, |(_, number)| Value::Number(*number))
    }

    fn id(&self) -> Option<u64> {
        None
    }

    fn geometry_type(&self) -> GeometryType {
        self.geometry
    }
}

impl<'a> Sample<'a> {
    /// A feature without a code, with the usual widths of roads.
    pub(super) fn typical(layer: &'a Layer, geometry: GeometryType) -> Self {
        let meanings = [Meaning::Width, Meaning::RightOfWay];
        let numbers = meanings.into_iter().zip(WIDTHS);
        let numbers = numbers.filter_map(|(meaning, width)| Some((meant(layer, meaning)?, width)));
        Self { code: None, field: None, numbers: numbers.collect(), geometry }
    }

    /// A point that stands for several.
    pub(super) fn cluster(geometry: GeometryType) -> Self {
        Self { code: None, field: None, numbers: vec![("point_count", 10.0)], geometry }
    }
}

/// The field by whose codes a style may draw a layer: that of its colours, or the class of roads; with its
/// position in [`Layer::fields`].
pub fn legend_field(layer: &Layer) -> Option<(usize, &Field)> {
    let kind = kind_of(layer);
    let name = match kind {
        DrawKind::Road => class_field(layer)?,
        _ => color_field(layer, kind)?.name.as_str(),
    };
    public(layer).get(name)
}

/// The samples of a layer: one without a code at the end, if there are codes.
pub(super) fn samples(layer: &Layer, geometry: GeometryType) -> Vec<Sample<'_>> {
    let typical = Sample::typical(layer, geometry);
    let Some((_, field)) = legend_field(layer) else { return vec![typical] };
    let coded = |code| Sample { code: Some(code), field: Some(&field.name), ..typical.clone() };
    let mut samples: Vec<Sample<'_>> = field.codes().iter().map(coded).collect();
    samples.push(typical);
    samples
}

/// The types of geometry that a layer of a kind has.
pub(super) fn geometries(kind: GeometryKind) -> Vec<GeometryType> {
    match kind {
        GeometryKind::Point => vec![GeometryType::Point],
        GeometryKind::Line => vec![GeometryType::Line],
        GeometryKind::Polygon => vec![GeometryType::Polygon],
        GeometryKind::Mixed => vec![GeometryType::Polygon, GeometryType::Line, GeometryType::Point],
        GeometryKind::None => Vec::new(),
    }
}
