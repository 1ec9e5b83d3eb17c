import { describe, expect, it } from 'vitest';
import type { Collection, GeometryKind, Role, Theme } from '../lib/api';
import { classify, importance, isBoundary, minZoom, pointIcon } from './classify';
import { labelText } from './draw/common';

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

describe('the drawing of a layer', () => {
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
    expect(isBoundary(layer('other', 'polygon', null, 'boundaries'))).toBe(false);
    expect(isBoundary(layer('other', 'polygon', 'boundary'))).toBe(true);
  });

  it('begins where it can be read', () => {
    const parcels = layer('parcel', 'polygon', null);
    parcels.citymap.tileRule = { detailZoom: 15 };
    expect([minZoom(parcels), minZoom(parcels, true)]).toEqual([8, 15]);
    const buildings = layer('building', 'polygon', null);
    expect([minZoom(buildings), minZoom(buildings, true)]).toEqual([13, 13]);
    buildings.citymap.tileRule = { detailZoom: 15 };
    expect(minZoom(buildings)).toBe(15);
  });

  it('is asked for in the order in which layers matter to somebody who looks for a place', () => {
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

  it('has a symbol by theme, or else by role', () => {
    expect(pointIcon(layer('utility', 'point', 'hydrant'))).toBe('hydrant');
    expect(pointIcon(layer('place', 'point', 'school'))).toBe('school');
    expect(pointIcon(layer('place', 'point', null))).toBe('place');
    expect(pointIcon(layer('report', 'point', 'water'))).toBe('report');
    expect(pointIcon(layer('utility', 'point', null, 'hydrants'))).toBeNull();
  });
});

describe('the label of a feature', () => {
  it('is its other name where the first is empty', () => {
    const roads = layer('road', 'line', null);
    roads.citymap.label = 'name:vi';
    roads.citymap.fields = ['name', 'name:vi'].map((name) => ({ name, type: 'text', meaning: 'name' }));
    expect(labelText(roads)).toEqual(['to-string', ['coalesce', ['get', 'name:vi'], ['get', 'name']]]);
    roads.citymap.label = 'name';
    roads.citymap.fields.pop();
    expect(labelText(roads)).toEqual(['to-string', ['get', 'name']]);
  });
});
