//! The levels of plans, and which of them prevails.

use citymap_model::{Title, text};

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

    /// The name with the scale of its drawings.
    pub fn title(self) -> Title {
        match self {
            Self::LocalAdjustment => Title::new("Điều chỉnh cục bộ quy hoạch", "Local adjustment of a plan"),
            Self::Detailed => Title::new("Quy hoạch chi tiết 1/500", "Detailed plan 1:500"),
            Self::Zoning => Title::new("Quy hoạch phân khu 1/2.000", "Zoning plan 1:2,000"),
            Self::General => Title::new("Quy hoạch chung 1/10.000", "General plan 1:10,000"),
        }
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
