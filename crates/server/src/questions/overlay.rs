use std::sync::Arc;

use citymap_access::{Audience, visible};
use citymap_engine::{LayerSnapshot, Measure, Operand, Overlay, Row, TimeInterval};
use citymap_model::json::{id, number, text};

use super::{WorkSize, answer};
use crate::{
    features::{
        describe::layer_head,
        geojson::{measure, put, value},
    },
    http::{
        problem::Problem,
        request::{HandlerResult, RequestContext, no_layer},
        response::JSON,
    },
};

/// The parameters of `/api/overlay`.
pub(crate) const KNOWN: [&str; 6] = ["layer", "id", "with", "limit", "datetime", "revision"];
/// Pieces a layer where no number is asked for.
pub(crate) const LIMIT: usize = 100;
/// Pieces a layer at most.
pub(crate) const LIMIT_MAX: usize = 10_000;

/// Coordinates of a feature up to which its overlay is a small question.
const SMALL: usize = 64;

/// `GET /api/overlay`: what one feature shares with those of other layers.
pub(crate) async fn overlay(mut context: RequestContext) -> HandlerResult {
    let representation = context.representation()?;
    context.as_of().await?;
    let time = context.time()?;
    let missing = |name: &str| {
        Problem::parameter(format!("`{name}` is missing; write layer=parcels&id=26740-12-345&with=zones"))
    };
    let named = |context: &RequestContext, name: &str| {
        let found = context.city_snapshot.city.layer(name).cloned();
        found.ok_or_else(|| Problem::parameter(no_layer(&context.city_snapshot, name)))
    };
    let layer = context.params.take("layer")?.ok_or_else(|| missing("layer"))?;
    let layer = named(&context, &layer)?;
    let wanted = context.params.take("id")?.ok_or_else(|| missing("id"))?;
    let with = context.params.take("with")?.ok_or_else(|| missing("with"))?;
    let others = with.split(',').map(|name| named(&context, name.trim())).collect::<Result<Vec<_>, _>>()?;
    let limit = context.params.limit(LIMIT, LIMIT_MAX)?;
    context.no_more(&KNOWN)?;
    let row = layer
        .row_of_id(&wanted)
        .ok_or_else(|| Problem::not_found(format!("`{}` has no feature with this id", layer.layer().id)))?;
    // The other side of a feature this small is small too: what lies beside it, and no layer of millions.
    let small = layer.shape(row).coords().len() <= SMALL && others.len() == 1;
    let size = if small { WorkSize::Small } else { WorkSize::Middle };
    let etag = context.etag(representation);
    answer(context, representation, ("Chồng lớp", "Overlay"), JSON, Some(etag), size, move |context| {
        let mut out = Vec::with_capacity(2048);
        put(
            &mut out,
            format_args!(
                "{{\"revision\":{},\"layer\":\"{}\",\"id\":",
                context.city_snapshot.revision(),
                layer.layer().id
            ),
        );
        id(&mut out, &layer.id(row));
        out.extend(b",\"label\":");
        text(&mut out, &layer.label(row));
        out.extend(b",\"layers\":[");
        for (position, other) in others.iter().enumerate() {
            if position > 0 {
                out.push(b',');
            }
            pieces(&mut out, &layer, row, other, time, limit)?;
        }
        out.extend(b"]}");
        Ok(out)
    })
    .await
}

fn pieces(
    out: &mut Vec<u8>,
    layer: &LayerSnapshot,
    row: Row,
    other: &Arc<LayerSnapshot>,
    time: Option<TimeInterval>,
    limit: usize,
) -> Result<(), Problem> {
    let overlay = Overlay::new(Operand::new(layer), Operand::new(other).during(time))?;
    let (pieces, contacts) = overlay.of(row)?;
    let method = overlay.method();
    layer_head(out, other.layer());
    put(
        out,
        format_args!(
            ",\"count\":{},\"contacts\":{contacts},\"truncated\":{},\"pieces\":[",
            pieces.len(),
            pieces.len() > limit
        ),
    );
    for (position, piece) in pieces.iter().take(limit).enumerate() {
        out.extend(if position > 0 { &b",{\"id\":"[..] } else { &b"{\"id\":"[..] });
        id(out, &other.id(piece.row_b));
        out.extend(b",\"label\":");
        text(out, &other.label(piece.row_b));
        for (found, name, unit) in [(piece.area, "area", "m²"), (piece.length, "length", "m")] {
            if found > 0.0 {
                put(out, format_args!(",\"{name}\":"));
                measure(out, &Measure { value: found, method }, unit);
            }
        }
        if piece.count > 0 {
            put(out, format_args!(",\"count\":{}", piece.count));
        }
        for (name, share) in [("share", piece.share_a), ("shareOfOther", piece.share_b)] {
            if let Some(share) = share {
                put(out, format_args!(",\"{name}\":"));
                number(out, (share * 1e9).round() / 1e9);
            }
        }
        out.extend(b",\"properties\":{");
        for (position, (index, field)) in visible(other.layer(), &Audience::Public).iter().enumerate() {
            if position > 0 {
                out.push(b',');
            }
            text(out, &field.name);
            out.push(b':');
            value(out, other.value(piece.row_b, index));
        }
        out.extend(b"}}");
    }
    out.extend(b"]}");
    Ok(())
}
