import { describe, expect, it } from 'vitest';
import type { AtAnswer, Collection, Feature } from './api';
import { withRoads } from './wideroads';

/** The layer of roads, whose field `rong` is the width. */
const ROADS = new Map([
  ['roads', { citymap: { fields: [{ name: 'rong', type: 'real', meaning: 'width' }] } } as unknown as Collection],
]);

const road = (id: string, distance: number, rong?: number): Feature => ({
  type: 'Feature',
  id,
  geometry: null,
  properties: { rong },
  distance,
});
const answer = (features: Feature[]): AtAnswer => ({
  point: { lon: 0, lat: 0 },
  revision: 1,
  layers: [
    { layer: 'parcels', titles: { vi: '', en: '' }, role: 'parcel', truncated: false, features: [] },
    { layer: 'roads', titles: { vi: '', en: '' }, role: 'road', truncated: false, features },
  ],
});

describe('a click on a carriageway', () => {
  it('means the road, not the one next to it', () => {
    const merged = withRoads(
      answer([]),
      answer([road('wide', 6, 14), road('narrow', 6, 5), road('unknown', 6)]),
      ROADS,
    );
    expect(merged.layers[1]?.features.map(({ id, distance }) => [id, distance])).toEqual([['wide', 0]]);
  });
  it('keeps what was found, once', () => {
    const merged = withRoads(answer([road('a', 1, 14), road('b', 1)]), answer([road('a', 1, 14), road('b', 1)]), ROADS);
    expect(merged.layers[1]?.features.map(({ id, distance }) => [id, distance])).toEqual([
      ['a', 0],
      ['b', 1],
    ]);
  });
});
