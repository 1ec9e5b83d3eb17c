import { describe, expect, it } from 'vitest';
import { boundsOf, innerPoint, labelPoint } from './geometry';

const inside = ([x, y]: [number, number], ring: number[][]) => {
  let odd = false;
  for (let i = 1; i < ring.length; i += 1) {
    const [ax = 0, ay = 0] = ring[i - 1] ?? [];
    const [bx = 0, by = 0] = ring[i] ?? [];
    if (ay > y !== by > y && x < ax + ((y - ay) / (by - ay)) * (bx - ax)) odd = !odd;
  }
  return odd;
};

describe('the place of a number', () => {
  const polygon = (...ring: number[][]): GeoJSON.Polygon => ({ type: 'Polygon', coordinates: [ring] });
  it('is the centroid, or a point inside where that is outside', () => {
    const slanted = polygon([0, 0], [4, 1], [4, 9], [0, 8], [0, 0]);
    expect(labelPoint(slanted)).toEqual([2, 4.5]);
    const ell = polygon([0, 0], [10, 0], [10, 1], [1, 1], [1, 10], [0, 10], [0, 0]);
    expect(inside(labelPoint(ell)!, ell.coordinates[0]!)).toBe(true);
    expect(labelPoint({ type: 'MultiPolygon', coordinates: [ell.coordinates, slanted.coordinates] })).toEqual(
      labelPoint(ell),
    );
    expect(labelPoint(null)).toBeNull();
  });
});

describe('a point inside', () => {
  it('lies inside an L whose centroid does not', () => {
    const ring = [
      [0, 0],
      [10, 0],
      [10, 1],
      [1, 1],
      [1, 10],
      [0, 10],
      [0, 0],
    ];
    expect(inside(innerPoint({ type: 'Polygon', coordinates: [ring] })!, ring)).toBe(true);
  });
  it('avoids holes', () => {
    const hole = [
      [1, 1],
      [9, 1],
      [9, 9],
      [1, 9],
      [1, 1],
    ];
    const ring = [
      [0, 0],
      [10, 0],
      [10, 10],
      [0, 10],
      [0, 0],
    ];
    const point = innerPoint({ type: 'Polygon', coordinates: [ring, hole] })!;
    expect(inside(point, ring)).toBe(true);
    expect(inside(point, hole)).toBe(false);
  });
  it('takes the biggest part of several', () => {
    const small = [
      [0, 0],
      [1, 0],
      [1, 1],
      [0, 1],
      [0, 0],
    ];
    const big = [
      [20, 20],
      [30, 20],
      [30, 30],
      [20, 30],
      [20, 20],
    ];
    expect(inside(innerPoint({ type: 'MultiPolygon', coordinates: [[small], [big]] })!, big)).toBe(true);
  });
  it('has none in a null geometry', () => {
    expect(innerPoint(null)).toBeNull();
    expect(boundsOf(null)).toBeNull();
  });
  it('knows bounds', () => {
    expect(
      boundsOf({
        type: 'LineString',
        coordinates: [
          [3, 4],
          [1, 9],
        ],
      }),
    ).toEqual([1, 4, 3, 9]);
  });
});
