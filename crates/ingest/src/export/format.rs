//! What each format is called, and what it can hold.

use std::path::Path;

use citymap_crs::Crs;
use citymap_model::{FieldType, GeometryKind, Layer, counted};
use gdal::vector::{OGRFieldType, OGRwkbGeometryType};

use super::{
    gpx, names,
    scan::{LONGEST, Scan},
};

/// The formats that are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    GeoPackage,
    GeoJson,
    GeoJsonSeq,
    FlatGeobuf,
    Shapefile,
    Tab,
    Mif,
    Csv,
    Kml,
    Gpx,
    Dxf,
}

/// The geometry type to make a layer with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Shape {
    pub kind: OGRwkbGeometryType::Type,
    /// Single points become multi-points of one.
    pub promote_points: bool,
}

impl Format {
    /// By the file's ending.
    pub(super) fn of(path: &Path) -> Option<Self> {
        let ending = path.extension()?.to_str()?.to_ascii_lowercase();
        Some(match ending.as_str() {
            "gpkg" => Self::GeoPackage,
            "geojson" | "json" => Self::GeoJson,
            "geojsonl" | "ndjson" | "geojsonseq" => Self::GeoJsonSeq,
            "fgb" => Self::FlatGeobuf,
            "shp" => Self::Shapefile,
            "tab" => Self::Tab,
            "mif" => Self::Mif,
            "csv" => Self::Csv,
            "kml" => Self::Kml,
            "gpx" => Self::Gpx,
            "dxf" => Self::Dxf,
            _ => return None,
        })
    }

    /// The short name of GDAL's driver.
    pub(super) fn driver(self) -> &'static str {
        match self {
            Self::GeoPackage => "GPKG",
            Self::GeoJson => "GeoJSON",
            Self::GeoJsonSeq => "GeoJSONSeq",
            Self::FlatGeobuf => "FlatGeobuf",
            Self::Shapefile => "ESRI Shapefile",
            Self::Tab | Self::Mif => "MapInfo File",
            Self::Csv => "CSV",
            Self::Kml => "KML",
            Self::Gpx => "GPX",
            Self::Dxf => "DXF",
        }
    }

    /// Formats that are in WGS 84 by definition; GDAL would transform by itself, and wrongly.
    pub(super) fn only_wgs84(self) -> bool {
        matches!(self, Self::Kml | Self::Gpx | Self::GeoJsonSeq)
    }

    /// A drawing has fields of its own, which no others can be added to.
    pub(super) fn has_fields(self) -> bool {
        self != Self::Dxf
    }

    pub(super) fn has_empty_geometry(self) -> bool {
        matches!(self, Self::GeoPackage | Self::GeoJson | Self::GeoJsonSeq | Self::Csv)
    }

    pub(super) fn truths_are_numbers(self) -> bool {
        matches!(self, Self::FlatGeobuf | Self::Shapefile | Self::Tab | Self::Mif)
    }

    /// Options of GDAL's to make the layer with.
    pub(super) fn options(self, definition: &Layer, scan: &Scan) -> Vec<String> {
        let fixed: &[&str] = match self {
            Self::Shapefile => &["ENCODING=UTF-8"],
            _ => &[],
        };
        let mut options: Vec<String> = fixed.iter().map(|&option| option.to_owned()).collect();
        if self == Self::GeoPackage {
            options.push(format!("GEOMETRY_NAME={}", free("geom", definition)));
            options.push(format!("FID={}", free("fid", definition)));
        }
        if let (Self::Tab | Self::Mif, Some(bounds)) = (self, scan.bounds) {
            // A table keeps coordinates as whole numbers between its bounds; the default ones are the whole
            // world's, which leaves 0.1 m of each degree's digits. A margin keeps a point from having no
            // extent.
            let margin = 0.01 * bounds.width().max(bounds.height()).max(1e-3);
            options.push(format!(
                "BOUNDS={},{},{},{}",
                bounds.min().x - margin,
                bounds.min().y - margin,
                bounds.max().x + margin,
                bounds.max().y + margin
            ));
        }
        options
    }

    /// The geometry type for what the layer holds, or why the format has none.
    pub(super) fn shape(self, definition: &Layer, scan: &Scan) -> Result<Shape, String> {
        use OGRwkbGeometryType as Ogr;
        let plain = |kind| Ok(Shape { kind, promote_points: false });
        if self == Self::Gpx {
            gpx::fits(definition, scan)?;
        }
        if definition.geometry == GeometryKind::None {
            return match self {
                Self::Shapefile | Self::FlatGeobuf | Self::Dxf | Self::Kml => Err(format!(
                    "the layer is a table without geometry, which is no use in {}; use .csv or .gpkg",
                    self.driver()
                )),
                _ => plain(Ogr::wkbNone),
            };
        }
        let families = scan.families();
        let told = || {
            families.iter().map(|(name, count)| format!("{count} {name}")).collect::<Vec<_>>().join(" and ")
        };
        if self == Self::FlatGeobuf && scan.null + scan.empty > 0 {
            // GDAL would leave them out without a word.
            return Err(format!(
                "{} no geometry, and a FlatGeobuf has no room for them; use .gpkg or .geojson",
                counted(scan.null + scan.empty, "feature has", "features have")
            ));
        }
        if scan.collections > 0 && matches!(self, Self::Shapefile | Self::Tab | Self::Mif | Self::Dxf) {
            return Err(format!(
                "the layer holds {}, and {} knows no collections; use .gpkg, .geojson or .fgb",
                told(),
                self.driver()
            ));
        }
        if self == Self::Shapefile {
            return match families.as_slice() {
                [] => plain(match definition.geometry {
                    GeometryKind::Point => Ogr::wkbPoint,
                    GeometryKind::Line => Ogr::wkbLineString,
                    _ => Ogr::wkbPolygon,
                }),
                [("points", _)] if scan.multipoints > 0 => {
                    Ok(Shape { kind: Ogr::wkbMultiPoint, promote_points: true })
                }
                [("points", _)] => plain(Ogr::wkbPoint),
                [("lines", _)] => plain(Ogr::wkbLineString),
                [("polygons", _)] => plain(Ogr::wkbPolygon),
                _ => Err(format!(
                    "the layer holds {}, and a Shapefile holds only one kind; use .gpkg, .geojson or .fgb",
                    told()
                )),
            };
        }
        let kinds = [
            (scan.points, Ogr::wkbPoint),
            (scan.multipoints, Ogr::wkbMultiPoint),
            (scan.lines, Ogr::wkbLineString),
            (scan.multilines, Ogr::wkbMultiLineString),
            (scan.polygons, Ogr::wkbPolygon),
            (scan.multipolygons, Ogr::wkbMultiPolygon),
            (scan.collections, Ogr::wkbGeometryCollection),
        ];
        let mut held = kinds.into_iter().filter(|(count, _)| *count > 0).map(|(_, kind)| kind);
        match (held.next(), held.next()) {
            // An empty geometry may be of any type.
            (Some(one), None) if scan.empty == 0 => plain(one),
            _ => plain(Ogr::wkbUnknown),
        }
    }

    /// Whether a text in it holds [`LONGEST`] bytes at most.
    pub(super) fn cuts_texts(self) -> bool {
        matches!(self, Self::Shapefile | Self::Tab | Self::Mif)
    }

    /// The field type; text formats get days, instants and truths as we write them.
    ///
    /// `long` are whole numbers of more than 32 bits, which MapInfo files do not have.
    pub(super) fn field(self, field_type: FieldType, long: bool) -> OGRFieldType::Type {
        match (field_type, self) {
            // A .dbf knows days, but no hours, and MapInfo no offset from UTC.
            (FieldType::DateTime, Self::Shapefile | Self::Tab | Self::Mif) | (FieldType::Text, _) => {
                OGRFieldType::OFTString
            }
            (FieldType::Bool, _) => OGRFieldType::OFTInteger,
            (FieldType::Int, Self::Tab | Self::Mif) if long => OGRFieldType::OFTString,
            (FieldType::Int, Self::Tab | Self::Mif) => OGRFieldType::OFTInteger,
            (FieldType::Int, _) => OGRFieldType::OFTInteger64,
            (FieldType::Real, _) => OGRFieldType::OFTReal,
            (FieldType::Date, _) => OGRFieldType::OFTDate,
            (FieldType::DateTime, _) => OGRFieldType::OFTDateTime,
        }
    }

    /// What is lost or not said, known beforehand.
    pub(super) fn notes(self, definition: &Layer, scan: &Scan, crs: Crs) -> Vec<String> {
        let mut notes = Vec::new();
        if self == Self::Dxf {
            notes.push("DXF holds no fields: only the geometry was written".to_owned());
            if scan.null + scan.empty > 0 {
                notes.push(format!(
                    "{} left out",
                    counted(
                        scan.null + scan.empty,
                        "feature without geometry was",
                        "features without geometry were"
                    )
                ));
            }
        } else if scan.empty > 0 && !self.has_empty_geometry() {
            notes.push(format!("{} empty geometries were written as none", scan.empty));
        }
        if self == Self::Shapefile && scan.points > 0 && scan.multipoints > 0 {
            notes.push(format!(
                "{} written as multi-points of one",
                counted(scan.points, "point was", "points were")
            ));
        }
        let has = |kinds: &[FieldType]| definition.fields.iter().any(|f| kinds.contains(&f.field_type));
        if matches!(self, Self::Tab | Self::Mif)
            && has(&[FieldType::Bool, FieldType::Int, FieldType::Real, FieldType::Text])
        {
            notes.push("MapInfo knows no absent values: such numbers are 0, such texts empty".to_owned());
        }
        if matches!(self, Self::Tab | Self::Mif) {
            if scan.letters {
                notes.push("texts were written in UTF-8, under the charset Neutral".to_owned());
            }
            if self == Self::Mif && scan.line_breaks {
                notes.push("line breaks in texts were written as \\n".to_owned());
            }
        }
        if matches!(self, Self::Tab | Self::Mif | Self::Kml) {
            for (field, _) in definition.fields.iter().zip(&scan.long).filter(|(_, long)| **long) {
                notes.push(format!(
                    "{} knows whole numbers of 32 bits only: field `{}` was written as text",
                    self.driver(),
                    field.name
                ));
            }
        }
        if matches!(self, Self::Kml | Self::Gpx) && scan.unwritable > 0 {
            notes.push(format!(
                "{} control characters, which XML cannot hold: U+FFFD is in their places",
                counted(scan.unwritable, "text holds", "texts hold")
            ));
        }
        if self.cuts_texts() && scan.long_texts > 0 {
            notes.push(format!(
                "{} cut to {LONGEST} bytes",
                counted(scan.long_texts, "text was", "texts were")
            ));
        }
        if self.has_fields() {
            notes.extend(names::note(&definition.fields, &names::names(self, &definition.fields)));
        }
        if matches!(self, Self::Shapefile | Self::Tab | Self::Mif) && has(&[FieldType::DateTime]) {
            let lacks = if self == Self::Shapefile {
                "a .dbf knows no instants"
            } else {
                "MapInfo has local times only"
            };
            notes.push(format!("{lacks}: they were written as text (ISO 8601)"));
        }
        if crs != Crs::WGS84 && self == Self::GeoJson {
            notes.push(format!("GeoJSON is in WGS 84 by RFC 7946; the older `crs` member says {crs}"));
        }
        if self == Self::Dxf && definition.geometry != GeometryKind::None {
            notes.push(format!("the file does not say its coordinate system, which is {crs}"));
        }
        notes
    }
}

/// A column name that no field of the layer has; SQL does not tell case.
pub(super) fn free(name: &str, definition: &Layer) -> String {
    let taken = |name: &str| definition.fields.iter().any(|field| field.name.eq_ignore_ascii_case(name));
    let mut free = name.to_owned();
    while taken(&free) {
        free.insert(0, '_');
    }
    free
}
