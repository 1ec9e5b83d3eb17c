//! Which fields of a layer search reads, by what its definition says that they mean.

use citymap_access::{Audience, visible};
use citymap_model::{FieldType, Layer, Meaning};

/// The positions of the fields that search reads. Hidden fields are never among them.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Fields {
    pub(crate) names: Vec<usize>,
    pub(crate) address: Option<usize>,
    pub(crate) number: Option<usize>,
    pub(crate) street: Option<usize>,
    pub(crate) sheet: Option<usize>,
    pub(crate) parcel: Option<usize>,
    pub(crate) decision: Option<usize>,
}

impl Fields {
    pub(crate) fn of(layer: &Layer) -> Self {
        let fields = visible(layer, &Audience::Public);
        let meant = |meaning: Meaning| {
            fields.iter().find(|(_, field)| field.meaning == Some(meaning)).map(|(index, _)| index)
        };
        let text = |index: &usize| layer.fields[*index].field_type == FieldType::Text;
        let address = meant(Meaning::Address).filter(text);
        let number = meant(Meaning::HouseNumber);
        let street = number.and_then(|_| meant(Meaning::Street).filter(text));
        let (sheet, parcel) = (meant(Meaning::Sheet), meant(Meaning::ParcelNumber));
        let taken = [address, number, street, sheet, parcel, layer.key_index()];
        let label = fields.label_index();
        let named = fields.iter().filter(|(_, field)| field.meaning == Some(Meaning::Name));
        let mut names: Vec<usize> = label.into_iter().chain(named.map(|(index, _)| index)).collect();
        names.retain(|index| text(index) && !taken.contains(&Some(*index)));
        names.sort_unstable();
        names.dedup();
        let decision = meant(Meaning::Decision).filter(text);
        Self { names, address, number, street, sheet, parcel, decision }
    }
}

#[cfg(test)]
mod tests {
    use citymap_model::{Field, GeometryKind, Role, Title, propose_meanings};

    use super::*;

    fn layer(fields: &[&str], label: Option<&str>) -> Layer {
        let mut layer =
            Layer::new("x".parse().unwrap(), Title::same("x"), Role::Parcel, GeometryKind::Polygon);
        layer.fields = fields.iter().map(|name| Field::new(*name, FieldType::Text)).collect();
        layer.label = label.map(str::to_owned);
        propose_meanings(&mut layer);
        layer
    }

    #[test]
    fn fields_are_known_by_their_meaning() {
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
