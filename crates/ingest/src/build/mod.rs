//! Polygons from the lines of drawings: `--build-polygons`.
//!
//! Parcels of a cadastral drawing are lines on several levels and texts that lie in the parcels. The lines
//! of all files of a call are joined by [`polygonize`], and each label gives its attributes to the polygon
//! that holds it. The result is read on like the layer of a file. What does not fit (loose ends, polygons
//! without a label or with several, labels outside of all polygons) is reported with its place.

mod collect;
mod labels;

use citymap_geometry::{OpenLine, Polygonized, polygonize, wkb};
use citymap_model::{GeometryKind, counted};
use geo_types::{Coord, Geometry};
use serde::{Deserialize, Serialize};

use self::collect::Collected;
use crate::{
    ImportError, Request,
    source::{
        self, Body, Parsed, Raw, Reader, Sink, Source, SourceLayer,
        survey::{SeenPoint, SeenPoints},
    },
    srs::Srs,
};

/// What the lines and points of the files are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum BuildPreset {
    /// All lines are boundaries; the fields of all points are attributes of the polygons around them.
    Lines,
    /// Cadastral drawings in DGN with the levels of Circular 26/2024/TT-BTNMT: boundaries are drawn on
    /// several levels, and number, area and use of a parcel are texts.
    DgnCadastral,
}

/// How polygons are built of lines.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct BuildPolygons {
    /// What the lines and points are.
    pub preset: BuildPreset,
    /// Metres within which ends of lines become one.
    pub snap: f64,
}

impl std::str::FromStr for BuildPreset {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "lines" => Ok(Self::Lines),
            "dgn-cadastral" => Ok(Self::DgnCadastral),
            _ => Err(format!("`{text}` is not a way to build polygons; use lines or dgn-cadastral")),
        }
    }
}

/// Metres in a degree of latitude, for a tolerance where the source is in degrees.
const DEGREE: f64 = 111_320.0;

/// Features whose values are looked at for what fields mean.
const SAMPLE: usize = 200;

/// Something to know about a place: what, and where in the source's coordinates.
pub(crate) type PlaceNote = (String, [f64; 2]);

/// The polygons of all files, as one source with one layer.
///
/// # Errors
/// [`ImportError`] if a file cannot be read, if the files are in different coordinate systems, or if no line
/// encloses anything.
pub(crate) fn built(
    request: &Request,
    build: BuildPolygons,
    sources: &[(String, Source)],
) -> Result<Source, ImportError> {
    let srs = common_system(request, sources)?;
    let metres = if is_in_degrees(request, &srs) { DEGREE } else { 1.0 };
    let crs = match (&srs, request.crs) {
        (_, Some(asked)) => Some(asked),
        (Srs::Known { crs, .. }, None) => Some(*crs),
        _ => None,
    };
    let collected = Collected::of(build.preset, sources, crs)?;
    let built = polygonize(&collected.lines, build.snap / metres);
    if built.polygons.is_empty() {
        return Err(ImportError::Usage(format!(
            "{} of the files enclose no polygon (--build-polygons {}); check the levels that hold \
             boundaries, and try a larger --snap than {} m",
            counted(collected.lines.len(), "line", "lines"),
            build.preset,
            build.snap
        )));
    }
    let mut places = open_ends(&built, metres);
    let mut note = format!(
        "{} built of {} and {}",
        counted(built.polygons.len(), "polygon was", "polygons were"),
        counted(collected.lines.len(), "line", "lines"),
        counted(collected.labels.len(), "label", "labels")
    );
    if collected.unused > 0 {
        note.push_str(&format!(
            "; {} not used: neither boundaries nor labels",
            counted(collected.unused, "other feature was", "other features were")
        ));
    }
    let joined = labels::join(&built.polygons, &collected.labels, collected.fields.len());
    places.extend(joined.places);
    let mut points = SeenPoints::default();
    let corners = built.polygons.iter().filter_map(|polygon| polygon.exterior().0.first());
    for (row, at) in corners.enumerate() {
        points.take(SeenPoint { at: place(*at), row: (row < SAMPLE).then_some(row), system: None });
    }
    let features: Vec<_> = built
        .polygons
        .into_iter()
        .zip(joined.values)
        .map(|(polygon, values)| (wkb::to_wkb(&Geometry::from(polygon)), values))
        .collect();
    let layer = SourceLayer {
        name: collected.name,
        fields: collected.fields,
        kind: GeometryKind::Polygon,
        srs,
        systems: Vec::new(),
        exchangeable: None,
        points,
        encoding: collected.encoding,
        count: Some(features.len() as u64),
        sample: features.iter().take(SAMPLE).map(|(_, values)| values.clone()).collect(),
        role: collected.role,
        warnings: std::iter::once(note).chain(collected.notes).collect(),
        title: None,
        attribution: None,
    };
    let notes = sources.iter().flat_map(|(_, source)| source.notes.iter().cloned()).collect();
    let driver = format!("polygons of {}", sources[0].1.reader.driver());
    let reader = BuiltReader { driver, layer, features, places };
    Ok(Source { reader: Box::new(reader), notes })
}

impl std::fmt::Display for BuildPreset {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Lines => "lines",
            Self::DgnCadastral => "dgn-cadastral",
        })
    }
}

/// The system of all layers that have geometry; what `--crs` names holds for all of them.
fn common_system(request: &Request, sources: &[(String, Source)]) -> Result<Srs, ImportError> {
    let mut common: Option<&Srs> = None;
    let layers = sources.iter().flat_map(|(_, source)| source.reader.layers());
    for layer in layers.filter(|layer| layer.kind != GeometryKind::None) {
        match (common, &layer.srs) {
            (Some(Srs::Known { crs, .. }), Srs::Known { crs: other, .. })
                if crs != other && request.crs.is_none() =>
            {
                return Err(ImportError::Usage(format!(
                    "the layers to build polygons of are in different coordinate systems ({crs} and \
                     {other}): convert one of them first, or say with --crs which one they all \
                     are in"
                )));
            }
            (Some(Srs::Known { .. }), _) => {}
            _ => common = Some(&layer.srs),
        }
    }
    Ok(common.cloned().unwrap_or(Srs::None))
}

fn is_in_degrees(request: &Request, srs: &Srs) -> bool {
    match (request.crs, srs) {
        (Some(crs), _) => crs.is_geographic(),
        (None, Srs::Known { crs, .. }) => crs.is_geographic(),
        _ => false,
    }
}

/// What the lines leave open, each with its place.
fn open_ends(built: &Polygonized, metres: f64) -> Vec<PlaceNote> {
    let dangling = built.dangling.iter().map(|line| {
        let gap = match line.gap {
            Some(gap) => format!(", {:.3} m from the nearest other line", gap * metres),
            None => String::new(),
        };
        let reason = format!(
            "a boundary of {:.2} m ends here without meeting another{gap}: close it in the drawing, or join \
             such ends with a larger --snap",
            line.length * metres
        );
        (reason, line)
    });
    let bridges = built.bridges.iter().map(|line| {
        let reason = format!(
            "a line of {:.2} m from here has the same polygon on both sides and was left out",
            line.length * metres
        );
        (reason, line)
    });
    let place = |(reason, line): (String, &OpenLine)| (reason, place(line.at));
    dangling.chain(bridges).map(place).collect()
}

fn place(at: Coord) -> [f64; 2] {
    [at.x, at.y]
}

/// Hands over built polygons like the features of a file.
struct BuiltReader {
    driver: String,
    layer: SourceLayer,
    features: Vec<(Vec<u8>, Vec<citymap_model::Value>)>,
    places: Vec<PlaceNote>,
}

impl Reader for BuiltReader {
    fn driver(&self) -> &str {
        &self.driver
    }

    fn notes(&self) -> &[String] {
        &[]
    }

    fn layers(&self) -> Vec<&SourceLayer> {
        vec![&self.layer]
    }

    fn places(&self, _layer: usize) -> &[PlaceNote] {
        &self.places
    }

    fn read(&self, _layer: usize, sink: &mut Sink<'_>) -> Result<Vec<String>, ImportError> {
        for (index, (wkb, values)) in (1..).zip(&self.features) {
            let (wkb, values) = (Some(wkb.clone()), values.clone());
            let body = Body::Wkb { id: None, wkb, values, fault: None, system: None };
            if !sink(Raw { index, line: None, body }) {
                break;
            }
        }
        Ok(Vec::new())
    }

    fn parse(&self, _layer: usize, body: Body) -> Parsed {
        source::parse_wkb(body)
    }
}
