// Writes a picture as PNG with a palette of 256 colours: a third of the size of a screenshot, with no visible
// difference.
import { crc32, deflateSync } from 'node:zlib';

const distance = (a, b) => (a[0] - b[0]) ** 2 + (a[1] - b[1]) ** 2 + (a[2] - b[2]) ** 2;

/** The colours of a picture, each with its number of pixels; colours that differ little are averaged. */
function histogram(rgba) {
  const sums = new Map();
  for (let at = 0; at < rgba.length; at += 4) {
    const [r, g, b] = [rgba[at], rgba[at + 1], rgba[at + 2]];
    const key = ((r >> 3) << 10) | ((g >> 3) << 5) | (b >> 3);
    const sum = sums.get(key) ?? [0, 0, 0, 0];
    sum[0] += r;
    sum[1] += g;
    sum[2] += b;
    sum[3] += 1;
    sums.set(key, sum);
  }
  return [...sums.values()].map(([r, g, b, count]) => ({ color: [r, g, b].map((v) => Math.round(v / count)), count }));
}

/**
 * Chooses 256 colours: the most frequent one, then again and again the colour whose pixels would differ most from those
 * chosen before. So a rare colour, as that of a symbol, is chosen too if no other is like it.
 */
function palette(rgba) {
  const colors = histogram(rgba).sort((a, b) => b.count - a.count);
  const far = colors.map(() => Number.POSITIVE_INFINITY);
  const chosen = [];
  let next = 0;
  while (chosen.length < Math.min(256, colors.length)) {
    const { color } = colors[next];
    chosen.push(color);
    let most = -1;
    for (const [index, candidate] of colors.entries()) {
      far[index] = Math.min(far[index], distance(candidate.color, color));
      const difference = far[index] * candidate.count;
      if (difference > most) {
        most = difference;
        next = index;
      }
    }
  }
  return chosen;
}

/** The index of the colour that is most like `color`. */
function nearest(colors, color) {
  let best = 0;
  let smallest = Number.POSITIVE_INFINITY;
  for (const [index, candidate] of colors.entries()) {
    const difference = distance(candidate, color);
    if (difference >= smallest) continue;
    smallest = difference;
    best = index;
  }
  return best;
}

/** A chunk of a PNG file: its length, type, data and checksum. */
function chunk(type, data) {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const [length, check] = [Buffer.alloc(4), Buffer.alloc(4)];
  length.writeUInt32BE(data.length);
  check.writeUInt32BE(crc32(body));
  return Buffer.concat([length, body, check]);
}

/** The bytes of a PNG of `rgba`, which has four bytes a pixel, row by row; the alpha channel is ignored. */
export function png8(rgba, width, height) {
  const colors = palette(rgba);
  const known = new Map();
  // Each row begins with the number of its filter, here none: filters do not help with indices.
  const rows = Buffer.alloc((width + 1) * height);
  for (let y = 0; y < height; y += 1) {
    for (let x = 0; x < width; x += 1) {
      const at = (y * width + x) * 4;
      const [r, g, b] = [rgba[at], rgba[at + 1], rgba[at + 2]];
      const color = (r << 16) | (g << 8) | b;
      let index = known.get(color);
      if (index === undefined) {
        index = nearest(colors, [r, g, b]);
        known.set(color, index);
      }
      rows[y * (width + 1) + 1 + x] = index;
    }
  }
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  // Eight bits an index, colour type 3 (palette).
  header.set([8, 3, 0, 0, 0], 8);
  return Buffer.concat([
    Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]),
    chunk('IHDR', header),
    chunk('PLTE', Buffer.from(colors.flat())),
    chunk('IDAT', deflateSync(rows, { level: 9 })),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}
