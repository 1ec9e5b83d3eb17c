//! The files themselves: built into the program or read from a folder, compressed once.

use std::{
    borrow::Cow,
    path::{Component, Path, PathBuf},
    sync::Arc,
};

use axum::body::Bytes;
use citymap_tile::{ContentEncoding, Effort, compress_for};
use moka::sync::Cache;
use rust_embed::RustEmbed;

use crate::{hash::hash_of, http::problem::Problem, work::BlockingPool};

/// The files of the web map, as `make web` builds them.
#[derive(RustEmbed)]
#[folder = "../../web/dist"]
struct WebFiles;

/// Fonts, symbols and colours of the map's style.
#[derive(RustEmbed)]
#[folder = "../../tiles"]
struct StyleFiles;

/// What the build of the web map appends to the names of the files that it compressed with Brotli.
const BROTLI: &str = ".br";

/// Number of files that are kept compressed.
const COMPRESSED_MAX: u64 = 1_000;

/// The bytes of a file and a tag of its content, hexadecimal digits.
pub(super) struct StaticFile {
    pub(super) bytes: Cow<'static, [u8]>,
    pub(super) tag: String,
    /// The bytes compressed with Brotli, where the build of the web map wrote them beside the file.
    pub(super) brotli: Option<Cow<'static, [u8]>>,
}

impl From<rust_embed::EmbeddedFile> for StaticFile {
    fn from(file: rust_embed::EmbeddedFile) -> Self {
        let hash = file.metadata.sha256_hash();
        let tag = citymap_model::hex(&hash[..8]);
        Self { bytes: file.data, tag, brotli: None }
    }
}

/// Where files come from, and the compressed forms of those that were requested. Clones share the latter.
#[derive(Clone)]
pub(crate) struct StaticFiles {
    /// The folder that the web map is served from, instead of the one built into the program.
    folder: Option<PathBuf>,
    pool: Arc<BlockingPool>,
    compressed: Cache<(String, ContentEncoding), Bytes>,
}

impl StaticFiles {
    pub(crate) fn new(folder: Option<PathBuf>, pool: Arc<BlockingPool>) -> Self {
        Self { folder, pool, compressed: Cache::new(COMPRESSED_MAX) }
    }

    /// A file of the web map by its path below the folder, without a leading slash.
    ///
    /// # Errors
    /// 503 if too many requests wait to read files.
    pub(super) async fn web(&self, name: &str) -> Result<Option<StaticFile>, Problem> {
        let Some(folder) = self.folder.clone() else {
            let brotli = || WebFiles::get(&format!("{name}{BROTLI}")).map(|file| file.data);
            return Ok(WebFiles::get(name).map(|file| StaticFile { brotli: brotli(), ..file.into() }));
        };
        let name = PathBuf::from(name);
        self.pool.run(move || Ok(from_folder(&folder, &name))).await
    }

    /// The compressed bytes of a file. They are kept under the file's tag, which stands for its whole
    /// content.
    ///
    /// # Errors
    /// 503 if too many requests wait to compress files.
    pub(super) async fn compressed(
        &self,
        file: StaticFile,
        encoding: ContentEncoding,
    ) -> Result<Bytes, Problem> {
        if let (ContentEncoding::Brotli, Some(brotli)) = (encoding, file.brotli) {
            return Ok(match brotli {
                Cow::Borrowed(bytes) => Bytes::from_static(bytes),
                Cow::Owned(bytes) => bytes.into(),
            });
        }
        let key = (file.tag, encoding);
        if let Some(compressed) = self.compressed.get(&key) {
            return Ok(compressed);
        }
        let cache = self.compressed.clone();
        self.pool
            .run(move || {
                let compress = || compress_for(&file.bytes, encoding, Effort::Once).into();
                Ok(cache.get_with(key, compress))
            })
            .await
    }
}

/// A file below a folder; `None` if there is none. Never leads out of the folder.
fn from_folder(folder: &Path, name: &Path) -> Option<StaticFile> {
    let bytes = read_below(folder, name)?;
    let tag = format!("{:016x}", hash_of(&bytes));
    let mut small = name.as_os_str().to_owned();
    small.push(BROTLI);
    // A file that was changed since it was compressed is sent as it is now.
    let changed = |name: &Path| folder.join(name).metadata().and_then(|data| data.modified()).ok();
    let small = Path::new(&small);
    let brotli = read_below(folder, small).filter(|_| changed(small) >= changed(name)).map(Cow::Owned);
    Some(StaticFile { bytes: bytes.into(), tag, brotli })
}

fn read_below(folder: &Path, name: &Path) -> Option<Vec<u8>> {
    if !name.components().all(|part| matches!(part, Component::Normal(_))) {
        return None;
    }
    let folder = folder.canonicalize().ok()?;
    // A symbolic link must not lead out of the folder either.
    let path = folder.join(name).canonicalize().ok()?;
    if !path.starts_with(&folder) || !path.is_file() {
        return None;
    }
    std::fs::read(path).ok()
}

/// A symbol or a file of colours of the map's style by its path.
pub(super) fn style(name: &str) -> Option<StaticFile> {
    let served = name.ends_with(".png") || name.ends_with(".json");
    served.then(|| StyleFiles::get(name).map(StaticFile::from)).flatten()
}

/// The glyphs of the first font of the stack that has the range; `None` if no font of the stack is served
/// here, or if the range is not valid.
///
/// A range for which none of the fonts has a file gives an empty message instead of an error, which would
/// show in every browser's console. MapLibre leaves out the characters that an answer does not have; our page
/// then draws them with the browser's own font (`web/src/map/glyphs.ts`).
pub(super) fn glyphs(stack: &str, range: &str) -> Option<StaticFile> {
    if !is_glyph_range(range) {
        return None;
    }
    let fonts = || stack.split(',').map(str::trim);
    let found =
        fonts().find_map(|font| StyleFiles::get(&format!("fonts/{font}/{range}")).map(StaticFile::from));
    let known = |font: &str| {
        let folder = format!("fonts/{font}/");
        StyleFiles::iter().any(|path| path.starts_with(&folder))
    };
    found.or_else(|| {
        fonts().any(known).then(|| StaticFile {
            bytes: Cow::Borrowed(b""),
            tag: "no-glyphs".to_owned(),
            brotli: None,
        })
    })
}

/// True for the file names of glyph ranges: `0-255.pbf`, `256-511.pbf`, … up to the end of Unicode.
fn is_glyph_range(name: &str) -> bool {
    let Some((first, last)) = name.strip_suffix(".pbf").and_then(|range| range.split_once('-')) else {
        return false;
    };
    let (Ok(from), Ok(to)) = (first.parse::<u32>(), last.parse::<u32>()) else { return false };
    // Formatting the numbers again rejects `+0-0255.pbf`.
    from % 256 == 0 && from <= 0x10_FF00 && to == from + 255 && format!("{from}-{to}.pbf") == name
}

/// The media type for a file name's extension, and whether compressing the file pays.
pub(super) fn media_type(name: &str) -> (&'static str, bool) {
    match name.rsplit_once('.').map_or("", |(_, ending)| ending) {
        "html" => ("text/html; charset=utf-8", true),
        "js" | "mjs" => ("text/javascript; charset=utf-8", true),
        "css" => ("text/css; charset=utf-8", true),
        "json" | "map" => ("application/json", true),
        "webmanifest" => ("application/manifest+json", true),
        "svg" => ("image/svg+xml", true),
        "pbf" => ("application/x-protobuf", true),
        "txt" => ("text/plain; charset=utf-8", true),
        "wasm" => ("application/wasm", true),
        "png" => ("image/png", false),
        "jpg" | "jpeg" => ("image/jpeg", false),
        "webp" => ("image/webp", false),
        "ico" => ("image/x-icon", false),
        "woff2" => ("font/woff2", false),
        "woff" => ("font/woff", false),
        _ => ("application/octet-stream", false),
    }
}

#[cfg(test)]
mod tests {
    use super::{glyphs, is_glyph_range};

    #[test]
    fn a_range_is_256_characters_from_a_multiple_of_256() {
        for good in ["0-255.pbf", "256-511.pbf", "65280-65535.pbf", "1113856-1114111.pbf"] {
            assert!(is_glyph_range(good), "{good}");
        }
        for bad in [
            "0-255",
            "0-256.pbf",
            "1-256.pbf",
            "00-255.pbf",
            "+0-255.pbf",
            "-255.pbf",
            "1114112-1114367.pbf",
            "../0-255.pbf",
        ] {
            assert!(!is_glyph_range(bad), "{bad}");
        }
    }

    #[test]
    fn a_range_without_glyphs_is_empty_and_an_unknown_font_is_nothing() {
        let size = |stack: &str, range: &str| glyphs(stack, range).map(|file| file.bytes.len());
        assert!(size("BeVietnamPro-Regular", "0-255.pbf") > Some(1_000));
        assert_eq!(size("BeVietnamPro-Regular", "19968-20223.pbf"), Some(0));
        assert_eq!(size("Nix,BeVietnamPro-Regular", "19968-20223.pbf"), Some(0));
        for stack in ["Nix", "", ".", "..", "build.sh", "BeVietnam"] {
            assert_eq!(size(stack, "19968-20223.pbf"), None, "{stack}");
        }
        assert_eq!(size("BeVietnamPro-Regular", "0-1.pbf"), None);
    }
}
