//! A file of the codes of a field: a table in CSV whose first line names its columns.

use std::{fs::File, io::Read, path::Path};

use citymap_model::{CODES_MAX, Title, codes::Code};

use crate::source::csv::text_rows;

/// Maximum size of the file in bytes.
const BYTES_MAX: u64 = 4 << 20;

/// Reads the codes of a field from a CSV file in UTF-8 with commas, semicolons or tabs. Its columns are
/// `code`, `vi` (or `text`), `en` and `color` (`#RRGGBB`), in any order; all but `code` may be missing. Of a
/// file with more than [`CODES_MAX`] codes, one more is read, so that the field refuses them.
///
/// # Errors
/// What cannot be read, and what to do, for people.
pub fn read_codes(path: &Path) -> Result<Vec<Code>, String> {
    let shown = path.display();
    let failed = |error: &dyn std::fmt::Display| format!("{shown} cannot be read: {error}");
    let file = File::open(path).map_err(|error| failed(&error))?;
    let mut text = String::new();
    file.take(BYTES_MAX + 1).read_to_string(&mut text).map_err(|error| failed(&error))?;
    if text.len() as u64 > BYTES_MAX {
        return Err(failed(&format!("it is larger than {BYTES_MAX} bytes")));
    }
    let text = text.trim_start_matches('\u{feff}');
    let first = text.lines().next().unwrap_or_default();
    let delimiter = *b"\t;,".iter().find(|sign| first.contains(char::from(**sign))).unwrap_or(&b',');
    let mut rows = text_rows(text, delimiter).map_err(|error| failed(&error))?.into_iter();
    let header: Vec<String> =
        rows.next().unwrap_or_default().iter().map(|name| name.to_lowercase()).collect();
    let column = |names: &[&str]| header.iter().position(|own| names.contains(&own.as_str()));
    let Some(code) = column(&["code", "mã", "ma"]) else {
        return Err(format!(
            "{shown} has no column `code`; its first line must name the columns: code, vi, en, color"
        ));
    };
    let columns = [
        column(&["vi", "text", "title", "tên", "ten"]),
        column(&["en", "text_en", "title_en"]),
        column(&["color", "colour", "màu"]),
    ];
    let mut codes = Vec::new();
    for row in rows {
        let cell =
            |at: Option<usize>| at.and_then(|at| row.get(at)).map(|text| text.trim()).unwrap_or_default();
        if cell(Some(code)).is_empty() {
            continue;
        }
        let [vi, en, color] = columns.map(cell);
        let title = if en.is_empty() { Title::same(vi) } else { Title::new(vi, en) };
        let mut own = Code::new(cell(Some(code)), title);
        if !color.is_empty() {
            let is_color = |text: &str| {
                let digits = text.strip_prefix('#')?;
                let good = digits.len() == 6 && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
                good.then(|| format!("#{}", digits.to_uppercase()))
            };
            let Some(color) = is_color(color) else {
                return Err(format!("{shown}: the colour `{color}` of code `{}` is not #RRGGBB", own.code));
            };
            own.color = Some(color);
        }
        codes.push(own);
        if codes.len() > CODES_MAX {
            break;
        }
    }
    Ok(codes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_of_a_file_have_texts_in_both_languages_and_colours() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.csv");
        let text = "\u{feff}code;vi;en;color\nA;\"Đất \"\"ở\"\"\";Housing;#ffa0ff\nB;Khác;;\n;;;\n";
        std::fs::write(&path, text).unwrap();
        let codes = read_codes(&path).unwrap();
        assert_eq!(codes[0].title, Title::new("Đất \"ở\"", "Housing"));
        assert_eq!(codes[0].color.as_deref(), Some("#FFA0FF"));
        assert_eq!((codes.len(), codes[1].title.clone()), (2, Title::same("Khác")));
        for (text, told) in [("name,vi\nA,B\n", "no column `code`"), ("code,color\nA,red\n", "#RRGGBB")] {
            std::fs::write(&path, text).unwrap();
            assert!(read_codes(&path).unwrap_err().contains(told), "{text}");
        }
    }
}
