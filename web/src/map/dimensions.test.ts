import { describe, expect, it } from 'vitest';
import { metresPerPixel } from '../lib/scale';
import { type Dimension, type Edge, FIRST_ZOOM, placeDimensions } from './dimensions';

const LAT = 10.7725;
const DEGREE_M = 111_319.49;

/** The edges of a rectangle of metres, with its middle in Bến Thành. */
function rectangle(width: number, depth: number): Edge[] {
  const at = (x: number, y: number): GeoJSON.Position => [
    106.698 + x / (DEGREE_M * Math.cos((LAT * Math.PI) / 180)),
    LAT + y / DEGREE_M,
  ];
  const [w, d] = [width / 2, depth / 2];
  const ring = [at(-w, -d), at(w, -d), at(w, d), at(-w, d)];
  return ring.map((start, index) => {
    const metres = index % 2 === 0 ? width : depth;
    return { start, end: ring[(index + 1) % 4]!, metres, text: metres.toFixed(2).replace('.', ',') };
  });
}

const number = { at: [106.698, LAT], lines: ['45', 'ODT'] };

/** The distance of two figures in pixels. */
function apart(a: Dimension, b: Dimension, zoom: number): number {
  const scale = DEGREE_M / metresPerPixel(LAT, zoom);
  const x = ((a.at[0] ?? 0) - (b.at[0] ?? 0)) * Math.cos((LAT * Math.PI) / 180);
  return Math.hypot(x, (a.at[1] ?? 0) - (b.at[1] ?? 0)) * scale;
}

describe('dimension figures', () => {
  it('are on all edges where there is room', () => {
    const { figures } = placeDimensions(rectangle(4.08, 17.57), number, 20);
    expect(figures.map(({ text }) => text).sort()).toEqual(['17,57', '17,57', '4,08', '4,08']);
    expect(figures.map(({ turn }) => Math.abs(Math.round(turn))).sort()).toEqual([0, 0, 90, 90]);
  });

  it('do not overlap each other: a narrow lot has fewer of them in far views', () => {
    for (let zoom = FIRST_ZOOM; zoom <= 22; zoom += 0.25) {
      const { figures } = placeDimensions(rectangle(4.08, 17.57), number, zoom);
      figures.forEach((a, index) => {
        for (const b of figures.slice(index + 1)) expect(apart(a, b, zoom), `zoom ${zoom}`).toBeGreaterThan(14);
      });
    }
    expect(placeDimensions(rectangle(4.08, 17.57), number, FIRST_ZOOM).figures.length).toBeLessThan(4);
  });

  it('leave the place of the number, and that of the neighbour’s number, free', () => {
    const long = (width: number) => rectangle(width, 20).filter(({ metres }) => metres === 20)[0]!;
    // The number is 4 m from the edge, 27 pixels: room enough for both.
    expect(placeDimensions([long(8)], number, 19).figures[0]!.at[1]).toBeCloseTo(LAT, 9);
    const moved = placeDimensions([long(4)], number, 19);
    expect(Math.abs((moved.figures[0]!.at[1] ?? 0) - LAT) * DEGREE_M, 'metres along the edge').toBeGreaterThan(3);
  });

  it('shorten the number where that gives them room', () => {
    const { figures, number: short } = placeDimensions(rectangle(4.4, 11), number, 19);
    expect(short?.lines).toEqual(['45']);
    expect(figures.map(({ text }) => text)).toEqual(['11,00', '11,00']);
    expect(placeDimensions(rectangle(8, 20), number, 19).number?.lines).toEqual(['45', 'ODT']);
  });

  it('need an edge as long as they are', () => {
    expect(placeDimensions(rectangle(2, 3), null, FIRST_ZOOM).figures).toEqual([]);
    expect(placeDimensions([], null, 20).figures).toEqual([]);
  });
});
