import { boundsOf, innerPoint } from '../lib/inner';

/** A feature that lies in several tiles, with the point that bears its label. */
export interface SeamLabel {
  id: number;
  point: [number, number];
  properties: Record<string, unknown>;
}

/** What {@link findSeams} reads of a drawn piece of a feature. */
export interface Piece {
  id?: string | number;
  geometry: GeoJSON.Geometry;
  properties: Record<string, unknown> | null;
}

/** More than this many are forgotten all at once: they come back with the next look. */
const MOST = 4000;

/**
 * The features among `pieces` that several tiles hold a part of. The map labels each part, so that a parcel on a seam would
 * bear its number twice; these are labelled by a point instead, in their biggest part. What is known stays: a point inside
 * a parcel is right at every zoom. Gives `known` itself where nothing is new.
 */
export function findSeams(pieces: Piece[], known: Map<number, SeamLabel>): Map<number, SeamLabel> {
  const parts = new Map<number, Piece[]>();
  for (const piece of pieces) {
    if (typeof piece.id !== 'number' || known.has(piece.id) || !piece.geometry.type.endsWith('Polygon')) continue;
    const list = parts.get(piece.id);
    if (list) list.push(piece);
    else parts.set(piece.id, [piece]);
  }
  const found: SeamLabel[] = [];
  for (const [id, list] of parts) {
    if (list.length < 2) continue;
    const biggest = list.reduce((best, piece) => (size(piece) > size(best) ? piece : best));
    const point = innerPoint(biggest.geometry);
    if (point) found.push({ id, point, properties: biggest.properties ?? {} });
  }
  if (found.length === 0) return known;
  const kept = known.size + found.length > MOST ? [] : [...known];
  return new Map([...kept, ...found.map((label) => [label.id, label] as const)]);
}

function size(piece: Piece): number {
  const bounds = boundsOf(piece.geometry);
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
