import type { ExpressionSpecification, LayerSpecification } from 'maplibre-gl';
import { gridDistance, inVietnam } from '../lib/vn2000';
import { FONT, type Look } from './look';

/** An edge shorter than this (metres) is not labelled: its figure would not fit beside it at any zoom. */
const SHORTEST = 0.5;

/** More edges than this are a river bank, not a parcel; nobody reads their lengths. */
const MOST_EDGES = 200;

/**
 * What is drawn of the selection: the feature, and for polygons each edge with its length in metres on the VN-2000 grid.
 * `write` turns a length into text; without it (outside Vietnam, where the grid means nothing) edges are left out.
 */
export function selectionData(
  geometry: GeoJSON.Geometry | null,
  point: [number, number] | null,
  write: (metres: number) => string,
): GeoJSON.FeatureCollection {
  const features: GeoJSON.Feature[] = [];
  if (geometry) {
    features.push({ type: 'Feature', geometry, properties: { part: 'shape' } });
    features.push(...edges(geometry, write));
  }
  if (point) {
    features.push({ type: 'Feature', geometry: { type: 'Point', coordinates: point }, properties: { part: 'point' } });
  }
  return { type: 'FeatureCollection', features };
}

function edges(geometry: GeoJSON.Geometry, write: (metres: number) => string): GeoJSON.Feature[] {
  const polygons =
    geometry.type === 'Polygon' ? [geometry.coordinates] : geometry.type === 'MultiPolygon' ? geometry.coordinates : [];
  const rings = polygons.flat();
  const count = rings.reduce((sum, ring) => sum + ring.length - 1, 0);
  const first = rings[0]?.[0];
  if (!first || count > MOST_EDGES || !inVietnam(first[0] ?? 0, first[1] ?? 0)) return [];
  return rings.flatMap((ring) =>
    ring.slice(1).flatMap((end, index): GeoJSON.Feature[] => {
      const start = ring[index];
      if (!start) return [];
      const metres = gridDistance(start, end);
      if (metres < SHORTEST) return [];
      return [
        {
          type: 'Feature',
          geometry: { type: 'LineString', coordinates: [start, end] },
          properties: { part: 'edge', length: write(metres) },
        },
      ];
    }),
  );
}

/** The layers of the selection, above all others. */
export function selectionLayers(colors: Look): LayerSpecification[] {
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
      filter: ['==', ['get', 'part'], 'edge'],
      layout: {
        'symbol-placement': 'line-center',
        'text-field': ['get', 'length'],
        'text-font': FONT.bold,
        'text-size': 12,
        'text-offset': [0, -0.9],
        'text-max-angle': 180,
      },
      paint: { 'text-color': colors.select, 'text-halo-color': colors.selectHalo, 'text-halo-width': 1.8 },
    },
  ];
}
