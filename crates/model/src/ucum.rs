//! Units of measure as the Unified Code for Units of Measure (UCUM) writes them, from the words and signs
//! that Vietnamese and English data has for them.
//!
//! UCUM is what OGC API – Features Part 5 asks for (`x-ogc-unit`). What the unit is called for people stays
//! in [`crate::Field::unit`]. A word that is no unit of UCUM (`tầng`, `người`) is an annotation in braces,
//! which counts as 1.

use crate::normalize_text;

/// Signs and words in lower case, and their UCUM codes.
const UNITS: [(&[&str], &str); 50] = [
    (&["m", "mét", "met", "metre", "meter", "metres", "meters"], "m"),
    (&["km", "ki-lô-mét", "kilomet", "kilômét", "kilometre", "kilometer"], "km"),
    (&["dm"], "dm"),
    (&["cm"], "cm"),
    (&["mm"], "mm"),
    (&["m²", "m2", "m^2", "mét vuông", "met vuong", "sqm", "sq m", "sq. m", "square metres"], "m2"),
    (&["km²", "km2", "km^2", "ki-lô-mét vuông", "sq km"], "km2"),
    (&["cm²", "cm2"], "cm2"),
    (&["mm²", "mm2"], "mm2"),
    (&["ha", "hecta", "hec-ta", "hectare", "hectares", "har"], "har"),
    (&["m³", "m3", "m^3", "mét khối", "met khoi"], "m3"),
    (&["l", "lít", "lit", "litre", "liter"], "L"),
    (&["ml"], "mL"),
    (&["%", "phần trăm", "percent"], "%"),
    (&["‰", "phần nghìn"], "[ppth]"),
    (&["°", "độ", "deg", "degree", "degrees"], "deg"),
    (&["°c", "độ c", "℃"], "Cel"),
    (&["s", "giây", "sec", "second", "seconds"], "s"),
    (&["phút", "min", "minute", "minutes"], "min"),
    (&["h", "giờ", "hour", "hours"], "h"),
    (&["ngày", "ngày đêm", "d", "day", "days"], "d"),
    (&["tuần", "wk", "week", "weeks"], "wk"),
    (&["tháng", "mo", "month", "months"], "mo"),
    (&["năm", "a", "year", "years"], "a"),
    (&["kg", "ki-lô-gam"], "kg"),
    (&["g", "gam", "gram"], "g"),
    (&["mg"], "mg"),
    (&["µg", "μg"], "ug"),
    (&["t", "tấn", "ton", "tonne", "tonnes"], "t"),
    (&["v"], "V"),
    (&["kv"], "kV"),
    (&["w"], "W"),
    (&["kw"], "kW"),
    (&["mw"], "MW"),
    (&["kva"], "kV.A"),
    (&["mva"], "MV.A"),
    (&["kwh"], "kW.h"),
    (&["hz"], "Hz"),
    (&["db"], "dB"),
    (&["lux", "lx"], "lx"),
    (&["bar"], "bar"),
    (&["pa"], "Pa"),
    (&["kpa"], "kPa"),
    (&["mpa"], "MPa"),
    (&["kn"], "kN"),
    (&["ft", "feet", "foot", "[ft_i]"], "[ft_i]"),
    (&["in", "inch", "inches", "[in_i]"], "[in_i]"),
    (&["mi", "mile", "miles", "dặm", "[mi_i]"], "[mi_i]"),
    (&["sq ft", "sqft", "ft²", "ft2", "[sft_i]"], "[sft_i]"),
    (&["acre", "acres", "[acr_us]"], "[acr_us]"),
];

/// The UCUM code of a unit.
///
/// ```
/// use citymap_model::ucum;
///
/// assert_eq!(ucum("m²"), "m2");
/// assert_eq!(ucum("tầng"), "{tầng}");
/// assert_eq!(ucum("người/ha"), "{người}/har");
/// ```
pub fn ucum(unit: &str) -> String {
    let unit = normalize_text(unit.trim().to_owned());
    if let Some(code) = known(&unit) {
        return code.to_owned();
    }
    if unit.starts_with('{') && unit.ends_with('}') && unit.len() > 2 {
        return annotation(&unit[1..unit.len() - 1]);
    }
    let parts: Vec<&str> = unit.split('/').map(str::trim).collect();
    if parts.len() == 2 && parts.iter().all(|part| !part.is_empty()) {
        return parts.iter().map(|part| ucum(part)).collect::<Vec<_>>().join("/");
    }
    annotation(&unit)
}

/// Whether a text is a unit that is known here, or one such unit per another.
pub fn is_unit(text: &str) -> bool {
    let text = normalize_text(text.trim().to_owned());
    text.split('/').count() <= 2
        && text.split('/').all(|part| known(part.trim()).is_some() || COUNTED.contains(&part.trim()))
}

/// What is counted rather than measured, in the words of data.
const COUNTED: [&str; 10] =
    ["tầng", "người", "hộ", "căn", "căn hộ", "thửa", "phòng", "đồng", "triệu đồng", "tỷ đồng"];

fn known(unit: &str) -> Option<&'static str> {
    // A megawatt is no milliwatt, and a megapascal no millipascal: only these differ by case in data.
    let lower = match unit {
        "mW" | "mPa" | "mV" | "Mg" | "MV" => return None,
        unit => unit.to_lowercase(),
    };
    UNITS.iter().find(|(words, _)| words.contains(&lower.as_str())).map(|(_, code)| *code)
}

fn annotation(unit: &str) -> String {
    let inside: String = unit
        .chars()
        .filter(|letter| !letter.is_control())
        .map(|letter| match letter {
            '{' => '(',
            '}' => ')',
            letter if letter.is_whitespace() => '_',
            letter => letter,
        })
        .collect();
    format!("{{{inside}}}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_become_codes() {
        for (unit, code) in [
            ("m²", "m2"),
            ("M2", "m2"),
            (" mét vuông ", "m2"),
            ("ha", "har"),
            ("%", "%"),
            ("tầng", "{tầng}"),
            ("tâ\u{300}ng", "{tầng}"),
            ("người", "{người}"),
            ("người/km²", "{người}/km2"),
            ("m³/ngày", "m3/d"),
            ("m3/ngày đêm", "m3/d"),
            ("l/s", "L/s"),
            ("kV", "kV"),
            ("triệu đồng", "{triệu_đồng}"),
            ("đồng/m²", "{đồng}/m2"),
            ("°", "deg"),
            ("[ft_i]", "[ft_i]"),
            ("m2", "m2"),
            ("{tầng}", "{tầng}"),
            ("a{b}", "{a(b)}"),
        ] {
            assert_eq!(ucum(unit), code, "{unit}");
        }
    }

    #[test]
    fn only_units_are_taken_for_units() {
        for good in ["m²", "m2", "%", "tầng", "người/ha", "kV"] {
            assert!(is_unit(good), "{good}");
        }
        for bad in ["", "2025", "VN-2000", "theo giấy tờ", "m²/", "cũ", "A/B"] {
            assert!(!is_unit(bad), "{bad}");
        }
    }
}
