//! The header of an archive.

use citymap_engine::Bbox;

use super::error::ArchiveError;
use crate::ContentEncoding;

/// Length of the header in bytes.
pub const HEADER_LEN: usize = 127;
/// The header and the root directory are within this many bytes from the start.
pub const ROOT_MAX: usize = 16_384;

/// The format of the tiles.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TileType {
    /// A format that is not known here.
    Other,
    /// Mapbox vector tiles (MVT).
    Mvt,
    /// Raster tiles in PNG.
    Png,
    /// Raster tiles in JPEG.
    Jpeg,
    /// Raster tiles in WebP.
    Webp,
    /// Raster tiles in AVIF.
    Avif,
    /// MapLibre vector tiles (MLT).
    Mlt,
}

impl TileType {
    const ALL: [Self; 7] = [Self::Other, Self::Mvt, Self::Png, Self::Jpeg, Self::Webp, Self::Avif, Self::Mlt];

    /// The media type for `Content-Type`.
    pub fn media_type(self) -> &'static str {
        match self {
            Self::Other => "application/octet-stream",
            Self::Mvt => "application/vnd.mapbox-vector-tile",
            Self::Png => "image/png",
            Self::Jpeg => "image/jpeg",
            Self::Webp => "image/webp",
            Self::Avif => "image/avif",
            Self::Mlt => "application/vnd.maplibre-vector-tile",
        }
    }
}

/// The first bytes of an archive: where its parts are and what they contain. Offsets are in bytes from the
/// start of the file.
#[derive(Clone, Debug, PartialEq)]
pub struct Header {
    /// Offset and length of the root directory.
    pub root: (u64, u64),
    /// Offset and length of the metadata (JSON).
    pub metadata: (u64, u64),
    /// Offset and length of the leaf directories.
    pub leaves: (u64, u64),
    /// Offset and length of the tile data.
    pub data: (u64, u64),
    /// Number of tiles, of directory entries and of distinct contents; 0 if unknown.
    pub counts: [u64; 3],
    /// Whether tiles are stored in the order of their numbers.
    pub clustered: bool,
    /// How directories and metadata are compressed.
    pub inner: ContentEncoding,
    /// How tiles are compressed.
    pub encoding: ContentEncoding,
    /// The format of the tiles.
    pub tile_type: TileType,
    /// The lowest and the highest zoom.
    pub zooms: [u8; 2],
    /// The area that the archive covers (WGS 84 degrees).
    pub bounds: Bbox,
    /// Suggested start of a map (longitude, latitude in degrees), and its zoom.
    pub center: ([f64; 2], u8),
}

fn encoding_number(encoding: ContentEncoding) -> u8 {
    match encoding {
        ContentEncoding::Identity => 1,
        ContentEncoding::Gzip => 2,
        ContentEncoding::Brotli => 3,
        ContentEncoding::Zstd => 4,
    }
}

fn encoding_of(number: u8) -> Result<ContentEncoding, ArchiveError> {
    ContentEncoding::ALL
        .into_iter()
        .find(|&encoding| encoding_number(encoding) == number)
        .ok_or(ArchiveError::UnknownEncoding(number))
}

impl Header {
    /// The header as it is stored.
    pub fn encode(&self) -> [u8; HEADER_LEN] {
        let mut out = Vec::with_capacity(HEADER_LEN);
        out.extend(b"PMTiles\x03");
        for (offset, length) in [self.root, self.metadata, self.leaves, self.data] {
            out.extend(offset.to_le_bytes());
            out.extend(length.to_le_bytes());
        }
        self.counts.iter().for_each(|count| out.extend(count.to_le_bytes()));
        let tile_type = TileType::ALL.iter().position(|&kind| kind == self.tile_type).unwrap_or_default();
        out.extend([
            u8::from(self.clustered),
            encoding_number(self.inner),
            encoding_number(self.encoding),
            tile_type as u8,
        ]);
        out.extend(self.zooms);
        let degrees = |value: f64| ((value * 1e7).round() as i32).to_le_bytes();
        self.bounds.min.iter().chain(&self.bounds.max).for_each(|&value| out.extend(degrees(value)));
        out.push(self.center.1);
        self.center.0.iter().for_each(|&value| out.extend(degrees(value)));
        let mut header = [0; HEADER_LEN];
        header.copy_from_slice(&out);
        header
    }

    /// Reads the first bytes of an archive.
    ///
    /// # Errors
    /// [`ArchiveError`] if they are not a header of version 3.
    pub fn parse(bytes: &[u8]) -> Result<Self, ArchiveError> {
        let bytes: &[u8; HEADER_LEN] = bytes.first_chunk().ok_or(ArchiveError::NotAnArchive)?;
        if !bytes.starts_with(b"PMTiles\x03") {
            return Err(ArchiveError::NotAnArchive);
        }
        let number = |index: usize| {
            let mut value = [0; 8];
            value.copy_from_slice(&bytes[8 + 8 * index..][..8]);
            u64::from_le_bytes(value)
        };
        let degrees = |at: usize| {
            let mut value = [0; 4];
            value.copy_from_slice(&bytes[at..][..4]);
            f64::from(i32::from_le_bytes(value)) / 1e7
        };
        let part = |index: usize| (number(2 * index), number(2 * index + 1));
        let header = Self {
            root: part(0),
            metadata: part(1),
            leaves: part(2),
            data: part(3),
            counts: [number(8), number(9), number(10)],
            clustered: bytes[96] == 1,
            inner: encoding_of(bytes[97])?,
            encoding: encoding_of(bytes[98])?,
            tile_type: TileType::ALL.get(usize::from(bytes[99])).copied().unwrap_or(TileType::Other),
            zooms: [bytes[100], bytes[101]],
            bounds: Bbox::new(degrees(102), degrees(106), degrees(110), degrees(114)),
            center: ([degrees(119), degrees(123)], bytes[118]),
        };
        let parts = [header.root, header.metadata, header.leaves, header.data];
        if parts.iter().any(|(offset, length)| offset.checked_add(*length).is_none()) {
            return Err(ArchiveError::Damaged("a part ends beyond any file"));
        }
        if header.root.0 + header.root.1 > ROOT_MAX as u64 {
            return Err(ArchiveError::Damaged("its root directory is not within the first 16 kB"));
        }
        Ok(header)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_comes_back() {
        let header = Header {
            root: (127, 500),
            metadata: (627, 40),
            leaves: (667, 9_000),
            data: (9_667, 1 << 40),
            counts: [10, 9, 8],
            clustered: true,
            inner: ContentEncoding::Gzip,
            encoding: ContentEncoding::Brotli,
            tile_type: TileType::Mvt,
            zooms: [8, 16],
            bounds: Bbox::new(106.5, 10.25, 107.0, -11.5),
            center: ([106.75, 10.5], 9),
        };
        let bytes = header.encode();
        assert_eq!(Header::parse(&bytes).unwrap(), header);
        assert_eq!(Header::parse(&bytes[..126]), Err(ArchiveError::NotAnArchive));
        for at in 0..HEADER_LEN {
            let mut damaged = bytes;
            damaged[at] ^= 0xff;
            let _ = Header::parse(&damaged);
        }
    }
}
