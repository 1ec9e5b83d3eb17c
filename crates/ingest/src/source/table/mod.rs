//! Where the geometry of a table's rows is, whatever the format of the table: two columns of coordinates, or
//! a column with WKT, EWKT, hexadecimal WKB or GeoJSON.
//!
//! [`find`] looks at the names of the columns and the first rows, or at what was asked for.
//! [`TablePlace::shape`] makes the geometry of a row.

mod cell;
mod names;
mod numbers;

use citymap_crs::Crs;
use citymap_geometry::GeometryFault;
use citymap_model::{quote::described, text::tidy_name};
use geo_types::Point;

use super::{
    Original, Shape, other_columns,
    systems::{SystemCensus, Systems},
};
use crate::{ImportError, Request, request::ColumnChoice, srs::Srs};
pub(crate) use cell::exchange;
use names::{Family, Pair};
use numbers::{Hemisphere, NumberStyle, degrees};

/// Where the geometry of a table's rows is.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum TablePlace {
    /// Nowhere: a table without geometry.
    None,
    /// Points from two columns.
    Columns { pair: Pair, style: NumberStyle },
    /// Any geometry, as text in a column.
    Geometry { column: usize, systems: Systems },
}

/// What was found out of a table.
pub(crate) struct FoundPlace {
    pub place: TablePlace,
    pub srs: Srs,
    /// The names of the columns called X and Y, if Vietnamese papers may have exchanged them.
    pub exchangeable: Option<[String; 2]>,
    pub warnings: Vec<String>,
}

/// The geometry of a row.
pub(crate) struct RowShape {
    pub shape: Shape,
    /// The system that the row names for itself; none for that of the layer.
    pub system: Option<Crs>,
    pub dropped_z: bool,
    pub curved: bool,
}

impl RowShape {
    fn of(shape: Shape) -> Self {
        Self { shape, system: None, dropped_z: false, curved: false }
    }

    fn bad(reason: String, text: impl Into<String>) -> Self {
        Self::of(Shape::Bad(GeometryFault::new(reason), Original::Text(text.into())))
    }
}

/// What is said where no columns hold coordinates.
pub(crate) const NO_PLACE: &str = "no columns of coordinates were found (x and y, lon and lat, easting and \
     northing, kinh độ and vĩ độ, wkt, geojson, wkb): it is a table without geometry. If it has \
     coordinates, name their columns with --x FIELD --y FIELD, or the column with the geometry with \
     --geometry-column FIELD";

/// Finds the coordinates of a table by the names of its columns and its first rows, or where `request` says.
///
/// # Errors
/// [`ImportError::Usage`] if the request names a column that is not there, or one of `--x` and `--y` only.
pub(crate) fn find(
    names: &[String],
    rows: &[Vec<String>],
    request: &Request,
    shown: &str,
) -> Result<FoundPlace, ImportError> {
    let table = Table { names, rows, request };
    let mut warnings = Vec::new();
    Ok(match table.asked(shown)? {
        Some(Asked::Columns(pair)) => table.columns(pair, warnings),
        Some(Asked::Geometry(column)) => table.geometry(column, warnings),
        None => {
            if let Some(column) = table.geometry_column() {
                table.geometry(column, warnings)
            } else if let Some(pair) = table.pair(&mut warnings) {
                table.columns(pair, warnings)
            } else {
                FoundPlace { place: TablePlace::None, srs: Srs::None, exchangeable: None, warnings }
            }
        }
    })
}

/// Whether the names of columns of coordinates are among the first line of a table, so that it is a header.
pub(crate) fn is_header(names: &[String], request: &Request) -> bool {
    let ColumnChoice { x, y, wkt, geometry } = &request.columns;
    let asked = [x, y, wkt, geometry].into_iter().flatten();
    !names::pairs(names).is_empty()
        || names.iter().any(|name| names::geometry_name(name).is_some())
        || asked.into_iter().any(|asked| names.contains(asked))
}

enum Asked {
    Columns(Pair),
    Geometry(usize),
}

struct Table<'a> {
    names: &'a [String],
    rows: &'a [Vec<String>],
    request: &'a Request,
}

impl Table<'_> {
    /// The columns that the request names.
    fn asked(&self, shown: &str) -> Result<Option<Asked>, ImportError> {
        let ColumnChoice { x, y, wkt, geometry } = &self.request.columns;
        if let Some((option, name)) = wkt
            .as_ref()
            .map(|name| ("--wkt", name))
            .or(geometry.as_ref().map(|name| ("--geometry-column", name)))
        {
            return Ok(Some(Asked::Geometry(self.column(name, option, shown)?)));
        }
        match (x, y) {
            (None, None) => Ok(None),
            (Some(x), Some(y)) => {
                let (x, y) = (self.column(x, "--x", shown)?, self.column(y, "--y", shown)?);
                // What the name says of the system holds for a column that was asked for, too.
                let named = names::pairs(self.names).into_iter().find(|pair| pair.x == x && pair.y == y);
                Ok(Some(Asked::Columns(named.unwrap_or(Pair { family: Family::Grid, x, y, vn2000: false }))))
            }
            _ => Err(ImportError::Usage("--x FIELD and --y FIELD go together: name both columns".into())),
        }
    }

    fn column(&self, name: &str, option: &str, shown: &str) -> Result<usize, ImportError> {
        let exact = self.names.iter().position(|own| tidy_name(own) == name);
        exact
            .or_else(|| self.names.iter().position(|own| names::folded(own) == names::folded(name)))
            .ok_or_else(|| {
                ImportError::Usage(format!(
                    "{shown}: there is no column `{name}` for {option}; the columns are {}",
                    self.names.join(", ")
                ))
            })
    }

    fn cells(&self, column: usize) -> impl Iterator<Item = &str> {
        self.rows
            .iter()
            .filter_map(move |row| row.get(column))
            .map(|cell| cell.trim())
            .filter(|cell| !cell.is_empty())
    }

    /// The column whose name is one of geometry as text, and whose cells are geometry where the name may mean
    /// something else.
    fn geometry_column(&self) -> Option<usize> {
        let mut named =
            self.names.iter().enumerate().filter_map(|(i, name)| Some((i, names::geometry_name(name)?)));
        let holds = |column: usize| self.cells(column).any(cell::is_geometry);
        let certain = |column: usize| self.cells(column).next().is_none() || holds(column);
        named
            .clone()
            .find(|(column, _)| holds(*column))
            .or_else(|| named.find(|(column, sure)| *sure && certain(*column)))
            .map(|(column, _)| column)
    }

    /// The pair of columns with the most rows of numbers.
    fn pair(&self, warnings: &mut Vec<String>) -> Option<Pair> {
        let pairs = names::pairs(self.names);
        let usable = |pair: &Pair| {
            let style = self.style(pair);
            self.rows.iter().filter(|row| point(row.get(pair.x), row.get(pair.y), style).is_some()).count()
        };
        // `max_by_key` gives the last of equals, and the most telling one is first.
        let best = pairs.iter().rev().max_by_key(|pair| usable(pair)).copied()?;
        // Columns without one number are none of coordinates: `x` may mark, and `e` may be a letter.
        if !self.rows.is_empty() && usable(&best) == 0 && self.cells(best.x).next().is_some() {
            return None;
        }
        let (x, y) = (&self.names[best.x], &self.names[best.y]);
        if pairs.len() > 1 {
            let others: Vec<String> = pairs
                .iter()
                .filter(|pair| **pair != best)
                .map(|pair| format!("`{}` and `{}`", self.names[pair.x], self.names[pair.y]))
                .collect();
            warnings.push(format!(
                "the coordinates were taken from the columns `{x}` and `{y}`, not from {}; --x FIELD --y \
                 FIELD names others",
                others.join(", ")
            ));
        }
        Some(best)
    }

    fn style(&self, pair: &Pair) -> NumberStyle {
        NumberStyle::of(self.cells(pair.x).chain(self.cells(pair.y)), pair.family == Family::Geographic)
    }

    fn columns(&self, pair: Pair, mut warnings: Vec<String>) -> FoundPlace {
        let style = self.style(&pair);
        if style == NumberStyle::Comma {
            warnings.push("the coordinates have decimal commas, which were read as such".into());
        }
        let (x, y) = (&self.names[pair.x], &self.names[pair.y]);
        let points: Vec<(f64, f64)> =
            self.rows.iter().filter_map(|row| point(row.get(pair.x), row.get(pair.y), style)).collect();
        let is_in_degrees = |(x, y): &&(f64, f64)| {
            let (lon, lat) = if self.request.swap_xy { (y, x) } else { (x, y) };
            lon.abs() <= 180.0 && lat.abs() <= 90.0
        };
        let in_degrees = points.iter().filter(is_in_degrees).count();
        // One bad row does not change what the file is.
        let degrees = in_degrees * 2 > points.len() || points.is_empty();
        let srs = match pair.family {
            Family::Geographic if degrees => Srs::Known {
                crs: if pair.vn2000 { Crs::VN2000 } else { Crs::WGS84 },
                how: format!("the columns `{x}` and `{y}`"),
                warnings: Vec::new(),
            },
            Family::Geographic => Srs::Unknown(format!(
                "most numbers in the columns `{x}` and `{y}` are no longitude and latitude in degrees"
            )),
            _ => Srs::Unknown(format!("the columns `{x}` and `{y}` name no coordinate system")),
        };
        let exchangeable = (pair.family == Family::Plain).then(|| [x.clone(), y.clone()]);
        FoundPlace { place: TablePlace::Columns { pair, style }, srs, exchangeable, warnings }
    }

    /// The systems of its rows are settled once all were counted ([`FoundPlace::settle`]).
    fn geometry(&self, column: usize, mut warnings: Vec<String>) -> FoundPlace {
        let name = &self.names[column];
        let others: Vec<String> = (0..self.names.len())
            .filter(|own| *own != column && self.is_geometry_column(*own))
            .map(|own| self.names[own].clone())
            .collect();
        if !others.is_empty() {
            warnings.push(other_columns(name, &others));
        }
        let srs = Srs::Unknown(format!("column `{name}` names no coordinate system"));
        let place = TablePlace::Geometry { column, systems: Systems::default() };
        FoundPlace { place, srs, exchangeable: None, warnings }
    }

    /// Whether most cells of a column are geometry.
    fn is_geometry_column(&self, column: usize) -> bool {
        let (mut all, mut holding) = (0, 0);
        for cell in self.cells(column) {
            all += 1;
            holding += usize::from(cell::is_geometry(cell));
        }
        holding * 2 > all
    }
}

impl FoundPlace {
    /// Settles the systems of the rows of a geometry column, of which `cells` gives all cells in the order of
    /// the table. `asked` is the system of `--crs`, and `beside` what a file beside the table says.
    pub(crate) fn settle(
        &mut self,
        names: &[String],
        cells: impl Iterator<Item = String>,
        asked: Option<Crs>,
        beside: Option<Srs>,
    ) {
        let TablePlace::Geometry { column, systems } = &mut self.place else {
            if let (TablePlace::Columns { .. }, Srs::Unknown(_), Some(beside)) =
                (&self.place, &self.srs, beside)
            {
                self.srs = beside;
            }
            return;
        };
        let mut census = SystemCensus::default();
        for cell in cells {
            let cell = cell.trim();
            // A row that names its system wrongly is rejected alone.
            if !cell.is_empty()
                && let Ok(code) = cell::named_system(cell)
            {
                census.take(code);
            }
        }
        let settled = Systems::settle(&format!("column `{}`", names[*column]), &census, asked, beside);
        *systems = settled.systems;
        self.srs = settled.srs;
        self.warnings.extend(settled.note);
    }
}

/// The numbers of two cells.
fn point(x: Option<&String>, y: Option<&String>, style: NumberStyle) -> Option<(f64, f64)> {
    Some((number(x?, style).ok()?.0, number(y?, style).ok()?.0))
}

/// A coordinate as a number or an angle; else nothing.
fn number(text: &str, style: NumberStyle) -> Result<(f64, Option<Hemisphere>), ()> {
    style.parse(text).map(|number| (number, None)).or_else(|| degrees(text)).ok_or(())
}

impl TablePlace {
    /// The column that is geometry and therefore no field.
    pub(crate) fn geometry_column(&self) -> Option<usize> {
        if let Self::Geometry { column, .. } = self { Some(*column) } else { None }
    }

    /// The systems that rows name for themselves.
    pub(crate) fn systems(&self) -> Vec<Crs> {
        if let Self::Geometry { systems, .. } = self { systems.kept() } else { Vec::new() }
    }

    /// The two columns of coordinates, which are fields as well.
    pub(crate) fn coordinate_columns(&self) -> Option<[usize; 2]> {
        if let Self::Columns { pair, .. } = self { Some([pair.x, pair.y]) } else { None }
    }

    /// The geometry of a row, of which `cell` gives the text of a column.
    pub(crate) fn shape<'a>(&self, names: &[String], cell: impl Fn(usize) -> &'a str) -> RowShape {
        match self {
            Self::None => RowShape::of(Shape::Null),
            Self::Columns { pair, style } => {
                let (x_text, y_text) = (cell(pair.x).trim(), cell(pair.y).trim());
                if x_text.is_empty() && y_text.is_empty() {
                    return RowShape::of(Shape::Null);
                }
                let read = |column: usize, text: &str, wrong: Hemisphere| {
                    let name = names.get(column).map_or("", String::as_str);
                    let (number, letter) = number(text, *style).map_err(|()| {
                        format!("column `{name}` holds {}, which is no number", described(text))
                    })?;
                    if letter == Some(wrong) {
                        return Err(format!(
                            "column `{name}` holds the other coordinate here; --x FIELD --y FIELD names the \
                             columns"
                        ));
                    }
                    Ok(number)
                };
                let x = read(pair.x, x_text, Hemisphere::Latitude);
                let y = read(pair.y, y_text, Hemisphere::Longitude);
                match (x, y) {
                    (Ok(x), Ok(y)) => RowShape::of(Shape::Good(Point::new(x, y).into())),
                    (Err(reason), _) | (_, Err(reason)) => {
                        RowShape::bad(reason, format!("{x_text} {y_text}"))
                    }
                }
            }
            Self::Geometry { column, systems } => cell::shape(cell(*column).trim(), systems),
        }
    }
}
