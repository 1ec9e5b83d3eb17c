//! The schema next to a GML file (`a.xsd` of `a.gml`), as far as it lists the values of elements. Nothing
//! that the schema refers to is read.

use std::{collections::BTreeMap, fs::File, io::Read, path::Path};

use citymap_model::{Domain, ValueRange};

use super::{ColumnFacts, Facts};
use crate::source::{
    markup::{Kind, Tag, Tags, content},
    parts,
};

/// Bytes of a schema that are read.
const READ: u64 = 8 << 20;

/// What the schema next to a file says of its elements; nothing where there is none.
pub(super) fn beside(path: &Path) -> Facts {
    let Some(schema) = parts::beside(path, "xsd") else { return Facts::new() };
    let mut text = String::new();
    match File::open(schema).and_then(|file| file.take(READ).read_to_string(&mut text)) {
        Ok(_) => facts(&text),
        Err(_) => Facts::new(),
    }
}

/// The restrictions of a type.
#[derive(Debug, Default)]
struct Restriction {
    codes: Vec<(String, String)>,
    range: ValueRange,
}

impl Restriction {
    fn facts(&self) -> ColumnFacts {
        let mut facts = ColumnFacts::codes(self.codes.iter().cloned());
        if facts.domain.is_none() && self.range != ValueRange::default() {
            facts.domain = Some(Domain::Range(self.range));
        }
        facts
    }
}

/// What is known while a schema is read.
#[derive(Debug, Default)]
struct Schema {
    /// The restrictions of the types that have names.
    types: BTreeMap<String, Restriction>,
    /// The elements with the types that they name.
    named: Vec<(String, String)>,
    /// The elements with types of their own.
    own: BTreeMap<String, Restriction>,
    /// The elements that are open, and the named type.
    elements: Vec<Option<String>>,
    open_type: Option<String>,
    in_code: bool,
    in_text: bool,
}

impl Schema {
    fn restriction(&mut self) -> Option<&mut Restriction> {
        if let Some(name) = &self.open_type {
            return Some(self.types.entry(name.clone()).or_default());
        }
        let element = self.elements.last()?.clone()?;
        Some(self.own.entry(element).or_default())
    }

    fn start(&mut self, tag: &Tag<'_>) {
        let value = |name: &str| tag.attribute(name);
        match tag.name {
            "element" => {
                let name = value("name");
                if let (Some(name), Some(kind)) = (&name, value("type")) {
                    let kind = kind.rsplit(':').next().unwrap_or_default().to_owned();
                    self.named.push((name.clone(), kind));
                }
                self.elements.push(name);
            }
            "simpleType" => self.open_type = value("name").or_else(|| self.open_type.take()),
            "enumeration" => {
                self.in_code = true;
                if let (Some(code), Some(own)) = (value("value"), self.restriction()) {
                    own.codes.push((code, String::new()));
                }
            }
            "documentation" => self.in_text = self.in_code,
            bound @ ("minInclusive" | "minExclusive" | "maxInclusive" | "maxExclusive") => {
                let number = value("value").and_then(|text| text.trim().parse::<f64>().ok());
                if let (Some(number), Some(own)) = (number, self.restriction()) {
                    let excluded = bound.ends_with("Exclusive");
                    if bound.starts_with("min") {
                        (own.range.min, own.range.min_excluded) = (Some(number), excluded);
                    } else {
                        (own.range.max, own.range.max_excluded) = (Some(number), excluded);
                    }
                }
            }
            _ => {}
        }
    }

    fn end(&mut self, name: &str) {
        match name {
            "element" => drop(self.elements.pop()),
            "simpleType" => self.open_type = None,
            "enumeration" => self.in_code = false,
            "documentation" => self.in_text = false,
            _ => {}
        }
    }

    fn text(&mut self, text: &str) {
        if self.in_text
            && let Some((_, own)) = self.restriction().and_then(|own| own.codes.last_mut())
            && own.is_empty()
        {
            *own = content(text).trim().to_owned();
        }
    }
}

fn facts(text: &str) -> Facts {
    let mut schema = Schema::default();
    let mut end = 0;
    for tag in Tags::of(text) {
        schema.text(&text[end..tag.start]);
        end = tag.end;
        if tag.kind != Kind::Closes {
            schema.start(&tag);
        }
        if tag.kind != Kind::Opens {
            schema.end(tag.name);
        }
    }
    let Schema { types, named, own, .. } = schema;
    let named = named.into_iter().filter_map(|(name, kind)| Some((name, types.get(&kind)?.facts())));
    let own = own.into_iter().map(|(name, restriction)| (name, restriction.facts()));
    named.chain(own).filter(|(_, facts)| facts.domain.is_some()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_values_of_elements_are_read() {
        let found = facts(
            r#"<?xml version="1.0"?><xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" xmlns:t="t">
            <xs:simpleType name="Loai"><xs:restriction base="xs:string">
              <xs:enumeration value="A"><xs:annotation><xs:documentation>Đất ở</xs:documentation>
              </xs:annotation></xs:enumeration><xs:enumeration value="B"/></xs:restriction></xs:simpleType>
            <xs:complexType name="ThuaType"><xs:sequence>
              <xs:element name="loai" type="t:Loai"/>
              <xs:element name="tang"><xs:simpleType><xs:restriction base="xs:integer">
                <xs:minInclusive value="1"/><xs:maxExclusive value="100"/></xs:restriction></xs:simpleType>
              </xs:element>
              <xs:element name="ten" type="xs:string"/></xs:sequence></xs:complexType></xs:schema>"#,
        );
        assert_eq!(found.keys().collect::<Vec<_>>(), ["loai", "tang"]);
        let codes = found["loai"].domain.as_ref().unwrap().codes();
        let codes: Vec<(&str, &str)> =
            codes.iter().map(|own| (own.code.as_str(), own.title.vi.as_str())).collect();
        assert_eq!(codes, [("A", "Đất ở"), ("B", "")]);
        let range =
            ValueRange { min: Some(1.0), max: Some(100.0), max_excluded: true, ..ValueRange::default() };
        assert_eq!(found["tang"].domain, Some(Domain::Range(range)));
        assert!(facts("<broken").is_empty());
    }
}
