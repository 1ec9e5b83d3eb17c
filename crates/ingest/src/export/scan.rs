//! What a layer holds, seen before a file is begun: most formats must know it beforehand.

use citymap_crs::Transform;
use citymap_model::{Layer, Value, text::without_formula};
use citymap_store::StoreError;
use geo::{BoundingRect, CoordsIter};
use geo_types::{Geometry, Rect};

use super::{ExportError, Rows};

/// Bytes that a text of a MapInfo file or a .dbf can have.
pub(super) const LONGEST: usize = 254;

/// What the features of a layer are like, as far as formats differ in what they hold.
#[derive(Debug, Default)]
pub(super) struct Scan {
    pub features: u64,
    pub null: u64,
    pub empty: u64,
    pub points: u64,
    pub multipoints: u64,
    pub lines: u64,
    pub multilines: u64,
    pub polygons: u64,
    pub multipolygons: u64,
    pub collections: u64,
    /// For each field, whether a whole number in it needs more than 32 bits.
    pub long: Vec<bool>,
    /// For each field, the bytes of its longest text, or the characters of the longest whole part of its
    /// numbers.
    pub widths: Vec<usize>,
    /// Texts that a spreadsheet would take for formulas.
    pub formulas: u64,
    /// Texts hold letters beyond ASCII.
    pub letters: bool,
    /// Texts hold line breaks.
    pub line_breaks: bool,
    /// How many texts hold characters that XML cannot hold.
    pub unwritable: u64,
    /// How many texts are longer than [`LONGEST`].
    pub long_texts: u64,
    /// In the system that is written.
    pub bounds: Option<Rect<f64>>,
}

impl Scan {
    /// Reads the layer through.
    pub(super) fn of(
        rows: &Rows<'_>,
        definition: &Layer,
        transform: Option<&Transform>,
    ) -> Result<Self, ExportError> {
        let width = definition.fields.len();
        let mut scan = Self { long: vec![false; width], widths: vec![0; width], ..Self::default() };
        let mut failure = None;
        let outcome = rows.read(&definition.id, &mut |mut record| {
            if let (Some(transform), Some(geometry)) = (transform, &mut record.geometry)
                && let Err(error) = transform.geometry(geometry)
            {
                failure = Some(error);
                return Err(StoreError::Stopped("the coordinates cannot be carried".to_owned()));
            }
            for (long, value) in scan.long.iter_mut().zip(&record.values) {
                *long |= matches!(value, Value::Int(number) if i32::try_from(*number).is_err());
            }
            for (width, value) in scan.widths.iter_mut().zip(&record.values) {
                *width = (*width).max(width_of(value));
            }
            for value in &record.values {
                if let Value::Text(text) = value {
                    scan.letters |= !text.is_ascii();
                    scan.formulas += u64::from(without_formula(text).is_some());
                    scan.long_texts += u64::from(text.len() > LONGEST);
                    scan.line_breaks |= text.contains('\n');
                    scan.unwritable += u64::from(text.contains(is_unwritable));
                }
            }
            scan.see(record.geometry.as_ref());
            Ok(())
        });
        match failure {
            Some(error) => Err(error.into()),
            None => outcome.map(|()| scan).map_err(Into::into),
        }
    }

    fn see(&mut self, geometry: Option<&Geometry<f64>>) {
        self.features += 1;
        let Some(geometry) = geometry else {
            self.null += 1;
            return;
        };
        if geometry.coords_count() == 0 {
            self.empty += 1;
            return;
        }
        let slot = match geometry {
            Geometry::Point(_) => &mut self.points,
            Geometry::MultiPoint(_) => &mut self.multipoints,
            Geometry::Line(_) | Geometry::LineString(_) => &mut self.lines,
            Geometry::MultiLineString(_) => &mut self.multilines,
            Geometry::Polygon(_) | Geometry::Rect(_) | Geometry::Triangle(_) => &mut self.polygons,
            Geometry::MultiPolygon(_) => &mut self.multipolygons,
            Geometry::GeometryCollection(_) => &mut self.collections,
        };
        *slot += 1;
        if let Some(here) = geometry.bounding_rect() {
            self.bounds = Some(match self.bounds {
                None => here,
                Some(all) => Rect::new(
                    (all.min().x.min(here.min().x), all.min().y.min(here.min().y)),
                    (all.max().x.max(here.max().x), all.max().y.max(here.max().y)),
                ),
            });
        }
    }

    /// How many features have geometry of each family, with its name.
    pub(super) fn families(&self) -> Vec<(&'static str, u64)> {
        [
            ("points", self.points + self.multipoints),
            ("lines", self.lines + self.multilines),
            ("polygons", self.polygons + self.multipolygons),
            ("collections", self.collections),
        ]
        .into_iter()
        .filter(|(_, count)| *count > 0)
        .collect()
    }
}

/// Whether XML 1.0 cannot hold a character.
pub(super) fn is_unwritable(letter: char) -> bool {
    match letter {
        '\t' | '\n' | '\r' => false,
        '\0'..='\u{1F}' | '\u{FFFE}' | '\u{FFFF}' => true,
        _ => false,
    }
}

/// The bytes of a text, or the characters of the whole part of a number.
fn width_of(value: &Value) -> usize {
    match value {
        Value::Text(text) => text.len(),
        Value::Int(number) => number.to_string().len(),
        Value::Real(number) if number.is_finite() => format!("{:.0}", number.trunc()).len(),
        _ => 0,
    }
}
