//! Follows every link from a start, within bounds.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use serde_json::Value;
use ureq::ResponseExt as _;
use url::Url;

/// Which answers are searched for links.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Searched {
    /// HTML pages, and no documents.
    Pages,
    /// Pages, JSON documents of every kind, and the header `Link`.
    Everything,
}

/// What a crawl found.
#[derive(Debug, Default)]
pub(crate) struct Found {
    /// The status and the media type of each address that was asked for.
    pub(crate) answers: BTreeMap<String, (u16, String)>,
    /// Links that lead out of the prefix, each with the address of the answer that has it.
    pub(crate) outside: BTreeSet<(String, String)>,
    /// Links that are not answered with success, each with the status and the answer that has it.
    pub(crate) dead: BTreeSet<(String, u16, String)>,
}

impl Found {
    /// The number of answers whose address contains a text and whose media type begins with another.
    pub(crate) fn count(&self, address: &str, kind: &str) -> usize {
        let wanted =
            |(own, (_, media)): &(&String, &(u16, String))| own.contains(address) && media.starts_with(kind);
        self.answers.iter().filter(wanted).count()
    }
}

/// Where the standards that an answer names are described; nothing of ours.
const STANDARDS: [&str; 3] = ["www.opengis.net", "json-schema.org", "geojson.org"];

/// Asks for `start`, then for every link of the answers below `prefix`, at most `most` addresses, and at most
/// `alike` that differ in numbers only.
pub(crate) fn crawl(start: &[String], prefix: &str, searched: Searched, [most, alike]: [usize; 2]) -> Found {
    let mut found = Found::default();
    let mut queue: VecDeque<(String, String)> =
        start.iter().map(|url| (url.clone(), "the start".to_owned())).collect();
    let mut seen: BTreeSet<String> = start.iter().cloned().collect();
    let mut patterns: BTreeMap<String, usize> = BTreeMap::new();
    while let Some((url, from)) = queue.pop_front() {
        if found.answers.len() == most {
            break;
        }
        let answer = ask(&url, searched);
        let lives = answer.status < 400 || (answer.status == 405 && url.ends_with("/execution"));
        if !lives {
            found.dead.insert((url.clone(), answer.status, from));
        }
        let base = Url::parse(&answer.address).unwrap();
        for link in answer.links(searched) {
            let Ok(mut target) = base.join(&link) else { panic!("{url} has the link {link}") };
            target.set_fragment(None);
            if target.host_str().is_some_and(|host| STANDARDS.contains(&host)) {
                continue;
            }
            let target = target.to_string();
            // An icon that is written into the page leads nowhere.
            if target.starts_with("data:") {
                continue;
            }
            if target != prefix && !target.starts_with(&format!("{prefix}/")) {
                found.outside.insert((target, url.clone()));
                continue;
            }
            let pattern: String =
                target.chars().map(|own| if own.is_ascii_digit() { '0' } else { own }).collect();
            let count = patterns.entry(pattern.replace("00", "0")).or_default();
            if *count < alike && seen.insert(target.clone()) {
                *count += 1;
                queue.push_back((target, url.clone()));
            }
        }
        found.answers.insert(url, (answer.status, answer.kind));
    }
    found
}

struct Answer {
    /// Where redirections have led.
    address: String,
    status: u16,
    kind: String,
    header: String,
    body: Vec<u8>,
}

fn ask(url: &str, searched: Searched) -> Answer {
    let agent: ureq::Agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
    // Browsers ask for pages, programs for what there is.
    let accept = if searched == Searched::Pages { "text/html,*/*;q=0.8" } else { "*/*" };
    let mut answer =
        agent.get(url).header("accept", accept).call().unwrap_or_else(|error| panic!("GET {url}: {error}"));
    let text = |name: &str| {
        let values = answer.headers().get_all(name).iter().filter_map(|value| value.to_str().ok());
        values.collect::<Vec<_>>().join(", ")
    };
    let (kind, header) = (text("content-type"), text("link"));
    let status = answer.status().as_u16();
    let address = answer.get_uri().to_string();
    // A stream of events has no end.
    let endless = kind.starts_with("text/event-stream");
    let body = if endless {
        Vec::new()
    } else {
        answer.body_mut().with_config().limit(64 << 20).read_to_vec().unwrap()
    };
    Answer { address, status, kind, header, body }
}

impl Answer {
    fn links(&self, searched: Searched) -> Vec<String> {
        let text = String::from_utf8_lossy(&self.body);
        if self.kind.starts_with("text/html") {
            return attributes(&text);
        }
        if searched == Searched::Pages || self.status != 200 {
            return Vec::new();
        }
        let mut links: Vec<String> = self
            .header
            .split('<')
            .skip(1)
            .filter_map(|rest| Some(rest.split_once('>')?.0.to_owned()))
            .collect();
        if self.kind.contains("json") {
            members(&serde_json::from_str(&text).unwrap(), "", &mut links);
        }
        links
    }
}

/// The values of `href` and `src` in a page.
fn attributes(page: &str) -> Vec<String> {
    let of = |name: &str| {
        page.split(name)
            .skip(1)
            .filter_map(|rest| rest.split_once('"'))
            .map(|(value, _)| value.replace("&amp;", "&"))
            .collect::<Vec<_>>()
    };
    let mut links = of(" href=\"");
    links.extend(of(" src=\""));
    links
}

/// The addresses in a JSON document: of links, of servers of an API, of tiles, of schemas and archives. The
/// members of features are data.
fn members(value: &Value, name: &str, links: &mut Vec<String>) {
    match value {
        Value::Object(members_of) => {
            for (name, member) in
                members_of.iter().filter(|(name, _)| *name != "properties" && *name != "example")
            {
                members(member, name, links);
            }
        }
        Value::Array(entries) => entries.iter().for_each(|entry| members(entry, name, links)),
        // `tilejson` is a version in a description of tiles, and an address in the list of archives.
        Value::String(text) if name == "tilejson" && !text.contains("://") => {}
        Value::String(text) if ["href", "$id", "tiles", "tilejson", "archive", "url"].contains(&name) => {
            links.push(filled(text));
        }
        _ => {}
    }
}

/// An address template with 0 for each of its variables.
fn filled(template: &str) -> String {
    let mut parts = template.split('{');
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |out, part| format!("{out}0{}", part.split_once('}').map_or("", |(_, rest)| rest)))
}
