import { describe, expect, it } from 'vitest';
import { findSeams, type SeamPart, seamData } from './seams';

const box = (id: number, west: number, east: number): SeamPart => ({
  id,
  properties: { so_thua: id },
  geometry: {
    type: 'Polygon',
    coordinates: [
      [
        [west, 0],
        [east, 0],
        [east, 1],
        [west, 1],
        [west, 0],
      ],
    ],
  },
});

describe('labels on tile seams', () => {
  it('finds a feature in two tiles, and puts its label into the larger part', () => {
    const seams = findSeams([box(1, 0, 1), box(2, 1, 2), box(2, 2, 5), box(3, 5, 6)], new Map());
    expect([...seams.keys()]).toEqual([2]);
    expect(seams.get(2)?.point[0]).toBeGreaterThan(2);
    expect(seamData(seams).features[0]?.properties).toEqual({ so_thua: 2 });
  });
  it('keeps what it knows, and says by identity that nothing is new', () => {
    const first = findSeams([box(2, 1, 2), box(2, 2, 5)], new Map());
    expect(findSeams([box(2, 1, 2), box(2, 2, 5), box(4, 6, 7)], first)).toBe(first);
    expect([...findSeams([box(7, 1, 2), box(7, 2, 5)], first).keys()]).toEqual([2, 7]);
  });
});
