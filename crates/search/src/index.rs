//! The index of a city, and how a query runs over it.

use std::{cell::RefCell, sync::Arc};

use citymap_engine::{Cancel, Cancelled, City, LayerSnapshot};
use citymap_model::{Role, units::communes};
use rayon::iter::{IntoParallelIterator, ParallelIterator};

use crate::{
    coordinates::parse_coordinates,
    hit::{Answer, Hit, SearchQuery},
    hits::accented,
    layer::LayerIndex,
    parcel::parse_parcel,
    phrases::{Fit, PhraseQuery},
    query_run::{Matching, NameSearch, QueryRun},
    question::{InPlace, in_places, spaced},
    rank::{worth, worth_similar},
    similar::Similarity,
    units,
    words::{NameKind, Words, with_date_written_out},
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
    /// then what is similar (typing errors, missing spaces), then what is only near. Equal fits are ordered
    /// by what they are (communes, former units, roads, places, addresses, parcels), then by the distance to
    /// `query.near`. A commune or former unit in the query restricts the answers to it; if nothing there
    /// fits, what is elsewhere is answered and marked.
    pub fn search(&self, city: &City, query: &SearchQuery) -> Answer {
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
    ) -> Result<Answer, Cancelled> {
        let text: String = query.text.chars().take(QUERY_CHARACTERS).collect();
        let limit = query.limit.min(HITS_MAX);
        if limit == 0 || text.trim().is_empty() {
            return Ok(Answer::default());
        }
        if let Some(position) = parse_coordinates(&text) {
            return Ok(Answer { hits: vec![Hit::at(position)], place: None });
        }
        let mut run = self.run((city, cancel), query, &text);
        let crossings = run.crossings(&text);
        if !crossings.is_empty() {
            return Ok(Answer { hits: crossings, place: None });
        }
        run.keys(text.trim());
        // If the text is a whole key, it is not read as sheet and parcel number as well.
        if run.best() < worth(Fit::Exact)
            && let Some(number) = parse_parcel(&text)
        {
            run.parcels(&number);
        }
        let words = Words::of(&text);
        run.decisions(&words.text);
        run.names(&words.text, NameSearch::EXACT);
        // `Chương Dương, Phường Bến Thành` names a street, and not every house of it.
        if run.best() < worth(Fit::Exact) {
            run.in_places(&words, (Matching::Exact, Readings::MarkedNames), 0);
        }
        if run.best() < worth(Fit::Words) {
            run.written_otherwise(&words, &text);
        }
        if run.best() < worth(Fit::Prefix) {
            run.names(&words.text, NameSearch { matching: Matching::Similar, ..NameSearch::EXACT });
        }
        if run.best() < worth_similar(Similarity { errors: 1, fit: Fit::Words }) {
            run.in_places(&words, (Matching::Similar, Readings::All), 0);
        }
        cancel.check()?;
        Ok(run.finish())
    }

    /// The run of a query, before anything is looked for.
    fn run<'a>(
        &'a self,
        (city, cancel): (&'a City, &'a Cancel),
        query: &SearchQuery,
        text: &str,
    ) -> QueryRun<'a> {
        let snapshot =
            |layer: &Arc<LayerIndex>| city.layers.get(&layer.id).filter(|snapshot| layer.is_of(snapshot));
        QueryRun {
            index: self,
            city,
            snapshots: self.layers.iter().map(snapshot).collect(),
            lang: query.lang,
            near: query.near.filter(|near| near.iter().all(|degrees| degrees.is_finite())),
            limit: query.limit.min(HITS_MAX),
            partial: !text.ends_with(char::is_whitespace),
            accents: (!text.is_ascii()).then(|| accented(text.trim())),
            cancel,
            candidates: Vec::new(),
            place: None,
            communes: RefCell::default(),
        }
    }
}

/// Which readings of a text as something in a place are tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Readings {
    All,
    /// Those of names, not of house numbers, whose place begins at a comma or at a word for a kind of unit.
    MarkedNames,
}

impl QueryRun<'_> {
    /// Adds what is found if the text is read as something in a place, or with other spaces.
    fn written_otherwise(&mut self, words: &Words, text: &str) {
        self.in_places(words, (Matching::Exact, Readings::All), 0);
        if self.best() < worth(Fit::Words)
            && let Some(written) = with_date_written_out(&words.text)
        {
            let words = Words::of_folded(written);
            self.names(&words.text, NameSearch::EXACT);
            self.in_places(&words, (Matching::Exact, Readings::All), 0);
        }
        if self.best() < worth(Fit::Words) && text.contains(" - ") {
            self.in_places(&Words::of(&text.replace(" - ", ", ")), (Matching::Exact, Readings::All), 0);
        }
        if self.best() >= worth(Fit::Words) {
            return;
        }
        let variants = {
            let has = |word: &str| {
                units::all().names.has_word(word)
                    || self.layers().any(|(_, layer, snapshot)| {
                        layer.names(snapshot).has_word(word) || layer.addresses(snapshot).has_word(word)
                    })
            };
            spaced(&words.text, &has)
        };
        for variant in variants {
            if self.cancel.is_cancelled() {
                return;
            }
            // A space too many or too few is one typing error.
            self.names(&variant, NameSearch { errors: 1, ..NameSearch::EXACT });
            if self.best() < worth_similar(Similarity { errors: 1, fit: Fit::Words }) {
                let words = Words::of_folded(variant);
                self.in_places(&words, (Matching::Exact, Readings::All), 1);
            }
        }
    }

    /// Adds what is found if the text is read as something in a place, until something fits.
    fn in_places(&mut self, words: &Words, (matching, readings): (Matching, Readings), errors: u8) {
        let city = self.city;
        let partial = std::mem::replace(&mut self.partial, false);
        for InPlace { main, place, around, marked } in in_places(words, &city.profile) {
            if self.cancel.is_cancelled() {
                break;
            }
            let is_name = !main.starts_with(|letter: char| letter.is_ascii_digit());
            if readings == Readings::MarkedNames && !(marked && is_name) {
                continue;
            }
            // Of two guesses, where the place begins and what it is called, one is enough.
            let similar = || self.place(place, matching).filter(|_| marked);
            let Some(found) = self.place(place, Matching::Exact).or_else(similar) else { continue };
            let nested = |around| self.place(around, matching).is_some_and(|wide| wide.overlaps(&found));
            if around.is_some_and(|around| !nested(around)) {
                continue;
            }
            let errors = errors + u8::from(!marked);
            let before = self.candidates.len();
            let exact = NameSearch { place: Some(&found), matching: Matching::Exact, errors };
            self.names(main, exact);
            if matching == Matching::Similar && self.candidates.len() == before {
                self.names(main, NameSearch { matching, ..exact });
            }
            // The likelier readings come first: the first that finds something in its place ends the search.
            if self.candidates[before..].iter().any(|candidate| !candidate.elsewhere) {
                break;
            }
        }
        self.partial = partial;
    }
}
