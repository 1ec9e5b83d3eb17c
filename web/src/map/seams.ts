/** Labels of features that lie in several tiles: each is labelled once, by a point. */
import type { ExpressionSpecification, LayerSpecification, SymbolLayerSpecification } from 'maplibre-gl';
import { boundsOf, innerPoint } from '../lib/geometry';

/** A feature that lies in several tiles, with the point that carries its label. */
export interface SeamLabel {
  id: number;
  point: [number, number];
  properties: Record<string, unknown>;
}

/** The part of a feature that a tile contains. */
export interface SeamPart {
  id?: string | number;
  geometry: GeoJSON.Geometry;
  properties: Record<string, unknown> | null;
}

/** The maximum number of labels that are kept; past it all are dropped, and those in view are found again. */
const MAX_LABELS = 4000;

/**
 * Finds the features of which several tiles contain a part. The map labels each part, so that a parcel on a tile's
 * border would show its number twice; such a feature is labelled by a point in its largest part instead. `known`
 * labels stay: a point inside a parcel is right at every zoom. Returns `known` itself if nothing is new.
 */
export function findSeams(parts: SeamPart[], known: Map<number, SeamLabel>): Map<number, SeamLabel> {
  const byFeature = new Map<number, SeamPart[]>();
  for (const part of parts) {
    if (typeof part.id !== 'number' || known.has(part.id) || !part.geometry.type.endsWith('Polygon')) continue;
    const list = byFeature.get(part.id);
    if (list) list.push(part);
    else byFeature.set(part.id, [part]);
  }
  const found: SeamLabel[] = [];
  for (const [id, list] of byFeature) {
    if (list.length < 2) continue;
    const largest = list.reduce((best, part) => (size(part) > size(best) ? part : best));
    const point = innerPoint(largest.geometry);
    if (point) found.push({ id, point, properties: largest.properties ?? {} });
  }
  if (found.length === 0) return known;
  const kept = known.size + found.length > MAX_LABELS ? [] : [...known];
  return new Map([...kept, ...found.map((label) => [label.id, label] as const)]);
}

/** The area of the box around a part, in square degrees. */
function size(part: SeamPart): number {
  const bounds = boundsOf(part.geometry);
  return bounds ? (bounds[2] - bounds[0]) * (bounds[3] - bounds[1]) : 0;
}

/** The label points as a source's data. */
export function seamData(seams: Map<number, SeamLabel> | undefined): GeoJSON.FeatureCollection {
  return {
    type: 'FeatureCollection',
    features: [...(seams?.values() ?? [])].map(({ point, properties }) => ({
      type: 'Feature',
      geometry: { type: 'Point', coordinates: point },
      properties,
    })),
  };
}

/** The name of the source of a layer's labels on tile borders. */
export const seamSource = (id: string): string => `${id}:seam`;

const isLabel = (layer: LayerSpecification): layer is SymbolLayerSpecification =>
  layer.type === 'symbol' &&
  'source-layer' in layer &&
  layer.layout?.['text-field'] !== undefined &&
  layer.layout['symbol-placement'] === undefined;

/**
 * The style layers that draw what `layer` draws: itself or, where it labels areas and some of these lie in several
 * tiles, itself without those and their labels by points. `seams` are the labels of its layer of the city.
 */
export function withoutSeams(
  layer: LayerSpecification,
  of: string,
  seams: Map<number, SeamLabel> | undefined,
): LayerSpecification[] {
  if (!isLabel(layer) || !seams) return [layer];
  const { 'source-layer': _, ...rest } = layer;
  const filter = layer.filter as ExpressionSpecification | undefined;
  const points: LayerSpecification = { ...rest, id: `${layer.id}-seam`, source: seamSource(of) };
  if (filter) points.filter = anyGeometry(filter) as ExpressionSpecification;
  if (seams.size === 0) return [layer, points];
  const whole = ['match', ['id'], [...seams.keys()], false, true] as unknown as ExpressionSpecification;
  return [{ ...layer, filter: filter ? ['all', filter, whole] : whole }, points];
}

/** A filter that takes the point of an area as the area. */
function anyGeometry(filter: unknown): unknown {
  if (!Array.isArray(filter)) return filter;
  const [operator, first, second] = filter as unknown[];
  const isArea = operator === '==' && Array.isArray(first) && first[0] === 'geometry-type' && second === 'Polygon';
  return isArea ? true : filter.map(anyGeometry);
}
