use std::sync::Arc;

use citymap_engine::{City, LayerSnapshot};
use citymap_model::{Role, units::communes};
use rayon::iter::{IntoParallelIterator, ParallelIterator};

use crate::{
    answer::accented,
    asking::Asking,
    coordinates::parse_coordinates,
    hit::{Hit, SearchQuery},
    layer::LayerIndex,
    parcel::parse_parcel,
    phrases::{Asked, Fit},
    rank::worth,
    units,
    words::{Kind, Words, split_kind},
};

/// The index of names, addresses and keys of a city. Cheap to clone.
///
/// It holds row numbers of the snapshots it was built from: a layer that is another snapshot in the city that is searched
/// with it is left out, so build or update the index with each new city.
#[derive(Clone, Debug, Default)]
pub struct SearchIndex {
    pub(crate) layers: Vec<Arc<LayerIndex>>,
    /// Which communes of the built-in table no layer has.
    pub(crate) missing: Vec<bool>,
}

/// How many characters of a question are read.
const LONGEST: usize = 200;
/// The most answers to one question.
const MOST: usize = 200;

impl SearchIndex {
    /// Indexes a city.
    pub fn build(city: &City) -> Self {
        Self::update(&Self::default(), city)
    }

    /// Indexes a city, keeping from `old` what is of the same snapshots, and of a layer that was edited
    /// ([`LayerSnapshot::apply`]) all but the delta: that costs what the delta holds. A layer that was
    /// [merged](LayerSnapshot::merged) or read anew is indexed whole, seconds for a million features; so after a merge
    /// beside the readers, index there too, then bring snapshot and index up to date.
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
        let (own, before) = (admin_units(&layers), admin_units(&old.layers));
        let same = own.len() == before.len() && own.iter().zip(&before).all(|(a, b)| Arc::ptr_eq(a, b));
        if same && !old.missing.is_empty() {
            return Self { layers, missing: old.missing.clone() };
        }
        let has = |(kind, core): (Kind, String)| {
            own.iter().filter_map(|layer| Some((layer, city.layers.get(&layer.id)?))).any(
                |(layer, snapshot)| {
                    let asked = Asked { kind: Kind::None, core: &core, partial: false };
                    let found = layer.names(snapshot).find(asked, 20);
                    found.iter().any(|(fit, phrase)| {
                        *fit == Fit::Exact && (phrase.kind() == kind || phrase.kind() == Kind::None)
                    })
                },
            )
        };
        let missing = communes().iter().map(|commune| !has(units::commune_name(commune))).collect();
        Self { layers, missing }
    }

    /// The answers, the best first, at most `query.limit` (and never more than 200).
    ///
    /// Order: exact names before beginnings before names that have every word before what is only near; among equals
    /// communes, former units, roads, places, addresses, parcels; then what lies nearer to `query.near`.
    pub fn search(&self, city: &City, query: &SearchQuery) -> Vec<Hit> {
        let text: String = query.text.chars().take(LONGEST).collect();
        let limit = query.limit.min(MOST);
        if limit == 0 || text.trim().is_empty() {
            return Vec::new();
        }
        if let Some(position) = parse_coordinates(&text) {
            return vec![Hit::at(position)];
        }
        let snapshots = self
            .layers
            .iter()
            .map(|layer| city.layers.get(&layer.id).filter(|snapshot| layer.is_of(snapshot)))
            .collect();
        let near = query.near.filter(|near| near.iter().all(|degrees| degrees.is_finite()));
        let partial = !text.ends_with(char::is_whitespace);
        let accents = (!text.is_ascii()).then(|| accented(text.trim()));
        let mut asking = Asking { index: self, snapshots, near, limit, partial, accents, found: Vec::new() };
        asking.keys(text.trim());
        // A whole key names its parcels; only without one is it read as sheet and number.
        if !asking.found.iter().any(|found| found.score >= worth(Fit::Exact))
            && let Some(number) = parse_parcel(&text)
        {
            asking.parcels(&number);
        }
        let words = Words::of(&text);
        asking.names(&words.text, None);
        if !asking.found.iter().any(|found| found.score >= worth(Fit::Words))
            && let Some((main, place)) = split_place(&words)
        {
            let areas = units::places(place);
            if !areas.is_empty() {
                asking.partial = false;
                asking.names(main, Some(&areas));
            }
        }
        asking.finish()
    }
}

/// `123 nguyen trai, quan 5` in two: the name, and the commune or former unit behind it.
fn split_place(words: &Words) -> Option<(&str, &str)> {
    let text = words.text.as_str();
    let (main, place) = if words.head < text.len() {
        (&text[..words.head], text[words.head..].trim_start())
    } else {
        // No comma: the first word that says a kind of unit begins the place.
        let mut starts = text.match_indices(' ').map(|(space, _)| space);
        let space =
            starts.find(|&space| !matches!(split_kind(&text[space + 1..]).0, Kind::None | Kind::Road))?;
        (&text[..space], &text[space + 1..])
    };
    // The city itself narrows nothing down, and of `phường x, quận y` all of it is a former unit's full name.
    let place = place.strip_suffix("viet nam").unwrap_or(place).trim_end();
    let place = place
        .strip_suffix("ho chi minh")
        .map_or(place, |rest| rest.trim_end().trim_end_matches("thanh pho").trim_end());
    (!main.is_empty() && !place.is_empty()).then_some((main, place))
}
