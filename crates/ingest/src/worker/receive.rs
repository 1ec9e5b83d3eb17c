//! What the parent checks of what the child hands over: a file may have taken the child over.

use std::collections::HashSet;

use citymap_geometry::wkb;
use citymap_model::{GeometryKind, Layer, NewFeature, hex};
use geo::CoordsIter;

use super::{Supervised, WorkerError, wire::Frame};
use crate::{
    ImportError, Request,
    check::{Checked, Verdict},
    plan::Plan,
    produce::{Item, Opened},
    source::Original,
    stages::Stages,
};

/// How much is shown of a geometry whose bytes are damaged.
const SHOWN: usize = 1_000;

/// What has been received so far.
pub(super) struct Received<'a> {
    request: &'a Request,
    present: &'a [Layer],
    plans: Vec<Plan>,
    /// The position of the plan whose features come now.
    at: usize,
    missing: Option<String>,
}

impl<'a> Received<'a> {
    pub(super) fn new(request: &'a Request, present: &'a [Layer]) -> Self {
        Self { request, present, plans: Vec::new(), at: 0, missing: None }
    }

    /// The next item, once it is held against what can be.
    pub(super) fn next(&mut self, child: &mut Supervised) -> Result<Item, ImportError> {
        loop {
            let item = match child.next()? {
                Frame::Confined(confinement) => {
                    self.missing = confinement.missing();
                    continue;
                }
                Frame::Failed(failed) => return Err(failed.into()),
                Frame::Item(item) => item,
            };
            let clock = child.clock();
            let checked = clock.time(|| self.checked(item));
            return match checked.map_err(WorkerError::Unsound)? {
                Item::End(stages) => Ok(Item::End(Stages { receive: clock.seconds(), ..stages })),
                item => Ok(item),
            };
        }
    }

    fn checked(&mut self, item: Item) -> Result<Item, String> {
        match item {
            Item::Opened(mut opened) => {
                if !self.plans.is_empty() {
                    return Err("the plans came twice".into());
                }
                self.opened(&opened)?;
                self.plans.clone_from(&opened.plans);
                if let (Some(missing), Some(file)) = (self.missing.take(), opened.files.first_mut()) {
                    file.notes.push(missing);
                }
                Ok(Item::Opened(opened))
            }
            Item::Batch(mut batch) => {
                let plan = self.plans.get(self.at).ok_or("features of no layer")?;
                batch.iter_mut().try_for_each(|one| feature(one, &plan.layer))?;
                Ok(Item::Batch(batch))
            }
            Item::LayerEnd(notes) => {
                self.at += 1;
                Ok(Item::LayerEnd(notes))
            }
            item @ (Item::Looking(_) | Item::End(_)) => Ok(item),
        }
    }

    /// Holds files and plans against the request and the record.
    fn opened(&self, opened: &Opened) -> Result<(), String> {
        let asked = self.request.files.iter().map(|path| path.display().to_string());
        if !asked.eq(opened.files.iter().map(|file| file.path.clone())) {
            return Err("other files than those asked for".into());
        }
        let mut ids = HashSet::new();
        for plan in &opened.plans {
            let layer = &plan.layer;
            if plan.file >= opened.files.len() {
                return Err("a layer of no file".into());
            }
            // Several layers of the files may be added to one layer of the record.
            if !ids.insert(&layer.id) && !self.request.keeps_definitions() {
                return Err(format!("the layer `{}` twice", layer.id));
            }
            let asked = self
                .request
                .layer
                .as_ref()
                .is_none_or(|id| layer.id == *id || layer.id.as_str().starts_with(&format!("{id}_")));
            if !asked {
                return Err(format!("the layer `{}`, which was not asked for", layer.id));
            }
            self.personal(layer)?;
            for field in &layer.fields {
                let fitted = field.domain.clone().map(|domain| domain.fitted(field.field_type)).transpose();
                if fitted.as_ref().ok() != Some(&field.domain) {
                    return Err(format!("the field `{}` with a domain that it cannot have", field.name));
                }
            }
        }
        Ok(())
    }

    /// A field that is personal in the record, or is said to be, stays so unless the request says otherwise.
    fn personal(&self, layer: &Layer) -> Result<(), String> {
        let present = self.present.iter().find(|own| own.id == layer.id);
        let known = present.into_iter().flat_map(|own| &own.fields).filter(|field| field.personal);
        let personal = known.map(|field| &field.name).chain(&self.request.personal);
        for name in personal.filter(|name| !self.request.public.contains(name)) {
            if layer.fields.iter().any(|field| field.name == *name && !field.personal) {
                return Err(format!("the field `{name}` as public, which is personal"));
            }
        }
        Ok(())
    }
}

/// Whether a feature fits its layer, and its coordinates are longitudes and latitudes. A geometry for the
/// file of rejects, which GDAL writes, comes through if its bytes are whole.
fn feature(one: &mut Checked, layer: &Layer) -> Result<(), String> {
    let (fits, original) = match &mut one.verdict {
        Verdict::Rejected(reject) => (Ok(()), &mut reject.original),
        Verdict::Accepted { feature, original } => (fits(feature, layer), original),
    };
    if let Some(Original::Wkb(bytes)) = original
        && wkb::read(bytes).is_err()
        && wkb::read_source(bytes).is_err()
    {
        *original = Some(Original::Text(hex(&bytes[..bytes.len().min(SHOWN)])));
    }
    fits.map_err(|why| format!("feature {} of `{}`: {why}", one.index, layer.id))
}

fn fits(feature: &NewFeature, layer: &Layer) -> Result<(), String> {
    citymap_edit::check_types(&feature.values, &layer.fields)?;
    let Some(geometry) = &feature.geometry else { return Ok(()) };
    if !geometry.coords_iter().all(|c| c.x.abs() <= 180.0 && c.y.abs() <= 90.0) {
        return Err("a coordinate is not a longitude and latitude".into());
    }
    if geometry.coords_iter().next().is_some() {
        layer.geometry.check(GeometryKind::of(geometry)).map_err(|mismatch| mismatch.to_string())?;
    }
    Ok(())
}

#[cfg(test)]
#[path = "receive_tests.rs"]
mod tests;
