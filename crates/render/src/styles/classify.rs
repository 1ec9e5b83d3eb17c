//! How a layer is drawn: its kind, the zoom from which it is, its symbol, and the field that colours it.

use citymap_access::{Audience, VisibleFields, visible};
use citymap_model::{Field, GeometryKind, Layer, Meaning, Role, Theme};

use super::map_theme::DrawKind;

/// Maximum number of codes of a layer of no known kind that get colours of our own: more than that could not
/// be told apart.
const OWN_COLORS_MAX: usize = 24;

/// The kind of a layer, by its role and geometry, and where these are not enough by its theme.
pub(crate) fn kind_of(layer: &Layer) -> DrawKind {
    let is_point = layer.geometry == GeometryKind::Point;
    match layer.role {
        Role::Address => DrawKind::Address,
        Role::Utility if is_point => DrawKind::Device,
        Role::Report if is_point => DrawKind::Report,
        Role::Place if is_point => DrawKind::Place,
        _ if is_point => match layer.theme {
            Some(Theme::School | Theme::Hospital | Theme::Market | Theme::Park) => DrawKind::Place,
            Some(Theme::Hydrant | Theme::Light) => DrawKind::Device,
            Some(Theme::Report) => DrawKind::Report,
            _ => DrawKind::Other,
        },
        Role::Parcel => DrawKind::Parcel,
        Role::Zone => DrawKind::Zone,
        Role::Road => DrawKind::Road,
        Role::Building => DrawKind::Building,
        Role::AdminUnit => DrawKind::Admin,
        Role::Utility if layer.theme == Some(Theme::Power) => DrawKind::Power,
        Role::Utility => DrawKind::Pipe,
        Role::Place | Role::Report | Role::Other => match layer.theme {
            Some(Theme::Water) => DrawKind::Water,
            Some(Theme::Green) => DrawKind::Green,
            _ => DrawKind::Other,
        },
    }
}

/// The zoom from which a layer of a kind is drawn where no theme says it: from there on its features are
/// legible next to the layers above them. `count` is the number of its features.
pub(crate) fn usual_zoom(kind: DrawKind, count: usize) -> f64 {
    match kind {
        DrawKind::Parcel | DrawKind::Zone => 8.0,
        DrawKind::Building | DrawKind::Pipe | DrawKind::Power => 13.0,
        DrawKind::Address => 17.0,
        // Reports of residents are read by neighbourhood, as clusters; hydrants and lights in the street.
        DrawKind::Report => 12.0,
        DrawKind::Device if count <= 500 => 15.0,
        DrawKind::Device if count <= 5_000 => 16.0,
        DrawKind::Device => 17.0,
        DrawKind::Place if count <= 300 => 13.0,
        DrawKind::Place => 15.0,
        DrawKind::Road | DrawKind::Admin | DrawKind::Water | DrawKind::Green | DrawKind::Other => 0.0,
    }
}

/// The symbol (`tiles/sprites`) of a point layer, by its theme or role; `None` for a plain dot.
pub(crate) fn symbol_of(layer: &Layer) -> Option<&'static str> {
    if layer.geometry != GeometryKind::Point {
        return None;
    }
    match (layer.theme, layer.role) {
        (Some(theme), _) if SYMBOLS.contains(&theme) => Some(theme.as_str()),
        (_, Role::Report) => Some("report"),
        (_, Role::Place) => Some("place"),
        _ => None,
    }
}

/// The themes that have a symbol of the same name.
const SYMBOLS: [Theme; 7] =
    [Theme::Hydrant, Theme::Light, Theme::School, Theme::Hospital, Theme::Market, Theme::Park, Theme::Report];

/// The field by whose codes a layer is coloured: the first with at least two official colours; in a layer of
/// no known kind else the first with a few codes. Only public fields count: a style is public.
pub(crate) fn color_field(layer: &Layer, kind: DrawKind) -> Option<&Field> {
    let official = |field: &Field| field.codes().iter().filter(|code| code.color.is_some()).nth(1).is_some();
    let few = |field: &Field| (2..=OWN_COLORS_MAX).contains(&field.codes().len());
    let fields = || public(layer).iter().map(|(_, field)| field);
    fields()
        .find(|field| official(field))
        .or_else(|| fields().find(|field| kind == DrawKind::Other && few(field)))
}

/// The fields of a layer that a style may name.
pub(crate) fn public(layer: &Layer) -> VisibleFields<'_> {
    visible(layer, &Audience::Public)
}

/// The name of the first public field with a meaning.
pub(crate) fn meant(layer: &Layer, meaning: Meaning) -> Option<&str> {
    public(layer).iter().find(|(_, field)| field.meaning == Some(meaning)).map(|(_, field)| &*field.name)
}

#[cfg(test)]
mod tests {
    use citymap_model::{Domain, FieldType, Title, codes::Code};

    use super::*;

    fn layer(role: Role, geometry: GeometryKind, theme: Option<Theme>) -> Layer {
        let mut layer = Layer::new("x".parse().unwrap(), Title::same("X"), role, geometry);
        layer.theme = theme;
        layer
    }

    #[test]
    fn role_geometry_and_theme_say_how_a_layer_is_drawn() {
        use GeometryKind::{Line, Mixed, Point, Polygon};
        for (role, geometry, theme, kind, symbol) in [
            (Role::Parcel, Polygon, None, DrawKind::Parcel, None),
            (Role::Parcel, Point, None, DrawKind::Other, None),
            (Role::Utility, Line, None, DrawKind::Pipe, None),
            (Role::Utility, Line, Some(Theme::Power), DrawKind::Power, None),
            (Role::Utility, Point, Some(Theme::Hydrant), DrawKind::Device, Some("hydrant")),
            (Role::Utility, Point, None, DrawKind::Device, None),
            (Role::Other, Point, Some(Theme::School), DrawKind::Place, Some("school")),
            (Role::Place, Point, None, DrawKind::Place, Some("place")),
            (Role::Report, Point, None, DrawKind::Report, Some("report")),
            (Role::Address, Point, None, DrawKind::Address, None),
            (Role::Other, Polygon, Some(Theme::Water), DrawKind::Water, None),
            (Role::Other, Line, Some(Theme::Green), DrawKind::Green, None),
            (Role::Other, Polygon, Some(Theme::Boundary), DrawKind::Other, None),
            (Role::Other, Mixed, None, DrawKind::Other, None),
        ] {
            let own = layer(role, geometry, theme);
            assert_eq!((kind_of(&own), symbol_of(&own)), (kind, symbol), "{role} {geometry:?} {theme:?}");
        }
    }

    #[test]
    fn a_hidden_field_colours_nothing() {
        let mut parcels = layer(Role::Parcel, GeometryKind::Polygon, None);
        parcels.fields = vec![
            Field::new("secret", FieldType::Text).coded("planning_function"),
            Field::new("use", FieldType::Text).coded("land_use").means(Meaning::LandUse),
        ];
        parcels.fields[0].personal = true;
        assert_eq!(color_field(&parcels, DrawKind::Parcel).unwrap().name, "use");
        parcels.fields[1].personal = true;
        assert_eq!(color_field(&parcels, DrawKind::Parcel), None);
        assert_eq!(meant(&parcels, Meaning::LandUse), None);
    }

    #[test]
    fn a_layer_that_nobody_foresaw_is_coloured_by_its_own_codes() {
        let mut floods = layer(Role::Other, GeometryKind::Polygon, None);
        let codes = ["low", "high"].map(|code| Code::new(code, Title::same(code))).to_vec();
        floods.fields = vec![Field::new("risk", FieldType::Text).within(Domain::Codes(codes))];
        assert_eq!(color_field(&floods, DrawKind::Other).unwrap().name, "risk");
        assert_eq!(color_field(&floods, DrawKind::Zone), None, "the law has colours for zones");
    }
}
