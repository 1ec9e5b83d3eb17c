//! Geometries in the text form: well-known text.

use citymap_model::Geometry;
use geo_types::{
    Coord, GeometryCollection, LineString, MultiLineString, MultiPoint, MultiPolygon, Point, Polygon,
};

use super::{
    lexer::{Kind, Token},
    parser::Parser,
};
use crate::Cql2Error;

/// The words with which geometries begin.
const TAGS: [&str; 7] =
    ["POINT", "LINESTRING", "POLYGON", "MULTIPOINT", "MULTILINESTRING", "MULTIPOLYGON", "GEOMETRYCOLLECTION"];

/// Whether a geometry begins with this word, in any case of letters.
pub(super) fn is_tag(word: &str) -> bool {
    TAGS.iter().any(|tag| tag.eq_ignore_ascii_case(word))
}

/// Whether a token is what may come between a tag and its coordinates.
pub(super) fn is_dimension(token: Token<'_>) -> bool {
    token.kind == Kind::Word
        && ["Z", "M", "ZM", "EMPTY"].iter().any(|word| word.eq_ignore_ascii_case(token.text))
}

/// Reads a geometry whose tag has been read.
pub(super) fn geometry(parser: &mut Parser<'_>, tag: &str) -> Result<Geometry, Cql2Error> {
    for dimension in ["Z", "M", "ZM"] {
        if parser.word(dimension) {
            break;
        }
    }
    let tag = tag.to_ascii_uppercase();
    if tag == "POINT" {
        parser.need("(")?;
        let point = coord(parser)?;
        parser.need(")")?;
        return Ok(Point(point).into());
    }
    let is_empty = parser.word("EMPTY");
    Ok(match tag.as_str() {
        "LINESTRING" if is_empty => LineString::new(Vec::new()).into(),
        "POLYGON" if is_empty => Polygon::new(LineString::new(Vec::new()), Vec::new()).into(),
        "MULTIPOINT" if is_empty => MultiPoint::new(Vec::new()).into(),
        "MULTILINESTRING" if is_empty => MultiLineString::new(Vec::new()).into(),
        "MULTIPOLYGON" if is_empty => MultiPolygon::new(Vec::new()).into(),
        _ if is_empty => Geometry::GeometryCollection(GeometryCollection::new_from(Vec::new())),
        "LINESTRING" => line(parser)?.into(),
        "POLYGON" => polygon(parser)?.into(),
        "MULTIPOINT" => MultiPoint::new(list(parser, point)?).into(),
        "MULTILINESTRING" => MultiLineString::new(list(parser, line)?).into(),
        "MULTIPOLYGON" => MultiPolygon::new(list(parser, polygon)?).into(),
        _ => Geometry::GeometryCollection(GeometryCollection::new_from(list(parser, member)?)),
    })
}

/// A geometry of a collection.
fn member(parser: &mut Parser<'_>) -> Result<Geometry, Cql2Error> {
    let error = parser.expected("a geometry, such as POINT(106.7 10.8)");
    let tag = parser.take_word().filter(|word| is_tag(word)).ok_or(error)?;
    parser.nested(|parser| geometry(parser, tag))
}

/// Several of one kind in parentheses, separated by commas.
fn list<'a, T>(
    parser: &mut Parser<'a>,
    read: fn(&mut Parser<'a>) -> Result<T, Cql2Error>,
) -> Result<Vec<T>, Cql2Error> {
    parser.need("(")?;
    let mut items = vec![read(parser)?];
    while parser.sign(",") {
        items.push(read(parser)?);
    }
    parser.need(")")?;
    Ok(items)
}

/// A point of a multi-point, with or without parentheses.
fn point(parser: &mut Parser<'_>) -> Result<Point, Cql2Error> {
    let is_enclosed = parser.sign("(");
    let point = Point(coord(parser)?);
    if is_enclosed {
        parser.need(")")?;
    }
    Ok(point)
}

fn line(parser: &mut Parser<'_>) -> Result<LineString, Cql2Error> {
    Ok(LineString::new(list(parser, coord)?))
}

fn polygon(parser: &mut Parser<'_>) -> Result<Polygon, Cql2Error> {
    let mut rings = list(parser, line)?;
    let holes = rings.split_off(1);
    Ok(Polygon::new(rings.remove(0), holes))
}

/// Two numbers; a height and a measure after them are ignored.
fn coord(parser: &mut Parser<'_>) -> Result<Coord, Cql2Error> {
    let (x, y) = (parser.coordinate()?, parser.coordinate()?);
    for _ in 0..2 {
        if parser.is_at_number() {
            parser.coordinate()?;
        }
    }
    Ok(Coord { x, y })
}
