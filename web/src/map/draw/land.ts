/** Drawing parcels and planning zones. */
import type { DataDrivenPropertyValueSpecification, ExpressionSpecification } from 'maplibre-gl';
import { type Collection, fieldWith } from '../../lib/api';
import { detailZoom, minZoom } from '../classify';
import { codeColor, codeText, colorField } from '../codes';
import { FONT } from '../palette';
import {
  base,
  type DrawContext,
  hatches,
  label,
  labelText,
  layerColor,
  type Placed,
  POLYGON,
  seamSource,
} from './common';

/** Parcels: the colour of the land use, a thin dark border, number and land-use code. */
export function parcels(collection: Collection, context: DrawContext): Placed[] {
  const { colors, dimmed } = context;
  const opacity = context.opacity * (dimmed ? 0.75 : 1);
  const field = colorField(collection);
  const text = labelText(collection);
  const strength = field ? opacity : opacity * 0.35;
  const detail = detailZoom(collection);
  // Far views show land use, but not over a plan, whose colours it would change. There it appears with the parcels.
  const from = context.zonesShown ? detail : 0;
  const fill: DataDrivenPropertyValueSpecification<number> =
    from > 0 ? ['interpolate', ['linear'], ['zoom'], from, 0.3 * strength, from + 0.4, strength] : strength;
  const placed: Placed[] = [
    {
      slot: 'parcel-fill',
      layer: {
        ...base(collection, 'fill'),
        type: 'fill',
        minzoom: minZoom(collection, context.zonesShown),
        filter: POLYGON,
        paint: {
          'fill-color': field ? codeColor(field, colors) : colors.noCode,
          'fill-opacity': fill,
          'fill-antialias': false,
        },
      },
    },
    ...hatches(collection, 16, opacity, colors),
    {
      slot: 'parcel-line',
      layer: {
        ...base(collection, 'line'),
        type: 'line',
        // Merged areas have no surveyed borders.
        minzoom: detail,
        layout: { 'line-join': 'round' },
        paint: {
          'line-color': colors.parcelLine,
          'line-width': ['interpolate', ['linear'], ['zoom'], 14, 0.25, 16, 0.5, 18, 0.9, 21, 1.6],
          'line-opacity': [
            'interpolate',
            ['linear'],
            ['zoom'],
            14,
            0.25 * opacity,
            16,
            0.6 * opacity,
            18,
            0.9 * opacity,
          ],
        },
      },
    },
  ];
  if (text) {
    const symbol = {
      type: 'symbol' as const,
      minzoom: 17,
      layout: {
        // The number above the land-use code, as on a cadastral map sheet.
        'text-field': (field
          ? ['step', ['zoom'], text, 18, ['format', text, {}, '\n', {}, codeText(field), { 'font-scale': 0.8 }]]
          : text) as ExpressionSpecification,
        'text-font': FONT.regular,
        'text-size': ['interpolate', ['linear'], ['zoom'], 17, 9.5, 19, 12, 21, 15] as ExpressionSpecification,
        'text-line-height': 1.15,
        'text-padding': 1,
      },
      paint: label(colors, colors.parcelLabel, context.opacity, 1),
    };
    const whole: ExpressionSpecification =
      context.seams.length > 0 ? ['all', POLYGON, ['match', ['id'], context.seams, false, true]] : POLYGON;
    placed.push(
      { slot: 'detail-label', layer: { ...base(collection, 'label'), ...symbol, filter: whole } },
      {
        slot: 'detail-label',
        layer: { id: `${collection.id}/seam-label`, source: seamSource(collection.id), ...symbol },
      },
    );
  }
  return placed;
}

/** The drawing order of plans: a more detailed plan prevails, and is drawn above a less detailed one. */
function planRank(collection: Collection): ExpressionSpecification | number {
  const field = fieldWith(collection, 'plan_level');
  if (!field) return 0;
  return [
    'match',
    ['slice', ['upcase', ['to-string', ['get', field.name]]], 0, 4],
    'QHC',
    0,
    'QHPK',
    1,
    'QHCT',
    2,
    'DCCB',
    3,
    'ĐCCB',
    3,
    0,
  ] as unknown as ExpressionSpecification;
}

/**
 * The strength of planning colours in far views, where whole districts of one vivid green would hide everything else.
 */
const FAR = 0.38;

/** Planning zones: coloured in far views, with a dash-dotted border in near ones. */
export function zones(collection: Collection, context: DrawContext): Placed[] {
  const { colors, opacity, parcelsShown } = context;
  const field = colorField(collection);
  const strength = field ? 1 : 0.14;
  // Far views show water, roads and communes over a faint plan, middle ones the plan, and near ones the parcels with
  // the borders of the plan over them.
  const far = [9, FAR * opacity * strength, 12.5, FAR * opacity * strength, 13.5, opacity * strength];
  const fade: DataDrivenPropertyValueSpecification<number> = parcelsShown
    ? ['interpolate', ['linear'], ['zoom'], ...far, 14.5, opacity * strength, 15.2, 0.12 * opacity]
    : ['interpolate', ['linear'], ['zoom'], ...far];
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
          'fill-color': field ? codeColor(field, colors) : layerColor(collection, context),
          'fill-opacity': fade,
          'fill-antialias': false,
        },
      },
    },
    ...(parcelsShown ? [] : hatches(collection, 13, opacity, colors)),
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
        minzoom: 14.5,
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
