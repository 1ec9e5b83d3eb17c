//! Streets: what they are called and how their houses are numbered.

use crate::geom::{NONE, P, Tag};

/// How important a road is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Class {
    Track,
    Alley,
    Local,
    Secondary,
    Primary,
    National,
}

impl Class {
    /// The code in the field `cap_duong`; of the list `road_class`.
    pub(crate) fn code(self) -> &'static str {
        match self {
            Self::National => "quoc_lo",
            Self::Primary => "duong_chinh",
            Self::Secondary => "lien_khu_vuc",
            Self::Local => "noi_bo",
            Self::Track => "dat_nong_thon",
            Self::Alley => "hem",
        }
    }

    /// Metres of frontage for one house number on one side.
    fn pitch(self) -> f64 {
        match self {
            Self::Alley => 3.3,
            Self::Track => 8.0,
            _ => 3.6,
        }
    }
}

/// What a road is called.
#[derive(Clone, Debug)]
pub(crate) enum Name {
    /// A name, as an index in `data/street_names.txt`.
    Street(u16),
    /// A numbered street: *Đường số n*.
    Number(u16),
    /// A made-up national road's number.
    National(u16),
    /// A ring road: *Vành đai n*.
    Ring(u16),
    /// A hẻm, after the house number at its mouth on the road it leaves.
    Alley { parent: Tag, number: u32 },
    /// Nothing: a farm track.
    Unnamed,
}

/// A straight road of the plan.
#[derive(Clone, Debug)]
pub(crate) struct Road {
    pub(crate) from: P,
    pub(crate) to: P,
    pub(crate) class: Class,
    /// Right-of-way (lộ giới), metres.
    pub(crate) width: f64,
    pub(crate) name: Name,
    /// Metres of the same street before `from`: house numbers go on.
    pub(crate) before: f64,
}

impl Road {
    /// The house number of a place beside the road: odd on the left, even on the right.
    pub(crate) fn number_at(&self, place: P) -> u32 {
        let ahead = (self.to - self.from).unit();
        let away = place - self.from;
        let slot = ((self.before + away.dot(ahead).max(0.0)) / self.class.pitch()) as u32;
        2 * slot + if ahead.cross(away) >= 0.0 { 1 } else { 2 }
    }

    /// Carriageway, metres, from the right-of-way.
    pub(crate) fn carriageway(&self) -> f64 {
        let share = match self.class {
            Class::Alley | Class::Track => 1.0,
            Class::Local => 0.6,
            _ => 0.65,
        };
        (self.width * share * 2.0).round() / 2.0
    }
}

/// Every road that a cell's lots can face: the city's arterials, then the cell's own.
#[derive(Clone, Copy)]
pub(crate) struct Roads<'a> {
    pub(crate) arterial: &'a [Road],
    pub(crate) local: &'a [Road],
}

impl<'a> Roads<'a> {
    pub(crate) fn get(self, tag: Tag) -> Option<&'a Road> {
        if tag == NONE {
            return None;
        }
        let index = tag as usize;
        self.arterial.get(index).or_else(|| self.local.get(index.checked_sub(self.arterial.len())?))
    }

    /// The street that a road is or belongs to, and the numbers of the alleys on the way to it (`123/4`).
    pub(crate) fn street(self, tag: Tag) -> (Option<&'a Road>, String) {
        let mut numbers = Vec::new();
        let mut at = tag;
        loop {
            match self.get(at) {
                Some(Road { name: Name::Alley { parent, number }, .. }) if numbers.len() < 7 => {
                    numbers.push(number.to_string());
                    at = *parent;
                }
                road => {
                    numbers.reverse();
                    return (road, numbers.join("/"));
                }
            }
        }
    }

    /// The road's full name; `None` for a track without one.
    pub(crate) fn full_name(self, tag: Tag) -> Option<String> {
        let (street, numbers) = self.street(tag);
        let street = street_name(&street?.name)?;
        Some(if numbers.is_empty() { street } else { format!("Hẻm {numbers} {street}") })
    }
}

/// A street's name as addresses have it.
pub(crate) fn street_name(name: &Name) -> Option<String> {
    Some(match name {
        Name::Street(index) => crate::text::STREETS.get(usize::from(*index))?.clone(),
        Name::Number(n) => format!("Đường số {n}"),
        Name::National(n) => format!("Quốc lộ {n}"),
        Name::Ring(n) => format!("Vành đai {n}"),
        Name::Alley { .. } | Name::Unnamed => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::geom::p;

    fn road(class: Class, name: Name) -> Road {
        Road { from: p(0., 0.), to: p(100., 0.), class, width: 10.0, name, before: 0.0 }
    }

    #[test]
    fn odd_numbers_stand_on_the_left_and_grow_along_the_street() {
        let street = road(Class::Local, Name::Street(0));
        assert_eq!(street.number_at(p(1.0, 5.0)), 1);
        assert_eq!(street.number_at(p(1.0, -5.0)), 2);
        assert_eq!(street.number_at(p(37.0, 5.0)), 21);
    }

    #[test]
    fn an_alley_off_an_alley_is_called_by_both_numbers() {
        let local = [
            road(Class::Local, Name::Number(7)),
            road(Class::Alley, Name::Alley { parent: 0, number: 123 }),
            road(Class::Alley, Name::Alley { parent: 1, number: 4 }),
        ];
        let roads = Roads { arterial: &[], local: &local };
        assert_eq!(roads.full_name(2).unwrap(), "Hẻm 123/4 Đường số 7");
        assert_eq!(roads.full_name(0).unwrap(), "Đường số 7");
        assert_eq!(roads.full_name(NONE), None);
    }
}
