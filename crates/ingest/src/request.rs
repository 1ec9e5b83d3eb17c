//! What an import is asked to do, and how it tells how far it is.

use std::path::PathBuf;

use chrono::NaiveDate;
use citymap_crs::Crs;
use citymap_model::{CityProfile, FieldType, Layer, LayerId, Meaning, Mode, Role, text::tidy_name};
use serde::{Deserialize, Serialize};

use crate::{
    build::BuildPolygons,
    dates::{DateOrder, DateWish},
    encoding::Encoding,
    worker::wire,
};

/// What to import, and how.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Request {
    /// The files (a File Geodatabase is a folder).
    #[serde(with = "wire::paths")]
    pub files: Vec<PathBuf>,
    /// The layer to fill. If the files hold several, it is the first part of their names; without
    /// it, layers are named after the files.
    pub layer: Option<LayerId>,
    /// What the layers are to the city; without it, their fields are looked at.
    pub role: Option<Role>,
    /// The coordinate system, whatever the files say.
    #[serde(with = "wire::text")]
    pub crs: Option<Crs>,
    /// The coordinate systems of layers, by their names in the files: over [`Request::crs`].
    #[serde(with = "wire::named")]
    pub layer_crs: Vec<(String, Crs)>,
    /// The layers to import, by their names in the files; all if there is none.
    pub layer_names: Vec<String>,
    /// The members of archives to import, by their names with or without folders; all if there is none.
    pub members: Vec<String>,
    /// Exchange x and y of every position.
    pub swap_xy: bool,
    /// The columns of tables that hold coordinates or geometry, whatever their names are.
    pub columns: ColumnChoice,
    /// The encoding of texts, whatever the files say. Without effect on formats that are UTF-8.
    pub encoding: Option<Encoding>,
    /// The order of day and month in dates that are written as text. Without it, each column is looked at.
    pub date_order: Option<DateOrder>,
    /// The field that holds the key.
    pub key: Option<String>,
    /// What fields mean, over what their names suggest; `None` for a field that means nothing. Each must be a
    /// field of one of the layers.
    pub meanings: Vec<(String, Option<Meaning>)>,
    /// Fields of the sources that get another name: the old one and the new one. All other parts of the
    /// request use the new ones.
    pub renames: Vec<(String, String)>,
    /// Fields of the sources that are left out.
    pub drop_fields: Vec<String>,
    /// Types of fields, whatever their values suggest.
    pub types: Vec<(String, FieldType)>,
    /// Types of the fields of the layer to which features are added, by their names: values are read as they
    /// are written where that matters. The import takes them from the record.
    #[serde(skip)]
    pub kept_types: Vec<(String, FieldType)>,
    /// How the features meet those that the layer has.
    pub mode: Mode,
    /// Whether a layer that has features may be replaced by none.
    pub allow_empty: bool,
    /// Fields that hold personal data, whatever the proposal says.
    pub personal: Vec<String>,
    /// Fields that anybody may see, whatever the proposal or the record says.
    pub public: Vec<String>,
    /// Whether a layer that is replaced may lose personal fields that the source lacks.
    pub allow_drop_personal: bool,
    /// The layer's title, for both languages.
    pub title: Option<String>,
    /// The day whose state the data shows.
    pub data_date: Option<NaiveDate>,
    /// Who imports, for the log of revisions.
    pub author: String,
    /// Why; without it, the file names.
    pub message: Option<String>,
    /// The city of the record, whose local time and place hold where the data says neither.
    /// [`crate::import`] takes it from the record.
    pub city: CityProfile,
    /// Do everything but commit.
    pub dry_run: bool,
    /// Where rejected features go (a GeoPackage); without it, `<layer>_rejects.gpkg` in the
    /// current folder. Not written where nothing is rejected.
    #[serde(skip)]
    pub rejects: Option<PathBuf>,
    /// Build polygons of the lines in the files; none to import the files as they are.
    pub build_polygons: Option<BuildPolygons>,
    /// What a repair of a geometry may change and cost.
    pub repair: RepairBounds,
    /// How large one feature may be.
    pub feature_limits: FeatureLimits,
}

impl Request {
    /// A request for `files` with nothing else said.
    pub fn new(files: Vec<PathBuf>) -> Self {
        Self {
            files,
            layer: None,
            role: None,
            crs: None,
            layer_crs: Vec::new(),
            layer_names: Vec::new(),
            members: Vec::new(),
            swap_xy: false,
            columns: ColumnChoice::default(),
            encoding: None,
            date_order: None,
            key: None,
            meanings: Vec::new(),
            renames: Vec::new(),
            drop_fields: Vec::new(),
            types: Vec::new(),
            kept_types: Vec::new(),
            mode: Mode::Replace,
            allow_empty: false,
            personal: Vec::new(),
            public: Vec::new(),
            allow_drop_personal: false,
            title: None,
            data_date: None,
            author: String::new(),
            message: None,
            city: CityProfile::default(),
            dry_run: false,
            rejects: None,
            build_polygons: None,
            repair: RepairBounds::default(),
            feature_limits: FeatureLimits::default(),
        }
    }

    /// The request with its names and texts in the form in which those of sources are compared and kept
    /// ([`tidy_name`]): an option that was typed in decomposed letters names the same field.
    pub(crate) fn tidied(mut self) -> Self {
        let tidy = |name: &mut String| *name = tidy_name(name);
        self.key.iter_mut().chain(&mut self.title).for_each(tidy);
        let lists = [&mut self.drop_fields, &mut self.personal, &mut self.public, &mut self.layer_names];
        lists.into_iter().flatten().for_each(tidy);
        self.meanings.iter_mut().for_each(|(name, _)| tidy(name));
        self.types.iter_mut().for_each(|(name, _)| tidy(name));
        self.layer_crs.iter_mut().for_each(|(name, _)| tidy(name));
        for (old, new) in &mut self.renames {
            tidy(old);
            tidy(new);
        }
        let ColumnChoice { x, y, wkt, geometry } = &mut self.columns;
        [x, y, wkt, geometry].into_iter().flatten().for_each(tidy);
        self.members.iter_mut().for_each(tidy);
        self
    }

    /// The type that was asked for of a field, by its new name.
    pub(crate) fn asked_type(&self, name: &str) -> Option<FieldType> {
        self.types.iter().find(|(field, _)| field == name).map(|(_, field_type)| *field_type)
    }

    /// The type that was asked for of a field of a source, by its name there, or that the layer has to which
    /// features are added.
    pub(crate) fn asked_type_of(&self, name: &str) -> Option<FieldType> {
        let renamed = self.renames.iter().find(|(old, _)| old == name);
        let name = renamed.map_or(name, |(_, new)| new);
        self.asked_type(name).or_else(|| {
            let name = name.to_lowercase();
            self.kept_types.iter().find(|(own, _)| own.to_lowercase() == name).map(|(_, own)| *own)
        })
    }

    /// The request with the types of the fields that are written as they come (texts), or in several ways
    /// (days and instants), of the layers to which features may be added.
    pub(crate) fn with_kept_types(mut self, present: &[Layer]) -> Self {
        let may_take = |layer: &&Layer| {
            self.layer
                .as_ref()
                .is_none_or(|own| layer.id == *own || layer.id.as_str().starts_with(&format!("{own}_")))
        };
        if self.keeps_definitions() {
            let fields = present.iter().filter(may_take).flat_map(|layer| &layer.fields);
            let typed = fields.map(|field| (field.name.clone(), field.field_type));
            let (texts, others): (Vec<_>, Vec<_>) = typed.partition(|(_, own)| *own == FieldType::Text);
            // A text can become a value of every type; so texts of one layer go before others of another.
            let dated = |(_, own): &(String, FieldType)| matches!(own, FieldType::Date | FieldType::DateTime);
            self.kept_types = texts.into_iter().chain(others.into_iter().filter(dated)).collect();
        }
        self
    }

    /// What is asked of a column whose cells may be dates.
    pub(crate) fn date_wish<'a>(&self, name: &'a str, place: &'a str) -> DateWish<'a> {
        let is_key = self.key.as_deref() == Some(name);
        let asked = self.asked_type_of(name);
        DateWish {
            order: self.date_order,
            field_type: asked.or(is_key.then_some(FieldType::Text)),
            name,
            place,
        }
    }

    /// The system that was asked for of a layer of a source, by its name there.
    pub(crate) fn asked_crs(&self, layer: &str) -> Option<Crs> {
        let name = tidy_name(layer);
        let own = self.layer_crs.iter().find(|(layer, _)| *layer == name).map(|(_, crs)| *crs);
        own.or(self.crs)
    }

    /// Whether a layer that the record has keeps its definition: features are added to it.
    pub(crate) fn keeps_definitions(&self) -> bool {
        matches!(self.mode, Mode::Append | Mode::Upsert)
    }
}

/// The columns of a table that hold coordinates or geometry. Without any, they are found by their names.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ColumnChoice {
    /// The column with x, longitude or easting; goes with `y`.
    pub x: Option<String>,
    /// The column with y, latitude or northing.
    pub y: Option<String>,
    /// The column with WKT or EWKT.
    pub wkt: Option<String>,
    /// The column with geometry in any form that is read, or one of several geometry columns.
    pub geometry: Option<String>,
}

/// How far a repair may change an area (ellipsoidal, m²): it is taken if either bound holds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct RepairTolerance {
    /// Relative to the area before.
    pub relative: f64,
    /// An area in square metres.
    pub absolute_m2: f64,
}

impl Default for RepairTolerance {
    /// A millionth, or a square decimetre.
    fn default() -> Self {
        Self { relative: 1e-6, absolute_m2: 0.01 }
    }
}

/// How large one feature may be. A larger one is rejected: it would use up the memory of every server that
/// shows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FeatureLimits {
    /// Maximum number of corners of a geometry.
    pub corners: usize,
    /// Maximum size of a text in bytes (UTF-8).
    pub value: usize,
}

impl FeatureLimits {
    /// The largest limit on corners that can be asked for.
    pub const CORNERS_MAX: usize = 10_000_000;
    /// The largest limit on a text that can be asked for, in bytes.
    pub const VALUE_MAX: usize = 64 << 20;
    /// All texts of a feature together may take this many times the limit on one.
    pub(crate) const TEXTS: usize = 4;
}

impl Default for FeatureLimits {
    /// A million corners, as the outlines of countries have, and a mebibyte of text.
    fn default() -> Self {
        Self { corners: 1_000_000, value: 1 << 20 }
    }
}

/// What a repair of a geometry may change and cost.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct RepairBounds {
    /// How far it may change the area.
    pub tolerance: RepairTolerance,
    /// How often the edges may cross each other. A repair makes a face of each crossing: 1 000 take about a
    /// second, 10 000 a quarter of a minute.
    pub crossings: usize,
}

impl RepairBounds {
    /// The default of `crossings`.
    pub const CROSSINGS: usize = 1_000;
}

impl Default for RepairBounds {
    fn default() -> Self {
        Self { tolerance: RepairTolerance::default(), crossings: Self::CROSSINGS }
    }
}

/// How far an import is.
#[derive(Clone, Debug, PartialEq)]
pub struct Progress {
    /// The file that is being read.
    pub file: String,
    /// The source layer; empty while the file is being looked through.
    pub layer: String,
    /// Features read from that layer so far.
    pub done: u64,
    /// How many there are, where the format tells.
    pub total: Option<u64>,
}
