//! The rows of an overlay: ids and visible fields of both features, the measures, and the shape where it is
//! wanted.

use std::collections::HashSet;

use citymap_access::{Audience, visible};
use citymap_engine::{LayerSnapshot, Method, Overlay, OverlayPiece, PieceShapes, ValueRef};
use citymap_model::{FieldType, GeometryKind, Layer, LayerId, Title};

use crate::{Column, Output, OutputError, Table};

/// How the pieces of an overlay become rows.
#[derive(Debug)]
pub struct PieceRows {
    table: Table,
    /// Positions of the visible fields of either layer.
    fields: [Vec<usize>; 2],
    measures: [bool; 3],
    geometry: bool,
}

/// Makes the table of an overlay's pieces. Columns: `<layer>_id` and `<layer>_<field>` of each layer (`a_`
/// and `b_` if both are the same layer), then `area_m2`, `length_m` and `count` as the overlay measures them,
/// then `<layer>_share`, from 0 to 1. Fields that the public may not see are absent.
pub fn pieces(overlay: &Overlay<'_>, geometry: bool) -> PieceRows {
    let layers = [overlay.a().layer(), overlay.b().layer()];
    let prefixes = if layers[0].id == layers[1].id {
        ["a".to_owned(), "b".to_owned()]
    } else {
        layers.map(|layer| layer.id.to_string())
    };
    let mut names = Names::default();
    let mut columns = Vec::new();
    for (layer, prefix) in layers.iter().zip(&prefixes) {
        columns.push(Column {
            name: names.free(format!("{prefix}_id")),
            field_type: FieldType::Text,
            title: Title::default(),
        });
        columns.extend(visible(layer, &Audience::Public).iter().map(|(_, field)| Column {
            name: names.free(format!("{prefix}_{}", field.name)),
            field_type: field.field_type,
            title: field.title.clone(),
        }));
    }
    let own = overlay.measures();
    let measures = [own.area, own.length, own.count];
    let how = match overlay.method() {
        Method::Grid(crs) => {
            let [vi, en] = overlay.grid_excess().and_then(excess).unwrap_or_default();
            (format!("trên lưới {crs}{vi}"), format!("on the grid {crs}{en}"))
        }
        Method::Ellipsoid => ("trên ellipsoid".to_owned(), "on the ellipsoid".to_owned()),
    };
    let kinds = [
        ("area_m2", FieldType::Real, format!("Diện tích, m² {}", how.0), format!("Area, m² {}", how.1)),
        ("length_m", FieldType::Real, format!("Chiều dài, m {}", how.0), format!("Length, m {}", how.1)),
        ("count", FieldType::Int, "Số điểm".to_owned(), "Points".to_owned()),
    ];
    for ((name, field_type, vi, en), wanted) in kinds.into_iter().zip(measures) {
        if wanted {
            let title = Title::new(vi, en);
            columns.push(Column { name: names.free(name.to_owned()), field_type, title });
        }
    }
    for prefix in &prefixes {
        let name = names.free(format!("{prefix}_share"));
        columns.push(Column { name, field_type: FieldType::Real, title: Title::new("Tỉ lệ", "Share") });
    }
    let public = |layer: &Layer| visible(layer, &Audience::Public).iter().map(|(index, _)| index).collect();
    let table = Table {
        name: name(layers[0], layers[1]),
        title: Title::new(
            format!("{} × {}", layers[0].title.get("vi"), layers[1].title.get("vi")),
            format!("{} × {}", layers[0].title.get("en"), layers[1].title.get("en")),
        ),
        columns,
        geometry: match measures {
            _ if !geometry => GeometryKind::None,
            [true, false, false] => GeometryKind::Polygon,
            [false, true, false] => GeometryKind::Line,
            [false, false, true] => GeometryKind::Point,
            _ => GeometryKind::Mixed,
        },
    };
    PieceRows { table, fields: [public(layers[0]), public(layers[1])], measures, geometry }
}

impl PieceRows {
    /// The table to create the file with.
    pub fn table(&self) -> &Table {
        &self.table
    }

    /// Adds a piece to a file of this table. `shapes` must be those of the overlay that the table was made
    /// for.
    ///
    /// # Errors
    /// As [`Output::row`]; [`OutputError::Engine`] if the shape of the piece cannot be computed.
    pub fn write(
        &self,
        shapes: &PieceShapes<'_>,
        piece: &OverlayPiece,
        out: &mut Output,
    ) -> Result<(), OutputError> {
        let ids = [shapes.a().id(piece.row_a).to_string(), shapes.b().id(piece.row_b).to_string()];
        let mut values = Vec::with_capacity(self.table.columns.len());
        let sides: [(&LayerSnapshot, u32); 2] = [(shapes.a(), piece.row_a), (shapes.b(), piece.row_b)];
        for (side, (snapshot, row)) in sides.into_iter().enumerate() {
            values.push(ValueRef::Text(&ids[side]));
            values.extend(self.fields[side].iter().map(|&field| snapshot.value(row, field)));
        }
        let measures =
            [ValueRef::Real(piece.area), ValueRef::Real(piece.length), ValueRef::Int(i64::from(piece.count))];
        values.extend(
            measures.into_iter().zip(self.measures).filter(|(_, wanted)| *wanted).map(|(value, _)| value),
        );
        values
            .extend([piece.share_a, piece.share_b].map(|share| share.map_or(ValueRef::Null, ValueRef::Real)));
        let geometry = if self.geometry { shapes.of(piece)? } else { None };
        out.row(&values, geometry.as_ref())
    }
}

/// What the titles of measures say where areas on the grid differ from those on the ellipsoid by 0.05 % or
/// more.
fn excess(excess: f64) -> Option<[String; 2]> {
    if excess.abs() < 5e-4 {
        return None;
    }
    let percent = format!("{:.2} %", excess.abs() * 100.0);
    let [vi, en] = if excess > 0.0 { ["lớn hơn", "larger"] } else { ["nhỏ hơn", "smaller"] };
    Some([
        format!(", diện tích {vi} trên ellipsoid tới {}", percent.replace('.', ",")),
        format!(", areas up to {percent} {en} than on the ellipsoid"),
    ])
}

/// The name of the table: both layers' names if they are short enough to be one, else the first layer's.
fn name(a: &Layer, b: &Layer) -> LayerId {
    format!("{}_{}", a.id, b.id).parse().unwrap_or_else(|_too_long| a.id.clone())
}

/// Names that are taken, in lower case: neither SQLite nor people tell names apart by case.
#[derive(Default)]
struct Names(HashSet<String>);

impl Names {
    fn free(&mut self, name: String) -> String {
        if self.0.insert(name.to_lowercase()) {
            return name;
        }
        let mut number = 2;
        loop {
            let other = format!("{name}_{number}");
            if self.0.insert(other.to_lowercase()) {
                return other;
            }
            number += 1;
        }
    }
}
