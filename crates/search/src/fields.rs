use citymap_access::{Audience, visible};
use citymap_model::{FieldType, Layer};

use crate::fold::fold;

/// Fields that hold a whole address, as their names fold without spaces (y is i).
const ADDRESS: [&str; 9] = [
    "diachi",
    "address",
    "addr",
    "addrfull",
    "fulladdress",
    "addressfull",
    "diachithua",
    "diachithuadat",
    "diachinha",
];
/// Fields that hold a house number.
const NUMBER: [&str; 7] =
    ["sonha", "housenumber", "addrhousenumber", "housenum", "housenr", "housno", "addrnumber"];
/// Fields that hold the street of a house number.
const STREET: [&str; 7] =
    ["tenduong", "street", "addrstreet", "streetname", "duong", "tenduongpho", "tenpho"];
/// Fields that name a feature, besides its label.
const NAME: [&str; 12] = [
    "name",
    "ten",
    "tengoi",
    "fullname",
    "namevi",
    "namenvi",
    "tendaidu",
    "tendaidi",
    "tendoituong",
    "tenduong",
    "streetname",
    "tendonvi",
];
/// Fields that hold a parcel's sheet, and its number on it.
const SHEET: [&str; 5] = ["soto", "sohieutobando", "shtobando", "sheet", "tobando"];
const PARCEL: [&str; 5] = ["sothua", "sothututhua", "shthua", "parcelno", "parcelnumber"];

/// Which fields of a layer search reads; personal ones are never among them.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Fields {
    pub(crate) names: Vec<usize>,
    pub(crate) address: Option<usize>,
    pub(crate) number: Option<usize>,
    pub(crate) street: Option<usize>,
    pub(crate) sheet: Option<usize>,
    pub(crate) parcel: Option<usize>,
}

impl Fields {
    pub(crate) fn of(layer: &Layer) -> Self {
        let fields = visible(layer, &Audience::Public);
        let bare = |name: &str| fold(name).replace([' ', '/'], "");
        let named = |list: &[&str]| {
            fields
                .iter()
                .find(|(_, field)| list.contains(&bare(&field.name).as_str()))
                .map(|(index, _)| index)
        };
        let text = |index: &usize| layer.fields[*index].field_type == FieldType::Text;
        let address = named(&ADDRESS).filter(text);
        let number = named(&NUMBER);
        // A street on its own is a name; beside a house number it is half an address.
        let street = number.and_then(|_| named(&STREET).filter(text));
        let (sheet, parcel) = (named(&SHEET), named(&PARCEL));
        let taken = [address, number, street, sheet, parcel, layer.key_index()];
        let label = fields.label_index();
        let by_name = fields.iter().filter(|(_, field)| NAME.contains(&bare(&field.name).as_str()));
        let mut names: Vec<usize> = label.into_iter().chain(by_name.map(|(index, _)| index)).collect();
        names.retain(|index| text(index) && !taken.contains(&Some(*index)));
        names.sort_unstable();
        names.dedup();
        Self { names, address, number, street, sheet, parcel }
    }
}

#[cfg(test)]
mod tests {
    use citymap_model::{Field, GeometryKind, Role, Title};

    use super::*;

    fn layer(fields: &[&str], label: Option<&str>) -> Layer {
        let mut layer =
            Layer::new("x".parse().unwrap(), Title::same("x"), Role::Parcel, GeometryKind::Polygon);
        layer.fields = fields.iter().map(|name| Field::new(*name, FieldType::Text)).collect();
        layer.label = label.map(str::to_owned);
        layer
    }

    #[test]
    fn fields_are_known_by_name_in_both_languages() {
        let fields =
            Fields::of(&layer(&["ma_thua", "so_to", "so_thua", "dia_chi", "ten_duong"], Some("so_thua")));
        assert_eq!((fields.sheet, fields.parcel, fields.address), (Some(1), Some(2), Some(3)));
        assert_eq!(fields.names, [4], "a parcel number is no name");
        let fields = Fields::of(&layer(&["addr:housenumber", "addr:street", "name"], None));
        assert_eq!(
            (fields.number, fields.street, fields.names.as_slice()),
            (Some(0), Some(1), [2].as_slice())
        );
    }

    #[test]
    fn personal_fields_are_never_read() {
        let mut layer = layer(&["name", "dia_chi", "ten"], Some("name"));
        for field in &mut layer.fields {
            field.personal = true;
        }
        assert_eq!(Fields::of(&layer), Fields::default());
    }
}
