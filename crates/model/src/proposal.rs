//! What fields and layers probably mean, by the names that Vietnamese offices, OpenStreetMap and others give
//! them.
//!
//! This is the only place that reads meaning from names. It is asked once, when data is imported or when a
//! definition from before meanings is read; from then on [`Field::meaning`] says it, and the steward may say
//! otherwise.

use crate::{Field, FieldType, GeometryKind, Layer, Meaning, Role, Theme, text::without_diacritics};

/// Field names by meaning, as [`plain_name`] makes them. Where several fields of a layer could have a meaning
/// that only one may have, the name that comes first here wins.
const NAMES: &[(Meaning, &[&str])] = &[
    (
        Meaning::CommuneCode,
        &[
            "maxa",
            "madvhc",
            "maphuongxa",
            "maxaphuong",
            "maphuong",
            "madonvihanhchinh",
            "wardcode",
            "communecode",
        ],
    ),
    (
        Meaning::FormerCommuneCode,
        &[
            "maxacu",
            "maphuongcu",
            "maphuongxacu",
            "madvhccu",
            "formerwardcode",
            "oldwardcode",
            "formercommunecode",
        ],
    ),
    (
        Meaning::Sheet,
        &[
            "soto",
            "sohieutobando",
            "sohieutoban",
            "shtobando",
            "shbando",
            "sotobando",
            "sotobd",
            "tobando",
            "sheet",
            "sheetno",
            "sheetnumber",
            "mapsheet",
        ],
    ),
    (
        Meaning::ParcelNumber,
        &[
            "sothua",
            "sothututhua",
            // As it is misspelt in real files.
            "sothutuhua",
            "sohieuthua",
            "shthua",
            "sothuadat",
            "thuadatso",
            "parcelno",
            "parcelnumber",
        ],
    ),
    (Meaning::ParcelId, &["madinhdanhthuadat", "madinhdanhthua", "madinhdanhthd", "nationalparcelid"]),
    (
        Meaning::LandUse,
        &[
            "loaidat",
            "mdsd",
            "landuse",
            "maloaidat",
            "mucdichsudungdat",
            "mucdichsudung",
            "mdsdd",
            "landusecode",
        ],
    ),
    (
        Meaning::PlanFunction,
        &[
            "chucnang",
            "planningfunction",
            "planfunction",
            "machucnang",
            "chucnangsudungdat",
            "chucnangsdd",
            "chucnangquyhoach",
        ],
    ),
    (Meaning::PlanLevel, &["capquyhoach", "capqh", "planlevel"]),
    (
        Meaning::Decision,
        &["soquyetdinh", "soqd", "sqd", "quyetdinhso", "decisionnumber", "decisionno", "decision"],
    ),
    (
        Meaning::Owner,
        &[
            "chusudung",
            "chusudungdat",
            "chusd",
            "chusdd",
            "chusohuu",
            "chudat",
            "tenchu",
            "tenchusd",
            "tenchusdd",
            "tenchusudung",
            "tenchusudungdat",
            "tenchusohuu",
            "hotenchu",
            "nguoisudung",
            "nguoisudungdat",
            "owner",
            "ownername",
            "ownernames",
            "coowner",
        ],
    ),
    (Meaning::ValidFrom, &["validfrom", "hieuluctu", "hieuluctungay", "ngayhieuluc", "ngaycohieuluc"]),
    (Meaning::ValidTo, &["validto", "validuntil", "hieulucden", "hieulucdenngay", "ngayhethieuluc"]),
    (
        Meaning::Name,
        &["name", "ten", "tengoi", "fullname", "namevi", "namenvi", "tendaydu", "tendoituong", "tendonvi"],
    ),
    (Meaning::NameEn, &["nameen", "tenen", "tentienganh", "tenta", "englishname"]),
    (
        Meaning::Address,
        &[
            "diachi",
            "address",
            "addr",
            "addrfull",
            "fulladdress",
            "addressfull",
            "diachithua",
            "diachithuadat",
            "diachinha",
        ],
    ),
    (
        Meaning::HouseNumber,
        &[
            "sonha",
            "housenumber",
            "addrhousenumber",
            "housenum",
            "housenr",
            "houseno",
            "housno",
            "addrnumber",
        ],
    ),
    (Meaning::Street, &["tenduong", "street", "addrstreet", "streetname", "duong", "tenduongpho", "tenpho"]),
    (Meaning::Status, &["trangthai", "tinhtrang", "hientrang", "status"]),
    (Meaning::Height, &["chieucao", "cao", "height", "buildingheight"]),
    (Meaning::Width, &["longduong", "width", "carriageway", "chieurong", "berong"]),
    (Meaning::RightOfWay, &["logioi", "rowwidth", "rightofway", "beronglogioi"]),
    (Meaning::Storeys, &["sotang", "tangcao", "sotangcao", "storeys", "floors", "buildinglevels"]),
    (Meaning::Area, &["dientich", "dientichphaply", "dientichgcn", "dtich", "area"]),
    (Meaning::RoadClass, &["capduong", "roadclass", "highway"]),
    (Meaning::Class, &["fclass", "usecode", "ztype", "zonetype", "class"]),
];

/// Names that mean something in layers of one role only.
const NAMES_BY_ROLE: &[(Role, Meaning, &[&str])] = &[
    (Role::AdminUnit, Meaning::Name, &["tenxa", "tendvhc", "tenphuongxa", "wardname"]),
    (Role::Road, Meaning::RoadClass, &["class", "fclass", "loaiduong"]),
    (Role::Zone, Meaning::PlanLevel, &["cap", "level"]),
];

/// Fields that name a street. Without a house number next to it, a street is a name.
const STREET_NAMES: [&str; 2] = ["tenduong", "streetname"];

/// Fields that name features to people, the best one first.
const LABELS: [&str; 13] = [
    "tendoituong",
    "namevi",
    "tenxa",
    "tendvhc",
    "tenphuongxa",
    "tenduong",
    "ten",
    "tengoi",
    "wardname",
    "name",
    "title",
    "label",
    "addrhousenumber",
];

/// Parts of the names of layers of pipes, cables, lights and hydrants.
const UTILITIES: [&str; 8] =
    ["hydrant", "truncuuhoa", "trucuuhoa", "capnuoc", "thoatnuoc", "dien", "chieusang", "utility"];

/// A name as ASCII letters and digits in lower case, without diacritics and separators: `Số tờ`, `SO_TO` and
/// `soTo` all become `soto`.
pub fn plain_name(name: &str) -> String {
    without_diacritics(name).chars().filter(char::is_ascii_alphanumeric).collect()
}

/// Proposes what a layer is to the city, by its name, its kind of geometry and the names of its fields.
pub fn propose_role(name: &str, fields: &[Field], kind: GeometryKind) -> Role {
    let plain: Vec<String> = fields.iter().map(|field| plain_name(&field.name)).collect();
    let has = |names: &[&str]| plain.iter().any(|name| names.contains(&name.as_str()));
    let means = |meaning| NAMES.iter().any(|(of, names)| *of == meaning && has(names));
    let name = plain_name(name);
    let named = |words: &[&str]| words.iter().any(|word| name.contains(word));
    let is_area = matches!(kind, GeometryKind::Polygon | GeometryKind::Mixed);
    if is_area && ((means(Meaning::Sheet) && means(Meaning::ParcelNumber)) || named(&["thuadat", "parcel"])) {
        Role::Parcel
    } else if is_area
        && (means(Meaning::CommuneCode) && has(&["tenxa", "tendvhc", "tenphuongxa", "wardname", "name"])
            || named(&["phuongxa", "ward", "commune", "hanhchinh"]))
    {
        Role::AdminUnit
    } else if is_area && (named(&["quyhoach", "zoning", "chucnang"]) || has(&["machucnang", "chucnang"])) {
        Role::Zone
    } else if is_area && named(&["building", "congtrinh", "nha"]) {
        Role::Building
    } else if kind == GeometryKind::Line
        && (named(&["road", "street", "duong", "centerline", "giaothong", "timduong"])
            || has(&["highway", "tenduong", "logioi"]))
    {
        Role::Road
    } else if kind == GeometryKind::Point
        && (named(&["address", "diachi", "sonha"]) || has(&["sonha", "housenumber", "addrhousenumber"]))
    {
        Role::Address
    } else if named(&UTILITIES) {
        Role::Utility
    } else {
        Role::Other
    }
}

/// How well a field's name and type suit a meaning: the position of the name in the list, so less is better.
fn rank(plain: &str, field: &Field, meaning: Meaning, role: Role) -> Option<usize> {
    let general = NAMES.iter().filter(|(of, _)| *of == meaning).flat_map(|(_, names)| names.iter());
    let special = NAMES_BY_ROLE
        .iter()
        .filter(|(in_role, of, _)| *in_role == role && *of == meaning)
        .flat_map(|(.., names)| names.iter());
    let rank = general.chain(special).position(|name| *name == plain)?;
    let suits = match meaning {
        Meaning::ValidFrom | Meaning::ValidTo | Meaning::Instant => {
            matches!(field.field_type, FieldType::Date | FieldType::DateTime)
        }
        Meaning::Name
        | Meaning::NameEn
        | Meaning::Address
        | Meaning::Street
        | Meaning::LandUse
        | Meaning::PlanFunction
        | Meaning::RoadClass
        | Meaning::Class => field.field_type == FieldType::Text,
        _ => true,
    };
    suits.then_some(rank)
}

/// Whether of several fields that suit a meaning the one with the better name has it. Of other meanings the
/// first field has it.
fn best_name_wins(meaning: Meaning) -> bool {
    matches!(meaning, Meaning::LandUse | Meaning::PlanFunction | Meaning::RoadClass | Meaning::Class)
}

/// Proposes what the fields of a layer mean, what it shows ([`Layer::theme`]) and which fields bound its
/// features' validity. What the definition says already stays.
///
/// A personal field is proposed as the owner or as nothing, so call this once it is known which fields are
/// personal.
///
/// # Examples
///
/// ```
/// use citymap_model::{Field, FieldType, GeometryKind, Layer, Meaning, Role, Title, propose_meanings};
///
/// let id = "thua_dat".parse().unwrap();
/// let mut layer = Layer::new(id, Title::same("Thửa đất"), Role::Parcel, GeometryKind::Polygon);
/// layer.fields = vec![Field::new("Số tờ", FieldType::Int), Field::new("ghi_chu", FieldType::Text)];
/// propose_meanings(&mut layer);
/// assert_eq!(layer.fields[0].meaning, Some(Meaning::Sheet));
/// assert_eq!(layer.fields[1].meaning, None);
/// ```
pub fn propose_meanings(layer: &mut Layer) {
    let plain: Vec<String> = layer.fields.iter().map(|field| plain_name(&field.name)).collect();
    // A road in a plan table may be classed by its land use too: the general meanings come first, and a field
    // that has one is not asked again.
    for meaning in Meaning::all() {
        if layer.field_meaning(meaning).is_some() {
            continue;
        }
        let mut suiting: Vec<(usize, usize)> = Vec::new();
        for (index, field) in layer.fields.iter().enumerate() {
            let barred = field.personal && meaning != Meaning::Owner;
            if field.meaning.is_none()
                && !barred
                && let Some(rank) = rank(&plain[index], field, meaning, layer.role)
            {
                suiting.push((if best_name_wins(meaning) { rank } else { 0 }, index));
            }
        }
        suiting.sort_unstable();
        if meaning.is_single() {
            suiting.truncate(1);
        }
        for (_, index) in suiting {
            layer.fields[index].meaning = Some(meaning);
        }
    }
    // A street on its own is a name; next to a house number it is half an address.
    let numbered = layer.field_meaning(Meaning::HouseNumber).is_some();
    for (index, field) in layer.fields.iter_mut().enumerate() {
        let is_name = STREET_NAMES.contains(&plain[index].as_str()) && field.field_type == FieldType::Text;
        let is_free = match field.meaning {
            None => true,
            Some(meaning) => meaning == Meaning::Street && !numbered,
        };
        if is_name && is_free && !field.personal {
            field.meaning = Some(Meaning::Name);
        }
    }
    let named = |layer: &Layer, meaning| {
        layer.field_meaning(meaning).map(|index: usize| layer.fields[index].name.clone())
    };
    layer.valid_from = layer.valid_from.take().or_else(|| named(layer, Meaning::ValidFrom));
    layer.valid_to = layer.valid_to.take().or_else(|| named(layer, Meaning::ValidTo));
    layer.theme = layer.theme.or_else(|| Theme::propose(&layer.id, layer.role, layer.geometry));
}

/// Proposes the field that names features to people, for [`Layer::label`].
pub fn propose_label(fields: &[Field]) -> Option<&Field> {
    let texts: Vec<(String, &Field)> = fields
        .iter()
        .filter(|field| field.field_type == FieldType::Text && !field.personal)
        .map(|field| (plain_name(&field.name), field))
        .collect();
    LABELS.iter().find_map(|wanted| texts.iter().find(|(name, _)| name == wanted)).map(|(_, field)| *field)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{GeometryKind, Title};

    fn layer(role: Role, fields: &[&str]) -> Layer {
        let mut layer = Layer::new("x".parse().unwrap(), Title::same("x"), role, GeometryKind::Polygon);
        layer.fields = fields.iter().map(|name| Field::new(*name, FieldType::Text)).collect();
        layer
    }

    fn proposed(role: Role, fields: &[&str]) -> Vec<Option<Meaning>> {
        let mut layer = layer(role, fields);
        propose_meanings(&mut layer);
        layer.fields.iter().map(|field| field.meaning).collect()
    }

    #[test]
    fn parcels_are_understood_however_offices_spell_their_fields() {
        use Meaning::{Address, CommuneCode, LandUse, ParcelNumber, Sheet};
        for names in [
            ["ma_xa", "so_to", "so_thua", "loai_dat", "dia_chi"],
            ["MaXa", "SoTo", "SoThua", "LoaiDat", "DiaChi"],
            ["Mã ĐVHC", "Số tờ bản đồ", "Số thửa đất", "MDSD", "Địa chỉ thửa đất"],
            ["MADVHC", "SOHIEUTOBANDO", "SOTHUTUTHUA", "MDSDD", "DIACHITHUADAT"],
            ["ward_code", "shToBanDo", "sothutuhua", "land_use", "full address"],
        ] {
            let wanted = [CommuneCode, Sheet, ParcelNumber, LandUse, Address].map(Some);
            assert_eq!(proposed(Role::Parcel, &names), wanted, "{names:?}");
        }
    }

    #[test]
    fn parcels_are_known_by_sheet_and_number() {
        let role =
            |name: &str, fields: &[&str], kind| propose_role(name, &layer(Role::Other, fields).fields, kind);
        assert_eq!(role("x", &["SoTo", "SO_THUA"], GeometryKind::Polygon), Role::Parcel);
        assert_eq!(role("x", &["SoTo"], GeometryKind::Polygon), Role::Other);
        assert_eq!(role("tim_duong", &[], GeometryKind::Line), Role::Road);
    }

    #[test]
    fn no_two_meanings_share_a_name() {
        let mut all: Vec<&str> = NAMES.iter().flat_map(|(_, names)| names.iter().copied()).collect();
        let count = all.len();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), count);
        for name in all {
            assert_eq!(plain_name(name), name);
        }
    }

    #[test]
    fn a_street_is_half_an_address_next_to_a_number_and_a_name_without_one() {
        use Meaning::{HouseNumber, Name, Street};
        assert_eq!(proposed(Role::Other, &["ten_duong"]), [Some(Name)]);
        assert_eq!(proposed(Role::Other, &["addr:street"]), [Some(Street)]);
        let both = ["so_nha", "duong", "ten_duong"];
        assert_eq!(proposed(Role::Other, &both), [Some(HouseNumber), Some(Street), Some(Name)]);
        assert_eq!(proposed(Role::Address, &["ten_duong", "so_nha"]), [Some(Street), Some(HouseNumber)]);
    }

    #[test]
    fn names_may_be_several_and_english_ones_stand_apart() {
        use Meaning::{Name, NameEn, RoadClass};
        let fields = ["name", "name:vi", "name:en", "highway"];
        assert_eq!(proposed(Role::Road, &fields), [Some(Name), Some(Name), Some(NameEn), Some(RoadClass)]);
    }

    #[test]
    fn the_better_name_is_the_class() {
        use Meaning::{Class, LandUse, PlanLevel, RoadClass};
        assert_eq!(proposed(Role::Other, &["class", "use_code"]), [None, Some(Class)]);
        assert_eq!(proposed(Role::Other, &["landuse", "loai_dat"]), [None, Some(LandUse)]);
        assert_eq!(proposed(Role::Road, &["fclass"]), [Some(RoadClass)]);
        assert_eq!(proposed(Role::Building, &["fclass"]), [Some(Class)]);
        assert_eq!(proposed(Role::Zone, &["cap"]), [Some(PlanLevel)]);
        assert_eq!(proposed(Role::Place, &["cap"]), [None]);
    }

    #[test]
    fn a_personal_field_is_the_owner_or_nothing() {
        let mut layer = layer(Role::Parcel, &["tên chủ", "dia_chi", "address"]);
        layer.fields[0].personal = true;
        layer.fields[1].personal = true;
        propose_meanings(&mut layer);
        let meanings: Vec<_> = layer.fields.iter().map(|field| field.meaning).collect();
        assert_eq!(meanings, [Some(Meaning::Owner), None, Some(Meaning::Address)]);
    }

    #[test]
    fn what_is_said_already_stays() {
        let mut layer = layer(Role::Parcel, &["so_to", "mdsd", "loai_dat"]);
        layer.fields[0].meaning = Some(Meaning::Decision);
        layer.fields[1].meaning = Some(Meaning::LandUse);
        propose_meanings(&mut layer);
        let meanings: Vec<_> = layer.fields.iter().map(|field| field.meaning).collect();
        assert_eq!(meanings, [Some(Meaning::Decision), Some(Meaning::LandUse), None]);
    }

    #[test]
    fn dates_bound_validity_and_texts_do_not() {
        let mut layer = layer(Role::Parcel, &["valid_from", "hieu_luc_den"]);
        layer.fields[0].field_type = FieldType::Date;
        propose_meanings(&mut layer);
        assert_eq!((layer.valid_from.as_deref(), layer.valid_to.as_deref()), (Some("valid_from"), None));
        assert_eq!(layer.fields[1].meaning, None);
    }

    #[test]
    fn labels_are_text_and_public() {
        let mut fields = layer(Role::Other, &["name", "ten"]).fields;
        assert_eq!(propose_label(&fields).unwrap().name, "ten");
        fields[1].personal = true;
        assert_eq!(propose_label(&fields).unwrap().name, "name");
        fields[0].field_type = FieldType::Int;
        assert_eq!(propose_label(&fields), None);
    }
}
