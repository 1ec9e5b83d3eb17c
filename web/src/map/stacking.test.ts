import type { LayerSpecification } from 'maplibre-gl';
import { expect, test } from 'vitest';
import { type Drawn, stacked } from './stacking';

const layer = (name: string, type: LayerSpecification['type']): Drawn => {
  const [of = ''] = name.split('/');
  return { of, layer: { id: name, type } as LayerSpecification, building: of === 'buildings' };
};

// As a style of the server has them, from the bottom.
const CITY: Drawn[] = [
  { of: null, layer: { id: 'ground', type: 'background' } },
  layer('parcels/fill', 'fill'),
  layer('zones/fill', 'fill'),
  layer('parcels/hatch', 'fill'),
  layer('water/fill', 'fill'),
  layer('water/line', 'line'),
  layer('parcels/line', 'line'),
  layer('zones/line', 'line'),
  layer('buildings/fill', 'fill'),
  layer('roads/casing', 'line'),
  layer('roads/fill', 'line'),
  layer('parcels/label', 'symbol'),
  layer('zones/label', 'symbol'),
  layer('roads/label', 'symbol'),
  { of: null, layer: { id: 'nation', type: 'symbol', source: 'nation' } },
];
const NAMES = ['zones', 'parcels', 'buildings', 'roads', 'water'];

/** Whether `a` is above `b` in a list from the top, and not at first. */
const raisedBy = (order: string[]) => (a: string, b: string) =>
  order.indexOf(a) < order.indexOf(b) && NAMES.indexOf(a) > NAMES.indexOf(b);
const ids = (order: string[]) => stacked(CITY, raisedBy(order)).map((one) => one.layer.id);

test('without a change the order is that of the style', () => {
  expect(ids(NAMES)).toEqual(CITY.map((one) => one.layer.id));
});

test('a raised area covers other areas, but neither borders nor roads nor names', () => {
  const order = ids(['water', 'zones', 'parcels', 'buildings', 'roads']);
  expect(order.slice(0, 5)).toEqual(['ground', 'parcels/fill', 'zones/fill', 'parcels/hatch', 'water/fill']);
  expect(order.indexOf('water/fill')).toBeLessThan(order.indexOf('parcels/line'));
  expect(order.indexOf('buildings/fill')).toBeLessThan(order.indexOf('parcels/label'));
  expect(order.at(-1)).toBe('nation');
  expect([...order].sort()).toEqual(CITY.map((one) => one.layer.id).sort());
});

test('every order ends, and every pair of a band is as the user wants it', () => {
  const permute = (list: string[]): string[][] =>
    list.length < 2
      ? [list]
      : list.flatMap((name) => permute(list.filter((own) => own !== name)).map((rest) => [name, ...rest]));
  for (const order of permute(NAMES)) {
    const result = ids(order);
    const fills = ['zones/fill', 'parcels/fill', 'water/fill'];
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
