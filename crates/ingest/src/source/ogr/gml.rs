//! GML before GDAL opens it.
//!
//! Without a schema GDAL keeps one geometry of a feature, the last, and says nothing of the others. The file
//! is looked through for the elements that hold geometry, and where a feature has several, GDAL gets a
//! template that lists them.
//!
//! What is no number in a position GDAL takes for 0, or for the number that it begins with. A copy of a file
//! with such positions is read in its place, in which they are [marked](super::positions::mark).

use std::{
    collections::{BTreeMap, BTreeSet},
    fs::{self, File},
    io::{self, BufRead, BufReader, BufWriter, Read, Write},
    path::Path,
};

use super::positions::{Separators, mark, of_coordinates, of_list, unreadable};
use crate::source::osm::attribute;

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
/// The elements that hold positions.
const POSITIONS: [&str; 3] = ["pos", "posList", "coordinates"];
/// What positions of GML should be.
const FORM: &str = "GML has numbers with decimal points, and two or three of them make a position";
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

/// An element of positions that is open.
struct OpenPositions {
    /// Where its tag ends, in bytes.
    end: u64,
    signs: Separators,
    /// Whether it is the position of a point, which has one.
    is_point: bool,
}

/// What a look through a file found.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Looked {
    /// The elements with geometry directly below an element that may be a feature, of the kinds of features
    /// of which one has several.
    pub properties: Properties,
    /// Why positions cannot be read, by the numbers of their marks.
    pub reasons: Vec<String>,
    /// Where they are in the file, in bytes, and what is to be put in their places.
    unreadable: Vec<(u64, u64, String)>,
}

impl Looked {
    /// Looks through a file.
    ///
    /// # Errors
    /// The error of reading the file.
    pub(super) fn of(path: &Path) -> io::Result<Self> {
        let mut looked = Self::default();
        let mut several = BTreeSet::new();
        let mut stack: Vec<Open> = Vec::new();
        // The depth of the geometry that is being read, whose parts are geometry, too.
        let mut inside: Option<usize> = None;
        let mut opened: Option<OpenPositions> = None;
        tags(&mut BufReader::new(File::open(path)?), &mut |Tag { inside: tag, text, start, end }| {
            if tag.starts_with(['?', '!']) {
                return;
            }
            if let Some(closed) = tag.strip_prefix('/') {
                if let Some(open) = opened.take() {
                    looked.positions(local(closed), text, start, &open);
                }
                if let Some(Open { name, mut properties }) = stack.pop() {
                    // The order is that of the first feature that has several.
                    let is_first = properties.len() > 1 && several.insert(name.clone());
                    let own = looked.properties.entry(name).or_default();
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
            let is_point = stack.last().is_some_and(|parent| parent.name == "Point");
            opened = holds_positions(tag).then(|| OpenPositions { end, signs: separators(tag), is_point });
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
        looked.properties.retain(|name, _| several.contains(name));
        Ok(looked)
    }

    /// Looks at the text of an element of positions, which ends at a byte.
    fn positions(&mut self, element: &str, text: &[u8], end: u64, open: &OpenPositions) {
        let signs = &open.signs;
        let text = String::from_utf8_lossy(text);
        let is_pairs = element == "coordinates";
        let found = if is_pairs { of_coordinates(&text, signs) } else { of_list(&text) };
        let Err(why) = found else { return };
        let at = mark(self.reasons.len());
        self.reasons.push(unreadable(&text, &why, FORM));
        // A ring has four positions; twelve numbers are that many in two and in three dimensions.
        let marks = match element {
            "coordinates" if open.is_point => format!("{at}{}{at}", signs.numbers),
            "coordinates" => vec![format!("{at}{}{at}", signs.numbers); 4].join(&signs.positions.to_string()),
            "pos" => format!("{at} {at}"),
            _ => vec![at.to_string(); 12].join(" "),
        };
        self.unreadable.push((open.end, end, marks));
    }

    /// Writes a copy in which positions that cannot be read are marked; `false` if there are none.
    ///
    /// # Errors
    /// The error of reading the file or writing the copy.
    pub(super) fn write_marked(&self, path: &Path, copy: &Path) -> io::Result<bool> {
        if self.unreadable.is_empty() {
            return Ok(false);
        }
        let mut input = BufReader::new(File::open(path)?);
        let mut output = BufWriter::new(File::create(copy)?);
        let mut at = 0;
        for (start, end, marks) in &self.unreadable {
            io::copy(&mut input.by_ref().take(start - at), &mut output)?;
            output.write_all(marks.as_bytes())?;
            io::copy(&mut input.by_ref().take(end - start), &mut io::sink())?;
            at = *end;
        }
        io::copy(&mut input, &mut output)?;
        output.flush()?;
        Ok(true)
    }
}

/// Whether a tag opens an element that holds positions.
fn holds_positions(tag: &str) -> bool {
    !tag.ends_with('/') && POSITIONS.contains(&local(tag))
}

/// The signs that the tag of `<coordinates>` names.
fn separators(tag: &str) -> Separators {
    let sign =
        |name: &str, own: char| attribute(tag, name).and_then(|text| text.chars().next()).unwrap_or(own);
    let own = Separators::default();
    Separators {
        numbers: sign("cs", own.numbers),
        positions: sign("ts", own.positions),
        decimals: sign("decimal", own.decimals),
    }
}

/// The name of an element without its prefix.
fn local(tag: &str) -> &str {
    let name = tag.split([' ', '\t', '\r', '\n', '/']).next().unwrap_or_default();
    name.rsplit(':').next().unwrap_or_default()
}

/// A tag of a file.
struct Tag<'a> {
    /// Without its brackets, and cut where it is long.
    inside: &'a str,
    /// The text before it, if the tag before that opens positions.
    text: &'a [u8],
    /// Where it begins and where what follows it begins, in bytes.
    start: u64,
    end: u64,
}

/// Gives the tags of a file one by one. Comments and character data are passed over.
fn tags(input: &mut impl BufRead, take: &mut dyn FnMut(Tag<'_>)) -> io::Result<()> {
    let (mut bytes, mut text) = (Vec::new(), Vec::new());
    let mut keeps_text = false;
    let mut end = 0;
    loop {
        bytes.clear();
        let start = end + text_before(input, keeps_text.then_some(&mut text))?;
        let mut length = input.by_ref().take(LONGEST).read_until(b'>', &mut bytes)? as u64;
        if length == 0 {
            return Ok(());
        }
        for (opens, closes) in [(&b"!--"[..], &b"-->"[..]), (b"![CDATA[", b"]]>")] {
            while bytes.starts_with(opens) && !bytes.ends_with(closes) {
                // Only its end is of use.
                let kept = bytes.len().saturating_sub(closes.len()).max(opens.len());
                bytes.drain(opens.len()..kept);
                let more = input.by_ref().take(LONGEST).read_until(b'>', &mut bytes)? as u64;
                if more == 0 {
                    return Ok(());
                }
                length += more;
            }
        }
        end = start + 1 + length;
        if bytes.starts_with(b"!--") {
            continue;
        }
        bytes.pop();
        let is_empty = bytes.ends_with(b"/");
        let own = String::from_utf8_lossy(&bytes[..bytes.len().min(TAG)]).into_owned();
        let own = if is_empty && !own.ends_with('/') { own + "/" } else { own };
        take(Tag { inside: &own, text: &text, start, end });
        keeps_text = holds_positions(&own);
        text.clear();
    }
}

/// Steps behind the next `<`, and gives how many bytes are before it. They go into `text`, if there is one.
fn text_before(input: &mut impl BufRead, text: Option<&mut Vec<u8>>) -> io::Result<u64> {
    if let Some(text) = text {
        let read = input.read_until(b'<', text)? as u64;
        if text.pop_if(|last| *last == b'<').is_none() {
            return Ok(read);
        }
        return Ok(read - 1);
    }
    let mut passed = 0;
    loop {
        let buffer = input.fill_buf()?;
        if buffer.is_empty() {
            return Ok(passed);
        }
        match buffer.iter().position(|own| *own == b'<') {
            Some(at) => {
                input.consume(at + 1);
                return Ok(passed + at as u64);
            }
            None => {
                let length = buffer.len();
                input.consume(length);
                passed += length as u64;
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
        assert_eq!(Looked::of(&path).unwrap().properties, Properties::from(expected));
    }

    #[test]
    fn positions_that_cannot_be_read_are_marked_where_they_are() {
        let folder = tempfile::tempdir().unwrap();
        let (path, copy) = (folder.path().join("a.gml"), folder.path().join("b.gml"));
        let text = "<a><g:pos>1 2</g:pos><g:pos>1 <!-- > --> x</g:pos><posList>1 2 3 4</posList><posList/>\
                    <coordinates decimal=',' cs=' ' ts=';'>1,5 2;3 4</coordinates>\
                    <coordinates>1,2 3</coordinates><Point><coordinates>x</coordinates></Point>\
                    <posList>1 2 3 4 5</posList><n>x</n></a>";
        fs::write(&path, text).unwrap();
        let looked = Looked::of(&path).unwrap();
        assert_eq!(looked.reasons.len(), 4, "{looked:?}");
        assert!(looked.write_marked(&path, &copy).unwrap());
        let list = ["1000000003"; 12].join(" ");
        let pairs = ["1000000001,1000000001"; 4].join(" ");
        let expected = text
            .replace("1 <!-- > --> x", "1000000000 1000000000")
            .replace(">1,2 3<", &format!(">{pairs}<"))
            .replace("><coordinates>x<", "><coordinates>1000000002,1000000002<")
            .replace("1 2 3 4 5", &list);
        assert_eq!(fs::read_to_string(&copy).unwrap(), expected);
        fs::write(&path, "<a><pos>1 2</pos></a>").unwrap();
        assert!(!Looked::of(&path).unwrap().write_marked(&path, &copy).unwrap());
    }
}
