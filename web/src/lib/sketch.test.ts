import { describe, expect, it } from 'vitest';
import { crossesItself, gridArea, gridLength, type LonLat, onGrid, polygonOf } from './sketch';
import { fromVn2000 } from './vn2000';

/** A ring in metres east and north of a corner in the city. */
const city = (offsets: [number, number][]): LonLat[] =>
  offsets.map(([east, north]) => fromVn2000(603_000 + east, 1_191_000 + north));

describe('figures on the grid', () => {
  const field = city([
    [0, 0],
    [300, 0],
    [300, 200],
    [0, 200],
  ]);

  it('are those of the drawing in metres, whichever way it runs', () => {
    expect(gridLength(field)).toBeCloseTo(800, 4);
    expect(gridLength(field, true)).toBeCloseTo(1000, 4);
    expect(gridArea(field)).toBeCloseTo(60_000, 2);
    expect(gridArea([...field].reverse())).toBeCloseTo(60_000, 2);
    // A hollow corner takes its part away.
    const hollow = city([
      [0, 0],
      [300, 0],
      [300, 200],
      [100, 200],
      [100, 100],
      [0, 100],
    ]);
    expect(gridArea(hollow)).toBeCloseTo(50_000, 2);
  });

  it('are nothing for less than they need', () => {
    expect([gridLength([]), gridLength(field.slice(0, 1), true), gridArea([]), gridArea(field.slice(0, 2))]).toEqual([
      0, 0, 0, 0,
    ]);
  });

  it('mean nothing far from Vietnam', () => {
    expect(onGrid(field)).toBe(true);
    expect(onGrid([...field, [-71.1, 42.4]])).toBe(false);
  });
});

describe('an outline', () => {
  it('that crosses or touches itself is found out', () => {
    const bowTie: LonLat[] = [
      [0, 0],
      [1, 1],
      [1, 0],
      [0, 1],
    ];
    const touching: LonLat[] = [
      [0, 0],
      [2, 0],
      [2, 1],
      [1, 0],
      [0, 1],
    ];
    const square: LonLat[] = [
      [0, 0],
      [1, 0],
      [1, 1],
      [0, 1],
    ];
    expect([bowTie, touching, square, square.slice(0, 3)].map(crossesItself)).toEqual([true, true, false, false]);
  });

  it('becomes a closed ring that runs counter-clockwise', () => {
    const clockwise: LonLat[] = [
      [0, 0],
      [0, 1],
      [1, 1],
    ];
    expect(polygonOf(clockwise).coordinates).toEqual([
      [
        [1, 1],
        [0, 1],
        [0, 0],
        [1, 1],
      ],
    ]);
  });
});
