import { describe, expect, it } from 'vitest';
import type { Collection } from './api';
import { city } from './city';
import { extent, firstView } from './home';

function layer(id: string, count: number, bbox?: number[]): Collection {
  return {
    id,
    title: id,
    extent: bbox ? { spatial: { bbox: [bbox] } } : undefined,
    citymap: {
      titles: { vi: id, en: id },
      role: 'other',
      geometry: 'polygon',
      count,
      revision: 1,
      tilesVersion: '1-a',
      fields: [],
    },
  };
}

describe('the first view', () => {
  const { lon, lat, zoom } = city().view;
  const core = { center: [lon, lat], zoom };

  it('is the urban core, even if the extent reaches far out to sea', () => {
    const communes = layer('communes', 168, [106.0, 8.5, 107.6, 11.5]);
    expect(firstView([communes])).toEqual(core);
    expect(firstView([])).toEqual(core);
  });
  it('is the biggest layer for data of another place', () => {
    const zoning = layer('zoning', 261, [-71.2, 42.3, -71.0, 42.5]);
    const parcels = layer('parcels', 13159, [-71.16, 42.35, -71.06, 42.4]);
    expect(firstView([zoning, parcels])).toEqual({ bbox: [-71.16, 42.35, -71.06, 42.4] });
  });
  it('is not misled by an empty layer at home', () => {
    const empty = layer('empty', 0, [106, 10, 107, 11]);
    const far = layer('far', 3, [-71.2, 42.3, -71.0, 42.5]);
    expect(firstView([empty, far])).toEqual({ bbox: [-71.2, 42.3, -71.0, 42.5] });
  });
  it('reads boxes with heights, and none at all', () => {
    expect(extent(layer('a', 1, [1, 2, 0, 3, 4, 9]))).toEqual([1, 2, 3, 4]);
    expect(extent(layer('a', 1))).toBeNull();
  });
});
