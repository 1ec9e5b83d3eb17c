//! The lines and labels of all files.

use citymap_crs::{Crs, Transform};
use citymap_model::{Field, FieldType, GeometryKind, Role, Value};
use geo_types::{Coord, Geometry, LineString};

use super::BuildPreset;
use crate::{
    EncodingReport, ImportError,
    encoding::Encoding,
    source::{Shape, Source, SourceLayer},
};

/// A geometry in the system of what is built.
fn moved(shape: Shape, from: Option<Crs>, to: Option<Crs>) -> Shape {
    match (shape, from, to) {
        (Shape::Good(mut geometry), Some(from), Some(to)) if from != to => {
            let outcome = Transform::new(from, to).and_then(|transform| transform.geometry(&mut geometry));
            // What has no image there is counted as not used.
            if outcome.is_ok() { Shape::Good(geometry) } else { Shape::Null }
        }
        (shape, ..) => shape,
    }
}

/// Levels on which parcel boundaries are drawn: a boundary that is also the edge of a railway, a road,
/// water or an administrative unit is drawn once, on that level (Circular 26/2024/TT-BTNMT, numbers of its
/// table).
const BOUNDARIES: [i64; 13] = [10, 21, 22, 23, 30, 31, 32, 37, 38, 40, 42, 44, 46];
/// Levels of texts in a parcel, with the field that each fills.
const TEXTS: [(i64, &str); 4] =
    [(13, "so_thua"), (AREAS, "dien_tich"), (2, "loai_dat"), (29, "loai_dat_phap_ly")];

/// The level of the areas on paper, in m².
const AREAS: i64 = 4;

/// A point with attributes.
#[derive(Clone, Debug)]
pub(super) struct Label {
    pub(super) at: Coord,
    pub(super) values: Vec<Value>,
}

/// What all files hold for building.
pub(super) struct Collected {
    pub(super) name: String,
    pub(super) lines: Vec<LineString>,
    pub(super) labels: Vec<Label>,
    pub(super) fields: Vec<Field>,
    pub(super) role: Option<Role>,
    pub(super) encoding: EncodingReport,
    /// Features that are neither lines nor labels.
    pub(super) unused: u64,
    /// What the readers have to say about the files.
    pub(super) notes: Vec<String>,
}

impl Collected {
    /// `crs` is the system of what is built; features that name another one are brought to it.
    pub(super) fn of(
        preset: BuildPreset,
        sources: &[(String, Source)],
        crs: Option<Crs>,
    ) -> Result<Self, ImportError> {
        let layers: Vec<&SourceLayer> =
            sources.iter().flat_map(|(_, source)| source.reader.layers()).collect();
        let stem = std::path::Path::new(&sources[0].0).file_stem().unwrap_or_default();
        let encoding = layers.first().map_or_else(
            || EncodingReport {
                encoding: Encoding::Utf8,
                how: "the format is UTF-8".into(),
                confidence: None,
                sample: vec![],
            },
            |layer| layer.encoding.clone(),
        );
        let mut collected = Self {
            name: stem.to_string_lossy().into_owned(),
            lines: Vec::new(),
            labels: Vec::new(),
            fields: Vec::new(),
            role: (preset == BuildPreset::DgnCadastral).then_some(Role::Parcel),
            encoding,
            unused: 0,
            notes: layers.iter().flat_map(|layer| layer.warnings.iter().cloned()).collect(),
        };
        if preset == BuildPreset::DgnCadastral {
            collected.fields = TEXTS.iter().map(|(_, name)| Field::new(*name, FieldType::Text)).collect();
        }
        for (shown, source) in sources {
            for (position, layer) in source.reader.layers().into_iter().enumerate() {
                let levels = match preset {
                    BuildPreset::Lines => None,
                    BuildPreset::DgnCadastral => Some(Levels::of(shown, layer)?),
                };
                let columns = match preset {
                    BuildPreset::Lines => collected.columns(layer),
                    BuildPreset::DgnCadastral => Vec::new(),
                };
                let notes = source.reader.read(position, &mut |raw| {
                    let parsed = source.reader.parse(position, raw.body);
                    match (moved(parsed.geometry, parsed.system, crs), parsed.fault) {
                        (Shape::Good(geometry), None) => match &levels {
                            None => collected.add(geometry, &parsed.values, &columns),
                            Some(levels) => collected.add_by_level(geometry, &parsed.values, levels),
                        },
                        _ => collected.unused += 1,
                    }
                    true
                })?;
                collected.notes.extend(notes);
            }
        }
        let fields = collected.fields.len();
        collected.labels.iter_mut().for_each(|label| label.values.resize(fields, Value::Null));
        if preset == BuildPreset::DgnCadastral {
            collected.make_areas_numbers();
        }
        Ok(collected)
    }

    /// Areas are texts in a drawing; they become numbers if all of them are.
    fn make_areas_numbers(&mut self) {
        let Some(area) = TEXTS.iter().position(|(level, _)| *level == AREAS) else { return };
        let parsed = |value: &Value| match value {
            Value::Text(text) => text.replace(',', ".").parse().ok().filter(|area: &f64| area.is_finite()),
            _ => None,
        };
        let mut values = self.labels.iter().map(|label| &label.values[area]).filter(|value| !value.is_null());
        if !values.all(|value| parsed(value).is_some()) {
            return;
        }
        self.fields[area].field_type = FieldType::Real;
        for label in &mut self.labels {
            let value = &mut label.values[area];
            *value = parsed(value).map_or(Value::Null, Value::Real);
        }
    }

    /// Where the fields of a layer with points go among those of all layers. Fields of the same name and type
    /// are one.
    fn columns(&mut self, layer: &SourceLayer) -> Vec<usize> {
        if matches!(layer.kind, GeometryKind::Line | GeometryKind::Polygon | GeometryKind::None) {
            return Vec::new();
        }
        let mut columns = Vec::with_capacity(layer.fields.len());
        for field in &layer.fields {
            let same = |own: &Field| own.name == field.name && own.field_type == field.field_type;
            let column = self.fields.iter().position(same).unwrap_or_else(|| {
                let mut field = field.clone();
                let mut number = 2;
                let wanted = field.name.clone();
                while self.fields.iter().any(|own| own.name.to_lowercase() == field.name.to_lowercase()) {
                    field.name = format!("{wanted}_{number}");
                    number += 1;
                }
                self.fields.push(field);
                self.fields.len() - 1
            });
            columns.push(column);
        }
        columns
    }

    /// Takes all lines, the outlines of polygons among them, and all points.
    fn add(&mut self, geometry: Geometry, values: &[Value], columns: &[usize]) {
        match geometry {
            Geometry::Point(point) => self.add_label(point.0, values, columns),
            Geometry::MultiPoint(points) => {
                points.0.iter().for_each(|point| self.add_label(point.0, values, columns));
            }
            Geometry::GeometryCollection(parts) => {
                parts.0.into_iter().for_each(|part| self.add(part, values, columns));
            }
            geometry => self.add_lines(geometry),
        }
    }

    fn add_label(&mut self, at: Coord, values: &[Value], columns: &[usize]) {
        let mut own = vec![Value::Null; self.fields.len()];
        for (column, value) in columns.iter().zip(values) {
            own[*column] = value.clone();
        }
        self.labels.push(Label { at, values: own });
    }

    fn add_lines(&mut self, geometry: Geometry) {
        match geometry {
            Geometry::LineString(line) => self.lines.push(line),
            Geometry::MultiLineString(lines) => self.lines.extend(lines.0),
            Geometry::Polygon(polygon) => {
                let (outer, inner) = polygon.into_inner();
                self.lines.push(outer);
                self.lines.extend(inner);
            }
            Geometry::MultiPolygon(polygons) => {
                polygons.0.into_iter().for_each(|polygon| self.add_lines(polygon.into()));
            }
            Geometry::GeometryCollection(parts) => {
                parts.0.into_iter().for_each(|part| self.add_lines(part));
            }
            _ => self.unused += 1,
        }
    }

    /// Takes lines of the levels of boundaries and texts of the levels of labels.
    fn add_by_level(&mut self, geometry: Geometry, values: &[Value], levels: &Levels) {
        let Some(level) = values.get(levels.level).and_then(number) else {
            self.unused += 1;
            return;
        };
        let text = levels.text.and_then(|text| values.get(text)).filter(|text| !text.is_null());
        match (geometry, text, TEXTS.iter().position(|(own, _)| *own == level)) {
            (Geometry::Point(point), Some(Value::Text(text)), Some(field)) if !text.trim().is_empty() => {
                let mut own = vec![Value::Null; self.fields.len()];
                own[field] = Value::Text(text.trim().into());
                self.labels.push(Label { at: point.0, values: own });
            }
            (geometry, _, _) if BOUNDARIES.contains(&level) => self.add_lines(geometry),
            _ => self.unused += 1,
        }
    }
}

fn number(value: &Value) -> Option<i64> {
    match value {
        Value::Int(number) => Some(*number),
        Value::Text(text) => text.trim().parse().ok(),
        _ => None,
    }
}

/// The fields of a drawing that hold the level and the text of an element.
struct Levels {
    level: usize,
    text: Option<usize>,
}

impl Levels {
    fn of(shown: &str, layer: &SourceLayer) -> Result<Self, ImportError> {
        let field = |name: &str| layer.fields.iter().position(|field| field.name.eq_ignore_ascii_case(name));
        let Some(level) = field("level") else {
            return Err(ImportError::Usage(format!(
                "{shown}, layer `{}` has no field `Level`, as the elements of a DGN file do; use \
                 --build-polygons lines for other files",
                layer.name
            )));
        };
        Ok(Self { level, text: field("text") })
    }
}
