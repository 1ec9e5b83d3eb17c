import { readFileSync } from 'node:fs';
import { Color, expression, featureFilter, latest, type StyleSpecification } from '@maplibre/maplibre-gl-style-spec';
import { describe, expect, it } from 'vitest';
import type { Collection, GeometryKind, Role, Theme } from '../lib/api';
import { drawnBy } from '../lib/styles';
import { evaluate, type Scope } from './expression';
import { baseLayers, pictured, shownBy } from './picture';
import { place, sightOf, sightTiles } from './sight';

const CITY = { lon: 106.7, lat: 10.775, zoom: 14 };

function layer(id: string, role: Role, geometry: GeometryKind = 'polygon', theme: Theme | null = null): Collection {
  const fields = [{ name: 'cap', type: 'text', meaning: 'road_class' }];
  return { id, title: id, citymap: { role, geometry, theme, fields } } as unknown as Collection;
}

/** The properties that the first picture reads. */
const DRAWN = [
  ...['fill-color', 'fill-opacity', 'line-color', 'line-width', 'line-opacity', 'line-sort-key'],
  ...['text-field', 'text-size', 'text-color', 'text-halo-width'],
];
const TYPE: Record<string, number> = { Point: 1, LineString: 2, Polygon: 3 };
/** Roads of several classes and widths, and communes with and without a word for their kind. */
const FEATURES: Record<string, unknown>[] = [
  {},
  { cap_duong: 'quoc_lo', long_duong: 21.5, ten: 'Phường Bến Thành' },
  { cap_duong: 'hem', long_duong: null, ten: 'Phường 12' },
  { cap_duong: 'gi_do', lo_gioi: 24, ten: 'Xã Thạnh An', ten_en: 'Thanh An' },
];

const colorText = (value: unknown): string | undefined => Color.parse(String(value))?.toString();

/** How the reference implementation evaluates a property. */
function reference(type: string, group: 'paint' | 'layout', name: string, value: unknown): (scope: Scope) => unknown {
  if (!Array.isArray(value)) return () => (name.endsWith('color') ? colorText(value) : value);
  const spec = (latest as unknown as Record<string, Record<string, never>>)[`${group}_${type}`]![name]!;
  const parsed = expression.createPropertyExpression(value, 'layers[0].paint.x', spec);
  if (parsed.result === 'error') throw parsed.value;
  const { value: own } = parsed;
  return ({ zoom, type: kind, properties }) => {
    const found: unknown = own.evaluate({ zoom } as never, { type: TYPE[kind], properties } as never);
    return found !== null && typeof found === 'object' ? String(found) : found;
  };
}

describe('the first picture', () => {
  it('is of communes, water and roads in this order, without those that are off', () => {
    const link = { on: [], off: ['roads'], order: [], opacity: {} };
    expect(shownBy(link, layer('water', 'other'))).toBe(true);
    expect(shownBy(link, layer('roads', 'road'))).toBe(false);
    const all = [
      layer('parcels', 'parcel'),
      layer('roads', 'road', 'line'),
      layer('water', 'other', 'polygon', 'water'),
      layer('communes', 'admin_unit'),
    ];
    expect(baseLayers(all).map(({ id }) => id)).toEqual(['communes', 'water', 'roads']);
  });

  it('shows only what an address names: not a former day, a turned map, or single parcels', () => {
    const link = { on: [], off: [], order: [], opacity: {} };
    const camera = { ...CITY, bearing: 0 };
    expect(pictured(link)).toBe(true);
    expect(pictured({ ...link, camera })).toBe(true);
    expect(pictured({ ...link, camera: { ...camera, bearing: 30 } })).toBe(false);
    expect(pictured({ ...link, camera: { ...camera, zoom: 18 } })).toBe(false);
    expect(pictured({ ...link, revision: 3 })).toBe(false);
    expect(pictured({ ...link, valid: '2020-06-30' })).toBe(false);
  });

  it('has the city in the middle of what panels leave free, as the map will have it', () => {
    const sight = sightOf(CITY, [1440, 900], { left: 392, top: 16, right: 48, bottom: 32 });
    const [x, y] = place([CITY.lon, CITY.lat], sight.world);
    expect([x - sight.origin[0], y - sight.origin[1]]).toEqual([892, 442]);
    const linked = sightOf(CITY, [1440, 900], null);
    const [left, top] = place([CITY.lon, CITY.lat], linked.world);
    expect([left - linked.origin[0], top - linked.origin[1]]).toEqual([720, 450]);
  });

  it('needs few tiles, which cover the screen', () => {
    const screens: [number, number][] = [
      [1440, 900],
      [390, 844],
    ];
    for (const size of screens) {
      const tiles = sightTiles(sightOf(CITY, size, null));
      expect(tiles.length).toBeLessThanOrEqual(4);
      expect(new Set(tiles.map(({ z }) => z))).toEqual(new Set([12]));
      expect(Math.min(...tiles.map(({ left }) => left))).toBeLessThanOrEqual(0);
      expect(Math.max(...tiles.map(({ left, size: side }) => left + side))).toBeGreaterThanOrEqual(size[0]);
      expect(Math.min(...tiles.map(({ top }) => top))).toBeLessThanOrEqual(0);
      expect(Math.max(...tiles.map(({ top, size: side }) => top + side))).toBeGreaterThanOrEqual(size[1]);
    }
    expect(sightTiles(sightOf({ ...CITY, zoom: 0 }, [1440, 900], null))).toHaveLength(1);
    const far = sightTiles(sightOf({ ...CITY, zoom: 11.5 }, [1440, 900], null));
    expect(new Set(far.map(({ z }) => z))).toEqual(new Set([11]));
  });

  it('reads a style as the map does', () => {
    const file = new URL('../../../crates/render/tests/everything.json', import.meta.url);
    const style = JSON.parse(readFileSync(file, 'utf8')) as StyleSpecification;
    const kinds = ['admin_unit_polygon', 'road_line', 'road_line_bare', 'water', 'canals'];
    const layers = style.layers.filter((own) => kinds.includes(drawnBy(own) ?? ''));
    let compared = 0;
    for (const own of layers) {
      const type = own.type === 'fill' ? 'Polygon' : own.type === 'line' ? 'LineString' : 'Point';
      const scopes = FEATURES.flatMap((properties) => [7, 12, 13.7, 15.9].map((zoom) => ({ zoom, type, properties })));
      for (const [group, values] of [['paint', own.paint] as const, ['layout', own.layout] as const]) {
        for (const [name, value] of Object.entries(values ?? {})) {
          if (!DRAWN.includes(name)) continue;
          const expectedOf = reference(own.type, group, name, value);
          for (const scope of scopes) {
            const [expected, found] = [expectedOf(scope), evaluate(value, scope)];
            const what = `${own.id} ${name} of ${JSON.stringify(scope)}`;
            if (typeof expected === 'number') expect(found, what).toBeCloseTo(expected, 6);
            else expect(name.endsWith('color') ? colorText(found) : found, what).toBe(expected);
            compared += 1;
          }
        }
      }
      if (!('filter' in own) || own.filter === undefined) continue;
      const { filter } = featureFilter(own.filter, 'layers[0].filter');
      for (const { zoom, properties } of scopes) {
        const admits = filter({ zoom }, { type: TYPE[type], properties } as never);
        expect(evaluate(own.filter, { zoom, type, properties }), `${own.id} filter at ${zoom}`).toBe(admits);
      }
    }
    expect(compared).toBeGreaterThan(200);
  });

  it('knows no expression that it would read wrongly', () => {
    const scope = { zoom: 10, type: 'Polygon', properties: { n: 3 } };
    expect(evaluate(['to-number', ['get', 'none'], 7], scope)).toBe(0);
    expect(evaluate(['to-number', 'x', ['get', 'n']], scope)).toBe(3);
    expect(() => evaluate(['heatmap-density'], scope)).toThrow('heatmap-density');
    expect(() => evaluate(['interpolate', ['cubic-bezier', 0, 0, 1, 1], ['zoom'], 0, 1, 9, 2], scope)).toThrow('cubic');
  });
});
