//! The coordinate systems of features that name one for themselves: rows of a table with EWKT or extended
//! WKB, and geometries of GML with a `srsName` each.

use citymap_crs::Crs;

use crate::srs::Srs;

/// Systems of one table that are told apart; rows that name more are rejected.
const SYSTEMS: usize = 100;

/// In which system each feature of a layer is read.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Systems {
    /// The codes that features name and keep.
    kept: Vec<(u32, Crs)>,
    /// The code that all features name, in place of which `--crs` is used.
    replaced: Option<u32>,
    /// Whether a feature that names no system is in that of the layer.
    has_default: bool,
}

/// The systems that the features of a layer name, counted over all of them.
#[derive(Debug, Default)]
pub(crate) struct SystemCensus {
    /// In the order in which they were met.
    counts: Vec<(u32, u64)>,
    /// Features with geometry that name no system.
    unnamed: u64,
    /// Features that name one beyond the first hundred.
    beyond: u64,
}

impl SystemCensus {
    /// Whether any feature names a system.
    pub(crate) fn has_any(&self) -> bool {
        !self.counts.is_empty()
    }

    /// Counts a feature with geometry by the code that it names.
    pub(crate) fn take(&mut self, code: Option<u32>) {
        let Some(code) = code else {
            self.unnamed += 1;
            return;
        };
        if let Some((_, count)) = self.counts.iter_mut().find(|(own, _)| *own == code) {
            *count += 1;
        } else if self.counts.len() < SYSTEMS {
            self.counts.push((code, 1));
        } else {
            self.beyond += 1;
        }
    }
}

/// Why a feature cannot be read in any system.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NoSystem {
    /// It names none, while others do.
    Unnamed,
    /// It names one that is not known here, by this code.
    Unknown(u32),
}

/// What the features of a layer say of their systems.
pub(crate) struct Settled {
    pub systems: Systems,
    /// The system of the layer, in which features are that name none.
    pub srs: Srs,
    pub note: Option<String>,
}

impl Systems {
    /// Decides how features are read. `place` is where they name their systems (a column), `asked` the system
    /// of `--crs`, and `beside` what a file beside theirs says. `--crs` replaces the system of a layer, which
    /// is one that all features name; where they name several, or some name none, each keeps its own, and the
    /// others are in that of `--crs`.
    pub(crate) fn settle(
        place: &str,
        census: &SystemCensus,
        asked: Option<Crs>,
        beside: Option<Srs>,
    ) -> Settled {
        let SystemCensus { counts, unnamed, beyond } = census;
        let kept: Vec<(u32, Crs)> =
            counts.iter().filter_map(|(code, _)| Some((*code, Crs::new(*code).ok()?))).collect();
        let unknown = Srs::Unknown(format!("{place} names no coordinate system"));
        let [first, others @ ..] = counts.as_slice() else {
            let srs = beside.unwrap_or(unknown);
            return Settled { systems: Self { has_default: true, ..Self::default() }, srs, note: None };
        };
        if others.is_empty() && *unnamed == 0 {
            return Self::one(place, *first, kept, asked);
        }
        let default = match (&asked, beside) {
            (Some(asked), _) => Some((*asked, "--crs".to_owned())),
            (None, Some(Srs::Known { crs, how, .. })) => Some((crs, how)),
            _ => None,
        };
        let most = counts.iter().rev().max_by_key(|(_, count)| *count);
        let most = kept.iter().find(|(code, _)| most.is_some_and(|most| most.0 == *code)).or(kept.first());
        let rows = |count: u64| format!("{count} {}", if count == 1 { "row" } else { "rows" });
        let mut said: Vec<String> = counts
            .iter()
            .map(|(code, count)| match kept.iter().find(|(own, _)| own == code) {
                Some((_, crs)) => format!("{} in {crs}", rows(*count)),
                None => format!("{} with SRID={code}, which is not known", rows(*count)),
            })
            .collect();
        if *beyond > 0 {
            said.push(format!("{} with other systems, which are too many", rows(*beyond)));
        }
        if *unnamed > 0 {
            said.push(match &default {
                Some((crs, how)) => format!("{} without a system, read in {crs} ({how})", rows(*unnamed)),
                None => format!("{} without a system", rows(*unnamed)),
            });
        }
        let said = said.join(", ");
        let srs = match default.as_ref().map(|(crs, _)| *crs).or(most.map(|(_, crs)| *crs)) {
            Some(crs) => Srs::Known {
                crs,
                how: format!("{place}; each row was read in the system that it names: {said}"),
                warnings: Vec::new(),
            },
            None => Srs::Unknown(format!("{place} names systems that are not known here: {said}")),
        };
        let note = format!("{place}: each row was read in the system that it names: {said}");
        let systems = Self { kept, replaced: None, has_default: default.is_some() };
        Settled { systems, srs, note: Some(note) }
    }

    /// All rows name the same system.
    fn one(place: &str, (code, count): (u32, u64), kept: Vec<(u32, Crs)>, asked: Option<Crs>) -> Settled {
        let known = kept.first().map(|(_, crs)| *crs);
        let note = asked.filter(|_| known.is_none()).map(|asked| {
            format!(
                "{place}: the {count} rows with geometry name SRID={code}, which is not known; \
                 {asked} was asked for (--crs) and used"
            )
        });
        let srs = match known {
            Some(crs) => {
                Srs::Known { crs, how: format!("SRID={code} in {place}, {count} rows"), warnings: Vec::new() }
            }
            None => Srs::Unknown(format!(
                "{place} names a system that is not known here: SRID={code} in {count} rows"
            )),
        };
        let replaced = asked.map(|_| code);
        Settled { systems: Self { kept, replaced, has_default: asked.is_some() }, srs, note }
    }

    /// The systems that features name and keep.
    pub(crate) fn kept(&self) -> Vec<Crs> {
        let replaced = |code: u32| self.replaced == Some(code);
        let mut systems: Vec<Crs> =
            self.kept.iter().filter(|(code, _)| !replaced(*code)).map(|(_, crs)| *crs).collect();
        systems.sort_unstable();
        systems.dedup();
        systems
    }

    /// The system in which a feature is that names one, or none; none for that of the layer.
    ///
    /// # Errors
    /// [`NoSystem`] if it cannot be read.
    pub(crate) fn of_feature(&self, named: Option<u32>) -> Result<Option<Crs>, NoSystem> {
        match named {
            None if self.has_default => Ok(None),
            None => Err(NoSystem::Unnamed),
            Some(code) if self.replaced == Some(code) => Ok(None),
            Some(code) => match self.kept.iter().find(|(own, _)| *own == code) {
                Some((_, crs)) => Ok(Some(*crs)),
                None => Err(NoSystem::Unknown(code)),
            },
        }
    }
}
