//! The objects of a PDF file and the table of where they are.

use std::io::{self, Write};

use flate2::{Compression, write::ZlibEncoder};

use super::PdfError;

/// The number of an object of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Ref(u32);

impl std::fmt::Display for Ref {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} 0 R", self.0)
    }
}

/// Writes objects one after the other and notes where each begins.
#[derive(Debug)]
pub(super) struct ObjectWriter<W> {
    out: W,
    written: u64,
    bytes_max: u64,
    /// Where each object begins, by its number less one; 0 for one that is not written yet.
    offsets: Vec<u64>,
}

impl<W: Write> ObjectWriter<W> {
    /// Begins a file that may have `bytes_max` bytes.
    pub(super) fn new(out: W, bytes_max: u64) -> Result<Self, PdfError> {
        let mut writer = Self { out, written: 0, bytes_max, offsets: Vec::new() };
        // Four bytes above 127 say that the file is not text.
        writer.write(b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n")?;
        Ok(writer)
    }

    pub(super) fn bytes_max(&self) -> u64 {
        self.bytes_max
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), PdfError> {
        self.written += bytes.len() as u64;
        if self.written > self.bytes_max {
            return Err(PdfError::TooLarge { max: self.bytes_max });
        }
        Ok(self.out.write_all(bytes)?)
    }

    /// A number for an object that is written later.
    pub(super) fn reserve(&mut self) -> Ref {
        self.offsets.push(0);
        Ref(self.offsets.len() as u32)
    }

    /// Writes an object under a reserved number.
    pub(super) fn object(&mut self, own: Ref, body: &str) -> Result<(), PdfError> {
        self.begin(own)?;
        self.write(format!("{body}\nendobj\n").as_bytes())
    }

    /// Writes an object under the next number.
    pub(super) fn add(&mut self, body: &str) -> Result<Ref, PdfError> {
        let own = self.reserve();
        self.object(own, body)?;
        Ok(own)
    }

    /// Writes a stream that is compressed already; `entries` are those of its dictionary besides the length
    /// and the filter.
    pub(super) fn packed_stream(&mut self, own: Ref, entries: &str, packed: &[u8]) -> Result<(), PdfError> {
        self.begin(own)?;
        let length = packed.len();
        self.write(format!("<< {entries} /Filter /FlateDecode /Length {length} >>\nstream\n").as_bytes())?;
        self.write(packed)?;
        self.write(b"\nendstream\nendobj\n")
    }

    /// Compresses and writes a stream.
    pub(super) fn stream(&mut self, entries: &str, bytes: &[u8]) -> Result<Ref, PdfError> {
        let own = self.reserve();
        self.packed_stream(own, entries, &packed(bytes)?)?;
        Ok(own)
    }

    fn begin(&mut self, own: Ref) -> Result<(), PdfError> {
        self.offsets[own.0 as usize - 1] = self.written;
        self.write(format!("{} 0 obj\n", own.0).as_bytes())
    }

    /// Writes the table of objects, which ends the file.
    pub(super) fn finish(mut self, catalog: Ref, info: Ref) -> Result<W, PdfError> {
        let start = self.written;
        let count = self.offsets.len() + 1;
        let mut table = format!("xref\n0 {count}\n0000000000 65535 f \n");
        for offset in &self.offsets {
            table.push_str(&format!("{offset:010} 00000 n \n"));
        }
        table.push_str(&format!(
            "trailer\n<< /Size {count} /Root {catalog} /Info {info} >>\nstartxref\n{start}\n%%EOF\n"
        ));
        self.write(table.as_bytes())?;
        self.out.flush()?;
        Ok(self.out)
    }
}

/// The bytes as a zlib stream.
pub(super) fn packed(bytes: &[u8]) -> io::Result<Vec<u8>> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes)?;
    encoder.finish()
}
