import { readFileSync } from 'node:fs';
import {
  featureFilter,
  type LayerSpecification,
  type SourceSpecification,
  type StyleSpecification,
  validateStyleMin,
} from '@maplibre/maplibre-gl-style-spec';
import { describe, expect, it } from 'vitest';
import type { Collection, GeometryKind, Role } from '../lib/api';
import { drawnBy } from '../lib/styles';
import { INK } from './ink';
import { selectionData } from './selection';
import { sketchData } from './sketching';
import { buildStyle, type StyleInput } from './style';

// A Rust test keeps this file equal to what the server makes of a catalogue with every kind of layer.
const FILE = new URL('../../../crates/render/tests/everything.json', import.meta.url);
const DOCUMENT = JSON.parse(readFileSync(FILE, 'utf8')) as StyleSpecification;

function layer(id: string, role: Role, geometry: GeometryKind): Collection {
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
      fields: [],
    },
  };
}

/** The layers that the document draws, whose ids say what they are. */
const CITY: Collection[] = [...new Set(DOCUMENT.layers.flatMap((own) => drawnBy(own) ?? []))].map((id) => {
  const [, role = 'other', geometry = 'polygon'] = /^(\w+?)_(point|line|polygon|mixed)(_bare)?$/.exec(id) ?? [];
  return layer(id, role as Role, geometry as GeometryKind);
});

function input(change: Partial<StyleInput> = {}): StyleInput {
  return {
    document: DOCUMENT,
    collections: CITY,
    shown: () => true,
    raised: () => false,
    opacity: () => 1,
    version: (collection) => collection.citymap.tilesVersion,
    ink: INK.light,
    root: 'http://city.test/geo',
    selection: selectionData(null, null, String),
    sketch: sketchData(null, String),
    seams: {},
    ...change,
  };
}

const layersOf = (style: StyleSpecification, id: string) => style.layers.filter((own) => own.id.startsWith(`${id}/`));

describe('the style', () => {
  it.each(['light', 'dark'] as const)('is valid with all that the page adds, %s', (theme) => {
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
    const seams = { parcel_polygon: new Map([[7, seam]]) };
    const points: [number, number][] = [
      [106, 10],
      [106.1, 10],
      [106.1, 10.1],
    ];
    const sketch = sketchData({ points, closed: true, done: true, grid: true }, String);
    const whole = input({ ink: INK[theme], selection, seams, sketch, opacity: () => 0.4 });
    expect(validateStyleMin(buildStyle(whole))).toEqual([]);
  });

  it('draws what the server draws, in its order, and asks only its own host', () => {
    const style = buildStyle(input());
    const own = style.layers.filter(({ id }) => !/^citymap-(selection|sketch|reach)/.test(id) && !id.endsWith('-seam'));
    expect(own.map(({ id }) => id)).toEqual(DOCUMENT.layers.map(({ id }) => id));
    const addresses = JSON.stringify(style).match(/https?:\/\/[^/"]+\/[^/"]+/g) ?? [];
    expect(new Set(addresses)).toEqual(new Set(['http://city.test/geo']));
  });

  it('is the page’s own layers alone until the server’s style is there', () => {
    const style = buildStyle(input({ document: null }));
    expect(validateStyleMin(style)).toEqual([]);
    expect(style.layers.every(({ id }) => /^citymap-(selection|sketch|reach)/.test(id))).toBe(true);
  });

  it('has no layer whose shaders are left out of the build (maplibre-source.ts)', () => {
    const heat = { id: 'heat', type: 'heatmap', source: 'citymap-base', 'source-layer': 'water' } as const;
    const style = buildStyle(input({ document: { ...DOCUMENT, layers: [...DOCUMENT.layers, heat] } }));
    expect([...new Set(style.layers.map(({ type }) => type))].sort()).toEqual([
      'background',
      'circle',
      'fill',
      'line',
      'symbol',
    ]);
    expect(JSON.stringify(style)).not.toContain('line-gradient');
  });

  it('asks for the tiles of each layer by their state, from the zoom level at which the style draws it', () => {
    const { sources } = buildStyle(input());
    expect(sources.parcel_polygon).toMatchObject({
      tiles: ['http://city.test/geo/tiles/parcel_polygon/{z}/{x}/{y}?rev=3-abc'],
      minzoom: 8,
      maxzoom: 18,
    });
    expect(sources.water).toMatchObject({ minzoom: 0 });
    expect(sources['citymap-base'], 'the sources of other clients').toBeUndefined();
    expect(sources['citymap-labels-admin_unit_polygon']).toMatchObject({ type: 'geojson' });
    expect(sources['citymap-nation']).toMatchObject({ type: 'geojson' });
  });

  it('leaves sources of other hosts in a style of the operator as they are', () => {
    const far: SourceSpecification = { type: 'vector', tiles: ['https://far.test/{z}/{x}/{y}.pbf'] };
    const own: LayerSpecification = { id: 'own', type: 'line', source: 'far', 'source-layer': 'sea' };
    const document: StyleSpecification = {
      version: 8,
      glyphs: 'https://far.test/{fontstack}/{range}.pbf',
      sources: { far },
      layers: [own],
    };
    const style = buildStyle(input({ document }));
    expect(style.sources.far).toEqual(far);
    expect(style.layers[0]).toEqual(own);
    expect(style.glyphs).toBe(document.glyphs);
  });

  it('labels an area in several tiles once', () => {
    const seam = { id: 7, point: [106, 10] as [number, number], properties: { ten: '7' } };
    const style = buildStyle(input({ seams: { parcel_polygon: new Map([[7, seam]]) } }));
    const label = style.layers.find(({ id }) => id === 'parcel_polygon/label');
    const point = style.layers.find(({ id }) => id === 'parcel_polygon/label-seam');
    const admits = (own: typeof label, id: number, type: number) =>
      featureFilter((own as unknown as { filter: never }).filter, 'layers[0].filter').filter({ zoom: 18 }, {
        id,
        type,
        properties: {},
      } as never);
    expect([admits(label, 7, 3), admits(label, 8, 3)]).toEqual([false, true]);
    expect(admits(point, 7, 1), 'a point stands for the area').toBe(true);
    expect(point).not.toHaveProperty('source-layer');
    expect(style.sources['parcel_polygon:seam']).toMatchObject({ data: { features: [{ properties: { ten: '7' } }] } });
    expect(
      style.layers.some(({ id }) => id === 'water/label-seam'),
      'a river has a name in each part',
    ).toBe(false);
  });

  it('hides without dropping the source', () => {
    const style = buildStyle(input({ shown: (id) => id !== 'parcel_polygon' }));
    expect(style.sources.parcel_polygon).toBeDefined();
    const own = layersOf(style, 'parcel_polygon');
    expect(own.length).toBeGreaterThan(2);
    expect(own.every((item) => item.layout?.visibility === 'none')).toBe(true);
    expect(layersOf(style, 'road_line').every((item) => item.layout?.visibility === 'visible')).toBe(true);
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
