//! Zip archives: each member of a format that is read is unpacked and opened as the file that it is.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use citymap_model::text::tidy_name;
use tempfile::TempDir;

use super::{
    Body, Parsed, Reader, Sink, Source, SourceLayer,
    archive::{self, Member},
    foreign, open_file, sniff,
};
use crate::{ImportError, Request};

/// Maximum size of all members that are unpacked, in bytes.
const UNPACKED: u64 = 64 << 30;
/// Members that are left out, as a note names them.
const NAMED: usize = 20;

/// Extensions of files that belong to another one of the same name.
const SIDES: [&str; 15] =
    ["shx", "dbf", "prj", "cpg", "sbn", "sbx", "qix", "qpj", "dat", "map", "id", "ind", "mid", "csvt", "xsd"];
/// Extensions of files that may be something else than map data.
const DOUBTFUL: [&str; 5] = ["txt", "xml", "json", "csv", "dbf"];

/// An archive, of which each chosen member is open.
pub(crate) struct ZipReader {
    driver: String,
    notes: Vec<String>,
    members: Vec<Opened>,
    /// Of each layer the member, and its position there.
    layers: Vec<(usize, usize)>,
}

/// A member that is open.
struct Opened {
    /// The archive and the member, as messages name them.
    shown: String,
    source: Source,
    folder: TempDir,
}

/// A file of the archive that can be a source, and the files that belong to it.
struct Main<'a> {
    /// Its name in the archive; of a File Geodatabase that of its folder.
    name: String,
    files: Vec<&'a Member>,
    geodatabase: bool,
}

impl Reader for ZipReader {
    fn driver(&self) -> &str {
        &self.driver
    }

    fn notes(&self) -> &[String] {
        &self.notes
    }

    fn is_incomplete(&self) -> bool {
        self.members.iter().any(|member| member.source.reader.is_incomplete())
    }

    fn layers(&self) -> Vec<&SourceLayer> {
        let of = |(member, position): &(usize, usize)| {
            self.members.get(*member)?.source.reader.layers().get(*position).copied()
        };
        self.layers.iter().filter_map(of).collect()
    }

    fn read(&self, layer: usize, sink: &mut Sink<'_>) -> Result<Vec<String>, ImportError> {
        let Some((member, position)) = self.layers.get(layer) else { return Ok(Vec::new()) };
        let Some(member) = self.members.get(*member) else { return Ok(Vec::new()) };
        let notes = member.source.reader.read(*position, sink).map_err(|error| member.renamed(error))?;
        Ok(notes.iter().map(|note| without_folder(note, member.folder.path())).collect())
    }

    fn parse(&self, layer: usize, body: Body) -> Parsed {
        let member = self.layers.get(layer).and_then(|(member, at)| Some((self.members.get(*member)?, at)));
        match member {
            Some((member, position)) => member.source.reader.parse(*position, body),
            None => foreign(body),
        }
    }
}

impl ZipReader {
    /// Opens the members of an archive that are of a format that is read, or those that the request names.
    ///
    /// # Errors
    /// [`ImportError`] if the archive or a member is damaged, holds nothing of use, or has no member of a
    /// name that the request gives.
    pub(crate) fn open(path: &Path, request: &Request) -> Result<Self, ImportError> {
        let shown = path.display().to_string();
        let failed = |error: io::Error| {
            ImportError::unreadable(
                &shown,
                format!("is a zip archive that cannot be unpacked ({error})"),
                "get it again, or unpack it and name the file inside",
            )
        };
        let members = archive::members(path).map_err(failed)?;
        let (mains, others) = sorted(&members);
        let chosen = chosen(&mains, request, &shown)?;
        let size: u64 = chosen.iter().flat_map(|main| &main.files).map(|file| file.size).sum();
        if size > UNPACKED {
            return Err(ImportError::unreadable(
                &shown,
                format!("holds {} GiB when unpacked, more than {} GiB", size >> 30, UNPACKED >> 30),
                "unpack it and name the files inside",
            ));
        }
        let mut reader =
            Self { driver: String::new(), notes: Vec::new(), members: Vec::new(), layers: Vec::new() };
        let mut left: Vec<String> = mains
            .iter()
            .filter(|main| !chosen.iter().any(|one| one.name == main.name))
            .map(|main| format!("`{}` (not named with --member)", main.name))
            .collect();
        let alone = chosen.len() == 1 || !request.members.is_empty();
        for main in &chosen {
            // A member that is damaged is an error in any case; one that is no map data is left out.
            let unpacked = main.unpacked(path).map_err(|error| main.not_unpacked(path, &error))?;
            match reader.member(path, main, unpacked, request) {
                Ok(()) => {}
                Err(error) if !alone && main.is_doubtful() => {
                    left.push(format!("`{}` ({})", main.name, reason(&error)));
                }
                Err(error) => return Err(error),
            }
        }
        left.extend(others.iter().map(|name| format!("`{name}` ({})", why_not(name))));
        if reader.layers.is_empty() {
            return Err(ImportError::unreadable(
                &shown,
                format!(
                    "is a zip archive that holds no file of a format that is read{}",
                    listed(": ", &left)
                ),
                "see docs/import.md for the formats, or unpack it and name the file inside",
            ));
        }
        if !left.is_empty() && !is_kmz(path) {
            reader.notes.push(listed("left out of the archive: ", &left));
        }
        Ok(reader)
    }

    /// Opens one member, which is unpacked into a folder.
    fn member(
        &mut self,
        path: &Path,
        main: &Main<'_>,
        (folder, file): (TempDir, PathBuf),
        request: &Request,
    ) -> Result<(), ImportError> {
        let shown = main.shown(path);
        let source = open_file(&file, request).map_err(|error| renamed(error, &shown, folder.path()))?;
        let driver = source.reader.driver();
        if self.driver.is_empty() {
            driver.clone_into(&mut self.driver);
        } else if self.driver != driver {
            "Zip".clone_into(&mut self.driver);
        }
        let layers = source.reader.layers().len();
        self.notes.push(format!("`{}` was taken from the archive", main.name));
        self.notes.extend(
            source
                .notes
                .iter()
                .map(|note| format!("`{}`: {}", main.name, without_folder(note, folder.path()))),
        );
        self.layers.extend((0..layers).map(|position| (self.members.len(), position)));
        self.members.push(Opened { shown, source, folder });
        Ok(())
    }
}

impl Opened {
    fn renamed(&self, error: ImportError) -> ImportError {
        renamed(error, &self.shown, self.folder.path())
    }
}

impl Main<'_> {
    /// The archive and the member, as messages name them.
    fn shown(&self, path: &Path) -> String {
        format!("{}, member `{}`", path.display(), self.name)
    }

    /// That the member cannot be unpacked.
    fn not_unpacked(&self, path: &Path, error: &io::Error) -> ImportError {
        ImportError::unreadable(
            self.shown(path),
            format!("cannot be unpacked ({error})"),
            "get the archive again, or make room in the folder that TMPDIR names",
        )
    }

    /// Unpacks the file and those that belong to it into a folder of their own. An error about one of those
    /// names it.
    fn unpacked(&self, path: &Path) -> io::Result<(TempDir, PathBuf)> {
        let folder = tempfile::tempdir()?;
        let mut into = folder.path().to_owned();
        if self.geodatabase {
            into.push(file_name(&self.name));
            fs::create_dir(&into)?;
        }
        for file in &self.files {
            archive::unpack(path, file, &into).map_err(|error| {
                let part = file.name.escape_debug();
                let named =
                    if file.name == self.name { error.to_string() } else { format!("`{part}`: {error}") };
                io::Error::new(error.kind(), named)
            })?;
        }
        let file = if self.geodatabase { into } else { into.join(file_name(&self.name)) };
        Ok((folder, file))
    }

    fn is_doubtful(&self) -> bool {
        DOUBTFUL.contains(&extension(&self.name).as_str())
    }
}

/// The files of an archive that can be sources, and the names of the others. What macOS and Windows add is in
/// neither.
fn sorted(members: &[Member]) -> (Vec<Main<'_>>, Vec<String>) {
    let kept: Vec<&Member> = members.iter().filter(|member| !is_litter(&member.name)).collect();
    let mut mains: Vec<Main<'_>> = Vec::new();
    let mut others = Vec::new();
    for member in &kept {
        if let Some(folder) = geodatabase(&member.name) {
            match mains.iter_mut().find(|main| main.name == folder) {
                Some(main) => main.files.push(member),
                None => {
                    mains.push(Main { name: folder.to_owned(), files: vec![*member], geodatabase: true });
                }
            }
        } else if is_main(member, &kept) {
            let is_part = |other: &&&Member| {
                other.name != member.name
                    && SIDES.contains(&extension(&other.name).as_str())
                    && stem(&other.name) == stem(&member.name)
                    && !is_main(other, &kept)
            };
            let parts = kept.iter().filter(is_part).copied();
            let files = std::iter::once(*member).chain(parts).collect();
            mains.push(Main { name: member.name.clone(), files, geodatabase: false });
        }
    }
    for member in &kept {
        if !mains.iter().any(|main| main.files.iter().any(|file| file.name == member.name)) {
            others.push(member.name.clone());
        }
    }
    (mains, others)
}

/// The sources that the request names, or all.
fn chosen<'a, 'b>(
    mains: &'a [Main<'b>],
    request: &Request,
    shown: &str,
) -> Result<Vec<&'a Main<'b>>, ImportError> {
    let is = |main: &Main<'_>, name: &str| {
        let own = tidy_name(&main.name);
        own == name || file_name(&own) == name
    };
    if let Some(name) = request.members.iter().find(|name| !mains.iter().any(|main| is(main, name))) {
        let names: Vec<&str> = mains.iter().map(|main| main.name.as_str()).collect();
        return Err(ImportError::Usage(format!(
            "{shown} has no member `{name}` that could be read (--member); it has {}",
            if names.is_empty() { "none".to_owned() } else { names.join(", ") }
        )));
    }
    let wanted =
        |main: &&Main<'_>| request.members.is_empty() || request.members.iter().any(|name| is(main, name));
    Ok(mains.iter().filter(wanted).collect())
}

/// Whether a member is a file by which a source is named.
fn is_main(member: &Member, all: &[&Member]) -> bool {
    let beside = |side: &str| {
        all.iter().any(|other| extension(&other.name) == side && stem(&other.name) == stem(&member.name))
    };
    match extension(&member.name).as_str() {
        "dbf" => !beside("shp"),
        "mid" => false,
        "dat" | "id" | "map" | "ind" => false,
        own => sniff::is_named_like_data(own),
    }
}

/// Why a member is no source.
fn why_not(name: &str) -> &'static str {
    match extension(name).as_str() {
        "zip" | "7z" | "rar" | "gz" | "tar" | "tgz" => "an archive in the archive: unpack it and import it",
        own if SIDES.contains(&own) => "a part of a file that is missing",
        _ => "not of a format that is read",
    }
}

/// The File Geodatabase in which a member is.
fn geodatabase(name: &str) -> Option<&str> {
    let at = name.to_lowercase().find(".gdb/")?;
    name.get(..at + 4)
}

/// What macOS and Windows put into archives by themselves.
fn is_litter(name: &str) -> bool {
    let own = file_name(name);
    name.split('/').any(|part| part == "__MACOSX")
        || own.starts_with("._")
        || matches!(own, ".DS_Store" | "Thumbs.db" | "desktop.ini")
}

fn is_kmz(path: &Path) -> bool {
    path.extension().is_some_and(|own| own.eq_ignore_ascii_case("kmz"))
}

fn file_name(name: &str) -> &str {
    name.rsplit(['/', '\\']).next().unwrap_or(name)
}

fn extension(name: &str) -> String {
    let own = file_name(name);
    own.rsplit_once('.').map(|(_, extension)| extension.to_lowercase()).unwrap_or_default()
}

/// The name with its folders and without its extension, in small letters.
fn stem(name: &str) -> String {
    let extension = extension(name).len();
    let end = if extension > 0 { name.len() - extension - 1 } else { name.len() };
    name.get(..end).unwrap_or(name).to_lowercase()
}

/// `intro` and the names, as far as a note names them.
fn listed(intro: &str, names: &[String]) -> String {
    if names.is_empty() {
        return String::new();
    }
    let more = names.len().saturating_sub(NAMED);
    let more = if more > 0 { format!(", and {more} more") } else { String::new() };
    format!("{intro}{}{more}", names.iter().take(NAMED).cloned().collect::<Vec<_>>().join(", "))
}

/// What an error says without the name of its file.
fn reason(error: &ImportError) -> String {
    match error {
        ImportError::Unreadable { reason, .. } | ImportError::Malformed { reason, .. } => reason.clone(),
        other => other.to_string(),
    }
}

/// An error about an unpacked file as one about the member.
pub(super) fn renamed(error: ImportError, shown: &str, folder: &Path) -> ImportError {
    let plain = |text: &str| without_folder(text, folder);
    match error {
        ImportError::Unreadable { reason, advice, .. } => {
            ImportError::unreadable(shown, plain(&reason), plain(&advice))
        }
        ImportError::Malformed { place, reason, .. } => ImportError::malformed(shown, place, plain(&reason)),
        other => other,
    }
}

/// A text without the path of a temporary folder.
pub(super) fn without_folder(text: &str, folder: &Path) -> String {
    text.replace(&format!("{}/", folder.display()), "")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_taken_apart() {
        assert_eq!(extension("a.b/Thua.SHP"), "shp");
        assert_eq!(stem("A/Thửa đất.shp"), "a/thửa đất");
        assert_eq!(extension("README"), "");
        assert_eq!(stem("a.b/README"), "a.b/readme");
        assert_eq!(geodatabase("x/Pk.GDB/a00000001.gdbtable"), Some("x/Pk.GDB"));
        assert!(is_litter("__MACOSX/data/._thua.shp") && is_litter("a/.DS_Store") && !is_litter("a/b.shp"));
    }
}
