//! What is known of one parcel: what it is, what is planned on it, what roads cut off.

use chrono::NaiveDate;
use citymap_access::Audience;
use citymap_crs::Crs;
use citymap_engine::{
    Cancel, City, EngineError, LayerSnapshot, LocalPlane, Measure, Method, Row, TimeInterval,
};
use citymap_model::{GeometryKind, Meaning, RevisionNumber, Role, Title, format_datetime, units};
use serde::Serialize;

use crate::{
    Coded, Corner, Plans, Precedence, RightOfWay,
    codes::FeatureValues,
    corners::corners,
    partition::{Subject, plans},
    right_of_way::{REACH, right_of_way},
    rounded,
    verification::Verification,
};

/// Whether a theme concerns a parcel. An answer of "no" is an answer; missing data is not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Something of the theme shares area with the parcel.
    Touched,
    /// There is data of the theme, and nothing of it shares area with the parcel.
    NotTouched,
    /// The city has no data of the theme.
    NoData,
}

impl Status {
    pub(crate) fn of(touched: bool, known: bool) -> Self {
        match (touched, known) {
            (true, _) => Self::Touched,
            (false, true) => Self::NotTouched,
            (false, false) => Self::NoData,
        }
    }
}

/// How a report is made.
#[derive(Clone, Debug)]
pub struct ReportOptions {
    /// Which plans prevail over which.
    pub precedence: Precedence,
    /// Area in m² up to which a piece is named a sliver, and a road's cut is left out.
    pub sliver_tolerance: f64,
    /// For whom the report is made: fields that the audience may not see are as if they did not exist.
    pub audience: Audience,
    /// The time at which plans and roads are asked; `None` for all of them.
    pub time: Option<TimeInterval>,
    /// Maximum number of corners in the list.
    pub corners_max: usize,
}

impl Default for ReportOptions {
    fn default() -> Self {
        Self {
            precedence: Precedence::default(),
            sliver_tolerance: 0.5,
            audience: Audience::Public,
            time: None,
            corners_max: 2_000,
        }
    }
}

/// Why there is no report.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReportError {
    /// The parcel has no polygon on the home grid.
    #[error("the parcel has no polygon within the home grid, so nothing can be measured")]
    NoShape,
    /// The engine could not compute an area, or the work was cancelled.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// The report could not be written as a document, so that it has no hash.
    #[error("the report could not be written as JSON")]
    Document(#[from] serde_json::Error),
}

/// What is known of one parcel. Areas are in m², lengths in m, on the home grid unless it says otherwise.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ParcelReport {
    /// Revision of the record that the report shows.
    pub revision: RevisionNumber,
    /// Layer of the parcel.
    pub layer: String,
    /// Public id of the parcel.
    pub id: serde_json::Value,
    /// The time at which plans and roads were asked; `null` for all of them.
    pub valid_time: Option<ValidTime>,
    /// Coordinate system of areas and corners: `EPSG:n`.
    pub crs: String,
    /// What the parcel is called.
    pub identification: Identification,
    /// How large it is.
    pub areas: Areas,
    /// What is planned on it.
    pub plans: Plans,
    /// What rights-of-way cut off.
    pub right_of_way: RightOfWay,
    /// Its corners, at most [`ReportOptions::corners_max`].
    pub corners: Vec<Corner>,
    /// Number of its corners.
    pub corners_total: usize,
    /// The layers that the report was made from.
    pub sources: Vec<Source>,
    /// What the report is good for.
    pub notice: Title,
    /// How the report is compared with the record later.
    pub verification: Verification,
    /// Other forms of the report, where the maker of the report knows their addresses.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub links: Vec<ReportLink>,
}

/// Where another form of a report is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ReportLink {
    /// The address of the other form.
    pub href: String,
    /// The relation of the other form to this one, for example `alternate`.
    pub rel: &'static str,
    /// The media type of the other form.
    #[serde(rename = "type")]
    pub media_type: &'static str,
}

/// The time at which features must be valid, both ends included.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ValidTime {
    /// The first instant, RFC 3339; `null` if unbounded.
    pub start: Option<String>,
    /// The last instant, RFC 3339; `null` if unbounded.
    pub end: Option<String>,
}

/// What a parcel is called.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Identification {
    /// The commune as in force since 1 July 2025, by its code, with its name.
    pub commune: Option<Coded>,
    /// The former ward or commune, by its code, where the record has it.
    pub former_commune: Option<Coded>,
    /// Number of the map sheet.
    pub sheet: Option<String>,
    /// Number of the parcel on its sheet.
    pub number: Option<String>,
    /// Identifier in the national land database.
    pub parcel_id: Option<String>,
    /// Present land use, by its code.
    pub land_use: Option<Coded>,
    /// Address in one text.
    pub address: Option<String>,
}

/// How large a parcel is, in m².
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Areas {
    /// On the home grid.
    pub grid: f64,
    /// On the WGS 84 ellipsoid.
    pub ellipsoidal: f64,
    /// As papers state it.
    pub certificate: Option<f64>,
    /// `grid` less `certificate`, where there is one.
    pub difference: Option<f64>,
}

/// A layer that a report was made from.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Source {
    /// Id of the layer.
    pub layer: String,
    /// Title of the layer.
    pub title: Title,
    /// Day whose state the data shows.
    pub data_date: Option<NaiveDate>,
    /// Agency that is responsible.
    pub steward: Option<String>,
    /// Where the data came from.
    pub source: Option<String>,
    /// Whether the data is invented.
    pub synthetic: bool,
}

impl ParcelReport {
    /// Makes the report on the parcel in `row` of `parcels`, from the layers of `city`.
    ///
    /// # Errors
    /// [`ReportError::NoShape`] for a parcel without polygons or beyond the home grid;
    /// [`ReportError::Engine`] if the work is cancelled or a coordinate cannot be projected;
    /// [`ReportError::Document`] if the report cannot be written.
    ///
    /// # Performance
    /// One search in the R-tree of each layer of plans and roads. Zones that cover the parcel as a whole are
    /// not cut; the others are cut to the parcel's surroundings first.
    pub fn make(
        city: &City,
        (parcels, row): (&LayerSnapshot, Row),
        options: &ReportOptions,
        cancel: &Cancel,
    ) -> Result<Self, ReportError> {
        let plane = LocalPlane::around(parcels, row, REACH)?.ok_or(ReportError::NoShape)?;
        let polygons = plane.polygons(parcels, row)?;
        let geometry = parcels.geometry(row).filter(|_| !polygons.0.is_empty());
        let geometry = geometry.ok_or(ReportError::NoShape)?;
        let grid = Measure::area(&geometry).map_err(EngineError::from)?.value;
        let ellipsoidal = Method::Ellipsoid.area(&geometry).map_err(EngineError::from)?;
        let values = FeatureValues::new(parcels, row, &options.audience);
        let certificate = values.number(Meaning::Area);
        let subject = Subject { parcels, row, plane: &plane, polygons: &polygons, area: grid };
        let polygonal = |kind: GeometryKind| matches!(kind, GeometryKind::Polygon | GeometryKind::Mixed);
        let zones = layers(city, |snapshot| {
            snapshot.layer().role == Role::Zone && polygonal(snapshot.layer().geometry)
        });
        let roads = layers(city, |snapshot| snapshot.layer().role == Role::Road);
        let plans = plans(&subject, &zones, options, cancel)?;
        let (right_of_way, _) = right_of_way(&subject, &roads, options, cancel)?;
        let (corners, corners_total) = corners(&plane, &polygons, options.corners_max);
        let sources = std::iter::once(parcels).chain(zones).chain(roads).map(source).collect();
        let mut report = Self {
            revision: city.revision,
            layer: parcels.layer().id.to_string(),
            id: parcels.id(row).to_json(),
            valid_time: options.time.map(|time| ValidTime {
                start: time.start.as_ref().map(format_datetime),
                end: time.end.as_ref().map(format_datetime),
            }),
            crs: Crs::home().to_string(),
            identification: identification(city, &values),
            areas: Areas {
                grid: rounded(grid),
                ellipsoidal: rounded(ellipsoidal),
                certificate,
                difference: certificate.map(|certificate| rounded(grid - certificate)),
            },
            plans,
            right_of_way,
            corners,
            corners_total,
            sources,
            notice: Title::new(
                "Thông tin chỉ để tham khảo, không thay thế văn bản cung cấp thông tin quy hoạch của cơ quan \
                 có thẩm quyền.",
                "For reference only. It does not replace planning information issued by the competent \
                 authority.",
            ),
            verification: Verification::pending(),
            links: Vec::new(),
        };
        report.verification = Verification::of(&report)?;
        Ok(report)
    }
}

/// The layers of a city that a condition chooses, by id.
fn layers(city: &City, chosen: impl Fn(&LayerSnapshot) -> bool) -> Vec<&LayerSnapshot> {
    city.layers.values().map(AsRef::as_ref).filter(|snapshot| chosen(snapshot)).collect()
}

/// The name of an administrative unit by its code: of the city's layers, else of the built-in table.
fn unit_name(city: &City, code: &str) -> Option<String> {
    let units_of = layers(city, |snapshot| snapshot.layer().role == Role::AdminUnit);
    let own = units_of.iter().find_map(|layer| Some(layer.label(layer.row_of_id(code)?)));
    let builtin = || units::commune(code).filter(|_| city.profile.has_builtin_units());
    own.or_else(|| builtin().map(|commune| commune.name.to_owned()))
}

fn identification(city: &City, values: &FeatureValues<'_>) -> Identification {
    let named = |coded: Coded, name: Option<String>| Coded {
        title: coded.title.or_else(|| name.map(Title::same)),
        ..coded
    };
    let commune = values.coded(Meaning::CommuneCode).map(|coded| {
        let name = unit_name(city, &coded.value);
        named(coded, name)
    });
    let former = values.coded(Meaning::FormerCommuneCode).map(|coded| {
        let unit = units::former_units().iter().find(|unit| unit.code == coded.value);
        let name = unit.filter(|_| city.profile.has_builtin_units()).map(|unit| unit.name.to_owned());
        named(coded, name)
    });
    Identification {
        commune,
        former_commune: former,
        sheet: values.text(Meaning::Sheet),
        number: values.text(Meaning::ParcelNumber),
        parcel_id: values.text(Meaning::ParcelId),
        land_use: values.coded(Meaning::LandUse),
        address: values.text(Meaning::Address),
    }
}

fn source(snapshot: &LayerSnapshot) -> Source {
    let layer = snapshot.layer();
    Source {
        layer: layer.id.to_string(),
        title: layer.title.clone(),
        data_date: layer.data_date,
        steward: layer.steward.clone(),
        source: layer.source.clone(),
        synthetic: layer.synthetic,
    }
}
