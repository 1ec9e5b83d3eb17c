//! GML whose features have several geometries.
//!
//! Without a schema GDAL keeps one geometry of a feature, the last, and says nothing of the others. The file
//! is looked through for the elements that hold geometry, and where a feature has several, GDAL gets a
//! template that lists them.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs::{self, File},
    io::{self, BufRead, BufReader, Read},
    path::Path,
};

/// The elements of GML that are geometry, without their prefix.
const GEOMETRIES: [&str; 20] = [
    "Point",
    "LineString",
    "Curve",
    "OrientableCurve",
    "CompositeCurve",
    "LinearRing",
    "Polygon",
    "Surface",
    "OrientableSurface",
    "CompositeSurface",
    "PolyhedralSurface",
    "TriangulatedSurface",
    "Tin",
    "Solid",
    "MultiPoint",
    "MultiLineString",
    "MultiCurve",
    "MultiPolygon",
    "MultiSurface",
    "MultiGeometry",
];
/// Bytes of a tag that are kept; longer ones are no names.
const TAG: usize = 256;
/// Bytes of a tag after which its end is looked for no more.
const LONGEST: u64 = 1 << 20;
/// Elements within each other beyond which a file is no GML.
const DEEP: usize = 1_000;

/// The elements with geometry of each kind of feature, in the order in which they are met.
pub(super) type Properties = BTreeMap<String, Vec<String>>;

/// An element that is open.
struct Open {
    name: String,
    /// The elements directly in it that hold geometry.
    properties: Vec<String>,
}

/// Looks for the elements of a file that hold geometry directly below an element that may be a feature. Gives
/// those of the kinds of features of which one has several.
///
/// # Errors
/// The error of reading the file.
pub(super) fn geometry_properties(path: &Path) -> io::Result<Properties> {
    let mut found = Properties::new();
    let mut several = BTreeSet::new();
    let mut stack: Vec<Open> = Vec::new();
    // The depth of the geometry that is being read, whose parts are geometry, too.
    let mut inside: Option<usize> = None;
    tags(&mut BufReader::new(File::open(path)?), &mut |tag| {
        if tag.starts_with(['?', '!']) {
            return;
        }
        if tag.starts_with('/') {
            if let Some(Open { name, mut properties }) = stack.pop() {
                // The order is that of the first feature that has several.
                let is_first = properties.len() > 1 && several.insert(name.clone());
                let own = found.entry(name).or_default();
                if is_first {
                    properties.append(own);
                }
                for property in properties {
                    if !own.contains(&property) {
                        own.push(property);
                    }
                }
            }
            inside = inside.filter(|depth| stack.len() > *depth);
            return;
        }
        let name = local(tag);
        if inside.is_none() && GEOMETRIES.contains(&name) {
            if let [.., feature, property] = stack.as_mut_slice()
                && property.name != "boundedBy"
                && !feature.properties.contains(&property.name)
            {
                feature.properties.push(property.name.clone());
            }
            inside = Some(stack.len());
        }
        if !tag.ends_with('/') && stack.len() < DEEP {
            stack.push(Open { name: name.to_owned(), properties: Vec::new() });
        } else {
            inside = inside.filter(|depth| stack.len() > *depth);
        }
    })?;
    found.retain(|name, _| several.contains(name));
    Ok(found)
}

/// The name of an element without its prefix.
fn local(tag: &str) -> &str {
    let name = tag.split([' ', '\t', '\r', '\n', '/']).next().unwrap_or_default();
    name.rsplit(':').next().unwrap_or_default()
}

/// Gives the tags of a file one by one, without their brackets and cut where they are long. Comments and
/// character data are passed over.
fn tags(input: &mut impl BufRead, take: &mut dyn FnMut(&str)) -> io::Result<()> {
    let mut bytes = Vec::new();
    loop {
        bytes.clear();
        skip_to(input, b'<')?;
        if input.by_ref().take(LONGEST).read_until(b'>', &mut bytes)? == 0 {
            return Ok(());
        }
        for (opens, closes) in [(&b"!--"[..], &b"-->"[..]), (b"![CDATA[", b"]]>")] {
            while bytes.starts_with(opens) && !bytes.ends_with(closes) {
                // Only its end is of use.
                let kept = bytes.len().saturating_sub(closes.len()).max(opens.len());
                bytes.drain(opens.len()..kept);
                if input.by_ref().take(LONGEST).read_until(b'>', &mut bytes)? == 0 {
                    return Ok(());
                }
            }
        }
        bytes.pop();
        let is_empty = bytes.ends_with(b"/");
        let text = String::from_utf8_lossy(&bytes[..bytes.len().min(TAG)]).into_owned();
        take(&if is_empty && !text.ends_with('/') { text + "/" } else { text });
    }
}

/// Steps behind the next byte of a kind.
fn skip_to(input: &mut impl BufRead, byte: u8) -> io::Result<()> {
    loop {
        let buffer = input.fill_buf()?;
        if buffer.is_empty() {
            return Ok(());
        }
        match buffer.iter().position(|own| *own == byte) {
            Some(at) => {
                input.consume(at + 1);
                return Ok(());
            }
            None => {
                let length = buffer.len();
                input.consume(length);
            }
        }
    }
}

/// The template that GDAL wrote of a file, with all the geometries of each kind of feature. Gives whether it
/// was changed.
///
/// # Errors
/// The error of reading or writing it.
pub(super) fn list_geometries(template: &Path, properties: &Properties) -> io::Result<bool> {
    let text = fs::read_to_string(template)?;
    let mut out = String::with_capacity(text.len());
    // Whether a line is about a class itself and not about a property of it, and what to list of that class.
    let mut in_head = false;
    let mut own: Option<&Vec<String>> = None;
    let mut changed = false;
    for line in text.split_inclusive('\n') {
        let bare = line.trim();
        let value = |name: &str| bare.strip_prefix(&format!("<{name}>"))?.strip_suffix(&format!("</{name}>"));
        match bare {
            "<GMLFeatureClass>" => (in_head, own) = (true, None),
            "<PropertyDefn>" => in_head = false,
            _ => {}
        }
        if in_head && own.is_some() && GEOMETRY.iter().any(|name| value(name).is_some()) {
            continue;
        }
        out.push_str(line);
        if in_head
            && own.is_none()
            && let Some(path) = value("ElementPath")
            && let Some(listed) = path.rsplit('|').next().and_then(|class| properties.get(class))
        {
            (own, changed) = (Some(listed), true);
            for name in listed {
                out.push_str(&format!(
                    "<GeomPropertyDefn><Name>{name}</Name><ElementPath>{name}</ElementPath>\
                     </GeomPropertyDefn>\n"
                ));
            }
        }
    }
    fs::write(template, out)?;
    Ok(changed)
}

/// What a template says of the only geometry of a class.
const GEOMETRY: [&str; 4] = ["GeometryName", "GeometryElementPath", "GeometryType", "SRSName"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_with_geometry_are_found_below_their_features() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.gml");
        let text = r#"<?xml version="1.0"?><!-- <gml:Point> > -->
            <c:all xmlns:gml="http://www.opengis.net/gml"><c:member><c:thua a="<![CDATA[">
            <c:ranh><gml:MultiSurface><gml:surfaceMember><gml:Polygon/></gml:surfaceMember></gml:MultiSurface>
            </c:ranh><c:tam><Point srsName="x"/></c:tam><![CDATA[ <gml:Curve> > ]]>
            <gml:boundedBy><gml:Polygon/></gml:boundedBy></c:thua></c:member>
            <c:member><c:thua><c:ranh><gml:Polygon/></c:ranh></c:thua></c:member>
            <c:member><c:duong><c:tim><gml:Curve/></c:tim></c:duong></c:member>
            <c:member><c:duong><c:mep><gml:Curve/></c:mep></c:duong></c:member></c:all>"#
            .replace(r#" a="<![CDATA[""#, "");
        fs::write(&path, text).unwrap();
        let expected = [("thua".to_owned(), vec!["ranh".to_owned(), "tam".to_owned()])];
        assert_eq!(geometry_properties(&path).unwrap(), Properties::from(expected));
    }
}
