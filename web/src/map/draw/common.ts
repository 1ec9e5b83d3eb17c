import type { DataDrivenPropertyValueSpecification, ExpressionSpecification, LayerSpecification } from 'maplibre-gl';
import type { Collection } from '../../lib/api';
import { classify } from '../classify';
import { codeText, colorField, hatchedCodes } from '../codes';
import type { Palette } from '../palette';

/** Where a style layer stands, bottom to top. */
export const SLOTS = [
  'admin-fill',
  'zone-fill',
  'green-fill',
  'other-fill',
  'parcel-fill',
  'hatch',
  'water-fill',
  'water-line',
  'parcel-line',
  'zone-line',
  'building',
  'right-of-way',
  'road-casing',
  'road',
  'network',
  'other-line',
  'admin-line',
  'dots',
  'road-label',
  'detail-label',
  'point',
  'area-label',
] as const;
export type Slot = (typeof SLOTS)[number];

/** A style layer with its place. */
export interface Placed {
  slot: Slot;
  layer: LayerSpecification;
}

/** What a layer's looks depend on beside the layer itself. */
export interface DrawContext {
  colors: Palette;
  /** 0–1, set by the user. */
  opacity: number;
  /** Position among the layers, for the colours of layers that have none of their own. */
  index: number;
  /** Latitude in degrees at which metres become pixels. */
  lat: number;
  /** A coloured parcel layer is shown: plan colours then give way to it in near views. */
  parcelsShown: boolean;
  /** A coloured plan is shown: parcels then stay behind it in far views. */
  zonesShown: boolean;
  /** Numbers of features that are labelled by a point of their own, see `seams.ts`. */
  seams: number[];
  /** Something is selected: its neighbours fade a little. */
  dimmed: boolean;
}

export const POLYGON: ExpressionSpecification = ['==', ['geometry-type'], 'Polygon'];
export const LINE: ExpressionSpecification = ['==', ['geometry-type'], 'LineString'];
/** Single points: a tile's clusters stand for many. */
export const POINT: ExpressionSpecification = [
  'all',
  ['==', ['geometry-type'], 'Point'],
  ['!', ['has', 'point_count']],
];
export const CLUSTER: ExpressionSpecification = ['has', 'point_count'];

/** The source of a layer's label points, see `arealabels.ts`. */
export const labelSource = (id: string) => `${id}:label`;

/** The source of labels on tile seams, see `seams.ts`. */
export const seamSource = (id: string) => `${id}:seam`;

/** The colour of a layer that has no official ones. */
export function ownColor(collection: Collection, context: Pick<DrawContext, 'colors' | 'index'>): string {
  const { colors, index } = context;
  switch (classify(collection)) {
    case 'water':
      return colors.water;
    case 'green':
      return colors.green;
    case 'building':
      return colors.building;
    case 'pipe':
      return colors.pipe;
    case 'power':
      return colors.power;
    case 'admin':
      return colors.adminLine;
    case 'zone':
      return colors.zoneLine;
    case 'road':
      return colors.roadCasings[1] ?? colors.label;
    default:
      return colors.others[index % colors.others.length] ?? colors.label;
  }
}

/** The text of a feature's label, or `null` where the layer names none. */
export function labelText(collection: Collection): ExpressionSpecification | null {
  const field = collection.citymap.label;
  if (!field) return null;
  // OpenStreetMap's `name:vi` is filled for few features; where it is not, `name` is Vietnamese.
  const plain = field !== 'name' && collection.citymap.fields.some((candidate) => candidate.name === 'name');
  return ['to-string', plain ? ['coalesce', ['get', field], ['get', 'name']] : ['get', field]];
}

/** What the style layers of a collection have in common. */
export const base = (collection: Collection, part: string) => ({
  id: `${collection.id}/${part}`,
  source: collection.id,
  'source-layer': collection.id,
});

/** The paint of a text. */
export const label = (colors: Palette, color = colors.label, opacity = 1, halo = 1.4) => ({
  'text-color': color,
  'text-halo-color': colors.halo,
  'text-halo-width': halo,
  'text-opacity': opacity,
});

/** The hatchings that tell uses of one colour apart, above the fill. */
export function hatches(
  collection: Collection,
  minzoom: number,
  opacity: DataDrivenPropertyValueSpecification<number>,
): Placed[] {
  const field = colorField(collection);
  if (!field) return [];
  return [...hatchedCodes(field)].map(([hatch, codes]) => ({
    slot: 'hatch' as const,
    layer: {
      ...base(collection, `hatch-${hatch}`),
      type: 'fill' as const,
      minzoom,
      filter: ['all', POLYGON, ['in', codeText(field), ['literal', codes]]] as ExpressionSpecification,
      paint: { 'fill-pattern': `hatch-${hatch}`, 'fill-opacity': opacity as number },
    },
  }));
}
