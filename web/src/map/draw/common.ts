/** What the drawing of all kinds of layers has in common: slots, filters, colours, labels and hatchings. */
import type { DataDrivenPropertyValueSpecification, ExpressionSpecification, LayerSpecification } from 'maplibre-gl';
import type { Collection } from '../../lib/api';
import type { Lang } from '../../lib/i18n';
import { classify } from '../classify';
import { codeText, colorField, hatchedCodes } from '../codes';
import type { Palette } from '../palette';

/** The order of all style layers, from bottom to top. */
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

/** A style layer and the slot that it is drawn in. */
export interface Placed {
  slot: Slot;
  layer: LayerSpecification;
}

/** What the drawing of a layer depends on besides the layer itself. */
export interface DrawContext {
  colors: Palette;
  /** The layer's opacity, 0–1, set by the user. */
  opacity: number;
  /** The language of the page, in which numbers are written. */
  lang: Lang;
  /** The layer's position in the catalogue, which colours a layer that has no colours of its own. */
  index: number;
  /** Latitude in degrees at which metres become pixels. */
  lat: number;
  /** A coloured parcel layer is shown above this one: planning colours fade behind it in near views. */
  parcelsShown: boolean;
  /** A coloured plan is shown: parcels begin where each of them is drawn by itself. */
  zonesShown: boolean;
  /** The numbers of features that are labelled by a point of their own, see `seams.ts`. */
  seams: number[];
  /** Something is selected: its neighbours fade a little. */
  dimmed: boolean;
}

export const POLYGON: ExpressionSpecification = ['==', ['geometry-type'], 'Polygon'];
export const LINE: ExpressionSpecification = ['==', ['geometry-type'], 'LineString'];
/** Single points, not the clusters that represent several. */
export const POINT: ExpressionSpecification = [
  'all',
  ['==', ['geometry-type'], 'Point'],
  ['!', ['has', 'point_count']],
];
export const CLUSTER: ExpressionSpecification = ['has', 'point_count'];

/** The name of the source of a layer's area labels, see `arealabels.ts`. */
export const labelSource = (id: string) => `${id}:label`;

/** The name of the source of a layer's labels on tile borders, see `seams.ts`. */
export const seamSource = (id: string) => `${id}:seam`;

/** The colour of a layer without official colours. */
export function layerColor(collection: Collection, context: Pick<DrawContext, 'colors' | 'index'>): string {
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
      return colors.roads[0] ?? colors.label;
    default:
      return colors.others[index % colors.others.length] ?? colors.label;
  }
}

/** The text of a feature's label, or `null` if the layer has no label field. */
export function labelText(collection: Collection): ExpressionSpecification | null {
  const field = collection.citymap.label;
  if (!field) return null;
  // In OpenStreetMap's data few features have `name:vi`; where it is missing, `name` is Vietnamese.
  const names = collection.citymap.fields.filter(({ meaning }) => meaning === 'name').map(({ name }) => name);
  const other = names.includes(field) ? names.find((name) => name !== field) : undefined;
  return ['to-string', other ? ['coalesce', ['get', field], ['get', other]] : ['get', field]];
}

/** The id and source of a style layer that draws a layer of the city. */
export const base = (collection: Collection, part: string) => ({
  id: `${collection.id}/${part}`,
  source: collection.id,
  'source-layer': collection.id,
});

/** The paint of a label: its colour, and a halo in pixels. */
export const label = (colors: Palette, color = colors.label, opacity = 1, halo = 1.4) => ({
  'text-color': color,
  'text-halo-color': colors.halo,
  'text-halo-width': halo,
  'text-opacity': opacity,
});

/** The hatchings over the fill that tell codes of one colour apart. */
export function hatches(
  collection: Collection,
  minzoom: number,
  opacity: DataDrivenPropertyValueSpecification<number>,
  colors: Palette,
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
      paint: { 'fill-pattern': `hatch-${hatch}${colors.hatchSuffix}`, 'fill-opacity': opacity as number },
    },
  }));
}
