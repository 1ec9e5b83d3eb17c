//! Markers and a caption over a picture, for letters and tickets: where it is, and what it shows.

use tiny_skia::{Path, PathBuilder};

use crate::{
    print::pen::{ACCENT, Align, Faces, INK, Lettering},
    raster::{Canvas, FillPaint, RenderError, StrokePaint, TextPaint, View},
    spec::{Color, LineCap, LineJoin},
};

/// Maximum number of markers of a picture.
pub const MARKERS_MAX: usize = 20;
/// Maximum number of characters of a caption.
pub const CAPTION_MAX: usize = 300;

/// Lines of a caption; what is longer is cut off with an ellipsis.
const LINES: usize = 3;
/// The part of the picture's height that a caption may cover.
const SHARE: f32 = 0.4;
/// The radius of a marker's head and the height of its middle above the place, in pixels of the style.
const HEAD: f32 = 11.0;
const HEIGHT: f32 = 24.0;
/// The letters of a caption and of a marker's number, in pixels of the style.
const CAPTION_EM: f32 = 13.0;
const NUMBER_EM: f32 = 11.0;
const WHITE: Color = Color { red: 1.0, green: 1.0, blue: 1.0, alpha: 1.0 };
/// What is behind a caption, so that it can be read on any map.
const PAPER: Color = Color { red: 1.0, green: 1.0, blue: 1.0, alpha: 0.92 };

/// What is drawn over a map.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Annotation {
    /// The places that are marked, longitude and latitude in WGS 84 degrees. If there are several, they are
    /// numbered from 1.
    pub markers: Vec<[f64; 2]>,
    /// The text in a band along the lower edge.
    pub caption: Option<String>,
}

impl Annotation {
    /// Whether nothing is drawn.
    pub fn is_empty(&self) -> bool {
        self.markers.is_empty() && self.caption.is_none()
    }

    /// Draws the markers and the caption over a map that is on the canvas already. A marker outside of the
    /// picture is not seen.
    ///
    /// # Errors
    /// [`RenderError::Outside`] if a marker has no place in the picture's coordinate system,
    /// [`RenderError::Face`] if a font that ships with the program is missing.
    pub fn draw(&self, view: &View, canvas: &mut impl Canvas) -> Result<(), RenderError> {
        if self.is_empty() {
            return Ok(());
        }
        let faces = Faces::find().map_err(|error| RenderError::Face(error.to_string()))?;
        let ratio = view.ratio() as f32;
        let mut places = Vec::with_capacity(self.markers.len());
        view.pixels_of_lonlat(&self.markers, &mut places)?;
        // The southern ones are in front.
        let mut order: Vec<usize> = (0..places.len()).collect();
        order.sort_by(|&a, &b| places[a][1].total_cmp(&places[b][1]));
        let number = Lettering { font: faces.bold, size: NUMBER_EM * ratio, color: WHITE };
        for index in order {
            let place = places[index].map(|value| value as f32);
            if let Some(pin) = pin(place, ratio) {
                canvas.fill(&pin, &FillPaint { color: ACCENT, antialias: true });
                canvas.stroke(&pin, &edge(1.5 * ratio));
            }
            let head = [place[0], place[1] - HEIGHT * ratio];
            if places.len() > 1 {
                let baseline = [head[0], head[1] + 0.35 * number.size];
                let run = number.run(&(index + 1).to_string(), (baseline, Align::Middle), 0.0);
                canvas.glyphs(&run, &plain(number.color));
            } else if let Some(dot) = PathBuilder::from_circle(head[0], head[1], 0.4 * HEAD * ratio) {
                canvas.fill(&dot, &FillPaint { color: WHITE, antialias: true });
            }
        }
        if let Some(caption) = &self.caption {
            let look = Lettering { font: faces.plain, size: CAPTION_EM * ratio, color: INK };
            band(caption, &look, view.size().map(|side| side as f32), canvas);
        }
        Ok(())
    }
}

/// Draws a caption along the lower edge of a picture of this size.
fn band(caption: &str, look: &Lettering, [width, height]: [f32; 2], canvas: &mut impl Canvas) {
    let pad = 0.5 * look.size;
    let room = width - 2.0 * pad;
    let most = (((height * SHARE - pad) / look.leading()) as usize).clamp(1, LINES);
    let mut lines = look.lines(caption, room);
    if lines.len() > most {
        let rest = lines.split_off(most - 1).join(" ");
        // As much of the rest as fits, with an ellipsis.
        lines.push(look.cut(&rest, room));
    }
    let top = height - lines.len() as f32 * look.leading() - pad;
    if let Some(rect) = tiny_skia::Rect::from_ltrb(0.0, top, width, height) {
        canvas.fill(&PathBuilder::from_rect(rect), &FillPaint { color: PAPER, antialias: true });
    }
    for (number, line) in lines.iter().enumerate() {
        let baseline = top + 0.5 * pad + look.size + number as f32 * look.leading();
        canvas.glyphs(&look.run(line, ([pad, baseline], Align::Left), 0.0), &plain(look.color));
    }
}

/// A drop whose point is at a place.
fn pin([x, y]: [f32; 2], ratio: f32) -> Option<Path> {
    // The distance of a control point from the end of a quarter of a circle of radius 1.
    const ROUND: f32 = 0.552_285;
    let (radius, middle) = (HEAD * ratio, y - HEIGHT * ratio);
    let bend = radius * ROUND;
    let mut path = PathBuilder::new();
    path.move_to(x, y);
    path.cubic_to(x - 0.3 * radius, y - 0.8 * radius, x - radius, middle + 0.75 * radius, x - radius, middle);
    path.cubic_to(x - radius, middle - bend, x - bend, middle - radius, x, middle - radius);
    path.cubic_to(x + bend, middle - radius, x + radius, middle - bend, x + radius, middle);
    path.cubic_to(x + radius, middle + 0.75 * radius, x + 0.3 * radius, y - 0.8 * radius, x, y);
    path.close();
    path.finish()
}

fn edge(width: f32) -> StrokePaint {
    let (cap, join) = (LineCap::Round, LineJoin::Round);
    StrokePaint { color: WHITE, width, cap, join, miter_limit: 4.0, dashes: Vec::new() }
}

fn plain(color: Color) -> TextPaint {
    TextPaint { color, halo: Color::TRANSPARENT, halo_width: 0.0 }
}

#[cfg(test)]
mod tests {
    use citymap_crs::Crs;

    use super::*;
    use crate::raster::Picture;

    fn drawn(annotation: &Annotation, ratio: f64) -> Picture {
        let view = View::new(Crs::WGS84, [[106.0, 10.0], [107.0, 11.0]], [300, 200]).unwrap();
        let view = view.with_ratio(ratio);
        let mut picture = Picture::new(view.size()).unwrap();
        picture.clear(WHITE);
        annotation.draw(&view, &mut picture).unwrap();
        picture
    }

    fn dark_rows(picture: &Picture) -> Vec<u32> {
        let dark = |x, y| picture.pixel(x, y).is_some_and(|[red, ..]| red < 100);
        (0..200).filter(|&y| (0..300).any(|x| dark(x, y))).collect()
    }

    #[test]
    fn a_marker_points_at_its_place() {
        let one = Annotation { markers: vec![[106.5, 10.5]], caption: None };
        let picture = drawn(&one, 1.0);
        let reddish = |x, y| picture.pixel(x, y).is_some_and(|[red, green, ..]| red > 150 && green < 100);
        assert!(reddish(150, 96) && reddish(142, 76), "the tip and the head");
        assert_eq!(picture.pixel(150, 76), Some([255; 4]), "a dot in the head");
        assert!((0..300).all(|x| !reddish(x, 101)), "nothing below the place");
        let two = Annotation { markers: vec![[106.3, 10.5], [106.7, 10.5]], caption: None };
        let picture = drawn(&two, 1.0);
        let inked = |left: u32| (left..left + 12).any(|x| picture.pixel(x, 76).is_some_and(|p| p[1] > 200));
        assert!(inked(84) && inked(204), "numbers in the heads");
        assert_ne!(drawn(&one, 2.0).into_rgba(), drawn(&one, 1.0).into_rgba());
        let far = Annotation { markers: vec![[100.0, 5.0]], caption: None };
        assert!(drawn(&far, 1.0).into_rgba().iter().all(|&value| value == 255), "outside");
    }

    #[test]
    fn a_caption_is_at_the_lower_edge_and_never_higher_than_three_lines() {
        let caption = |text: &str| Annotation { markers: vec![], caption: Some(text.to_owned()) };
        let short = dark_rows(&drawn(&caption("Sự cố: nước tràn ở Thửa 45"), 1.0));
        assert!(short.iter().all(|&y| y > 175) && short.last() < Some(&199), "{short:?}");
        let long = dark_rows(&drawn(&caption(&"chữ ".repeat(75)), 1.0));
        assert!(long[0] > 130 && long[0] < 160, "three lines: {long:?}");
        // On a picture that is hardly higher than a line there is one.
        let view = View::new(Crs::WGS84, [[106.0, 10.0], [107.0, 10.1]], [300, 30]).unwrap();
        let mut picture = Picture::new([300, 30]).unwrap();
        caption(&"chữ ".repeat(75)).draw(&view, &mut picture).unwrap();
        assert_eq!(picture.pixel(2, 2).map(|pixel| pixel[3]), Some(0), "the upper edge is free");
    }
}
