//! Files of text formats that name other files.

use std::{
    fs::File,
    io::{self, Read},
    path::Path,
};

use crate::{ImportError, source::Format};

/// How far a file is looked at, in bytes. A `.tab` is a page of text; XML declares entities before its first
/// element.
const HEAD: u64 = 1 << 20;

/// Refuses a file that names others, where its format can. `shown` names the file in messages.
///
/// # Errors
/// [`ImportError::Unreadable`] that says what is named.
pub(crate) fn check_references(path: &Path, format: Format, shown: &str) -> Result<(), ImportError> {
    let is_tab = path.extension().is_some_and(|own| own.eq_ignore_ascii_case("tab"));
    let look: fn(&str) -> Option<(&'static str, &'static str)> = match format {
        Format::MapInfo if is_tab => mapinfo,
        Format::Kml | Format::Gpx | Format::Osm | Format::Gml => xml,
        _ => return Ok(()),
    };
    let head = head(path).map_err(|error| {
        ImportError::unreadable(shown, format!("cannot be read ({error})"), "check the disk it is on")
    })?;
    match look(&head) {
        None if is_tab && head.len() as u64 == HEAD => Err(ImportError::unreadable(
            shown,
            format!("is a MapInfo table whose definition is larger than {} KiB", HEAD >> 10),
            "save it again as a native MapInfo table",
        )),
        None => Ok(()),
        Some((what, advice)) => Err(ImportError::unreadable(shown, what, advice)),
    }
}

/// The beginning of a file in lower case, each byte a character; UTF-16 without its zero bytes.
fn head(path: &Path) -> io::Result<String> {
    let mut bytes = Vec::new();
    File::open(path)?.take(HEAD).read_to_end(&mut bytes)?;
    Ok(bytes.iter().filter(|byte| **byte != 0).map(|byte| char::from(byte.to_ascii_lowercase())).collect())
}

/// A `.tab` whose rows are in other tables, or that is a view of them.
fn mapinfo(head: &str) -> Option<(&'static str, &'static str)> {
    let lines = || head.split(['\n', '\r']).map(str::trim);
    if lines().any(|line| line.contains("isseamless") && line.contains("true")) {
        return Some((
            "is a seamless MapInfo table, which only names other tables",
            "import the tables that it names, one by one",
        ));
    }
    let is_foreign = |line: &str| {
        let words: Vec<&str> = line.split_ascii_whitespace().take(2).collect();
        match words.as_slice() {
            ["open", "table"] | ["create", "view"] => true,
            // The definition of a field ends in a semicolon, and its name may be any of these words.
            _ if line.ends_with(';') => false,
            ["type", kind] => !matches!(*kind, "native" | "dbf"),
            ["file" | "raster", ..] => true,
            _ => false,
        }
    };
    lines().any(is_foreign).then_some((
        "is a MapInfo table that takes its rows from other files",
        "import the files that it names, or save it as a native MapInfo table",
    ))
}

/// XML that declares a document type: it can name files and hosts, and can grow without bound.
fn xml(head: &str) -> Option<(&'static str, &'static str)> {
    let mut rest = head.trim_start_matches(|c: char| !c.is_ascii()).trim_start();
    // What may stand before the document type: the declaration, instructions and comments.
    while let Some(end) = ["<?", "<!--"].iter().zip(["?>", "-->"]).find_map(|(start, end)| {
        rest.strip_prefix(start).map(|inside| inside.split_once(end).map_or("", |(_, rest)| rest))
    }) {
        rest = end.trim_start();
    }
    rest.starts_with("<!").then_some((
        "declares a document type, which can name other files",
        "remove the <!DOCTYPE …> at its beginning and import it again",
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_native_mapinfo_table_passes_and_others_do_not() {
        let native = "!table\ndefinition table\n  type native charset \"neutral\"\n  fields 2\n    \
                      type char (10) ;\n    file integer ;\nbegin_metadata\n\"\\isseamless\" = \"false\"\n";
        assert_eq!(mapinfo(native), None);
        for foreign in [
            "!table\rdefinition table\r type linked\r",
            "!table\nopen table \"/etc/x\" hide\ncreate view v as\nselect a ;",
            "!table\nbegin_metadata\n\"\\isseamless\" = \"true\"\n",
            "!table\ndefinition table\n  file \"x.tif\"\n  type \"raster\"\n",
        ] {
            assert!(mapinfo(foreign).is_some(), "{foreign}");
        }
    }

    #[test]
    fn a_document_type_is_found_before_the_first_element_only() {
        for plain in [
            "<kml>",
            "\u{ef}\u{bb}\u{bf}<?xml?>\n<!-- <!doctype x> -->\n<kml><![cdata[<!doctype html>]]>",
            "pk",
        ] {
            assert_eq!(xml(plain), None, "{plain}");
        }
        for declares in
            ["<!doctype kml [<!entity a system \"/etc/x\">]><kml/>", "<?xml?><!-- x --><!doctype gpx><gpx/>"]
        {
            assert!(xml(declares).is_some(), "{declares}");
        }
    }
}
