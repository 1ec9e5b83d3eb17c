import { expect, test } from 'vitest';
import type { Collection, Feature } from '../lib/api';
import { inOrder } from './order';

const layer = (id: string, role: string, meaning?: string): [string, Collection] => [
  id,
  { id, citymap: { role, fields: meaning ? [{ name: 'cap', meaning }] : [] } } as unknown as Collection,
];

const layers = new Map([
  layer('communes', 'admin_unit'),
  layer('parcels', 'parcel'),
  layer('zones', 'zone', 'plan_level'),
  layer('buildings', 'building'),
  layer('roads', 'road'),
  layer('hydrants', 'utility'),
]);

function found(layer: string, type: GeoJSON.Geometry['type'], area: number | null, more: Partial<Feature> = {}) {
  const feature = {
    type: 'Feature',
    id: `${layer}-${area}-${more.properties?.cap ?? ''}`,
    geometry: { type } as GeoJSON.Geometry,
    properties: {},
    area: area === null ? null : { value: area, unit: 'm²' },
    ...more,
  } as Feature;
  return { layer, feature };
}

const sorted = (list: ReturnType<typeof found>[], drawn = true) =>
  inOrder(
    list,
    (id) => layers.get(id),
    () => drawn,
    1.5,
  );
const order = (list: ReturnType<typeof found>[]) => sorted(list).map(({ layer }) => layer);

test('a hydrant and a road under the pointer come before the areas around them', () => {
  const list = [
    found('communes', 'MultiPolygon', 2e6),
    found('zones', 'Polygon', 8e5),
    found('parcels', 'Polygon', 60),
    found('roads', 'LineString', null, { distance: 1 }),
    found('hydrants', 'Point', null, { distance: 2.5 }),
  ];
  expect(order(list)).toEqual(['hydrants', 'roads', 'parcels', 'zones', 'communes']);
});

test('the parcel comes before its building, and what is beside the point after what is under it', () => {
  const list = [found('buildings', 'Polygon', 40), found('parcels', 'Polygon', 90)];
  expect(order(list)).toEqual(['parcels', 'buildings']);
  const near = found('parcels', 'Polygon', 10, { distance: 2 });
  expect(sorted([near, found('parcels', 'Polygon', 90)])[0]?.feature.area?.value).toBe(90);
});

test('finer plans come before coarser ones, small areas before large ones', () => {
  const plan = (cap: string, area: number) => found('zones', 'Polygon', area, { properties: { cap } });
  const list = [plan('QHC', 10), plan('QHPK', 900), plan('QHCT', 700), plan('QHPK', 50), plan('ĐCCB', 800)];
  const told = sorted(list).map(({ feature }) => [feature.properties.cap, feature.area?.value]);
  expect(told).toEqual([
    ['ĐCCB', 800],
    ['QHCT', 700],
    ['QHPK', 50],
    ['QHPK', 900],
    ['QHC', 10],
  ]);
});

test('points of a layer that is not drawn come last', () => {
  const list = [found('hydrants', 'Point', null, { distance: 1 }), found('communes', 'Polygon', 2e6)];
  expect(sorted(list, false).map(({ layer }) => layer)).toEqual(['communes', 'hydrants']);
});

test('a parcel comes before an alley beside it', () => {
  const list = [found('roads', 'LineString', null, { distance: 3.6 }), found('parcels', 'Polygon', 60)];
  expect(order(list)).toEqual(['parcels', 'roads']);
});
