//! Reports as PDF files, one for each parcel, in a folder.

use std::{
    collections::{BTreeMap, HashSet},
    fs::{self, File},
    io::{self, BufWriter, Write},
    path::{Path, PathBuf},
    process::ExitCode,
    time::Instant,
};

use citymap_engine::Row;
use citymap_files::PartialFile;
use citymap_planning::{ParcelReport, wording::file_stem};
use citymap_render::{
    pdf::PdfError,
    print::{Highlight, PrintError, PrintTemplate, styled},
    raster::Source,
    report::{ReportPrinter, ReportSetting, style_id},
    styles::{Appearance, StyleBook, StyleRequest},
};
use citymap_tile::Tiler;
use rayon::prelude::*;
use serde_json::json;

use super::{ReportArgs, Wanted, Work, made, refusal};
use crate::{
    failure::Failure,
    global::Global,
    output::{self, counted, say},
    progress::Bar,
};

/// Files that are made in parallel before their number is shown.
const CHUNK: usize = 32;
/// Maximum size of a file in bytes.
const BYTES_MAX: u64 = 64 << 20;
/// The file in the folder that names the parcels without a report.
const REFUSED: &str = "refused.ndjson";

/// What all files of a run share.
struct PdfWork<'a> {
    work: &'a Work<'a>,
    printer: ReportPrinter<'a>,
    tiler: Tiler,
}

/// What became of a parcel that was asked for.
enum Outcome {
    Written(u64),
    Kept,
    Refused(String),
    /// The run was stopped before.
    Left,
}

/// The numbers of a run.
#[derive(Default)]
struct Counts {
    asked: u64,
    written: u64,
    kept: u64,
    bytes: u64,
    /// The number of refusals by their reason.
    refused: BTreeMap<String, u64>,
    /// A line for each refusal, in the order of the parcels.
    lines: Vec<String>,
}

impl Counts {
    fn add(&mut self, wanted: &Wanted, outcome: Outcome) {
        match outcome {
            Outcome::Written(bytes) => {
                self.written += 1;
                self.bytes += bytes;
            }
            Outcome::Kept => self.kept += 1,
            Outcome::Refused(reason) => {
                self.lines.push(refusal(wanted, &reason));
                *self.refused.entry(reason).or_default() += 1;
            }
            Outcome::Left => {}
        }
    }

    fn refused(&self) -> u64 {
        self.refused.values().sum()
    }

    fn left(&self) -> u64 {
        self.asked - self.written - self.kept - self.refused()
    }
}

/// Writes the files of all parcels that were asked for.
pub(super) fn run(
    global: &Global,
    args: &ReportArgs,
    (work, book): (&Work<'_>, &StyleBook),
    wanted: &[Wanted],
    bar: &Bar,
) -> Result<ExitCode, Failure> {
    let out = args.out.as_deref().ok_or_else(|| Failure::new("PDF files need `--out FOLDER`"))?;
    let lang = if args.lang == "en" { "en" } else { "vi" };
    let template = args.template.as_deref().map(PrintTemplate::load).transpose()?.unwrap_or_default();
    let request = StyleRequest { appearance: Appearance::Light, lang, level: None, layers: None };
    let style = style_id(book).and_then(|id| styled(book, id, (work.city, work.options.time), &request));
    let styled = style.ok_or_else(|| Failure::new("there is no style for the maps of the reports"))?;
    let setting = ReportSetting { styled: &styled, template: &template, lang, bytes_max: BYTES_MAX };
    let pdf = PdfWork { work, printer: ReportPrinter::new(setting)?, tiler: Tiler::new() };
    // A parcel that is named twice has one file.
    let mut seen = HashSet::new();
    let wanted: Vec<&Wanted> = wanted.iter().filter(|own| seen.insert(stem(work, own))).collect();
    let clock = Instant::now();
    let named = args.list.is_none() && args.within.is_none() && !args.all;
    let is_file = out.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("pdf"));
    let counts = match &wanted[..] {
        [only] if named && is_file => one(&pdf, only, out, args.resume)?,
        _ => {
            folder(&pdf, &wanted, out, args.resume)?;
            all(&pdf, &wanted, out, bar)?
        }
    };
    bar.clear();
    summary(global, out, &counts, clock.elapsed().as_secs_f64())?;
    Ok(ExitCode::from(u8::from(counts.refused() > 0 || counts.left() > 0)))
}

/// The name of a parcel's file without its ending.
fn stem(work: &Work<'_>, wanted: &Wanted) -> String {
    match wanted.row {
        Some(row) => file_stem(&work.parcels.id(row).to_string()),
        None => file_stem(&wanted.id),
    }
}

fn summary(global: &Global, out: &Path, counts: &Counts, seconds: f64) -> Result<(), Failure> {
    let (refused, left) = (counts.refused(), counts.left());
    if global.json {
        return output::print_json(&json!({
            "out": out, "asked": counts.asked, "written": counts.written, "kept": counts.kept,
            "refused": refused, "reasons": counts.refused, "left": left, "bytes": counts.bytes,
            "seconds": seconds,
        }));
    }
    let written = counted(counts.written, "report", "reports");
    say!("{written} in {} ({}), {seconds:.1} s", out.display(), counted(counts.bytes, "byte", "bytes"))?;
    if counts.kept > 0 {
        say!("{} kept of an earlier run", counted(counts.kept, "file", "files"))?;
    }
    for (reason, count) in &counts.refused {
        say!("{} without a report: {reason}", counted(*count, "parcel", "parcels"))?;
    }
    if left > 0 {
        let left = counted(left, "parcel is", "parcels are");
        say!("stopped; {left} left: run the command again with --continue")?;
    }
    Ok(())
}

/// Writes the file of one parcel under the name that was given.
fn one(pdf: &PdfWork<'_>, wanted: &Wanted, out: &Path, resume: bool) -> Result<Counts, Failure> {
    let mut counts = Counts { asked: 1, ..Counts::default() };
    if out.exists() && !resume {
        return Err(Failure::new(format!("{} exists; name another file", out.display())));
    }
    if out.exists() {
        compare(pdf, wanted, out)?;
    }
    counts.add(wanted, outcome(pdf, wanted, out)?);
    Ok(counts)
}

/// Makes the folder, or checks that an earlier run with the same arguments has filled it.
fn folder(pdf: &PdfWork<'_>, wanted: &[&Wanted], out: &Path, resume: bool) -> Result<(), Failure> {
    match fs::create_dir(out) {
        Ok(()) => return Ok(()),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        Err(error) => return Err(Failure::because(format!("{} cannot be made", out.display()), error)),
    }
    let mut entries = fs::read_dir(out)
        .map_err(|error| Failure::because(format!("{} cannot be read", out.display()), error))?;
    if !resume {
        if entries.next().is_some() {
            let what = "is not empty; name another folder, or go on with --continue";
            return Err(Failure::new(format!("{} {what}", out.display())));
        }
        return Ok(());
    }
    // The first file that is there says whether it is of the same revision, day, language and template.
    let present = wanted.iter().find_map(|own| {
        let path = path(pdf, own, out);
        path.exists().then_some((own, path))
    });
    present.map_or(Ok(()), |(own, path)| compare(pdf, own, &path))
}

/// Makes a file that is there again, and compares it.
fn compare(pdf: &PdfWork<'_>, wanted: &Wanted, path: &Path) -> Result<(), Failure> {
    let present = fs::read(path)
        .map_err(|error| Failure::because(format!("{} cannot be read", path.display()), error))?;
    let again =
        made(pdf.work, wanted).ok().and_then(|(report, row)| draw(pdf, (&report, row), Vec::new()).ok());
    if again.is_some_and(|again| again == present) {
        return Ok(());
    }
    Err(Failure::new(format!(
        "{} is not of a run with these arguments at this revision; name another folder",
        path.display()
    )))
}

fn path(pdf: &PdfWork<'_>, wanted: &Wanted, out: &Path) -> PathBuf {
    out.join(format!("{}.pdf", stem(pdf.work, wanted)))
}

/// Writes the files of all parcels that have none yet. After a signal it ends with the chunk at hand.
fn all(pdf: &PdfWork<'_>, wanted: &[&Wanted], out: &Path, bar: &Bar) -> Result<Counts, Failure> {
    let mut counts = Counts { asked: wanted.len() as u64, ..Counts::default() };
    for chunk in wanted.chunks(CHUNK) {
        bar.set("reports", counts.asked - counts.left(), counts.asked);
        let outcomes: Vec<Result<Outcome, Failure>> =
            chunk.par_iter().map(|own| outcome(pdf, own, &path(pdf, own, out))).collect();
        for (own, outcome) in chunk.iter().zip(outcomes) {
            counts.add(own, outcome?);
        }
        if pdf.work.cancel.is_cancelled() {
            break;
        }
    }
    let refused = out.join(REFUSED);
    if !counts.lines.is_empty() {
        let partial = PartialFile::replacing(&refused)?;
        let mut file = BufWriter::new(File::create_new(partial.path())?);
        for line in &counts.lines {
            writeln!(file, "{line}")?;
        }
        file.flush()?;
        partial.reveal()?;
    }
    Ok(counts)
}

/// Writes the file of a parcel, unless it is there.
fn outcome(pdf: &PdfWork<'_>, wanted: &Wanted, path: &Path) -> Result<Outcome, Failure> {
    if pdf.work.cancel.is_cancelled() {
        return Ok(Outcome::Left);
    }
    if path.exists() {
        return Ok(Outcome::Kept);
    }
    let refused = |reason: String| {
        let stopped = pdf.work.cancel.is_cancelled();
        Ok(if stopped { Outcome::Left } else { Outcome::Refused(reason) })
    };
    let (report, row) = match made(pdf.work, wanted) {
        Ok(made) => made,
        Err(reason) => return refused(reason),
    };
    let partial = PartialFile::new(path)?;
    let file = BufWriter::new(File::create_new(partial.path())?);
    let mut file = match draw(pdf, (&report, row), file) {
        Ok(file) => file,
        Err(PrintError::Pdf(PdfError::Io(error))) => {
            return Err(Failure::because(format!("{} cannot be written", path.display()), error));
        }
        Err(error) => return refused(error.to_string()),
    };
    file.flush()?;
    let bytes = file.get_ref().metadata()?.len();
    partial.reveal()?;
    Ok(Outcome::Written(bytes))
}

fn draw<W: Write>(pdf: &PdfWork<'_>, (report, row): (&ParcelReport, Row), out: W) -> Result<W, PrintError> {
    let Work { city, parcels, options, cancel, .. } = pdf.work;
    let source = Source { city, tiler: &pdf.tiler, time: options.time, cancel };
    let parcel = Highlight::of(parcels, row);
    pdf.printer.write(report, (&source, parcel.as_ref()), out)
}
