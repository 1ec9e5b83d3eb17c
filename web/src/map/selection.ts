/**
 * Drawing the selected feature: its outline, the lengths of its edges, its former shape, and corners that can be
 * moved.
 */
import type { ExpressionSpecification, LayerSpecification } from 'maplibre-gl';
import { gridDistance, inVietnam } from '../lib/vn2000';
import { FONT, type Palette } from './palette';

/** An edge shorter than this, in metres, has no label: the label would not fit at any zoom. */
const MIN_EDGE_M = 0.5;

/** A shape with more edges than this, for example a river, has no labels: nobody reads their lengths. */
const MAX_EDGES = 200;

/**
 * What is drawn of the selection: the feature, the point that was asked about, and for a polygon each edge with its
 * length on the VN-2000 grid, which `write` turns from metres into text. Edges outside Vietnam have no label, because
 * the grid is not defined there. `more` is a former shape of the feature, and the corners that can be moved.
 */
export function selectionData(
  geometry: GeoJSON.Geometry | null,
  point: [number, number] | null,
  write: (metres: number) => string,
  more: { former?: GeoJSON.Geometry | null; corners?: GeoJSON.Position[]; corner?: number | null } = {},
): GeoJSON.FeatureCollection {
  const features: GeoJSON.Feature[] = [];
  if (more.former) features.push({ type: 'Feature', geometry: more.former, properties: { part: 'former' } });
  if (geometry) {
    features.push({ type: 'Feature', geometry, properties: { part: 'shape' } });
    features.push(...edges(geometry, write));
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

function edges(geometry: GeoJSON.Geometry, write: (metres: number) => string): GeoJSON.Feature[] {
  const polygons =
    geometry.type === 'Polygon' ? [geometry.coordinates] : geometry.type === 'MultiPolygon' ? geometry.coordinates : [];
  const rings = polygons.flat();
  const count = rings.reduce((sum, ring) => sum + ring.length - 1, 0);
  const first = rings[0]?.[0];
  if (!first || count > MAX_EDGES || !inVietnam(first[0] ?? 0, first[1] ?? 0)) return [];
  return rings.flatMap((ring) =>
    ring.slice(1).flatMap((end, index): GeoJSON.Feature[] => {
      const start = ring[index];
      if (!start) return [];
      const metres = gridDistance(start, end);
      if (metres < MIN_EDGE_M) return [];
      return [
        {
          type: 'Feature',
          geometry: { type: 'Point', coordinates: middle(start, end) },
          properties: { part: 'edge', metres, length: write(metres), turn: turn(start, end) },
        },
      ];
    }),
  );
}

const middle = (a: GeoJSON.Position, b: GeoJSON.Position): GeoJSON.Position => [
  ((a[0] ?? 0) + (b[0] ?? 0)) / 2,
  ((a[1] ?? 0) + (b[1] ?? 0)) / 2,
];

/** The rotation (degrees, clockwise) of a text along an edge, never upside down. */
function turn(a: GeoJSON.Position, b: GeoJSON.Position): number {
  const east = ((b[0] ?? 0) - (a[0] ?? 0)) * Math.cos(((a[1] ?? 0) * Math.PI) / 180);
  const north = (b[1] ?? 0) - (a[1] ?? 0);
  const degrees = (-Math.atan2(north, east) * 180) / Math.PI;
  return degrees > 90 ? degrees - 180 : degrees <= -90 ? degrees + 180 : degrees;
}

/** The style layers of the selection, drawn above all others. */
export function selectionLayers(colors: Palette): LayerSpecification[] {
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
      paint: { 'line-color': colors.selectHalo, 'line-width': 6, 'line-opacity': 0.9 },
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
      paint: { 'line-color': colors.power, 'line-width': 3, 'line-dasharray': [2, 1.2] },
    },
    {
      id: 'citymap-selection-former-point',
      type: 'circle',
      source,
      filter: ['all', ['==', ['get', 'part'], 'former'], ['==', ['geometry-type'], 'Point']],
      paint: {
        'circle-radius': 11,
        'circle-color': colors.power,
        'circle-opacity': 0.12,
        'circle-stroke-color': colors.power,
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
        'circle-stroke-color': colors.selectHalo,
        'circle-stroke-width': 2,
      },
    },
    {
      id: 'citymap-selection-edge',
      type: 'symbol',
      source,
      minzoom: 18,
      // Only where the label (about 26 pixels) fits the edge; at this latitude zoom 18 has 3.44 pixels per metre.
      filter: [
        'all',
        ['==', ['get', 'part'], 'edge'],
        ['>=', ['*', ['get', 'metres'], 3.44, ['^', 2, ['-', ['zoom'], 18]]], 26],
      ],
      layout: {
        'text-rotate': ['get', 'turn'],
        'text-rotation-alignment': 'map',
        'text-field': ['get', 'length'],
        'text-font': FONT.bold,
        'text-size': 12,
        // All edges must be labelled, or the dimensions are incomplete; on the line, so that each is easy to assign.
        'text-allow-overlap': true,
      },
      paint: { 'text-color': colors.select, 'text-halo-color': colors.selectHalo, 'text-halo-width': 1.8 },
    },
    {
      id: 'citymap-selection-corner',
      type: 'circle',
      source,
      filter: ['==', ['get', 'part'], 'corner'],
      paint: {
        'circle-radius': ['case', ['get', 'active'], 8, 5.5],
        'circle-color': ['case', ['get', 'active'], colors.select, colors.selectHalo],
        'circle-stroke-color': ['case', ['get', 'active'], colors.selectHalo, colors.select],
        'circle-stroke-width': 2.5,
      },
    },
  ];
}
