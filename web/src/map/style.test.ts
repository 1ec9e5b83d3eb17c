import { validateStyleMin } from '@maplibre/maplibre-gl-style-spec';
import { describe, expect, it } from 'vitest';
import type { Collection, GeometryKind, Role, Theme } from '../lib/api';
import { selectionData } from './selection';
import { sketchData } from './sketching';
import { buildStyle, type StyleInput } from './style';

const ROLES: Role[] = [
  'parcel',
  'zone',
  'road',
  'building',
  'address',
  'admin_unit',
  'utility',
  'place',
  'report',
  'other',
];
const KINDS: GeometryKind[] = ['point', 'line', 'polygon', 'mixed', 'none'];

function layer(
  id: string,
  role: Role,
  geometry: GeometryKind,
  fields: Collection['citymap']['fields'] = [],
  theme: Theme | null = null,
): Collection {
  return {
    id,
    title: id,
    citymap: {
      titles: { vi: id, en: id },
      role,
      geometry,
      count: 5000,
      revision: 3,
      tilesVersion: '3-abc',
      label: fields[0]?.name ?? null,
      theme,
      fields,
    },
  };
}

const FIELDS: Collection['citymap']['fields'] = [
  { name: 'ten', type: 'text', meaning: 'name' },
  { name: 'cap', type: 'text', meaning: 'plan_level' },
  { name: 'cap_duong', type: 'text', meaning: 'road_class' },
  { name: 'lo_gioi', type: 'real', meaning: 'right_of_way' },
  { name: 'long_duong', type: 'real', meaning: 'width' },
  { name: 'so_nha', type: 'text', meaning: 'house_number' },
  {
    name: 'loai',
    type: 'text',
    codeList: {
      id: 'x',
      entries: ['A', 'B', 'C', 'D'].map((code, index) => ({
        code,
        vi: code,
        en: code,
        color: index < 3 ? '#FFAAA0' : '#FFA0FF',
      })),
    },
  },
];

function input(collections: Collection[], change: Partial<StyleInput> = {}): StyleInput {
  return {
    collections,
    shown: () => true,
    raised: () => false,
    opacity: () => 1,
    version: (collection) => collection.citymap.tilesVersion,
    theme: 'light',
    lang: 'vi',
    root: 'http://city.test/geo',
    selection: selectionData(null, null, String),
    sketch: sketchData(null, String),
    areaLabels: {},
    seams: {},
    lat: 11,
    ...change,
  };
}

describe('the style', () => {
  const everything = ROLES.flatMap((role) =>
    KINDS.flatMap((kind) => [layer(`${role}_${kind}`, role, kind), layer(`${role}_${kind}_f`, role, kind, FIELDS)]),
  );
  it.each(['light', 'dark'] as const)('is valid for every role and geometry, with fields and without, %s', (theme) => {
    const selection = selectionData(
      {
        type: 'Polygon',
        coordinates: [
          [
            [106, 10],
            [106.1, 10],
            [106.1, 10.1],
            [106, 10],
          ],
        ],
      },
      [106.05, 10.02],
      String,
      {
        former: {
          type: 'LineString',
          coordinates: [
            [106, 10],
            [106.2, 10.1],
          ],
        },
        corners: [
          [106, 10],
          [106.1, 10],
        ],
        corner: 1,
      },
    );
    expect(selection.features.map((item) => [item.properties?.part, item.properties?.active])).toEqual(
      expect.arrayContaining([
        ['former', undefined],
        ['corner', false],
        ['corner', true],
      ]),
    );
    const seam = { id: 7, point: [106, 10] as [number, number], properties: { ten: '7' } };
    const seams = { parcel_polygon_f: new Map([[7, seam]]) };
    const points: [number, number][] = [
      [106, 10],
      [106.1, 10],
      [106.1, 10.1],
    ];
    const sketch = sketchData({ points, closed: true, done: true, grid: true }, String);
    expect(validateStyleMin(buildStyle(input(everything, { theme, selection, seams, sketch })))).toEqual([]);
  });

  it('draws every layer that has geometry, and only from our own host', () => {
    const style = buildStyle(input(everything));
    const drawn = new Set(style.layers.map((item) => ('source' in item ? item.source : '')));
    for (const collection of everything) {
      expect(drawn.has(collection.id), collection.id).toBe(collection.citymap.geometry !== 'none');
    }
    const addresses = JSON.stringify(style).match(/https?:\/\/[^/"]+\/[^/"]+/g) ?? [];
    expect(new Set(addresses)).toEqual(new Set(['http://city.test/geo']));
  });

  it('has no layer whose shaders are left out of the build (maplibre-source.ts)', () => {
    const kinds = new Set(buildStyle(input(everything)).layers.map(({ type }) => type));
    expect([...kinds].sort()).toEqual(['background', 'circle', 'fill', 'line', 'symbol']);
    expect(JSON.stringify(buildStyle(input(everything)))).not.toContain('line-gradient');
  });

  it('asks for tiles by the state of the layer’s tiles, so that only changed layers are fetched again', () => {
    const source = buildStyle(input([layer('parcels', 'parcel', 'polygon')])).sources.parcels;
    expect(source).toMatchObject({ tiles: ['http://city.test/geo/tiles/parcels/{z}/{x}/{y}?rev=3-abc'], minzoom: 8 });
  });

  it('draws borders of parcels only where every parcel is in the tiles, and merged ones only without a plan', () => {
    const city = layer('parcels', 'parcel', 'polygon', FIELDS);
    city.citymap.tileRule = { detailZoom: 15, class: 'use' };
    const part = (style: ReturnType<typeof buildStyle>, id: string) => style.layers.find((item) => item.id === id);
    const alone = buildStyle(input([city]));
    expect(part(alone, 'parcels/line')).toMatchObject({ minzoom: 15 });
    expect(part(alone, 'parcels/fill')).toMatchObject({ minzoom: 8, paint: { 'fill-opacity': 1 } });
    const both = buildStyle(input([city, layer('zones', 'zone', 'polygon', FIELDS)]));
    expect(part(both, 'parcels/fill')).toMatchObject({
      minzoom: 15,
      paint: { 'fill-opacity': ['interpolate', ['linear'], ['zoom'], 15, 0.3, 15.4, 1] },
    });
  });

  it('shows clusters by their number, single points by their symbol', () => {
    const lights = layer('street_lights', 'utility', 'point', [], 'light');
    lights.citymap.tileRule = { detailZoom: 16 };
    const style = buildStyle(input([lights]));
    const filter = (id: string) => style.layers.find((item) => item.id === id && 'filter' in item);
    expect(filter('street_lights/cluster')).toMatchObject({ filter: ['has', 'point_count'] });
    expect(JSON.stringify(filter('street_lights/icon'))).toContain('["!",["has","point_count"]]');
  });

  it('keeps the plan behind water and roads in far views, and shows it whole in middle ones', () => {
    const fill = buildStyle(input([layer('zones', 'zone', 'polygon', FIELDS)])).layers.find(
      (item) => item.id === 'zones/fill',
    );
    expect(fill?.paint).toMatchObject({
      'fill-opacity': ['interpolate', ['linear'], ['zoom'], 9, 0.38, 12.5, 0.38, 13.5, 1],
    });
  });

  it('tells uses of one colour apart by hatching', () => {
    const style = buildStyle(input([layer('parcels', 'parcel', 'polygon', FIELDS)]));
    expect(style.layers.map((item) => item.id).filter((id) => id.includes('hatch'))).toHaveLength(2);
  });

  it('hides without dropping the source', () => {
    const style = buildStyle(input([layer('parcels', 'parcel', 'polygon')], { shown: () => false }));
    expect(style.sources.parcels).toBeDefined();
    expect(
      style.layers.filter((item) => item.id.startsWith('parcels/')).every((item) => item.layout?.visibility === 'none'),
    ).toBe(true);
  });

  it('names the archipelagos as Vietnam’s in both languages', () => {
    for (const [lang, country] of [
      ['vi', 'Việt Nam'],
      ['en', 'Vietnam'],
    ] as const) {
      const text = JSON.stringify(buildStyle(input([], { lang })).sources['citymap-nation']);
      expect(text).toContain('Hoàng Sa');
      expect(text).toContain('Trường Sa');
      expect(text).toContain(country);
    }
  });
});

describe('the selection', () => {
  it('measures each edge of a parcel on the grid, and none where the grid means nothing', () => {
    const square = (lon: number, lat: number): GeoJSON.Polygon => ({
      type: 'Polygon',
      coordinates: [
        [
          [lon, lat],
          [lon + 1e-4, lat],
          [lon + 1e-4, lat + 1e-4],
          [lon, lat + 1e-4],
          [lon, lat],
        ],
      ],
    });
    const edges = (shape: GeoJSON.Geometry) =>
      selectionData(shape, null, (metres) => metres.toFixed(2), { zoom: 20 }).features.filter(
        (item) => item.properties?.part === 'edge',
      );
    const here = edges(square(106.698, 10.7725));
    expect(here.map((item) => item.properties?.text)).toEqual(['11.06', '11.06', '10.94', '10.94']);
    expect(here.map((item) => Math.abs(Math.round(item.properties?.turn)))).toEqual([90, 90, 0, 0]);
    expect(edges(square(-71.1, 42.37))).toEqual([]);
  });
});
