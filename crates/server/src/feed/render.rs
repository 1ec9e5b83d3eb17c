use std::hash::{DefaultHasher, Hash, Hasher};

use citymap_access::{Audience, visible};
use citymap_engine::Bbox;
use citymap_live::{FeatureEvent, LayerEvent, RevisionEvent, Scene};
use citymap_model::{FeatureId, LayerId, RevisionNumber, format_datetime};
use citymap_tile::Tiler;

use super::tiles;
use crate::features::geojson::{id, number, text};

/// A revision as JSON, in pieces: who asks for some layers gets those.
pub(crate) struct Rendered {
    /// Its number.
    pub(crate) number: RevisionNumber,
    /// `{"revision":8,…`, open.
    head: String,
    /// `,"author":…`, for those who may know.
    author: String,
    layers: Vec<(LayerId, String)>,
}

impl Rendered {
    pub(super) fn new(event: &RevisionEvent, scene: &Scene, tiler: &Tiler) -> Self {
        let revision = &event.revision;
        let mut head =
            format!("{{\"revision\":{},\"time\":\"{}\"", revision.number, format_datetime(&revision.time));
        head.push_str(",\"message\":");
        head.push_str(&json_text(&revision.meta.message));
        head.push_str(",\"source\":");
        head.push_str(&revision.meta.source.as_deref().map_or_else(|| "null".to_owned(), json_text));
        let number = revision.number;
        let layer = |own: &LayerEvent| (own.layer.clone(), layer(own, number, scene, tiler));
        let layers = event.layers.iter().map(layer).collect();
        let author = format!(",\"author\":{}", json_text(&revision.meta.author));
        Self { number: revision.number, head, author, layers }
    }

    /// The whole, or what of it is of these layers; `None` where nothing is.
    pub(crate) fn json(&self, layers: Option<&[LayerId]>, author: bool) -> Option<String> {
        let wanted = |id: &LayerId| layers.is_none_or(|layers| layers.contains(id));
        let mut out = self.head.clone();
        if author {
            out.push_str(&self.author);
        }
        out.push_str(",\"layers\":[");
        let mut some = layers.is_none();
        for (position, (_, json)) in self.layers.iter().filter(|(id, _)| wanted(id)).enumerate() {
            if position > 0 {
                out.push(',');
            }
            out.push_str(json);
            some = true;
        }
        out.push_str("]}");
        some.then_some(out)
    }

    /// Bytes in memory, about.
    pub(super) fn weight(&self) -> usize {
        200 + self.head.len()
            + self.author.len()
            + self.layers.iter().map(|(_, json)| json.len() + 100).sum::<usize>()
    }
}

/// A number that changes when the layers' personal fields do, or the store becomes another one: what was written before
/// names nothing that has become personal since.
pub(super) fn privacy(scene: &Scene) -> u64 {
    let mut hasher = DefaultHasher::new();
    scene.epoch.hash(&mut hasher);
    for (id, snapshot) in &scene.city.layers {
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

fn layer(event: &LayerEvent, revision: RevisionNumber, scene: &Scene, tiler: &Tiler) -> String {
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
    // The key may have become personal since the event was made.
    let nameless = scene.city.layer(event.layer.as_str()).is_some_and(|snapshot| {
        let layer = snapshot.layer();
        layer.key_index().is_some() && visible(layer, &Audience::Public).key_index().is_none()
    });
    for (position, own) in event.features.iter().enumerate() {
        if position > 0 {
            out.push(b',');
        }
        feature(&mut out, own, nameless);
    }
    out.extend(b"],\"tiles\":");
    if event.whole {
        out.extend(b"null")
    } else {
        let boxes = tiles::boxes(event, revision, scene);
        let snapshot = scene.city.layer(event.layer.as_str());
        tiles::write(&mut out, &boxes, snapshot.map(AsRef::as_ref), tiler)
    }
    out.push(b'}');
    String::from_utf8_lossy(&out).into_owned()
}

fn feature(out: &mut Vec<u8>, event: &FeatureEvent, nameless: bool) {
    out.extend(b"{\"id\":");
    if nameless {
        id(out, &FeatureId::Fid(event.fid))
    } else {
        id(out, &event.id)
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
