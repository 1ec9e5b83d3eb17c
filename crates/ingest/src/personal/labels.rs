//! Free text that says what it holds: `Chủ sử dụng: …` in a note, or the rows of the HTML tables that
//! programs write into the `description` of KML.

use std::collections::HashMap;

use super::rules;

/// Bytes of a text that are looked at.
const LOOKED_AT: usize = 8_192;
/// Longest label in letters.
const LONGEST: usize = 40;
/// Labels that are remembered.
const REMEMBERED: usize = 1_000;

/// Which labels name personal data, as far as they were met.
#[derive(Default)]
pub(super) struct Labels(HashMap<String, bool>);

impl Labels {
    /// Whether a label in `text` names personal data, and something stands after it.
    pub(super) fn speak_of_persons(&mut self, text: &str) -> bool {
        if !text.contains(['<', ':', '=', '&']) {
            return false;
        }
        let text = &text[..text.floor_char_boundary(LOOKED_AT)];
        let text = text.replace("&nbsp;", " ").replace("&lt;", "<").replace("&gt;", ">");
        let cells = cells(&text);
        let next = cells.iter().skip(1).map(String::as_str).chain([""]);
        let html = text.contains('<');
        cells.iter().zip(next).any(|(cell, next)| match cell.split_once([':', '=']) {
            Some((label, value)) if !value.trim().is_empty() => self.is_personal(label),
            Some((label, _)) => !next.is_empty() && self.is_personal(label),
            None => html && !next.is_empty() && self.is_personal(cell),
        })
    }

    fn is_personal(&mut self, label: &str) -> bool {
        let label = label.trim();
        if label.is_empty() || label.chars().count() > LONGEST {
            return false;
        }
        if let Some(known) = self.0.get(label) {
            return *known;
        }
        let personal = rules::kind_of_name(label).is_some();
        if self.0.len() < REMEMBERED {
            self.0.insert(label.to_owned(), personal);
        }
        personal
    }
}

/// The pieces of text between tags, line ends and semicolons, without those that are empty.
fn cells(text: &str) -> Vec<String> {
    let mut cells = vec![String::new()];
    let mut tag = false;
    for letter in text.chars() {
        match letter {
            '<' => tag = true,
            '>' => tag = false,
            _ if tag => continue,
            '\n' | '\r' | ';' | '|' => {}
            _ => {
                cells.last_mut().into_iter().for_each(|cell| cell.push(letter));
                continue;
            }
        }
        if cells.last().is_some_and(|cell| !cell.is_empty()) {
            cells.push(String::new());
        }
    }
    cells.into_iter().map(|cell| cell.trim().to_owned()).filter(|cell| !cell.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_of_personal_data_are_found_in_notes_and_tables() {
        for personal in [
            "Chủ sử dụng: Nguyễn Văn Tám",
            "Thửa 12; SĐT = 0903 123 456",
            "<table><tr><td>Chủ sử dụng</td><td>N.V.T</td></tr></table>",
            "<![CDATA[<b>Họ tên:</b> Tám<br>]]>",
            "&lt;td&gt;CCCD&lt;/td&gt;&lt;td&gt;x&lt;/td&gt;",
        ] {
            assert!(Labels::default().speak_of_persons(personal), "{personal}");
        }
        for public in [
            "Ghi chú: đã sửa",
            "<table><tr><td>Chủ sử dụng</td><td></td></tr></table>",
            "<table><tr><td>Số tờ</td><td>12</td><td>Loại đất</td><td>ODT</td></tr></table>",
            "Chủ sử dụng",
            "10:30",
            "a < b",
        ] {
            assert!(!Labels::default().speak_of_persons(public), "{public}");
        }
    }
}
