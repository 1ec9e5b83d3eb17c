import type { LayerSpecification } from 'maplibre-gl';
import { expect, test } from 'vitest';
import type { Slot } from './draw/common';
import { type Drawn, stacked } from './stacking';

const drawn = (of: string, ...slots: Slot[]): Drawn[] =>
  slots.map((slot) => ({ of, slot, layer: { id: `${of}/${slot}` } as LayerSpecification }));

// In the order of the catalogue.
const CITY = [
  ...drawn('parcels', 'parcel-fill', 'hatch', 'parcel-line', 'detail-label'),
  ...drawn('zones', 'zone-fill', 'zone-line', 'detail-label'),
  ...drawn('roads', 'road-casing', 'road', 'road-label'),
  ...drawn('alleys', 'road-casing', 'road', 'road-label'),
  ...drawn('water', 'water-fill', 'water-line'),
];

/** Whether `a` is above `b` in a list from the top, and not at first. */
const raisedBy = (order: string[]) => (a: string, b: string) => {
  const first = ['parcels', 'zones', 'roads', 'alleys', 'water'];
  return order.indexOf(a) < order.indexOf(b) && first.indexOf(a) > first.indexOf(b);
};
const ids = (order: string[]) => stacked(CITY, raisedBy(order)).map(({ layer }) => layer.id);

test('without a change the slots decide, and within a slot the first of the catalogue is on top', () => {
  expect(ids(['parcels', 'zones', 'roads', 'alleys', 'water'])).toEqual([
    'zones/zone-fill',
    'parcels/parcel-fill',
    'parcels/hatch',
    'water/water-fill',
    'water/water-line',
    'parcels/parcel-line',
    'zones/zone-line',
    'alleys/road-casing',
    'roads/road-casing',
    'alleys/road',
    'roads/road',
    'alleys/road-label',
    'roads/road-label',
    'zones/detail-label',
    'parcels/detail-label',
  ]);
});

test('a raised plan covers the parcels, but neither borders nor roads nor names', () => {
  const order = ids(['zones', 'parcels', 'roads', 'alleys', 'water']);
  expect(order.slice(0, 4)).toEqual(['parcels/parcel-fill', 'parcels/hatch', 'zones/zone-fill', 'water/water-fill']);
  expect(order.indexOf('zones/zone-fill')).toBeLessThan(order.indexOf('parcels/parcel-line'));
  expect(order.slice(-2)).toEqual(['parcels/detail-label', 'zones/detail-label']);
  expect([...order].sort()).toEqual(CITY.map(({ layer }) => layer.id).sort());
});

test('every order ends, and every pair of a band is as the user wants it', () => {
  const names = ['parcels', 'zones', 'roads', 'alleys', 'water'];
  const permute = (list: string[]): string[][] =>
    list.length < 2
      ? [list]
      : list.flatMap((name) => permute(list.filter((own) => own !== name)).map((rest) => [name, ...rest]));
  for (const order of permute(names)) {
    const result = ids(order);
    const fills = ['zones/zone-fill', 'parcels/parcel-fill', 'water/water-fill'];
    const raised = raisedBy(order);
    for (const a of fills) {
      for (const b of fills) {
        const [one, other] = [a.split('/')[0]!, b.split('/')[0]!];
        if (raised(one, other))
          expect(result.indexOf(a), `${a} above ${b} in ${order}`).toBeGreaterThan(result.indexOf(b));
      }
    }
  }
});
