import { describe, expect, it } from 'vitest';
import type { Collection } from '../lib/api';
import { arrange, moved, orderOf } from './layergroups';

const layer = (id: string, role: string) => ({ id, citymap: { role } }) as unknown as Collection;
// In the order of the catalogue.
const LAYERS = [
  layer('parcels', 'parcel'),
  layer('zones', 'zone'),
  layer('roads', 'road'),
  layer('buildings', 'building'),
  layer('communes', 'admin_unit'),
  layer('hydrants', 'utility'),
  layer('places', 'place'),
  layer('reports', 'report'),
  layer('water', 'other'),
];

describe('the order of the layers', () => {
  it('is at first by group, and by the catalogue within a group', () => {
    const groups = arrange(LAYERS);
    expect(groups.map(({ id, layers }) => [id, ...layers.map((own) => own.id)])).toEqual([
      ['land', 'parcels', 'buildings'],
      ['planning', 'zones'],
      ['transport', 'roads'],
      ['administration', 'communes'],
      ['utilities', 'hydrants'],
      ['services', 'places', 'reports'],
      ['other', 'water'],
    ]);
  });

  it('follows what the user has set, and groups follow their first layer', () => {
    const order = ['zones', 'buildings', 'parcels', 'roads', 'communes', 'hydrants', 'reports', 'places', 'water'];
    const groups = arrange(LAYERS, order);
    expect(orderOf(groups)).toEqual(order);
    expect(groups[0]?.id).toBe('planning');
  });

  it('puts what it does not name last, and ignores layers that are gone', () => {
    expect(orderOf(arrange(LAYERS, ['gone', 'reports', 'zones']))).toEqual([
      'reports',
      'places',
      'zones',
      'parcels',
      'buildings',
      'roads',
      'communes',
      'hydrants',
      'water',
    ]);
    expect(arrange([], ['zones'])).toEqual([]);
  });

  it('is changed within its bounds', () => {
    expect(moved(['a', 'b', 'c'], 0, 2)).toEqual(['b', 'c', 'a']);
    expect(moved(['a', 'b', 'c'], 2, 0)).toEqual(['c', 'a', 'b']);
    expect(moved(['a', 'b', 'c'], 0, -1)).toEqual(['a', 'b', 'c']);
    expect(moved(['a', 'b', 'c'], 2, 9)).toEqual(['a', 'b', 'c']);
    expect(moved(['a'], 5, 0)).toEqual(['a']);
  });
});
