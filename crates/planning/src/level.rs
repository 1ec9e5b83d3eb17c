//! The levels of plans, and which of them prevails.

use citymap_model::{Title, codes, text};

/// The level of a plan, from the finest to the coarsest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum PlanLevel {
    /// A local adjustment of a plan (điều chỉnh cục bộ, ĐCCB).
    LocalAdjustment,
    /// A detailed plan, 1/500 (quy hoạch chi tiết, QHCT).
    Detailed,
    /// A zoning plan, 1/2 000 to 1/5 000 (quy hoạch phân khu, QHPK).
    Zoning,
    /// A general plan, 1/10 000 (quy hoạch chung, QHC).
    General,
}

impl PlanLevel {
    /// Every level, from the finest to the coarsest.
    pub const ALL: [Self; 4] = [Self::LocalAdjustment, Self::Detailed, Self::Zoning, Self::General];

    /// Reads a level from a code (`QHPK`) or from words that name it (`Quy hoạch phân khu tỷ lệ 1/2000`);
    /// case and accents do not matter. `None` for a text that names no level.
    ///
    /// # Examples
    /// ```
    /// use citymap_planning::PlanLevel;
    ///
    /// assert_eq!(PlanLevel::read("qhpk"), Some(PlanLevel::Zoning));
    /// assert_eq!(PlanLevel::read("Quy hoạch chung"), Some(PlanLevel::General));
    /// assert_eq!(PlanLevel::read("Điều chỉnh cục bộ QHCT"), Some(PlanLevel::LocalAdjustment));
    /// assert_eq!(PlanLevel::read("khác"), None);
    /// ```
    pub fn read(text: &str) -> Option<Self> {
        let folded = text::fold(text);
        let has = |words: &[&str]| words.iter().any(|word| folded.contains(word));
        if has(&["dccb", "dieu chinh cuc bo"]) {
            Some(Self::LocalAdjustment)
        } else if has(&["qhct", "chi tiet"]) {
            Some(Self::Detailed)
        } else if has(&["qhpk", "phan khu"]) {
            Some(Self::Zoning)
        } else if folded == "qhc" || has(&["hoach chung", "qhc "]) {
            Some(Self::General)
        } else {
            None
        }
    }

    /// The abbreviation that planners use.
    pub fn code(self) -> &'static str {
        match self {
            Self::LocalAdjustment => "ĐCCB",
            Self::Detailed => "QHCT",
            Self::Zoning => "QHPK",
            Self::General => "QHC",
        }
    }

    /// The name with the scale of its drawings, as the code list [`codes::PLAN_LEVELS`] has it.
    pub fn title(self) -> Title {
        let entry = codes::builtin(codes::PLAN_LEVELS).and_then(|list| list.get(self.code()));
        // The list has every level; a test holds it to that.
        entry.map_or_else(|| Title::same(self.code()), |entry| entry.title.clone())
    }
}

/// Which level prevails over which, the first over all others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Precedence(Vec<PlanLevel>);

impl Default for Precedence {
    /// From the finest to the coarsest.
    fn default() -> Self {
        Self(PlanLevel::ALL.to_vec())
    }
}

impl Precedence {
    /// An order of its own. Levels that are not named come last.
    pub fn new(levels: impl IntoIterator<Item = PlanLevel>) -> Self {
        Self(levels.into_iter().collect())
    }

    /// The place of a level in the order, from 0; a plan without a known level comes after all others.
    pub fn rank(&self, level: Option<PlanLevel>) -> usize {
        let known = level.and_then(|level| self.0.iter().position(|own| *own == level));
        known.unwrap_or(self.0.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_code_list_has_every_level_the_finest_first() {
        let list = codes::builtin(codes::PLAN_LEVELS).unwrap();
        let codes: Vec<&str> = list.entries.iter().map(|entry| entry.code.as_str()).collect();
        assert_eq!(codes, PlanLevel::ALL.map(PlanLevel::code));
        for level in PlanLevel::ALL {
            let title = level.title();
            assert_eq!(
                PlanLevel::read(&title.vi),
                Some(level),
                "the text is read as the level that it names"
            );
            assert_ne!(title.en, level.code());
        }
    }
}
