import type { DataDrivenPropertyValueSpecification, ExpressionSpecification, LayerSpecification } from 'maplibre-gl';
import type { Collection } from '../lib/api';
import { classify, pointIcon } from './classify';
import { codeColor, codeText, colorField, hatchedCodes } from './codes';
import { FONT, type Look } from './look';
import { rightOfWayWidth, roadRank, roadWidth } from './roads';

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
  colors: Look;
  /** 0–1, set by the user. */
  opacity: number;
  /** Position among the layers, for the colours of layers that have none of their own. */
  index: number;
  /** Latitude in degrees at which metres become pixels. */
  lat: number;
  /** A coloured parcel layer is shown: plan colours then give way to it in near views. */
  parcelsShown: boolean;
  /** Something is selected: its neighbours fade a little. */
  dimmed: boolean;
}

const POLYGON: ExpressionSpecification = ['==', ['geometry-type'], 'Polygon'];
const LINE: ExpressionSpecification = ['==', ['geometry-type'], 'LineString'];
const POINT: ExpressionSpecification = ['==', ['geometry-type'], 'Point'];

/** The source of a layer's label points, see `arealabels.ts`. */
export const labelSource = (id: string) => `${id}:label`;

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
      return colors.roads[2] ?? colors.label;
    default:
      return colors.others[index % colors.others.length] ?? colors.label;
  }
}

/** The text of a feature's label, or `null` where the layer names none. */
function labelText(collection: Collection): ExpressionSpecification | null {
  const field = collection.citymap.label;
  return field ? ['to-string', ['get', field]] : null;
}

/** The style layers of one collection. */
export function drawCollection(collection: Collection, context: DrawContext): Placed[] {
  switch (classify(collection)) {
    case 'parcel':
      return parcels(collection, context);
    case 'zone':
      return zones(collection, context);
    case 'road':
      return roads(collection, context);
    case 'building':
      return buildings(collection, context);
    case 'address':
      return addresses(collection, context);
    case 'admin':
      return admin(collection, context);
    case 'pipe':
    case 'power':
      return network(collection, context);
    case 'point':
      return points(collection, context);
    case 'water':
    case 'green':
      return nature(collection, context);
    default:
      return others(collection, context);
  }
}

const base = (collection: Collection, part: string) => ({
  id: `${collection.id}/${part}`,
  source: collection.id,
  'source-layer': collection.id,
});

const label = (colors: Look, color = colors.label, opacity = 1, halo = 1.4) => ({
  'text-color': color,
  'text-halo-color': colors.halo,
  'text-halo-width': halo,
  'text-opacity': opacity,
});

/** The hatchings that tell uses of one colour apart, above the fill. */
function hatches(collection: Collection, minzoom: number, opacity: DataDrivenPropertyValueSpecification<number>): Placed[] {
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

function parcels(collection: Collection, context: DrawContext): Placed[] {
  const { colors, dimmed } = context;
  const opacity = context.opacity * (dimmed ? 0.75 : 1);
  const field = colorField(collection);
  const text = labelText(collection);
  const placed: Placed[] = [
    {
      slot: 'parcel-fill',
      layer: {
        ...base(collection, 'fill'),
        type: 'fill',
        filter: POLYGON,
        paint: {
          'fill-color': field ? codeColor(field, colors) : colors.noCode,
          'fill-opacity': field ? opacity : opacity * 0.35,
          'fill-antialias': false,
        },
      },
    },
    ...hatches(collection, 16, opacity),
    {
      slot: 'parcel-line',
      layer: {
        ...base(collection, 'line'),
        type: 'line',
        layout: { 'line-join': 'round' },
        paint: {
          'line-color': colors.parcelLine,
          'line-width': ['interpolate', ['linear'], ['zoom'], 14, 0.25, 16, 0.5, 18, 0.9, 21, 1.6],
          'line-opacity': ['interpolate', ['linear'], ['zoom'], 14, 0.25 * opacity, 16, 0.6 * opacity, 18, 0.9 * opacity],
        },
      },
    },
  ];
  if (text) {
    placed.push({
      slot: 'detail-label',
      layer: {
        ...base(collection, 'label'),
        type: 'symbol',
        minzoom: 17,
        filter: POLYGON,
        layout: {
          // Number above, use code below, as on a cadastral sheet.
          'text-field': field
            ? ['step', ['zoom'], text, 18, ['format', text, {}, '\n', {}, codeText(field), { 'font-scale': 0.8 }]]
            : text,
          'text-font': FONT.regular,
          'text-size': ['interpolate', ['linear'], ['zoom'], 17, 9.5, 19, 12, 21, 15],
          'text-line-height': 1.15,
          'text-padding': 1,
        },
        paint: label(colors, colors.parcelLabel, context.opacity, 1),
      },
    });
  }
  return placed;
}

/** A finer plan prevails over a coarser one: it is drawn above it. */
function planRank(collection: Collection): ExpressionSpecification | number {
  const field = collection.citymap.fields.find((candidate) => ['cap', 'cap_quy_hoach', 'level'].includes(candidate.name));
  if (!field) return 0;
  return [
    'match',
    ['slice', ['upcase', ['to-string', ['get', field.name]]], 0, 4],
    'QHC', 0, 'QHPK', 1, 'QHCT', 2, 'DCCB', 3, 'ĐCCB', 3,
    0,
  ] as unknown as ExpressionSpecification;
}

function zones(collection: Collection, context: DrawContext): Placed[] {
  const { colors, opacity, parcelsShown } = context;
  const field = colorField(collection);
  const strength = field ? 1 : 0.3;
  // Far views show the plan; near views show the cadastre with the plan's borders over it.
  const fade: DataDrivenPropertyValueSpecification<number> = parcelsShown
    ? ['interpolate', ['linear'], ['zoom'], 14, opacity * strength, 15, 0.12 * opacity]
    : opacity * strength;
  const rank = planRank(collection);
  const text = labelText(collection);
  const placed: Placed[] = [
    {
      slot: 'zone-fill',
      layer: {
        ...base(collection, 'fill'),
        type: 'fill',
        minzoom: 8,
        filter: POLYGON,
        layout: { 'fill-sort-key': rank },
        paint: {
          'fill-color': field ? codeColor(field, colors) : ownColor(collection, context),
          'fill-opacity': fade,
          'fill-antialias': false,
        },
      },
    },
    ...(parcelsShown ? [] : hatches(collection, 13, opacity)),
    {
      slot: 'zone-line',
      layer: {
        ...base(collection, 'line'),
        type: 'line',
        minzoom: 12,
        paint: {
          'line-color': colors.zoneLine,
          'line-width': ['interpolate', ['linear'], ['zoom'], 12, 0.3, 15, 0.9, 19, 1.8],
          'line-dasharray': [6, 2, 1, 2],
          'line-opacity': ['interpolate', ['linear'], ['zoom'], 12, 0.25 * opacity, 15, 0.75 * opacity],
        },
      },
    },
  ];
  if (text) {
    placed.push({
      slot: 'detail-label',
      layer: {
        ...base(collection, 'label'),
        type: 'symbol',
        minzoom: 13,
        maxzoom: 17,
        filter: POLYGON,
        layout: {
          'text-field': text,
          'text-font': FONT.italic,
          'text-size': 11,
          'text-max-width': 7,
          'text-padding': 12,
        },
        paint: label(colors, colors.zoneLine, opacity),
      },
    });
  }
  return placed;
}

function roads(collection: Collection, context: DrawContext): Placed[] {
  const { colors, opacity, lat } = context;
  const rank = roadRank(collection);
  const shown: ExpressionSpecification = ['all', LINE, ['<=', rank, ['step', ['zoom'], 1, 10, 2, 12, 3, 14, 4]]];
  const colorsOf = (list: string[]): ExpressionSpecification =>
    ['match', rank, 0, list[0], 1, list[1], 2, list[2], 3, list[3], list[4]] as ExpressionSpecification;
  const layout = { 'line-cap': 'round' as const, 'line-join': 'round' as const, 'line-sort-key': ['-', 5, rank] as ExpressionSpecification };
  const text = labelText(collection);
  const bounds = rightOfWayWidth(collection, lat);
  const placed: Placed[] = [
    {
      slot: 'road-casing',
      layer: {
        ...base(collection, 'casing'),
        type: 'line',
        minzoom: 11,
        filter: shown,
        layout,
        paint: {
          'line-color': colorsOf(colors.roadCasings),
          'line-width': roadWidth(collection, lat, 1.4),
          'line-opacity': ['interpolate', ['linear'], ['zoom'], 11, 0.35 * opacity, 14, opacity],
        },
      },
    },
    {
      slot: 'road',
      layer: {
        ...base(collection, 'fill'),
        type: 'line',
        minzoom: 7,
        filter: shown,
        layout,
        paint: {
          // Before casings can be seen a white road would vanish on the pale ground.
          'line-color': ['step', ['zoom'], colorsOf(colors.roadCasings), 12, colorsOf(colors.roads)],
          'line-width': roadWidth(collection, lat, 0),
          'line-opacity': opacity,
        },
      },
    },
  ];
  if (bounds) {
    placed.push({
      slot: 'right-of-way',
      layer: {
        ...base(collection, 'right-of-way'),
        type: 'line',
        minzoom: 16.5,
        filter: ['all', LINE, ['>', ['to-number', ['coalesce', ['get', 'lo_gioi'], ['get', 'row_width'], 0]], 0]],
        paint: {
          'line-color': colors.rightOfWay,
          'line-gap-width': bounds,
          'line-width': ['interpolate', ['linear'], ['zoom'], 16.5, 0.6, 20, 1.4],
          'line-dasharray': [5, 2],
          'line-opacity': 0.7 * opacity,
        },
      },
    });
  }
  if (text) {
    placed.push({
      slot: 'road-label',
      layer: {
        ...base(collection, 'label'),
        type: 'symbol',
        minzoom: 12,
        filter: ['all', LINE, ['<=', rank, ['step', ['zoom'], 1, 14, 2, 15, 3, 17, 4]]],
        layout: {
          'symbol-placement': 'line',
          'symbol-spacing': 320,
          'symbol-sort-key': rank,
          'text-field': text,
          'text-font': FONT.regular,
          'text-size': ['interpolate', ['linear'], ['zoom'], 12, 10, 16, 12, 20, 15],
          'text-max-angle': 28,
          'text-padding': 4,
        },
        paint: label(colors, colors.roadLabel, opacity, 1.6),
      },
    });
  }
  return placed;
}

function buildings(collection: Collection, { colors, opacity }: DrawContext): Placed[] {
  return [
    {
      slot: 'building',
      layer: {
        ...base(collection, 'fill'),
        type: 'fill',
        filter: POLYGON,
        paint: {
          'fill-color': colors.building,
          'fill-opacity': ['interpolate', ['linear'], ['zoom'], 14, 0.15 * opacity, 16, 0.26 * opacity, 18, 0.3 * opacity],
          'fill-outline-color': colors.buildingLine,
        },
      },
    },
  ];
}

function addresses(collection: Collection, { colors, opacity }: DrawContext): Placed[] {
  const house = collection.citymap.fields.find((field) =>
    ['so_nha', 'housenumber', 'house_number', 'addr:housenumber', 'addr_housenumber'].includes(field.name.toLowerCase()),
  );
  const text: ExpressionSpecification | null = house ? ['to-string', ['get', house.name]] : labelText(collection);
  const placed: Placed[] = [
    {
      slot: 'dots',
      layer: {
        ...base(collection, 'dot'),
        type: 'circle',
        minzoom: 17,
        filter: POINT,
        paint: {
          'circle-radius': ['interpolate', ['linear'], ['zoom'], 17, 1.2, 20, 2.4],
          'circle-color': colors.label,
          'circle-opacity': 0.7 * opacity,
        },
      },
    },
  ];
  if (text) {
    placed.push({
      slot: 'detail-label',
      layer: {
        ...base(collection, 'label'),
        type: 'symbol',
        minzoom: 18,
        filter: POINT,
        layout: {
          'text-field': text,
          'text-font': FONT.italic,
          'text-size': ['interpolate', ['linear'], ['zoom'], 18, 9.5, 21, 13],
          'text-variable-anchor': ['top', 'bottom', 'left', 'right'],
          'text-radial-offset': 0.4,
        },
        paint: label(colors, colors.label, opacity, 1),
      },
    });
  }
  return placed;
}

function admin(collection: Collection, { colors, opacity }: DrawContext): Placed[] {
  const text = labelText(collection) !== null;
  const placed: Placed[] = [
    {
      slot: 'admin-fill',
      layer: {
        ...base(collection, 'fill'),
        type: 'fill',
        filter: POLYGON,
        paint: { 'fill-color': colors.ground, 'fill-opacity': opacity, 'fill-antialias': false },
      },
    },
    {
      slot: 'admin-line',
      layer: {
        ...base(collection, 'line'),
        type: 'line',
        layout: { 'line-join': 'round' },
        paint: {
          'line-color': colors.adminLine,
          'line-width': ['interpolate', ['linear'], ['zoom'], 7, 0.4, 11, 0.9, 16, 2.2],
          'line-dasharray': [4, 1.5, 1, 1.5],
          'line-opacity': ['interpolate', ['linear'], ['zoom'], 8, 0.45 * opacity, 12, 0.75 * opacity, 17, 0.6 * opacity],
        },
      },
    },
  ];
  if (text) {
    placed.push({
      slot: 'area-label',
      layer: {
        id: `${collection.id}/label`,
        source: labelSource(collection.id),
        type: 'symbol',
        minzoom: 9,
        maxzoom: 16.5,
        layout: {
          'text-field': ['get', 'label'],
          'text-font': FONT.bold,
          'text-size': ['interpolate', ['linear'], ['zoom'], 9, 9.5, 12, 11.5, 15, 14],
          'text-max-width': 7,
          'text-line-height': 1.3,
          'text-padding': 8,
        },
        paint: label(colors, colors.adminLabel, opacity, 1.8),
      },
    });
  }
  return placed;
}

function network(collection: Collection, context: DrawContext): Placed[] {
  const { opacity } = context;
  const power = classify(collection) === 'power';
  return [
    {
      slot: 'network',
      layer: {
        ...base(collection, 'line'),
        type: 'line',
        filter: LINE,
        paint: {
          'line-color': ownColor(collection, context),
          'line-width': ['interpolate', ['linear'], ['zoom'], 14, 0.5, 17, 1.2, 20, 2.2],
          'line-dasharray': power ? [1, 1.5] : [5, 2],
          'line-opacity': ['interpolate', ['linear'], ['zoom'], 14, 0.35 * opacity, 17, 0.8 * opacity],
        },
      },
    },
  ];
}

function points(collection: Collection, context: DrawContext): Placed[] {
  const { colors, opacity } = context;
  const icon = pointIcon(collection);
  const text = collection.citymap.role === 'place' ? labelText(collection) : null;
  if (!icon) return [dots(collection, context)];
  return [
    {
      slot: 'point',
      layer: {
        ...base(collection, 'icon'),
        type: 'symbol',
        filter: POINT,
        layout: {
          'icon-image': icon,
          'icon-size': ['interpolate', ['linear'], ['zoom'], 12, 0.5, 15, 0.68, 18, 0.9],
          'icon-allow-overlap': ['step', ['zoom'], false, 18, true],
          'icon-padding': 1,
          ...(text
            ? {
                'text-field': ['step', ['zoom'], '', 14.5, text] as ExpressionSpecification,
                'text-font': FONT.regular,
                'text-size': 11.5,
                'text-anchor': 'top' as const,
                'text-offset': [0, 0.9] as [number, number],
                'text-optional': true,
                'text-max-width': 8,
              }
            : {}),
        },
        paint: { 'icon-opacity': opacity, ...label(colors, colors.label, opacity) },
      },
    },
  ];
}

function dots(collection: Collection, context: DrawContext): Placed {
  return {
    slot: 'dots',
    layer: {
      ...base(collection, 'dot'),
      type: 'circle',
      filter: POINT,
      paint: {
        'circle-radius': ['interpolate', ['linear'], ['zoom'], 10, 1.6, 15, 3.4, 19, 6],
        'circle-color': ownColor(collection, context),
        'circle-stroke-color': context.colors.halo,
        'circle-stroke-width': 1,
        'circle-opacity': context.opacity,
        'circle-stroke-opacity': context.opacity,
      },
    },
  };
}

function nature(collection: Collection, context: DrawContext): Placed[] {
  const { colors, opacity } = context;
  const water = classify(collection) === 'water';
  const text = labelText(collection);
  const placed: Placed[] = [
    {
      slot: water ? 'water-fill' : 'green-fill',
      layer: {
        ...base(collection, 'fill'),
        type: 'fill',
        filter: POLYGON,
        paint: { 'fill-color': water ? colors.water : colors.green, 'fill-opacity': opacity },
      },
    },
    {
      slot: 'water-line',
      layer: {
        ...base(collection, 'line'),
        type: 'line',
        filter: LINE,
        paint: {
          'line-color': water ? colors.waterLine : colors.green,
          'line-width': ['interpolate', ['linear'], ['zoom'], 10, 0.5, 16, 2.5],
          'line-opacity': opacity,
        },
      },
    },
  ];
  if (text) {
    placed.push({
      slot: 'area-label',
      layer: {
        ...base(collection, 'label'),
        type: 'symbol',
        minzoom: 11,
        filter: ['!=', ['geometry-type'], 'Point'],
        layout: {
          'text-field': text,
          'text-font': FONT.italic,
          'text-size': ['interpolate', ['linear'], ['zoom'], 11, 10.5, 16, 13],
          'text-max-width': 8,
          'text-padding': 40,
        },
        paint: label(colors, water ? colors.waterLabel : colors.label, opacity, 1),
      },
    });
  }
  return placed;
}

/** A layer nobody foresaw: its own hue, or its code list's, in whatever geometry it has. */
function others(collection: Collection, context: DrawContext): Placed[] {
  const { colors, opacity } = context;
  const field = colorField(collection);
  const own = ownColor(collection, context);
  const kind = collection.citymap.geometry;
  const text = labelText(collection);
  const placed: Placed[] = [];
  if (kind === 'polygon' || kind === 'mixed') {
    placed.push(
      {
        slot: 'other-fill',
        layer: {
          ...base(collection, 'fill'),
          type: 'fill',
          filter: POLYGON,
          paint: {
            'fill-color': field ? codeColor(field, colors) : own,
            'fill-opacity': field ? opacity : 0.22 * opacity,
          },
        },
      },
      ...hatches(collection, 13, opacity),
    );
  }
  if (kind !== 'point' && kind !== 'none') {
    placed.push({
      slot: 'other-line',
      layer: {
        ...base(collection, 'line'),
        type: 'line',
        filter: ['!=', ['geometry-type'], 'Point'],
        paint: {
          'line-color': own,
          'line-width': ['interpolate', ['linear'], ['zoom'], 8, 0.5, 14, 1.1, 19, 2],
          'line-opacity': 0.9 * opacity,
        },
      },
    });
  }
  if (kind === 'point' || kind === 'mixed') placed.push(dots(collection, context));
  if (text && kind !== 'none') {
    placed.push({
      slot: 'detail-label',
      layer: {
        ...base(collection, 'label'),
        type: 'symbol',
        minzoom: 13,
        layout: { 'text-field': text, 'text-font': FONT.regular, 'text-size': 11, 'text-max-width': 8, 'text-padding': 10 },
        paint: label(colors, colors.label, opacity),
      },
    });
  }
  return placed;
}
