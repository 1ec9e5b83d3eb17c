/** Drawing the sketch of a tool: its points, lines, lengths and area. */
import type { LayerSpecification } from 'maplibre-gl';
import type { LonLat } from '../lib/sketch';
import { gridDistance } from '../lib/vn2000';
import { FONT } from './fonts';
import type { Ink } from './ink';
import { plateLayout } from './plate';

/** A sketch as it is drawn. */
export interface Sketch {
  points: LonLat[];
  /** Whether it is an area instead of a line. */
  closed: boolean;
  /** Whether it is finished: its points then have no handles. */
  done: boolean;
  /** Whether it is in the area of use of the VN-2000 grid: its edges then show their lengths. */
  grid: boolean;
}

/** The sources of the sketch, and of the line from its last point to the pointer. */
export const SKETCH = 'citymap-sketch';
export const REACH = 'citymap-reach';

/** A line to the pointer shorter than this, in metres, is not drawn. */
const MIN_REACH_M = 0.05;

const NOTHING: GeoJSON.FeatureCollection = { type: 'FeatureCollection', features: [] };

/** The features that draw a sketch; `write` turns metres into text. */
export function sketchData(sketch: Sketch | null, write: (metres: number) => string): GeoJSON.FeatureCollection {
  const first = sketch?.points[0];
  if (!sketch || !first) return NOTHING;
  const { points, closed, grid } = sketch;
  const path = closed ? [...points, first] : points;
  const features: GeoJSON.Feature[] = [];
  if (points.length > 2 && closed) {
    features.push(feature({ type: 'Polygon', coordinates: [path] }, { part: 'area' }));
  }
  if (path.length > 1) features.push(feature({ type: 'LineString', coordinates: path }, { part: 'line' }));
  path.slice(1).forEach((point, index) => {
    if (grid) features.push(edge(path[index] ?? point, point, write));
  });
  points.forEach((point, index) => {
    const end = index === 0 || index === points.length - 1;
    features.push(feature({ type: 'Point', coordinates: point }, { part: 'point', end: end && !sketch.done }));
  });
  return { type: 'FeatureCollection', features };
}

/** The line from the last point to the pointer while the sketch is not finished; `write` turns metres into text. */
export function reachData(
  sketch: Sketch | null,
  pointer: LonLat | null,
  write: (metres: number) => string,
): GeoJSON.FeatureCollection {
  const last = sketch?.points.at(-1);
  if (!sketch || sketch.done || !last || !pointer) return NOTHING;
  // After a tap on a touch screen the pointer is on the point itself.
  if (gridDistance(last, pointer) < MIN_REACH_M) return NOTHING;
  const line = feature({ type: 'LineString', coordinates: [last, pointer] }, { part: 'reach' });
  return { type: 'FeatureCollection', features: sketch.grid ? [line, edge(last, pointer, write)] : [line] };
}

const feature = (geometry: GeoJSON.Geometry, properties: Record<string, unknown>): GeoJSON.Feature => ({
  type: 'Feature',
  geometry,
  properties,
});

function edge(a: LonLat, b: LonLat, write: (metres: number) => string): GeoJSON.Feature {
  const middle = [(a[0] + b[0]) / 2, (a[1] + b[1]) / 2];
  return feature({ type: 'Point', coordinates: middle }, { part: 'edge', text: write(gridDistance(a, b)) });
}

/** The style layers of the sketch, drawn above all others. */
export function sketchLayers(colors: Ink): LayerSpecification[] {
  const part = (name: string): ['==', ['get', string], string] => ['==', ['get', 'part'], name];
  const round = { 'line-join': 'round', 'line-cap': 'round' } as const;
  const text = (source: string): LayerSpecification => ({
    id: `${source}-edge`,
    type: 'symbol',
    source,
    filter: part('edge'),
    layout: {
      ...plateLayout('viewport'),
      'text-field': ['get', 'text'],
      'text-font': FONT.bold,
      'text-size': 12,
      'text-padding': 4,
    },
    paint: { 'text-color': colors.select, 'icon-color': colors.halo },
  });
  return [
    {
      id: `${SKETCH}-area`,
      type: 'fill',
      source: SKETCH,
      filter: part('area'),
      paint: { 'fill-color': colors.select, 'fill-opacity': 0.12 },
    },
    {
      id: `${SKETCH}-halo`,
      type: 'line',
      source: SKETCH,
      filter: part('line'),
      layout: round,
      paint: { 'line-color': colors.halo, 'line-width': 5.5, 'line-opacity': 0.9 },
    },
    {
      id: `${SKETCH}-line`,
      type: 'line',
      source: SKETCH,
      filter: part('line'),
      layout: round,
      paint: { 'line-color': colors.select, 'line-width': 2.6 },
    },
    {
      id: `${REACH}-line`,
      type: 'line',
      source: REACH,
      filter: part('reach'),
      paint: { 'line-color': colors.select, 'line-width': 2, 'line-dasharray': [2, 1.5] },
    },
    {
      id: `${SKETCH}-point`,
      type: 'circle',
      source: SKETCH,
      filter: part('point'),
      paint: {
        // A click on the first or the last point ends the sketch.
        'circle-radius': ['case', ['get', 'end'], 6, 3.6],
        'circle-color': ['case', ['get', 'end'], colors.halo, colors.select],
        'circle-stroke-color': ['case', ['get', 'end'], colors.select, colors.halo],
        'circle-stroke-width': ['case', ['get', 'end'], 2.5, 1.5],
      },
    },
    text(SKETCH),
    text(REACH),
  ];
}
