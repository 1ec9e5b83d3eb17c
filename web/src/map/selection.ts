/**
 * Drawing the selected feature: its outline, the lengths of its edges, the number of a parcel, its former shape, and
 * corners that can be moved.
 */
import type { ExpressionSpecification, LayerSpecification } from 'maplibre-gl';
import { type Collection, type Feature, fieldWith } from '../lib/api';
import { number } from '../lib/format';
import { labelPoint } from '../lib/geometry';
import type { Lang } from '../lib/i18n';
import { gridDistance, inVietnam } from '../lib/vn2000';
import { type Edge, FIRST_ZOOM, type ParcelNumber, placeDimensions } from './dimensions';
import { FONT } from './fonts';
import type { Ink } from './ink';
import { plateLayout } from './plate';

/** An edge shorter than this, in metres, has no label: the label would not fit at any zoom. */
const MIN_EDGE_M = 0.5;

/** A shape with more edges than this, for example a river, has no labels: nobody reads their lengths. */
const MAX_EDGES = 200;

/**
 * What is drawn of the selection: the feature, the point that was asked about, and for a polygon each edge with its
 * length on the VN-2000 grid, which `write` turns from metres into text. Edges outside Vietnam have no label, because
 * the grid is not defined there. `more` is the zoom level for which the lengths are placed, the number on a parcel, a
 * former shape of the feature, and the corners that can be moved.
 */
export function selectionData(
  geometry: GeoJSON.Geometry | null,
  point: [number, number] | null,
  write: (metres: number) => string,
  more: {
    zoom?: number;
    number?: ParcelNumber | null;
    former?: GeoJSON.Geometry | null;
    corners?: GeoJSON.Position[];
    corner?: number | null;
  } = {},
): GeoJSON.FeatureCollection {
  const features: GeoJSON.Feature[] = [];
  if (more.former) features.push({ type: 'Feature', geometry: more.former, properties: { part: 'former' } });
  if (geometry) {
    features.push({ type: 'Feature', geometry, properties: { part: 'shape' } });
    const zoom = more.zoom ?? 0;
    const lengths = zoom < FIRST_ZOOM ? [] : edges(geometry, write);
    const { figures, number } = placeDimensions(lengths, more.number ?? null, zoom);
    for (const { at, ...figure } of figures) features.push(pointAt(at, { part: 'edge', ...figure }));
    if (number) features.push(pointAt(number.at, { part: 'number', text: number.lines.join('\n') }));
  }
  if (point) {
    features.push({ type: 'Feature', geometry: { type: 'Point', coordinates: point }, properties: { part: 'point' } });
  }
  more.corners?.forEach((coordinates, index) => {
    const properties = { part: 'corner', active: index === more.corner };
    features.push({ type: 'Feature', geometry: { type: 'Point', coordinates }, properties });
  });
  return { type: 'FeatureCollection', features };
}

const pointAt = (coordinates: GeoJSON.Position, properties: Record<string, unknown>): GeoJSON.Feature => ({
  type: 'Feature',
  geometry: { type: 'Point', coordinates },
  properties,
});

function edges(geometry: GeoJSON.Geometry, write: (metres: number) => string): Edge[] {
  const polygons =
    geometry.type === 'Polygon' ? [geometry.coordinates] : geometry.type === 'MultiPolygon' ? geometry.coordinates : [];
  const rings = polygons.flat();
  const count = rings.reduce((sum, ring) => sum + ring.length - 1, 0);
  const first = rings[0]?.[0];
  if (!first || count > MAX_EDGES || !inVietnam(first[0] ?? 0, first[1] ?? 0)) return [];
  return rings.flatMap((ring) =>
    ring.slice(1).flatMap((end, index): Edge[] => {
      const start = ring[index];
      if (!start) return [];
      const metres = gridDistance(start, end);
      return metres < MIN_EDGE_M ? [] : [{ start, end, metres, text: write(metres) }];
    }),
  );
}

/**
 * The number of a parcel over its area on paper and its land-use code, as the map writes them; `null` for any other
 * feature.
 */
export function parcelNumber(feature: Feature, layer: Collection | undefined, lang: Lang): ParcelNumber | null {
  const label = layer?.citymap.label;
  const at = labelPoint(feature.geometry);
  if (layer?.citymap.role !== 'parcel' || !label || !at) return null;
  const value = (name: string | undefined): string => {
    const own = name === undefined ? null : feature.properties[name];
    return own === null || own === undefined ? '' : String(own);
  };
  const area = value(fieldWith(layer, 'area')?.name);
  const written = area !== '' && Number.isFinite(Number(area)) ? number(Number(area), lang, 1, true) : '';
  const below = [written, value(fieldWith(layer, 'land_use')?.name)].filter((text) => text !== '').join('  ');
  const lines = [value(label), below].filter((text) => text !== '');
  return lines.length > 0 ? { at, lines } : null;
}

/** The style layers of the selection, drawn above all others. */
export function selectionLayers(colors: Ink): LayerSpecification[] {
  const source = 'citymap-selection';
  const shape: ExpressionSpecification = ['==', ['get', 'part'], 'shape'];
  return [
    {
      id: 'citymap-selection-fill',
      type: 'fill',
      source,
      filter: ['all', shape, ['==', ['geometry-type'], 'Polygon']],
      paint: { 'fill-color': colors.select, 'fill-opacity': 0.04 },
    },
    {
      id: 'citymap-selection-halo',
      type: 'line',
      source,
      filter: ['all', shape, ['!=', ['geometry-type'], 'Point']],
      layout: { 'line-join': 'round', 'line-cap': 'round' },
      paint: { 'line-color': colors.halo, 'line-width': 6, 'line-opacity': 0.9 },
    },
    {
      id: 'citymap-selection-line',
      type: 'line',
      source,
      filter: ['all', shape, ['!=', ['geometry-type'], 'Point']],
      layout: { 'line-join': 'round', 'line-cap': 'round' },
      paint: { 'line-color': colors.select, 'line-width': 3 },
    },
    {
      id: 'citymap-selection-former',
      type: 'line',
      source,
      filter: ['all', ['==', ['get', 'part'], 'former'], ['!=', ['geometry-type'], 'Point']],
      paint: { 'line-color': colors.former, 'line-width': 3, 'line-dasharray': [2, 1.2] },
    },
    {
      id: 'citymap-selection-former-point',
      type: 'circle',
      source,
      filter: ['all', ['==', ['get', 'part'], 'former'], ['==', ['geometry-type'], 'Point']],
      paint: {
        'circle-radius': 11,
        'circle-color': colors.former,
        'circle-opacity': 0.12,
        'circle-stroke-color': colors.former,
        'circle-stroke-width': 3,
      },
    },
    {
      id: 'citymap-selection-feature-point',
      type: 'circle',
      source,
      filter: ['all', shape, ['==', ['geometry-type'], 'Point']],
      paint: {
        'circle-radius': 13,
        'circle-color': colors.select,
        'circle-opacity': 0.12,
        'circle-stroke-color': colors.select,
        'circle-stroke-width': 3,
      },
    },
    {
      id: 'citymap-selection-point',
      type: 'circle',
      source,
      filter: ['==', ['get', 'part'], 'point'],
      paint: {
        'circle-radius': 4.5,
        'circle-color': colors.select,
        'circle-stroke-color': colors.halo,
        'circle-stroke-width': 2,
      },
    },
    {
      id: 'citymap-selection-edge',
      type: 'symbol',
      source,
      minzoom: FIRST_ZOOM,
      filter: ['==', ['get', 'part'], 'edge'],
      layout: {
        ...plateLayout('map'),
        'icon-rotate': ['get', 'turn'],
        'text-rotate': ['get', 'turn'],
        'text-field': ['get', 'text'],
        'text-font': FONT.bold,
        'text-size': 12,
        // They have their places already, and must not drive the numbers of parcels away.
        'text-allow-overlap': true,
        'text-ignore-placement': true,
      },
      paint: { 'text-color': colors.select, 'icon-color': colors.halo },
    },
    {
      id: 'citymap-selection-number',
      type: 'symbol',
      source,
      minzoom: 17,
      filter: ['==', ['get', 'part'], 'number'],
      layout: {
        'text-field': ['get', 'text'],
        'text-font': FONT.bold,
        'text-size': ['interpolate', ['linear'], ['zoom'], 17, 10.5, 19, 12, 21, 15],
        'text-line-height': 1.15,
        // It is placed before the numbers of its neighbours, and takes the place of the number of its own tile.
        'text-allow-overlap': true,
      },
      paint: { 'text-color': colors.select, 'text-halo-color': colors.halo, 'text-halo-width': 1.6 },
    },
    {
      id: 'citymap-selection-corner',
      type: 'circle',
      source,
      filter: ['==', ['get', 'part'], 'corner'],
      paint: {
        'circle-radius': ['case', ['get', 'active'], 8, 5.5],
        'circle-color': ['case', ['get', 'active'], colors.select, colors.halo],
        'circle-stroke-color': ['case', ['get', 'active'], colors.halo, colors.select],
        'circle-stroke-width': 2.5,
      },
    },
  ];
}
