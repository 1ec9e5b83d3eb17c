//! A PDF file: its pages, and what they share.

use std::{collections::BTreeSet, io::Write};

use super::{
    PdfError, PdfPage, UNITS_PER_MM,
    fonts::Fonts,
    images::Images,
    objects::{ObjectWriter, Ref},
    page::Finished,
    syntax::text,
};

/// What a file says about itself, and how large it may be.
#[derive(Clone, Copy, Debug)]
pub struct PdfInfo<'a> {
    /// The title, which readers show instead of the name of the file.
    pub title: &'a str,
    /// The language of its texts: `"vi"` or `"en"`.
    pub lang: &'a str,
    /// The maximum size of the file in bytes.
    pub bytes_max: u64,
}

/// What the pages of a file share.
#[derive(Debug, Default)]
pub(super) struct Shared {
    pub(super) fonts: Fonts,
    pub(super) images: Images,
    /// The opacities that are used, in parts of 255.
    pub(super) opacities: BTreeSet<u8>,
}

/// A PDF file that is written page by page.
#[derive(Debug)]
pub struct PdfDocument<W> {
    file: ObjectWriter<W>,
    shared: Shared,
    tree: Ref,
    resources: Ref,
    pages: Vec<Ref>,
    title: String,
    lang: String,
}

impl<W: Write> PdfDocument<W> {
    /// Begins a file.
    ///
    /// # Errors
    /// [`PdfError`] if it cannot be written.
    pub fn new(out: W, info: &PdfInfo<'_>) -> Result<Self, PdfError> {
        let mut file = ObjectWriter::new(out, info.bytes_max)?;
        let (tree, resources) = (file.reserve(), file.reserve());
        let (title, lang) = (info.title.to_owned(), info.lang.to_owned());
        Ok(Self { file, shared: Shared::default(), tree, resources, pages: Vec::new(), title, lang })
    }

    /// An empty page of this width and height in units. It becomes part of the file when it is
    /// [added](Self::add).
    pub fn page(&mut self, size: [f32; 2]) -> PdfPage {
        self.page_in(size, 1.0 / UNITS_PER_MM)
    }

    /// An empty page of this width and height in units of `mm` millimetres, for example the pixels of a view.
    pub fn page_in(&mut self, size: [f32; 2], mm: f32) -> PdfPage {
        PdfPage::new((size, mm), std::mem::take(&mut self.shared), self.file.bytes_max())
    }

    /// Adds a page that [`page`](Self::page) began, as the last one.
    ///
    /// # Errors
    /// [`PdfError`] if the file cannot be written, or becomes too large.
    pub fn add(&mut self, page: PdfPage) -> Result<(), PdfError> {
        let max = self.file.bytes_max();
        let Finished { size, points, content, links, shared } =
            page.finish().ok_or(PdfError::TooLarge { max })??;
        self.shared = shared;
        let stream = self.file.reserve();
        self.file.packed_stream(stream, "", &content)?;
        let points = |units: f32| units * points;
        let [width, height] = size.map(points);
        let mut annotations = String::new();
        for ([low, high], address) in links {
            // Addresses have ASCII letters only; these three have a meaning in a string of PDF.
            let address = address.replace('\\', "%5C").replace('(', "%28").replace(')', "%29");
            let link = self.file.add(&format!(
                "<< /Type /Annot /Subtype /Link /Border [0 0 0] /Rect [{:.2} {:.2} {:.2} {:.2}] \
                 /A << /S /URI /URI ({address}) >> >>",
                points(low[0]),
                height - points(high[1]),
                points(high[0]),
                height - points(low[1]),
            ))?;
            annotations.push_str(&format!("{link} "));
        }
        let (tree, resources) = (self.tree, self.resources);
        let annotations =
            if annotations.is_empty() { String::new() } else { format!("/Annots [{annotations}] ") };
        let page = self.file.add(&format!(
            "<< /Type /Page /Parent {tree} /MediaBox [0 0 {width:.3} {height:.3}] /Resources {resources} \
             {annotations}/Contents {stream} >>"
        ))?;
        self.pages.push(page);
        Ok(())
    }

    /// Ends the file.
    ///
    /// # Errors
    /// [`PdfError`] if it cannot be written, or a font cannot be embedded.
    pub fn finish(mut self) -> Result<W, PdfError> {
        let states: String =
            self.shared.opacities.iter().map(|own| format!("/A{own} {} ", state(*own))).collect();
        let states = if states.is_empty() { String::new() } else { format!("/ExtGState << {states}>> ") };
        let fonts = self.shared.fonts.write(&mut self.file)?;
        let images = self.shared.images.write(&mut self.file, &states)?;
        self.file.object(self.resources, &format!("<< {fonts}{images}{states}>>"))?;
        let pages: String = self.pages.iter().map(|page| format!("{page} ")).collect();
        let count = self.pages.len();
        self.file.object(self.tree, &format!("<< /Type /Pages /Kids [{pages}] /Count {count} >>"))?;
        let (tree, lang) = (self.tree, &self.lang);
        // A viewer that scales the page to the paper would spoil the scale of the map.
        let catalog = self.file.add(&format!(
            "<< /Type /Catalog /Pages {tree} /Lang ({lang}) \
             /ViewerPreferences << /DisplayDocTitle true /PrintScaling /None >> >>"
        ))?;
        let info = self.file.add(&format!(
            "<< /Title {} /Producer (citymap {}) >>",
            text(&self.title),
            env!("CARGO_PKG_VERSION")
        ))?;
        self.file.finish(catalog, info)
    }
}

/// The state with an opacity in parts of 255, for fills and strokes.
fn state(opacity: u8) -> String {
    let opacity = f32::from(opacity) / 255.0;
    format!("<< /ca {opacity:.4} /CA {opacity:.4} >>")
}
