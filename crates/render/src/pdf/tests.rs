//! What a file holds: its structure, its texts and its bounds. How pages look is tested in `tests/print.rs`.

use tiny_skia::PathBuilder;

use super::*;
use crate::{
    labels::{Font, GlyphRun, PlacedGlyph},
    raster::{Canvas, FillPaint, TextPaint},
    spec::Color,
};

fn run(text: &str) -> GlyphRun {
    let font = Font::all().first().unwrap();
    let mut x = 100.0;
    let glyphs = font.shape(text).into_iter().map(|glyph| {
        let origin = [x, 200.0];
        x += glyph.advance * 40.0;
        PlacedGlyph { id: glyph.id, origin, size: 40.0, angle: 0.0 }
    });
    GlyphRun { font, text: text.to_owned(), glyphs: glyphs.collect() }
}

fn written(draw: impl Fn(&mut PdfPage), bytes_max: u64) -> Result<Vec<u8>, PdfError> {
    let info = PdfInfo { title: "Tờ bản đồ", lang: "vi", bytes_max };
    let mut document = PdfDocument::new(Vec::new(), &info)?;
    let mut page = document.page([2_100.0, 2_970.0]);
    draw(&mut page);
    document.add(page)?;
    document.finish()
}

fn texts(page: &mut PdfPage) {
    let halo = Color::WHITE;
    page.glyphs(&run("Đường Nguyễn Huệ"), &TextPaint { color: Color::BLACK, halo, halo_width: 4.0 });
}

/// The bytes of all streams, unpacked.
fn streams(file: &[u8]) -> Vec<Vec<u8>> {
    let mut rest = file;
    let mut found = Vec::new();
    while let Some(start) = position(rest, b"/FlateDecode") {
        rest = &rest[start..];
        let begin = position(rest, b"stream\n").unwrap() + 7;
        let mut unpacked = Vec::new();
        std::io::copy(&mut flate2::read::ZlibDecoder::new(&rest[begin..]), &mut unpacked).unwrap();
        found.push(unpacked);
        rest = &rest[begin..];
    }
    found
}

fn position(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes.windows(wanted.len()).position(|own| own == wanted)
}

#[test]
fn the_same_drawing_gives_the_same_bytes() {
    assert_eq!(written(texts, 1 << 20).unwrap(), written(texts, 1 << 20).unwrap());
}

#[test]
fn only_the_glyphs_that_are_used_are_embedded() {
    let file = written(texts, 1 << 20).unwrap();
    assert!(file.len() < 12_000, "{} bytes", file.len());
    let font = Font::all().first().unwrap();
    assert!(font.bytes().len() > 100_000);
}

#[test]
fn each_glyph_has_its_letter() {
    let file = written(texts, 1 << 20).unwrap();
    let streams = streams(&file);
    let table = streams.iter().find(|own| position(own, b"begincmap").is_some()).unwrap();
    // Đ, ư, ờ, ễ, ệ.
    for letter in ["0110", "01B0", "1EDD", "1EC5", "1EC7"] {
        assert!(position(table, format!("<{letter}>").as_bytes()).is_some(), "{letter}");
    }
    // The halo is no second text.
    let page = streams.iter().find(|own| position(own, b"TJ").is_some()).unwrap();
    assert!(position(page, b"/ActualText <FEFF> >> BDC").is_some());
}

#[test]
fn the_table_of_objects_is_right() {
    let file = written(texts, 1 << 20).unwrap();
    let text = String::from_utf8_lossy(&file).into_owned();
    let start = text.rsplit("startxref\n").next().unwrap().lines().next().unwrap();
    let table = &file[start.parse::<usize>().unwrap()..];
    assert!(table.starts_with(b"xref\n0 "));
    let table = String::from_utf8(table.to_vec()).unwrap();
    let offsets = table.lines().skip(3).take_while(|line| line.ends_with(" n "));
    let mut count = 0;
    for (number, line) in offsets.enumerate() {
        let offset: usize = line[..10].parse().unwrap();
        assert!(file[offset..].starts_with(format!("{} 0 obj\n", number + 1).as_bytes()), "{line}");
        count += 1;
    }
    assert!(count > 8, "{count} objects");
}

#[test]
fn a_file_ends_at_the_size_that_it_may_have() {
    let scribble = |page: &mut PdfPage| {
        let mut seed = 1_u32;
        let mut next = || {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (seed >> 8) as f32 / 8_000.0
        };
        for _ in 0..2_000 {
            let mut path = PathBuilder::new();
            path.move_to(next(), next());
            path.line_to(next(), next());
            path.line_to(next(), next());
            page.fill(&path.finish().unwrap(), &FillPaint { color: Color::BLACK, antialias: false });
        }
    };
    assert!(written(scribble, 1 << 20).is_ok());
    assert!(matches!(written(scribble, 20_000), Err(PdfError::TooLarge { max: 20_000 })));
    assert!(matches!(written(texts, 3_000), Err(PdfError::TooLarge { max: 3_000 })));
}
