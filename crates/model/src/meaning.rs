//! What a field means to the city, apart from what its source calls it.
//!
//! A meaning is part of the layer's definition ([`crate::Field::meaning`]). It is proposed once, when data is
//! imported ([`crate::propose_meanings`]), confirmed or changed by the steward, and read by every room that
//! needs to know which field is which: search, the tile rules, statistics, the web map. None of them looks at
//! field names.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::Title;

/// What the values of a field say about the feature.
///
/// The key and the label of a layer are not meanings: a key identifies a feature whatever its value says, and
/// a label is the one field that the map writes. [`crate::Layer::key`] and [`crate::Layer::label`] name them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Meaning {
    /// The code of the commune that the feature lies in, five digits, as in force since 1 July 2025.
    CommuneCode,
    /// The code of the ward or commune that the feature lay in until 30 June 2025, five digits.
    FormerCommuneCode,
    /// The number of the cadastral map sheet (số tờ), unique within a commune.
    Sheet,
    /// The number of the parcel on its sheet (số thửa).
    ParcelNumber,
    /// The parcel's identifier in the national land database (mã định danh thửa đất).
    ParcelId,
    /// The land use, as a code of the list `land_use` or as text (loại đất).
    LandUse,
    /// The function that a plan gives to the area, as a code of the list `planning_function` or as text.
    PlanFunction,
    /// The level of the plan: general, zoning or detailed (QHC, QHPK, QHCT). A finer plan takes precedence.
    PlanLevel,
    /// The number of the decision by which the content is in force (số quyết định).
    Decision,
    /// Who owns or uses the feature; personal data.
    Owner,
    /// The day or instant from which the feature is valid; also [`crate::Layer::valid_from`].
    ValidFrom,
    /// The day or instant until which the feature is valid, exclusive; also [`crate::Layer::valid_to`].
    ValidTo,
    /// The day or instant of the event that the feature records (a report, a decision). `datetime` of the
    /// features API reads it in layers without valid time.
    Instant,
    /// A name by which people look for the feature, in Vietnamese or in no particular language. Several
    /// fields may have this meaning.
    Name,
    /// The name in English.
    NameEn,
    /// A whole address in one text.
    Address,
    /// The house number of an address whose street is in another field.
    HouseNumber,
    /// The street of an address whose house number is in another field.
    Street,
    /// The state of the feature or of its handling.
    Status,
    /// The height above ground, in the field's unit, metres where it has none.
    Height,
    /// The width of the feature itself (the carriageway of a road), in the field's unit, metres where it has
    /// none.
    Width,
    /// The width of a road's right-of-way (lộ giới), in the field's unit, metres where it has none.
    RightOfWay,
    /// The number of storeys.
    Storeys,
    /// The area as papers state it, in the field's unit, m² where it has none. Not computed from the
    /// geometry.
    Area,
    /// The class of a road, as a code of the list `road_class`, as a value of OpenStreetMap's `highway`, or
    /// as text.
    RoadClass,
    /// What the features are classed by where none of the meanings above says it.
    Class,
}

/// A meaning's name in JSON and on the command line, and its titles in Vietnamese and English.
type Row = (Meaning, &'static str, &'static str, &'static str);

const TABLE: [Row; 26] = [
    (Meaning::CommuneCode, "commune_code", "Mã đơn vị hành chính", "Commune code"),
    (Meaning::FormerCommuneCode, "former_commune_code", "Mã đơn vị hành chính cũ", "Former commune code"),
    (Meaning::Sheet, "sheet", "Số tờ bản đồ", "Map sheet"),
    (Meaning::ParcelNumber, "parcel_number", "Số thửa đất", "Parcel number"),
    (Meaning::ParcelId, "parcel_id", "Mã định danh thửa đất", "National parcel identifier"),
    (Meaning::LandUse, "land_use", "Loại đất", "Land use"),
    (Meaning::PlanFunction, "plan_function", "Chức năng quy hoạch", "Planning function"),
    (Meaning::PlanLevel, "plan_level", "Cấp quy hoạch", "Level of the plan"),
    (Meaning::Decision, "decision", "Số quyết định", "Decision number"),
    (Meaning::Owner, "owner", "Chủ sở hữu, sử dụng", "Owner or user"),
    (Meaning::ValidFrom, "valid_from", "Hiệu lực từ", "Valid from"),
    (Meaning::ValidTo, "valid_to", "Hiệu lực đến", "Valid until"),
    (Meaning::Instant, "instant", "Thời điểm", "Date or time of the event"),
    (Meaning::Name, "name", "Tên", "Name"),
    (Meaning::NameEn, "name_en", "Tên tiếng Anh", "English name"),
    (Meaning::Address, "address", "Địa chỉ", "Address"),
    (Meaning::HouseNumber, "house_number", "Số nhà", "House number"),
    (Meaning::Street, "street", "Tên đường", "Street"),
    (Meaning::Status, "status", "Tình trạng", "Status"),
    (Meaning::Height, "height", "Chiều cao", "Height"),
    (Meaning::Width, "width", "Chiều rộng", "Width"),
    (Meaning::RightOfWay, "right_of_way", "Lộ giới", "Right-of-way width"),
    (Meaning::Storeys, "storeys", "Số tầng", "Storeys"),
    (Meaning::Area, "area", "Diện tích trên giấy tờ", "Area on paper"),
    (Meaning::RoadClass, "road_class", "Cấp đường", "Road class"),
    (Meaning::Class, "class", "Phân loại", "Class"),
];

impl Meaning {
    /// Every meaning, in the order in which they are listed.
    pub fn all() -> impl Iterator<Item = Self> {
        TABLE.iter().map(|row| row.0)
    }

    fn row(self) -> &'static Row {
        // The table has every meaning; a test holds it to that.
        TABLE.iter().find(|row| row.0 == self).unwrap_or(&TABLE[TABLE.len() - 1])
    }

    /// The name in JSON and on the command line: `parcel_number`.
    pub fn as_str(self) -> &'static str {
        self.row().1
    }

    /// The title that users see.
    pub fn title(self) -> Title {
        let (.., vi, en) = *self.row();
        Title::new(vi, en)
    }

    /// Whether at most one field of a layer may have this meaning: true of all but [`Meaning::Name`] and
    /// [`Meaning::Owner`] (co-owners stand in fields of their own).
    pub fn is_single(self) -> bool {
        !matches!(self, Self::Name | Self::Owner)
    }
}

impl fmt::Display for Meaning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A text that is not the name of a meaning.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a meaning of a field; the meanings are {all}", all = names())]
pub struct UnknownMeaning(pub String);

fn names() -> String {
    Meaning::all().map(Meaning::as_str).collect::<Vec<_>>().join(", ")
}

impl FromStr for Meaning {
    type Err = UnknownMeaning;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::all().find(|meaning| meaning.as_str() == text).ok_or_else(|| UnknownMeaning(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_meaning_reads_back_from_its_name_and_from_json() {
        for meaning in Meaning::all() {
            assert_eq!(meaning.as_str().parse(), Ok(meaning));
            let json = serde_json::to_string(&meaning).unwrap();
            assert_eq!(json, format!("\"{meaning}\""));
            assert_eq!(serde_json::from_str::<Meaning>(&json).unwrap(), meaning);
            assert!(!meaning.title().vi.is_empty() && !meaning.title().en.is_empty());
        }
        // The last variant has the number of the others before it: none is missing from the table.
        assert_eq!(Meaning::all().count(), Meaning::Class as usize + 1);
    }

    #[test]
    fn an_unknown_meaning_is_refused_with_the_list() {
        let error = "colour".parse::<Meaning>().unwrap_err().to_string();
        assert!(error.contains("`colour`") && error.contains("parcel_number"), "{error}");
    }
}
