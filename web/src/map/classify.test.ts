import { describe, expect, it } from 'vitest';
import type { Collection, GeometryKind, Role, Theme } from '../lib/api';
import { classify, importance } from './classify';

function layer(role: Role, geometry: GeometryKind, theme: Theme | null, id = 'x'): Collection {
  return {
    id,
    title: id,
    citymap: {
      titles: { vi: id, en: id },
      role,
      geometry,
      theme,
      count: 1,
      revision: 1,
      fields: [],
      tilesVersion: '1-a',
    },
  };
}

describe('the kind of a layer', () => {
  it.each<[Role, GeometryKind, Theme | null, string]>([
    ['other', 'polygon', 'water', 'water'],
    ['place', 'polygon', 'green', 'green'],
    ['other', 'line', null, 'other'],
    ['other', 'polygon', 'boundary', 'other'],
    ['utility', 'line', 'power', 'power'],
    ['utility', 'line', null, 'pipe'],
    ['zone', 'polygon', 'water', 'zone'],
    ['other', 'point', 'water', 'point'],
  ])('of role %s, %s, theme %s is %s', (role, geometry, theme, drawing) => {
    expect(classify(layer(role, geometry, theme))).toBe(drawing);
  });

  it('does not follow from the name of the layer', () => {
    expect(classify(layer('other', 'polygon', null, 'water'))).toBe('other');
  });

  it('gives the order in which layers matter to somebody who looks for a place', () => {
    const layers = [
      layer('report', 'point', null, 'reports'),
      layer('utility', 'line', null, 'pipes'),
      layer('parcel', 'polygon', null, 'parcels'),
      layer('road', 'line', null, 'roads'),
      layer('other', 'polygon', 'water', 'water'),
      layer('admin_unit', 'polygon', null, 'communes'),
    ];
    const order = layers.sort((a, b) => importance(a) - importance(b)).map(({ id }) => id);
    expect(order).toEqual(['communes', 'water', 'roads', 'parcels', 'reports', 'pipes']);
  });
});
