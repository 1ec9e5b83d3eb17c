//! One revision as JSON, as pages, streams and webhooks send it.

use std::hash::{DefaultHasher, Hash, Hasher};

use citymap_access::{Audience, visible};
use citymap_engine::Bbox;
use citymap_live::{CitySnapshot, FeatureEvent, LayerEvent, RevisionEvent};
use citymap_model::{
    FeatureId, LayerId, RevisionNumber, format_datetime,
    json::{id, number, text},
};
use citymap_tile::Tiler;

use crate::tiles;

/// A revision as JSON, in parts, so that a reader that asked for some layers gets only those.
#[derive(Debug)]
pub struct RenderedRevision {
    /// The number of the revision that is shown.
    pub number: RevisionNumber,
    /// `{"revision":8,…`, up to the author.
    head: String,
    /// `,"author":…`, for readers who may know who wrote.
    author: String,
    layers: Vec<(LayerId, String)>,
}

impl RenderedRevision {
    pub(crate) fn new(event: &RevisionEvent, city_snapshot: &CitySnapshot, tiler: &Tiler) -> Self {
        let revision = &event.revision;
        let mut head =
            format!("{{\"revision\":{},\"time\":\"{}\"", revision.number, format_datetime(&revision.time));
        head.push_str(",\"message\":");
        head.push_str(&json_text(&revision.meta.message));
        head.push_str(",\"source\":");
        head.push_str(&revision.meta.source.as_deref().map_or_else(|| "null".to_owned(), json_text));
        let number = revision.number;
        let layer =
            |event: &LayerEvent| (event.layer.clone(), layer_json(event, number, city_snapshot, tiler));
        let layers = event.layers.iter().map(layer).collect();
        let author = format!(",\"author\":{}", json_text(&revision.meta.author));
        Self { number: revision.number, head, author, layers }
    }

    /// The JSON object: whole, or with these layers only; `None` if the revision touched none of them.
    /// `author` says whether the reader may know who wrote the revision.
    pub fn json(&self, layers: Option<&[LayerId]>, author: bool) -> Option<String> {
        let wanted = |id: &LayerId| layers.is_none_or(|layers| layers.contains(id));
        let mut out = self.head.clone();
        if author {
            out.push_str(&self.author);
        }
        out.push_str(",\"layers\":[");
        let mut any = layers.is_none();
        for (position, (_, json)) in self.layers.iter().filter(|(id, _)| wanted(id)).enumerate() {
            if position > 0 {
                out.push(',');
            }
            out.push_str(json);
            any = true;
        }
        out.push_str("]}");
        any.then_some(out)
    }

    /// Approximate size in memory, in bytes.
    pub(crate) fn weight(&self) -> usize {
        200 + self.head.len()
            + self.author.len()
            + self.layers.iter().map(|(_, json)| json.len() + 100).sum::<usize>()
    }
}

/// A hash of which fields are personal and of the record's epoch. JSON that was made under another hash may
/// name what has become personal since, or be of another record.
pub(crate) fn privacy(city_snapshot: &CitySnapshot) -> u64 {
    let mut hasher = DefaultHasher::new();
    city_snapshot.epoch.hash(&mut hasher);
    for (id, snapshot) in &city_snapshot.city.layers {
        for (_, field) in visible(snapshot.layer(), &Audience::Public).hidden() {
            (id.as_str(), &field.name).hash(&mut hasher);
        }
    }
    hasher.finish()
}

fn json_text(value: &str) -> String {
    let mut out = Vec::with_capacity(value.len() + 2);
    text(&mut out, value);
    String::from_utf8_lossy(&out).into_owned()
}

fn layer_json(
    event: &LayerEvent,
    revision: RevisionNumber,
    city_snapshot: &CitySnapshot,
    tiler: &Tiler,
) -> String {
    let mut out = Vec::with_capacity(512);
    out.extend(b"{\"layer\":");
    text(&mut out, event.layer.as_str());
    let LayerEvent { mode, added, changed, removed, rejected, whole, truncated, .. } = event;
    out.extend(
        format!(
            ",\"mode\":\"{mode}\",\"added\":{added},\"changed\":{changed},\"removed\":{removed},\
             \"rejected\":{rejected},\"whole\":{whole},\"truncated\":{truncated},\"bbox\":"
        )
        .as_bytes(),
    );
    bbox(&mut out, event.bbox);
    out.extend(b",\"features\":[");
    // The key may have become personal after the event was made: then features are named by their numbers.
    let nameless = city_snapshot.city.layer(event.layer.as_str()).is_some_and(|snapshot| {
        let layer = snapshot.layer();
        layer.key_index().is_some() && visible(layer, &Audience::Public).key_index().is_none()
    });
    for (position, change) in event.features.iter().enumerate() {
        if position > 0 {
            out.push(b',');
        }
        feature_json(&mut out, change, nameless);
    }
    out.extend(b"],\"tiles\":");
    if event.whole {
        out.extend(b"null");
    } else {
        let boxes = tiles::boxes(event, revision, city_snapshot);
        let snapshot = city_snapshot.city.layer(event.layer.as_str());
        tiles::write(&mut out, &boxes, snapshot.map(AsRef::as_ref), tiler);
    }
    out.push(b'}');
    String::from_utf8_lossy(&out).into_owned()
}

fn feature_json(out: &mut Vec<u8>, event: &FeatureEvent, nameless: bool) {
    out.extend(b"{\"id\":");
    if nameless {
        id(out, &FeatureId::Fid(event.fid));
    } else {
        id(out, &event.id);
    }
    if let Some(former) = event.former_id.as_ref().filter(|_| !nameless) {
        out.extend(b",\"formerId\":");
        id(out, former);
    }
    out.extend(format!(",\"fid\":{},\"op\":\"{}\",\"bbox\":", event.fid, event.op.as_str()).as_bytes());
    bbox(out, event.bbox);
    out.extend(b",\"before\":");
    bbox(out, event.before);
    out.push(b'}');
}

fn bbox(out: &mut Vec<u8>, bbox: Option<Bbox>) {
    let Some(Bbox { min: [west, south], max: [east, north] }) = bbox else {
        out.extend(b"null");
        return;
    };
    out.push(b'[');
    for (position, value) in [west, south, east, north].into_iter().enumerate() {
        if position > 0 {
            out.push(b',');
        }
        number(out, value);
    }
    out.push(b']');
}
