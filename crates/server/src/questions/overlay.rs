//! `GET /api/overlay`: what one feature shares with the features of other layers.

use citymap_access::{Audience, visible};
use citymap_engine::{
    Bbox, EngineError, LayerSnapshot, Measure, Operand, Overlay, OverlayPiece, TimeInterval,
};
use citymap_model::AsOf;

use super::{AnswerForm, WorkSize, answer, check_size};
use crate::{
    features::{
        describe::open_layer,
        geojson::{measure, value},
    },
    http::{
        json::JsonWriter,
        negotiate::Representation,
        parameters::{AS_OF, DATETIME, Limit, REPRESENTATION, RequiredText},
        problem::Problem,
        query::{Parameter, query},
        request::{HandlerResult, RequestContext, no_layer},
        response::JSON,
    },
};

const EXAMPLE: &str = "layer=parcels&id=26740-12-345&with=zones";

pub(crate) static LAYER: Parameter<RequiredText> =
    Parameter::new("layer", "The layer of the feature", RequiredText { advice: EXAMPLE }).required();

pub(crate) static ID: Parameter<RequiredText> =
    Parameter::new("id", "The id of the feature", RequiredText { advice: EXAMPLE }).required();

pub(crate) static WITH: Parameter<RequiredText> = Parameter::new(
    "with",
    "The layers that are laid over it, separated by commas",
    RequiredText { advice: EXAMPLE },
)
.required();

pub(crate) static LIMIT: Parameter<Limit> = Parameter::new(
    "limit",
    "Maximum number of pieces per layer",
    Limit { default: |_| 100, max: |_| 10_000 },
);

query! {
    /// The query of `/api/overlay`.
    pub(crate) struct OverlayQuery {
        layer: String = LAYER,
        id: String = ID,
        with: String = WITH,
        limit: usize = LIMIT,
        time: Option<TimeInterval> = DATETIME,
        revision: Option<AsOf> = AS_OF,
        representation: Representation = REPRESENTATION,
    }
}

/// Maximum number of layers in `with`.
const LAYERS_MAX: usize = 64;
/// The overlay of a feature with at most this many coordinates, whose box extends at most [`SMALL_DEGREES`],
/// is a small question: few features of another layer are near it.
const SMALL: usize = 64;
/// In degrees: about 130 m.
const SMALL_DEGREES: f64 = 0.001_2;

/// The handler of `GET /api/overlay`.
pub(crate) async fn overlay(mut context: RequestContext) -> HandlerResult {
    let query: OverlayQuery = context.query()?;
    context.as_of(query.revision).await?;
    let named = |name: &str| {
        let found = context.city_snapshot.city.layer(name).cloned();
        found.ok_or_else(|| Problem::parameter(no_layer(&context.city_snapshot, name)))
    };
    let layer = named(&query.layer)?;
    // A layer that is named twice is one.
    let mut names: Vec<&str> = Vec::new();
    for name in query.with.split(',').map(str::trim) {
        if !names.contains(&name) {
            names.push(name);
        }
        if names.len() > LAYERS_MAX {
            let detail = format!("`with` names more than {LAYERS_MAX} layers; ask for some at a time");
            return Err(Problem::parameter(detail).into());
        }
    }
    let others = names.into_iter().map(named).collect::<Result<Vec<_>, _>>()?;
    let row = layer
        .row_of_id(&query.id)
        .ok_or_else(|| Problem::not_found(format!("`{}` has no feature with this id", layer.layer().id)))?;
    let shape = layer.shape(row);
    let is_near = |bbox: Bbox| (0..2).all(|axis| bbox.max[axis] - bbox.min[axis] <= SMALL_DEGREES);
    let small = shape.coords().len() <= SMALL && shape.bbox().is_none_or(is_near) && others.len() == 1;
    let form = AnswerForm {
        representation: query.representation,
        title: ("Chồng lớp", "Overlay"),
        media_type: JSON,
        etag: Some(context.etag(query.representation)),
        size: if small { WorkSize::Small } else { WorkSize::Middle },
    };
    answer(context, form, move |context, cancel| {
        let mut out = Vec::with_capacity(2048);
        let mut json = JsonWriter::new(&mut out);
        json.open_object().key("revision").value(&context.city_snapshot.revision());
        json.key("layer").text(layer.layer().id.as_str());
        json.key("id").id(&layer.id(row));
        json.key("label").text(&layer.label(row));
        json.key("layers").open_array();
        for other in &others {
            let overlay = Overlay::new(Operand::new(&layer), Operand::new(other).during(query.time))?;
            let found = overlay.of_until(row, cancel)?;
            pieces(&mut json, &overlay, found, query.limit, |json| {
                cancel.check().map_err(EngineError::from)?;
                check_size(json, context, query.representation)
            })?;
        }
        json.close_array();
        json.close_object();
        Ok(out)
    })
    .await
}

/// Writes the pieces that a feature shares with one layer, and the number of contacts. `check` is asked after
/// each piece whether to go on.
fn pieces(
    json: &mut JsonWriter<'_>,
    overlay: &Overlay<'_>,
    (pieces, contacts): (Vec<OverlayPiece>, u64),
    limit: usize,
    check: impl Fn(&JsonWriter<'_>) -> Result<(), Problem>,
) -> Result<(), Problem> {
    let other = overlay.b();
    open_layer(json, other.layer());
    json.key("count").value(&pieces.len());
    json.key("contacts").value(&contacts);
    json.key("truncated").value(&(pieces.len() > limit));
    json.key("pieces").open_array();
    for found in pieces.iter().take(limit) {
        piece(json, overlay, other, found);
        check(json)?;
    }
    json.close_array();
    json.close_object();
    Ok(())
}

fn piece(json: &mut JsonWriter<'_>, overlay: &Overlay<'_>, other: &LayerSnapshot, piece: &OverlayPiece) {
    json.open_object().key("id").id(&other.id(piece.row_b));
    json.key("label").text(&other.label(piece.row_b));
    for (found, name, unit) in [(piece.area, "area", "m²"), (piece.length, "length", "m")] {
        if found > 0.0 {
            measure(json.key(name), &Measure { value: found, method: overlay.method() }, unit);
        }
    }
    if piece.count > 0 {
        json.key("count").value(&piece.count);
    }
    for (name, share) in [("share", piece.share_a), ("shareOfOther", piece.share_b)] {
        if let Some(share) = share {
            json.key(name).number((share * 1e9).round() / 1e9);
        }
    }
    json.key("properties").open_object();
    for (index, field) in visible(other.layer(), &Audience::Public).iter() {
        json.text(&field.name);
        json.colon();
        value(json.raw(), other.value(piece.row_b, index));
    }
    json.close_object();
    json.close_object();
}
