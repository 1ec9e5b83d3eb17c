//! What a quarter is like: how wide its streets are, how deep its blocks, how narrow its lots.

use crate::dice::Dice;

/// A kind of quarter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Kind {
    /// The old centre: shops, offices, towers.
    Core,
    /// Tube houses along streets and deep in alleys.
    Tube,
    /// Tube houses as in [`Kind::Tube`], less dense.
    Urban,
    /// A planned settlement of terraces.
    Planned,
    Villa,
    Apartment,
    Industrial,
    Park,
    /// A campus: university, hospital, barracks.
    Campus,
    Village,
    Field,
}

/// A kind's measures, metres.
pub(crate) struct Style {
    pub(crate) street: f64,
    /// Largest block: width and length, metres.
    pub(crate) block: (f64, f64),
    /// Greatest thickness of what two rows of lots share; blocks thicker than this get alleys.
    pub(crate) leaf: f64,
    pub(crate) alley: f64,
    /// Narrowest and widest lot, metres.
    pub(crate) lot: (f64, f64),
    /// How far streets stray from the quarter's grid, radians.
    pub(crate) stray: f64,
}

impl Kind {
    pub(crate) fn style(self) -> Style {
        let style = |street, block, leaf, alley, lot, stray| Style { street, block, leaf, alley, lot, stray };
        match self {
            Self::Core => style(15.0, (78.0, 125.0), 38.0, 4.0, (4.0, 5.8), 0.02),
            Self::Tube => style(10.0, (128.0, 200.0), 35.0, 3.5, (3.7, 4.9), 0.09),
            Self::Urban => style(10.0, (118.0, 185.0), 40.0, 4.0, (3.9, 5.4), 0.06),
            Self::Planned => style(13.0, (41.0, 135.0), 42.0, 4.0, (4.8, 5.6), 0.004),
            Self::Villa => style(12.0, (54.0, 130.0), 56.0, 5.0, (10.0, 15.0), 0.03),
            Self::Apartment => style(16.0, (120.0, 170.0), 200.0, 5.0, (60.0, 110.0), 0.02),
            Self::Industrial => style(22.0, (190.0, 300.0), 200.0, 6.0, (45.0, 110.0), 0.01),
            Self::Park | Self::Campus => style(10.0, (900.0, 900.0), 900.0, 5.0, (90.0, 200.0), 0.02),
            Self::Village => style(7.0, (120.0, 190.0), 74.0, 4.0, (7.0, 18.0), 0.14),
            Self::Field => style(5.0, (190.0, 350.0), 215.0, 4.0, (20.0, 58.0), 0.07),
        }
    }

    /// The kind of a quarter where the city is `u` dense: 1 in the centre, 0 at the edge. `wind`
    /// (-1..1) is noise that keeps industry and villages in clusters.
    pub(crate) fn draw(u: f64, wind: f64, dice: &mut Dice) -> Self {
        let roll = dice.unit();
        if u > 0.9 {
            pick(roll, &[(0.82, Self::Core), (0.93, Self::Tube), (0.97, Self::Park)], Self::Campus)
        } else if u > 0.72 {
            let kinds =
                [(0.6, Self::Tube), (0.85, Self::Urban), (0.89, Self::Apartment), (0.92, Self::Villa)];
            let roll = if wind > 0.75 && roll > 0.9 { 0.97 } else { roll };
            pick(roll, &[kinds[0], kinds[1], kinds[2], kinds[3], (0.955, Self::Park)], Self::Campus)
        } else if u > 0.5 {
            if wind > 0.42 {
                return pick(roll, &[(0.72, Self::Industrial), (0.9, Self::Urban)], Self::Planned);
            }
            let kinds =
                [(0.42, Self::Urban), (0.64, Self::Planned), (0.73, Self::Village), (0.79, Self::Villa)];
            pick(
                roll,
                &[kinds[0], kinds[1], kinds[2], kinds[3], (0.86, Self::Apartment), (0.9, Self::Park)],
                Self::Field,
            )
        } else if u > 0.33 {
            if wind > 0.5 {
                return pick(roll, &[(0.5, Self::Industrial), (0.7, Self::Village)], Self::Field);
            }
            pick(roll, &[(0.17, Self::Planned), (0.2, Self::Villa), (0.55, Self::Village)], Self::Field)
        } else {
            let villages = if wind < -0.25 { 0.3 } else { 0.08 };
            pick(roll, &[(villages, Self::Village)], Self::Field)
        }
    }

    /// How large a quarter is, metres across, where the city is `u` dense.
    pub(crate) fn quarter(u: f64) -> f64 {
        if u > 0.9 {
            330.0
        } else if u > 0.45 {
            430.0
        } else {
            620.0
        }
    }

    /// Whether people live close together here: streets have names, pipes and lights.
    pub(crate) fn built_up(self) -> bool {
        !matches!(self, Self::Field | Self::Village)
    }
}

fn pick(roll: f64, kinds: &[(f64, Kind)], last: Kind) -> Kind {
    kinds.iter().find(|(upto, _)| roll < *upto).map_or(last, |(_, kind)| *kind)
}

/// What a lot is used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Use {
    House,
    Villa,
    Shop,
    Tower,
    Apartment,
    RuralHouse,
    Factory,
    School,
    Hospital,
    Office,
    Market,
    Park,
    Pagoda,
    Barracks,
    Rice,
    Orchard,
    Crops,
    Vacant,
}

impl Use {
    /// The land-use code (mã loại đất), of the list `land_use`.
    pub(crate) fn code(self) -> &'static str {
        match self {
            Self::House | Self::Villa | Self::Apartment => "ODT",
            Self::RuralHouse => "ONT",
            Self::Shop | Self::Tower => "TMD",
            Self::Factory => "SKC",
            Self::School => "DGD",
            Self::Hospital => "DYT",
            Self::Office => "TSC",
            Self::Market => "DCH",
            Self::Park => "DKV",
            Self::Pagoda => "TON",
            Self::Barracks => "CQP",
            Self::Rice => "LUC",
            Self::Orchard => "CLN",
            Self::Crops => "HNK",
            Self::Vacant => "BCS",
        }
    }

    /// What most of the fields of one block are; `None` for a mixture.
    pub(crate) fn of_fields(dice: &mut Dice) -> Option<Self> {
        let roll = dice.unit();
        let table = [(0.5, Self::Rice), (0.72, Self::Orchard), (0.85, Self::Crops)];
        table.into_iter().find(|(upto, _)| roll < *upto).map(|(_, use_)| use_)
    }

    /// The use of an ordinary lot of a quarter.
    pub(crate) fn of_lot(kind: Kind, area: f64, major: bool, dice: &mut Dice) -> Self {
        let roll = dice.unit();
        match kind {
            Kind::Core if roll < if major { 0.5 } else { 0.16 } => {
                if area > 350.0 {
                    Self::Tower
                } else {
                    Self::Shop
                }
            }
            Kind::Core | Kind::Tube | Kind::Urban | Kind::Planned => {
                if roll < if major { 0.16 } else { 0.015 } {
                    Self::Shop
                } else if roll > 0.993 || (kind == Kind::Planned && roll > 0.9) {
                    Self::Vacant
                } else {
                    Self::House
                }
            }
            Kind::Villa => Self::Villa,
            Kind::Apartment => {
                if roll < 0.75 {
                    Self::Apartment
                } else {
                    Self::Tower
                }
            }
            Kind::Industrial => Self::Factory,
            Kind::Park => Self::Park,
            Kind::Campus => {
                if roll < 0.45 {
                    Self::School
                } else if roll < 0.7 {
                    Self::Hospital
                } else if roll < 0.85 {
                    Self::Office
                } else {
                    Self::Barracks
                }
            }
            Kind::Village => {
                if roll < 0.62 {
                    Self::RuralHouse
                } else if roll < 0.9 {
                    Self::Orchard
                } else {
                    Self::Crops
                }
            }
            Kind::Field => {
                if area < 900.0 && roll < 0.3 {
                    Self::RuralHouse
                } else if roll < 0.6 {
                    Self::Rice
                } else if roll < 0.84 {
                    Self::Orchard
                } else {
                    Self::Crops
                }
            }
        }
    }
}
