import type { LayerSpecification } from 'maplibre-gl';
import type { LonLat } from '../lib/sketch';
import { gridDistance } from '../lib/vn2000';
import { FONT, type Palette } from './palette';

/** What is drawn of a sketch. */
export interface Sketch {
  points: LonLat[];
  /** An area, not a line. */
  closed: boolean;
  /** Nothing more follows: the points need no handles. */
  done: boolean;
  /** Where the grid means something, lengths stand at the edges. */
  grid: boolean;
}

/** The sources of the sketch and of the piece between its last point and the pointer. */
export const SKETCH = 'citymap-sketch';
export const REACH = 'citymap-reach';

/** Metres below which the piece to the pointer is none. */
const SHORTEST = 0.05;

const NOTHING: GeoJSON.FeatureCollection = { type: 'FeatureCollection', features: [] };

/** What is drawn of a sketch; `write` turns metres into text. */
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

/** The piece from the last point to the pointer, while there is something to come. */
export function reachData(
  sketch: Sketch | null,
  pointer: LonLat | null,
  write: (metres: number) => string,
): GeoJSON.FeatureCollection {
  const last = sketch?.points.at(-1);
  if (!sketch || sketch.done || !last || !pointer) return NOTHING;
  // On the point itself, as after each tap on a touch screen, there is nothing to reach for.
  if (gridDistance(last, pointer) < SHORTEST) return NOTHING;
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

/** The layers of the sketch, above all others. */
export function sketchLayers(colors: Palette): LayerSpecification[] {
  const part = (name: string): ['==', ['get', string], string] => ['==', ['get', 'part'], name];
  const round = { 'line-join': 'round', 'line-cap': 'round' } as const;
  const text = (source: string): LayerSpecification => ({
    id: `${source}-edge`,
    type: 'symbol',
    source,
    filter: part('edge'),
    layout: { 'text-field': ['get', 'text'], 'text-font': FONT.bold, 'text-size': 12, 'text-padding': 4 },
    paint: { 'text-color': colors.select, 'text-halo-color': colors.selectHalo, 'text-halo-width': 1.8 },
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
      paint: { 'line-color': colors.selectHalo, 'line-width': 5.5, 'line-opacity': 0.9 },
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
        // The first and the last point are what a click may end the drawing at.
        'circle-radius': ['case', ['get', 'end'], 6, 3.6],
        'circle-color': ['case', ['get', 'end'], colors.selectHalo, colors.select],
        'circle-stroke-color': ['case', ['get', 'end'], colors.select, colors.selectHalo],
        'circle-stroke-width': ['case', ['get', 'end'], 2.5, 1.5],
      },
    },
    text(SKETCH),
    text(REACH),
  ];
}
