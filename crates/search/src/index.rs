//! The index of a city, and how a query runs over it.

use std::sync::Arc;

use citymap_engine::{Cancel, Cancelled, City, LayerSnapshot};
use citymap_model::{CityProfile, Role, units::communes};
use rayon::iter::{IntoParallelIterator, ParallelIterator};

use crate::{
    coordinates::parse_coordinates,
    hit::{Hit, SearchQuery},
    hits::accented,
    layer::LayerIndex,
    parcel::parse_parcel,
    phrases::{Fit, PhraseQuery},
    query_run::QueryRun,
    rank::worth,
    units,
    words::{NameKind, Words, split_kind},
};

/// The index of names, addresses and keys of a city. Cheap to clone.
///
/// It holds row numbers of the snapshots that it was built from. A layer of which the searched city has
/// another snapshot is left out, so build or update the index with each new city.
#[derive(Clone, Debug, Default)]
pub struct SearchIndex {
    pub(crate) layers: Vec<Arc<LayerIndex>>,
    /// For each commune of the built-in table, whether no layer has it.
    pub(crate) missing: Vec<bool>,
}

/// Maximum number of characters of a query that are read.
const QUERY_CHARACTERS: usize = 200;
/// Maximum number of answers to one query.
const HITS_MAX: usize = 200;

impl SearchIndex {
    /// Indexes a city. Takes seconds for a million features.
    pub fn build(city: &City) -> Self {
        Self::update(&Self::default(), city)
    }

    /// Indexes a city, keeping from `old` the layers whose snapshots are the same, and of layers that were
    /// edited ([`LayerSnapshot::apply`]) all but the delta.
    ///
    /// # Performance
    /// An edit costs what the delta holds. A layer that was [merged](LayerSnapshot::merged) or read again is
    /// indexed as a whole, which takes seconds for a million features: index it before readers have to wait
    /// for it.
    pub fn update(old: &Self, city: &City) -> Self {
        let layers: Vec<&Arc<LayerSnapshot>> = city.layers.values().collect();
        let layers: Vec<Arc<LayerIndex>> = layers
            .into_par_iter()
            .map(|snapshot| {
                let before = old.layers.iter().find(|layer| layer.id == snapshot.layer().id);
                match before {
                    Some(same) if same.is_of(snapshot) => Arc::clone(same),
                    _ => Arc::new(LayerIndex::build(snapshot, before.map(AsRef::as_ref))),
                }
            })
            .collect();
        let admin_units = |layers: &[Arc<LayerIndex>]| -> Vec<Arc<LayerIndex>> {
            layers.iter().filter(|layer| layer.role == Role::AdminUnit).cloned().collect()
        };
        let (present, before) = (admin_units(&layers), admin_units(&old.layers));
        let same =
            present.len() == before.len() && present.iter().zip(&before).all(|(a, b)| Arc::ptr_eq(a, b));
        if same && !old.missing.is_empty() {
            return Self { layers, missing: old.missing.clone() };
        }
        let has = |(kind, core): (NameKind, String)| {
            present.iter().filter_map(|layer| Some((layer, city.layers.get(&layer.id)?))).any(
                |(layer, snapshot)| {
                    let asked = PhraseQuery { kind: NameKind::None, core: &core, partial: false };
                    let found = layer.names(snapshot).find(asked, 20);
                    found.iter().any(|(fit, phrase)| {
                        *fit == Fit::Exact && (phrase.kind() == kind || phrase.kind() == NameKind::None)
                    })
                },
            )
        };
        let missing = communes().iter().map(|commune| !has(units::commune_name(commune))).collect();
        Self { layers, missing }
    }

    /// The answers, the best first, at most `query.limit` and never more than 200.
    ///
    /// Exact names come first, then names that begin with the query, then names that have every word of it,
    /// then what is only near. Equal fits are ordered by what they are (communes, former units, roads,
    /// places, addresses, parcels), then by the distance to `query.near`.
    pub fn search(&self, city: &City, query: &SearchQuery) -> Vec<Hit> {
        self.search_until(city, query, &Cancel::new()).unwrap_or_default()
    }

    /// As [`SearchIndex::search`], but ends soon after `cancel` is set.
    ///
    /// # Errors
    /// [`Cancelled`].
    pub fn search_until(
        &self,
        city: &City,
        query: &SearchQuery,
        cancel: &Cancel,
    ) -> Result<Vec<Hit>, Cancelled> {
        let text: String = query.text.chars().take(QUERY_CHARACTERS).collect();
        let limit = query.limit.min(HITS_MAX);
        if limit == 0 || text.trim().is_empty() {
            return Ok(Vec::new());
        }
        if let Some(position) = parse_coordinates(&text) {
            return Ok(vec![Hit::at(position)]);
        }
        let snapshots = self
            .layers
            .iter()
            .map(|layer| city.layers.get(&layer.id).filter(|snapshot| layer.is_of(snapshot)))
            .collect();
        let near = query.near.filter(|near| near.iter().all(|degrees| degrees.is_finite()));
        let partial = !text.ends_with(char::is_whitespace);
        let accents = (!text.is_ascii()).then(|| accented(text.trim()));
        let candidates = Vec::new();
        let mut run =
            QueryRun { index: self, city, snapshots, near, limit, partial, accents, cancel, candidates };
        run.keys(text.trim());
        // If the text is a whole key, it is not read as sheet and parcel number as well.
        if !run.candidates.iter().any(|candidate| candidate.score >= worth(Fit::Exact))
            && let Some(number) = parse_parcel(&text)
        {
            run.parcels(&number);
        }
        let words = Words::of(&text);
        run.names(&words.text, None);
        if !run.candidates.iter().any(|candidate| candidate.score >= worth(Fit::Words))
            && let Some((main, place)) = split_place(&words, &city.profile)
        {
            let areas = if city.profile.has_builtin_units() { units::places(place) } else { Vec::new() };
            if !areas.is_empty() {
                run.partial = false;
                run.names(main, Some(&areas));
            }
        }
        cancel.check()?;
        Ok(run.finish())
    }
}

/// The words for a city or province in front of its name, folded.
const KINDS: [&str; 2] = ["thanh pho", "tinh"];

/// Splits `123 nguyen trai, quan 5` into the name and the commune or former unit after it.
fn split_place<'a>(words: &'a Words, city: &CityProfile) -> Option<(&'a str, &'a str)> {
    let text = words.text.as_str();
    let (main, place) = if words.head < text.len() {
        (&text[..words.head], text[words.head..].trim_start())
    } else {
        // Without a comma, the place begins with the first word for a kind of unit.
        let mut starts = text.match_indices(' ').map(|(space, _)| space);
        let space = starts
            .find(|&space| !matches!(split_kind(&text[space + 1..]).0, NameKind::None | NameKind::Road))?;
        (&text[..space], &text[space + 1..])
    };
    // The city itself narrows nothing down, and of `phường x, quận y` all of it is a former unit's full name.
    let place = place.strip_suffix("viet nam").unwrap_or(place).trim_end();
    let name = Words::of(city.name.get("vi")).text;
    let (kind, own) =
        KINDS.iter().find_map(|kind| Some((*kind, name.strip_prefix(kind)?))).unwrap_or(("", &name));
    let place = match place.strip_suffix(own.trim_start()).filter(|_| !own.is_empty()) {
        Some(rest) => {
            let rest = rest.trim_end();
            rest.strip_suffix(kind).unwrap_or(rest).trim_end()
        }
        None => place,
    };
    (!main.is_empty() && !place.is_empty()).then_some((main, place))
}
