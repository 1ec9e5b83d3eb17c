//! The communes of the city since 1 July 2025 (Resolution 1685/NQ-UBTVQH15) and what was merged into them.
//!
//! 167 of the 168 codes were a ward's before, 126 under another name: a code has a meaning only together with
//! a date. The tables are `data/admin_units_2025.tsv` and `data/former_units.tsv`.

use std::sync::LazyLock;

use crate::table;

/// A commune: phường, xã or đặc khu.
#[derive(Clone, Debug, PartialEq)]
pub struct Commune {
    /// The code of five digits.
    pub code: &'static str,
    /// The full name: `Phường Sài Gòn`.
    pub name: &'static str,
    /// The name in English, without its kind.
    pub name_en: &'static str,
    /// `phuong`, `xa` or `dac_khu`.
    pub kind: &'static str,
    /// The centre of the bounding box, WGS 84 longitude and latitude in degrees.
    pub lonlat: [f64; 2],
    /// West, south, east, north, WGS 84 degrees.
    pub bbox: [f64; 4],
    /// The units that were merged into it, in words.
    pub former_units: &'static str,
}

/// A ward, commune or township as it was until 30 June 2025.
#[derive(Clone, Debug, PartialEq)]
pub struct FormerUnit {
    /// The code of five digits; empty for Côn Đảo, which had no wards.
    pub code: &'static str,
    /// The full name: `Phường Bến Nghé`.
    pub name: &'static str,
    /// The code of the former district, three digits.
    pub district_code: &'static str,
    /// The name of the former district: `Quận 1`.
    pub district: &'static str,
    /// `Thành phố Hồ Chí Minh`, `Tỉnh Bình Dương` or `Tỉnh Bà Rịa - Vũng Tàu`.
    pub province: &'static str,
    /// The codes of the communes that it became; more than one if it was split.
    pub new_codes: Vec<&'static str>,
}

static COMMUNES: LazyLock<Vec<Commune>> = LazyLock::new(|| {
    let commune = |row: table::Row| {
        let number = |column: &str| row.get(column)?.parse::<f64>().ok();
        Some(Commune {
            code: row.get("code")?,
            name: row.get("name")?,
            name_en: row.get("name_en")?,
            kind: row.get("kind")?,
            lonlat: [number("lon")?, number("lat")?],
            bbox: [number("min_lon")?, number("min_lat")?, number("max_lon")?, number("max_lat")?],
            former_units: row.get("former_units")?,
        })
    };
    table::rows(include_str!("../../../data/admin_units_2025.tsv")).filter_map(commune).collect()
});

static FORMER: LazyLock<Vec<FormerUnit>> = LazyLock::new(|| {
    let unit = |row: table::Row| {
        Some(FormerUnit {
            code: row.get("code")?,
            name: row.get("name")?,
            district_code: row.get("district_code")?,
            district: row.get("district")?,
            province: row.get("province")?,
            new_codes: row.get("new_codes")?.split(',').collect(),
        })
    };
    table::rows(include_str!("../../../data/former_units.tsv")).filter_map(unit).collect()
});

/// The 168 communes, by code.
pub fn communes() -> &'static [Commune] {
    &COMMUNES
}

/// The commune with this code.
pub fn commune(code: &str) -> Option<&'static Commune> {
    COMMUNES.binary_search_by(|commune| commune.code.cmp(code)).ok().map(|position| &COMMUNES[position])
}

/// The 442 former units, by district.
pub fn former_units() -> &'static [FormerUnit] {
    &FORMER
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_city_has_113_wards_54_communes_and_con_dao() {
        let count = |kind: &str| communes().iter().filter(|commune| commune.kind == kind).count();
        assert_eq!((communes().len(), count("phuong"), count("xa"), count("dac_khu")), (168, 113, 54, 1));
        assert!(communes().is_sorted_by(|a, b| a.code < b.code));
        assert_eq!(commune("26740").unwrap().name, "Phường Sài Gòn");
        assert_eq!(commune("26732").unwrap().name, "Đặc khu Côn Đảo");
        for commune in communes() {
            let [west, south, east, north] = commune.bbox;
            let [lon, lat] = commune.lonlat;
            assert!(west < lon && lon < east && south < lat && lat < north, "{}", commune.name);
        }
    }

    #[test]
    fn every_former_unit_became_communes_that_exist() {
        assert_eq!(former_units().len(), 442);
        assert_eq!(former_units().iter().map(|unit| unit.new_codes.len()).sum::<usize>(), 493);
        assert_eq!(former_units().iter().filter(|unit| unit.new_codes.len() > 1).count(), 47);
        for unit in former_units() {
            assert!(unit.new_codes.iter().all(|code| commune(code).is_some()), "{}", unit.name);
        }
        let ben_nghe = former_units().iter().find(|unit| unit.name == "Phường Bến Nghé").unwrap();
        assert!(ben_nghe.new_codes.contains(&"26740") && ben_nghe.district == "Quận 1");
    }
}
