//! The home grid: the one on which this process gives areas and lengths.
//!
//! A process serves one city, and its city profile names the grid. It is set once, before anything is
//! measured, and never changes afterwards: a calculation that began on one grid must not end on another.

use std::sync::{LazyLock, OnceLock};

use geo::polygon;

use crate::{Crs, CrsError, grid_area};

static HOME: OnceLock<Crs> = OnceLock::new();

/// The home grid of the city in `data/city.tsv`, for a process that nobody told otherwise.
static BUILTIN: LazyLock<Crs> = LazyLock::new(|| {
    let code = include_str!("../../../data/city.tsv").lines().find_map(|line| line.strip_prefix("crs\t"));
    code.and_then(|code| code.parse().ok()).map_or(Crs::WEB_MERCATOR, Crs)
});

impl Crs {
    /// The grid on which areas and lengths are measured.
    pub fn home() -> Self {
        HOME.get().copied().unwrap_or(*BUILTIN)
    }

    /// Whether the home grid is that of the city in `data/city.tsv`, whose land offices' zones are known.
    pub(crate) fn is_builtin_home() -> bool {
        Self::home() == *BUILTIN
    }

    /// Makes this system the home grid of the process, and gives the one that is in use from now on: another
    /// one where the process has a home grid already.
    ///
    /// # Errors
    /// [`CrsError`] if PROJ does not know the system, or it is not a grid to measure on.
    pub fn make_home(self) -> Result<Self, CrsError> {
        self.check_grid()?;
        Ok(*HOME.get_or_init(|| self))
    }

    /// Whether areas can be measured on the plane of this system.
    ///
    /// # Errors
    /// [`CrsError`] if PROJ does not know the system, or it is not a grid to measure on.
    pub fn check_grid(self) -> Result<(), CrsError> {
        let triangle = polygon![(x: 106.0, y: 16.0), (x: 106.1, y: 16.0), (x: 106.0, y: 16.1)];
        grid_area(&triangle.into(), Self::new(self.code())?).map(drop)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_home_grid_is_the_built_in_one_until_it_is_set() {
        assert_eq!(Crs::home().name(), "VN-2000 / TM-3 105-45");
        assert!(Crs::WGS84.make_home().is_err(), "degrees are no grid");
        assert!(Crs(5897).check_grid().is_ok());
        assert!(Crs(1).check_grid().is_err());
    }
}
