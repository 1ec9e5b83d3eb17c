/** Drawing roads. */
import type { ExpressionSpecification } from 'maplibre-gl';
import { type Collection, fieldWith } from '../../lib/api';
import { FONT } from '../palette';
import { RANKS_SHOWN, rightOfWayWidth, roadRank, roadWidth } from '../roads';
import { base, type DrawContext, LINE, label, labelText, type Placed } from './common';

/** Roads: casing, carriageway, the lines of the right-of-way, and the name. */
export function roads(collection: Collection, context: DrawContext): Placed[] {
  const { colors, opacity, lat } = context;
  const rank = roadRank(collection);
  const shown = [
    'all',
    LINE,
    ['<=', rank, ['step', ['zoom'], ...RANKS_SHOWN.flat().slice(1)]],
  ] as unknown as ExpressionSpecification;
  const colorsOf = (list: string[]): ExpressionSpecification =>
    ['match', rank, 0, list[0], 1, list[1], 2, list[2], 3, list[3], list[4]] as ExpressionSpecification;
  const layout = {
    'line-cap': 'round' as const,
    'line-join': 'round' as const,
    'line-sort-key': ['-', 5, rank] as ExpressionSpecification,
  };
  const text = labelText(collection);
  const bounds = rightOfWayWidth(collection, lat);
  const rightOfWay = fieldWith(collection, 'right_of_way');
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
          // Where casings are too thin to be seen, a white road would disappear on the pale ground.
          'line-color': ['step', ['zoom'], colorsOf(colors.roadCasings), 12, colorsOf(colors.roads)],
          'line-width': roadWidth(collection, lat, 0),
          'line-opacity': opacity,
        },
      },
    },
  ];
  if (bounds && rightOfWay) {
    placed.push({
      slot: 'right-of-way',
      layer: {
        ...base(collection, 'right-of-way'),
        type: 'line',
        minzoom: 16.5,
        filter: ['all', LINE, ['>', ['to-number', ['coalesce', ['get', rightOfWay.name], 0]], 0]],
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
