//! The fields of a layer that an audience may see.

use citymap_model::{Field, FieldType, Layer, Meaning};

use crate::Audience;

/// The fields of `layer` that `audience` may see. This is the only way to the fields of a layer for whatever
/// leaves the program.
pub fn visible<'a>(layer: &'a Layer, audience: &Audience) -> VisibleFields<'a> {
    VisibleFields { layer, all: audience.sees_personal() }
}

/// The fields of one layer that one audience may see; made by [`visible`].
///
/// Positions are those in [`Layer::fields`], so that they also name the values of a feature.
#[derive(Clone, Copy, Debug)]
pub struct VisibleFields<'a> {
    layer: &'a Layer,
    all: bool,
}

impl<'a> VisibleFields<'a> {
    /// The fields with their positions, in the layer's order.
    pub fn iter(self) -> impl Iterator<Item = (usize, &'a Field)> + Clone {
        self.layer.fields.iter().enumerate().filter(move |(_, field)| self.shows(field))
    }

    /// The fields that are not visible, with their positions. They serve to notice that something was hidden
    /// or revealed since, and to tell an operator; they are never written into an answer.
    pub fn hidden(self) -> impl Iterator<Item = (usize, &'a Field)> + Clone {
        self.layer.fields.iter().enumerate().filter(move |(_, field)| !self.shows(field))
    }

    /// How many fields are visible; O(fields).
    pub fn len(self) -> usize {
        self.iter().count()
    }

    /// Whether no field is visible.
    pub fn is_empty(self) -> bool {
        self.iter().next().is_none()
    }

    /// Whether the field at position `index` of the layer exists and is visible.
    #[inline]
    pub fn contains(self, index: usize) -> bool {
        self.layer.fields.get(index).is_some_and(|field| self.shows(field))
    }

    /// The visible field called `name`, with its position. A hidden field and one that does not exist are the
    /// same.
    pub fn get(self, name: &str) -> Option<(usize, &'a Field)> {
        self.layer
            .field_index(name)
            .filter(|&index| self.contains(index))
            .map(|index| (index, &self.layer.fields[index]))
    }

    /// `name` if a visible field is called so: for the parts of a definition that name a field.
    pub fn named(self, name: Option<&str>) -> Option<&str> {
        name.filter(|name| self.get(name).is_some())
    }

    /// The names of the visible fields, in the layer's order: what a message about the layer's fields may
    /// list.
    pub fn names(self) -> Vec<&'a str> {
        self.iter().map(|(_, field)| field.name.as_str()).collect()
    }

    /// The position of the key field. Without one, also because it is hidden, features are called by their
    /// numbers.
    #[inline]
    pub fn key_index(self) -> Option<usize> {
        self.layer.key_index().filter(|&index| self.contains(index))
    }

    /// The position of the field that names a feature to people.
    pub fn label_index(self) -> Option<usize> {
        self.layer.label_index().filter(|&index| self.contains(index))
    }

    /// The position of the date or date-time field that says when the event of a feature was: the one that
    /// means [`Meaning::Instant`], or else the only visible one. `None` for a layer with valid time, which
    /// is asked for instead.
    pub fn instant_index(self) -> Option<usize> {
        if self.layer.valid_from.is_some() || self.layer.valid_to.is_some() {
            return None;
        }
        let is_time = |field: &Field| matches!(field.field_type, FieldType::Date | FieldType::DateTime);
        if let Some(index) = self.layer.field_meaning(Meaning::Instant) {
            return self.contains(index).then_some(index).filter(|&index| is_time(&self.layer.fields[index]));
        }
        let mut times = self.iter().filter(|(_, field)| is_time(field)).map(|(index, _)| index);
        let only = times.next()?;
        times.next().is_none().then_some(only)
    }

    /// How the geometry is called among the fields, in filters and schemas: `geometry`, or the first of
    /// `geometry_2`, `geometry_3` … that no visible field is called.
    pub fn geometry_name(self) -> String {
        let names = self.names();
        let numbered = (2..).map(|number| format!("geometry_{number}"));
        let mut free = std::iter::once("geometry".to_owned()).chain(numbered);
        free.find(|name| !names.contains(&name.as_str())).unwrap_or_default()
    }

    #[inline]
    fn shows(self, field: &Field) -> bool {
        self.all || !field.personal
    }
}

#[cfg(test)]
mod tests {
    use citymap_model::{GeometryKind, Role, Title};

    use super::*;

    fn layer() -> Layer {
        let id = "parcels".parse().unwrap();
        let mut layer = Layer::new(id, Title::same("Parcels"), Role::Parcel, GeometryKind::Polygon);
        layer.fields = ["so_to", "chu", "ten"].map(|name| Field::new(name, FieldType::Text)).to_vec();
        layer.fields[1].personal = true;
        layer.key = Some("chu".into());
        layer.label = Some("ten".into());
        layer
    }

    #[test]
    fn the_public_sees_no_personal_field() {
        let layer = layer();
        let fields = visible(&layer, &Audience::Public);
        assert_eq!(fields.names(), ["so_to", "ten"]);
        assert_eq!(fields.iter().map(|(index, _)| index).collect::<Vec<_>>(), [0, 2]);
        assert_eq!(fields.hidden().map(|(index, _)| index).collect::<Vec<_>>(), [1]);
        assert_eq!([0, 1, 2, 3].map(|index| fields.contains(index)), [true, false, true, false]);
        assert!(fields.get("chu").is_none());
        assert_eq!(fields.get("ten").map(|(index, _)| index), Some(2));
        assert_eq!((fields.key_index(), fields.label_index()), (None, Some(2)));
        assert_eq!(
            (fields.named(Some("chu")), fields.named(Some("ten")), fields.named(None)),
            (None, Some("ten"), None)
        );
        assert_eq!((fields.len(), fields.is_empty()), (2, false));
    }

    #[test]
    fn the_only_visible_date_or_the_one_declared_is_the_instant() {
        let mut layer = layer();
        let instant = |layer: &Layer| visible(layer, &Audience::Public).instant_index();
        assert_eq!(instant(&layer), None);
        layer.fields[2].field_type = FieldType::Date;
        assert_eq!(instant(&layer), Some(2));
        layer.fields[1].field_type = FieldType::DateTime;
        assert_eq!(instant(&layer), Some(2), "a hidden field does not count");
        layer.fields[0].field_type = FieldType::DateTime;
        assert_eq!(instant(&layer), None, "which of two is not clear");
        layer.set_meaning(0, Some(Meaning::Instant));
        assert_eq!(instant(&layer), Some(0));
        layer.set_meaning(1, Some(Meaning::Instant));
        assert_eq!(instant(&layer), None, "a hidden field is not asked for");
        layer.set_meaning(0, Some(Meaning::Instant));
        layer.set_meaning(2, Some(Meaning::ValidFrom));
        assert_eq!(instant(&layer), None, "valid time comes first");
    }

    #[test]
    fn the_operator_sees_every_field() {
        let layer = layer();
        let fields = visible(&layer, &Audience::OPERATOR);
        assert_eq!(fields.names(), ["so_to", "chu", "ten"]);
        assert_eq!(fields.hidden().count(), 0);
        assert_eq!(fields.key_index(), Some(1));
    }
}
