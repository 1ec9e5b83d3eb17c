//! OSM XML: tags with attributes and nothing else, so a reader of a page serves. References to other files
//! and entities of a document type are not followed.

use super::elements::{Element, Relation, Take, Wanted};
use crate::source::markup::tag_end;

/// Hands over the elements of one sort.
///
/// # Errors
/// The reason, if a number is none.
pub(super) fn each(text: &str, wanted: Wanted<'_>, take: &mut Take<'_>) -> Result<(), String> {
    let mut open = None;
    let mut rest = text;
    while let Some(start) = rest.find('<') {
        rest = &rest[start..];
        if let Some(comment) = rest.strip_prefix("<!--") {
            rest = comment.split_once("-->").map_or("", |(_, rest)| rest);
            continue;
        }
        let end = tag_end(rest);
        let (tag, after) = rest.split_at(end);
        rest = after;
        let closed = tag.ends_with('/');
        let tag = tag.trim_start_matches('<').trim_end_matches('/');
        let name = tag.split(|c: char| c.is_whitespace() || c == '>').next().unwrap_or_default();
        match name {
            "node" if matches!(wanted, Wanted::Nodes) => {
                let lonlat = [number(tag, "lon")?, number(tag, "lat")?];
                take(Element::Node { id: number(tag, "id")?, lonlat });
            }
            "way" => {
                if let Wanted::Ways(ids) = wanted {
                    let id = number(tag, "id")?;
                    open =
                        ids.contains(&id).then(|| Element::Way { id, nodes: Vec::new(), tags: Vec::new() });
                }
            }
            "relation" if matches!(wanted, Wanted::Relations) => {
                open = Some(Element::Relation(Relation { id: number(tag, "id")?, ..Relation::default() }));
            }
            "nd" | "member" | "tag" => part(&mut open, name, tag)?,
            _ => {}
        }
        let ends = matches!(name, "/way" | "/relation") || (closed && matches!(name, "way" | "relation"));
        if ends && let Some(element) = open.take() {
            take(element);
        }
    }
    Ok(())
}

/// Adds what stands inside a way or a relation to it.
fn part(open: &mut Option<Element>, name: &str, tag: &str) -> Result<(), String> {
    match (open, name) {
        (Some(Element::Way { nodes, .. }), "nd") => nodes.push(number(tag, "ref")?),
        (Some(Element::Relation(relation)), "member") if attribute(tag, "type").as_deref() == Some("way") => {
            let way = number(tag, "ref")?;
            relation.ways.push(way);
            if attribute(tag, "role").as_deref() != Some("inner") {
                relation.outer.push(way);
            }
        }
        (Some(Element::Relation(Relation { tags, .. }) | Element::Way { tags, .. }), "tag") => {
            if let (Some(key), Some(value)) = (attribute(tag, "k"), attribute(tag, "v")) {
                tags.push((key, value));
            }
        }
        _ => {}
    }
    Ok(())
}

fn number<T: std::str::FromStr>(tag: &str, name: &str) -> Result<T, String> {
    let text = attribute(tag, name).ok_or_else(|| format!("`{tag}>` has no {name}"))?;
    text.trim().parse().map_err(|_wrong| format!("{name} of `{tag}>` is not a number"))
}

/// The value of an attribute, with its entities as letters.
pub(in crate::source) fn attribute(tag: &str, name: &str) -> Option<String> {
    let mut rest = tag.split_once(char::is_whitespace)?.1;
    loop {
        let (key, after) = rest.split_once('=')?;
        let after = after.trim_start();
        let quote = after.chars().next().filter(|c| matches!(c, '"' | '\''))?;
        let (value, after) = after[1..].split_once(quote)?;
        if key.trim() == name {
            return Some(unescaped(value));
        }
        rest = after;
    }
}

/// A text of XML with its entities as letters.
pub(in crate::source) fn unescaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('&') {
        out.push_str(before);
        let (letter, after) = match after.split_once(';') {
            Some((name, after)) => (entity(name), after),
            None => (None, after),
        };
        out.push(letter.unwrap_or('&'));
        rest = after;
    }
    out.push_str(rest);
    out
}

fn entity(name: &str) -> Option<char> {
    let number = name.strip_prefix('#');
    match (name, number) {
        ("amp", _) => Some('&'),
        ("lt", _) => Some('<'),
        ("gt", _) => Some('>'),
        ("quot", _) => Some('"'),
        ("apos", _) => Some('\''),
        (_, Some(digits)) => {
            let code = match digits.strip_prefix(['x', 'X']) {
                Some(hex) => u32::from_str_radix(hex, 16).ok()?,
                None => digits.parse().ok()?,
            };
            char::from_u32(code)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn relations_have_their_tags_and_ways() {
        let text = "<osm><!-- <relation id='7'/> --><node id='-1' lat=\"10.5\" lon='106'/>\
            <relation id=\"-5\"><member type='way' ref='11' role='outer'/><member type=\"node\" ref=\"1\"/>\
            <tag k='name' v='S&#244;ng &quot;A > B&quot;'/></relation><relation id='6'/></osm>";
        let mut found = Vec::new();
        each(text, Wanted::Relations, &mut |element| {
            if let Element::Relation(relation) = element {
                found.push(relation);
            }
        })
        .unwrap();
        assert_eq!(found.iter().map(|r| r.id).collect::<Vec<_>>(), [-5, 6]);
        assert_eq!((found[0].ways.as_slice(), found[0].tag("name")), (&[11][..], Some("Sông \"A > B\"")));
        let mut nodes = 0;
        each(text, Wanted::Nodes, &mut |element| {
            if let Element::Node { id: -1, lonlat: [106.0, 10.5] } = element {
                nodes += 1;
            }
        })
        .unwrap();
        assert_eq!(nodes, 1);
        assert!(each("<node id='x' lat='1' lon='2'/>", Wanted::Nodes, &mut |_| {}).is_err());
    }
}
