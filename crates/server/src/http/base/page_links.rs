//! Links of pages: relative addresses, which are right below any path prefix, whether the server knows it or
//! not.

use super::BaseUrl;

/// How a page links to other paths of the server.
#[derive(Clone, Debug)]
pub(crate) struct PageLinks {
    base: BaseUrl,
    /// The way to the root of the server, with a slash at its end.
    root: String,
}

impl PageLinks {
    /// Links of the page at `path`, which is as the client wrote it. `joined` says that slashes of an id are
    /// steps of it: perhaps a proxy has decoded them, and for the browser the page is less deep. Then the
    /// prefix, where it is known, begins the links.
    pub(crate) fn new(base: BaseUrl, path: &str, joined: bool) -> Self {
        let steps = path.bytes().filter(|byte| *byte == b'/').count().saturating_sub(1);
        let prefix = base.prefix();
        let root = match steps {
            _ if joined && !prefix.is_empty() => format!("{prefix}/"),
            0 => "./".to_owned(),
            steps => "../".repeat(steps),
        };
        Self { base, root }
    }

    /// The address of a path of the server, which begins with a slash. Slashes of ids are steps in it, so
    /// that browser and server count the same depth, whether a proxy between them decodes them or not.
    pub(crate) fn href(&self, path: &str) -> String {
        let (path, query) = path.find('?').map_or((path, ""), |at| path.split_at(at));
        let path = path.trim_start_matches('/').replace("%2F", "/").replace("%2f", "/");
        format!("{}{path}{query}", self.root)
    }

    /// A link of a document: an address of this server as [`PageLinks::href`] writes it, any other as it is.
    pub(crate) fn of_document(&self, url: &str) -> String {
        match url.strip_prefix(self.base.as_str()) {
            Some("") => self.href("/"),
            Some(path) if path.starts_with('/') => self.href(path),
            _ => url.to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn links(path: &str, joined: bool) -> PageLinks {
        PageLinks::new(BaseUrl("https://map.example.vn/geo".to_owned()), path, joined)
    }

    #[test]
    fn a_page_links_by_its_depth() {
        for (path, href) in [
            ("/api", "./api/at?a=/b%2F"),
            ("/api/", "../api/at?a=/b%2F"),
            ("/api/collections/wells/items", "../../../api/at?a=/b%2F"),
        ] {
            assert_eq!(links(path, false).href("/api/at?a=/b%2F"), href, "{path}");
        }
        assert_eq!(links("/api", false).href("/"), "./");
    }

    #[test]
    fn slashes_of_ids_are_steps_and_make_the_depth_uncertain() {
        let links = links("/api/collections/odd/items/12/34", true);
        assert_eq!(
            links.href("/api/collections/odd/items/5%2F6?f=html"),
            "/geo/api/collections/odd/items/5/6?f=html"
        );
        let unknown =
            PageLinks::new(BaseUrl("http://map".to_owned()), "/api/collections/odd/items/12/34", true);
        assert_eq!(unknown.href("/api"), "../../../../../api");
    }

    #[test]
    fn a_link_of_a_document_is_relative_where_it_is_of_this_server() {
        let links = links("/api/collections", false);
        assert_eq!(links.of_document("https://map.example.vn/geo/api?f=json"), "../api?f=json");
        assert_eq!(links.of_document("https://map.example.vn/geo"), "../");
        for other in
            ["https://map.example.vn/other", "https://map.example.vn/geodata/x", "https://example.org/"]
        {
            assert_eq!(links.of_document(other), other);
        }
    }
}
