//! The city handed over: layer after layer, a few cells at a time, made side by side and kept in order.

use citymap_crs::CrsError;
use citymap_model::{Layer, NewFeature};
use rayon::prelude::*;

use crate::{DemoError, Sink, Summary, city::City, land, layers::Catalogue, networks, part::Part, zones};

/// What makes one layer's features of one part.
type Make = fn(&City, Part) -> Result<Vec<NewFeature>, CrsError>;

/// Cells made at once: enough for every core, few enough to keep little in memory.
const TOGETHER: usize = 24;

/// Hands every layer to the sink.
pub(crate) fn all(
    city: &City,
    sink: &mut dyn Sink,
    progress: &mut dyn FnMut(&str, u64, u64),
) -> Result<Summary, DemoError> {
    let catalogue = Catalogue { seed: city.plan.seed };
    // The ground first: where layers are drawn in their order, water lies under roads.
    let layers: [(Layer, Make); 14] = [
        (catalogue.communes()?, land::communes),
        (catalogue.water()?, land::water),
        (catalogue.zones()?, zones::zones),
        (catalogue.parcels()?, land::parcels),
        (catalogue.buildings()?, land::buildings),
        (catalogue.roads()?, networks::roads),
        (catalogue.addresses()?, land::addresses),
        (catalogue.drainage()?, networks::drainage),
        (catalogue.power_lines()?, networks::power_lines),
        (catalogue.street_lights()?, networks::street_lights),
        (catalogue.hydrants()?, networks::hydrants),
        (catalogue.schools()?, land::schools),
        (catalogue.places()?, land::places),
        (catalogue.reports()?, land::reports),
    ];
    let parts: Vec<Part> =
        std::iter::once(Part::Whole).chain((0..city.cells.len()).map(Part::Cell)).collect();
    let mut summary = Summary { layers: Vec::new() };
    for (layer, make) in layers {
        let mut stream = Stream {
            city,
            make,
            parts: &parts,
            next: 0,
            ready: Vec::new().into_iter(),
            current: Vec::new().into_iter(),
            count: 0,
            failed: None,
            tell: &mut |done| progress(layer.id.as_str(), done as u64, parts.len() as u64),
        };
        let outcome = sink.layer(&layer, &mut stream);
        // The first cause counts: a sink may fail because the features stopped short.
        if let Some(cause) = stream.failed {
            return Err(cause.into());
        }
        let count = stream.count;
        outcome.map_err(|source| DemoError::Sink { layer: layer.id.clone(), source })?;
        summary.layers.push((layer.id, count));
    }
    Ok(summary)
}

struct Stream<'a> {
    city: &'a City,
    make: Make,
    parts: &'a [Part],
    next: usize,
    ready: std::vec::IntoIter<Vec<NewFeature>>,
    current: std::vec::IntoIter<NewFeature>,
    count: u64,
    failed: Option<CrsError>,
    tell: &'a mut dyn FnMut(usize),
}

impl Stream<'_> {
    fn refill(&mut self) -> bool {
        if self.next >= self.parts.len() || self.failed.is_some() {
            return false;
        }
        let end = (self.next + TOGETHER).min(self.parts.len());
        let made: Result<Vec<_>, CrsError> =
            self.parts[self.next..end].par_iter().map(|part| (self.make)(self.city, *part)).collect();
        self.next = end;
        (self.tell)(end);
        match made {
            Ok(made) => self.ready = made.into_iter(),
            Err(cause) => self.failed = Some(cause),
        }
        true
    }
}

impl Iterator for Stream<'_> {
    type Item = NewFeature;

    fn next(&mut self) -> Option<NewFeature> {
        loop {
            if let Some(feature) = self.current.next() {
                self.count += 1;
                return Some(feature);
            }
            match self.ready.next() {
                Some(features) => self.current = features.into_iter(),
                None if self.refill() => {}
                None => return None,
            }
        }
    }
}
