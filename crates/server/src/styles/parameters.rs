//! The parameters of a style.

use std::marker::PhantomData;

use citymap_render::styles::{Appearance, LEVEL_NAMES};

use super::MAPBOX_STYLE;
use crate::{
    http::{
        negotiate::{DocumentFormat, Representation, accepts},
        parameters::{Choice, LANG, TextList},
        problem::Problem,
        query::{Declared, Nested, Parameter, QueryReader, QuerySource, query},
        response::JSON,
    },
    tiles::TileState,
};

static APPEARANCE: Parameter<Choice> = Parameter::new(
    "appearance",
    "Dark lines on a pale ground, or pale lines on a dark one",
    Choice { values: Appearance::NAMES, default: Some("light") },
);

static LEVEL: Parameter<Choice> = Parameter::new(
    "level",
    "The only level of plans that is drawn: general (qhc), zoning (qhpk) or detailed plan (qhct), or local \
        adjustment (dccb); all of them, the finer above the coarser, if it is missing",
    Choice { values: LEVEL_NAMES, default: None },
)
.component("plan-level");

pub(crate) static COLLECTIONS: Parameter<TextList> = Parameter::new(
    "collections",
    "The layers that are drawn, separated by commas, instead of those of the theme",
    TextList { values: &[] },
)
.component("style-collections");

static STYLE_F: Parameter<Choice> = Parameter::new(
    "f",
    "Format, instead of Accept: the style (mbs, or json with that media type), or a page",
    Choice { values: &["mbs", "json", "html"], default: None },
)
.component("style-f");

/// How a style is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct StyleRepresentation {
    pub(crate) representation: Representation,
    /// The media type of the style as JSON.
    pub(crate) media_type: &'static str,
}

/// `f` and `lang`, else what the headers ask for.
struct StyleRepresentationSource;

static STYLE_REPRESENTATION: StyleRepresentationSource = StyleRepresentationSource;

impl QuerySource for StyleRepresentationSource {
    type Value = StyleRepresentation;

    fn take(&self, reader: &mut QueryReader<'_>) -> Result<StyleRepresentation, Problem> {
        let format = STYLE_F.take(reader)?;
        let as_document = format.map(|format| if format == "mbs" { "json" } else { format });
        let representation = Representation::choose(as_document, LANG.take(reader)?, reader.headers);
        // Programs that want JSON of any kind say so, and some refuse what is called otherwise.
        let plain = match format {
            Some(format) => format == "json",
            None => accepts(reader.headers, JSON) && !accepts(reader.headers, MAPBOX_STYLE),
        };
        let media_type = if plain { JSON } else { MAPBOX_STYLE };
        Ok(StyleRepresentation { representation, media_type })
    }

    fn declare(&'static self, list: &mut Vec<&'static dyn Declared>) {
        STYLE_F.declare(list);
        LANG.declare(list);
    }
}

static STATE: Nested<TileState> = Nested(PhantomData);
pub(super) static LOOK: Nested<LookQuery> = Nested(PhantomData);

query! {
    /// What a style shows, and how.
    pub(crate) struct LookQuery {
        appearance: Option<&'static str> = APPEARANCE,
        level: Option<&'static str> = LEVEL,
        /// The addresses of the tiles carry it.
        state: TileState = STATE,
    }
}

query! {
    /// The query of a style of the city.
    pub(crate) struct StyleQuery {
        look: LookQuery = LOOK,
        collections: Option<Vec<String>> = COLLECTIONS,
        representation: StyleRepresentation = STYLE_REPRESENTATION,
    }
}

query! {
    /// The query of a style of one layer.
    pub(crate) struct CollectionStyleQuery {
        look: LookQuery = LOOK,
        representation: StyleRepresentation = STYLE_REPRESENTATION,
    }
}

/// The parameters that the OpenAPI document shares.
pub(crate) static SHARED_PARAMETERS: [&dyn Declared; 4] = [&APPEARANCE, &LEVEL, &COLLECTIONS, &STYLE_F];

impl StyleRepresentation {
    /// Whether a page is asked for.
    pub(crate) fn is_page(self) -> bool {
        self.representation.format == DocumentFormat::Html
    }
}
