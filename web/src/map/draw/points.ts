/** Drawing points: symbols, plain dots, and the clusters of far views. */
import type { ExpressionSpecification } from 'maplibre-gl';
import type { Collection } from '../../lib/api';
import { detailZoom, pointIcon } from '../classify';
import { FONT } from '../palette';
import { base, CLUSTER, type DrawContext, label, labelText, layerColor, type Placed, POINT } from './common';

/** Points with a symbol; places also with their names. */
export function points(collection: Collection, context: DrawContext): Placed[] {
  const { colors, opacity } = context;
  const icon = pointIcon(collection);
  const text = collection.citymap.role === 'place' ? labelText(collection) : null;
  if (!icon) return [dots(collection, context), ...clusters(collection, context)];
  return [
    ...clusters(collection, context),
    {
      slot: 'point',
      layer: {
        ...base(collection, 'icon'),
        type: 'symbol',
        filter: POINT,
        layout: {
          'icon-image': icon,
          'icon-size':
            collection.citymap.role === 'place'
              ? ['interpolate', ['linear'], ['zoom'], 13, 0.5, 16, 0.72, 18, 0.9]
              : ['interpolate', ['linear'], ['zoom'], 14, 0.4, 17, 0.52, 20, 0.85],
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

/** Clusters, which represent several points in far views: a disc with their number. */
export function clusters(collection: Collection, context: DrawContext): Placed[] {
  const { colors, opacity, lang } = context;
  if (detailZoom(collection) === 0) return [];
  return [
    {
      slot: 'dots',
      layer: {
        ...base(collection, 'cluster'),
        type: 'circle',
        filter: CLUSTER,
        paint: {
          'circle-radius': ['interpolate', ['linear'], ['log10', ['get', 'point_count']], 0, 5, 1, 8, 3, 13],
          'circle-color': layerColor(collection, context),
          'circle-stroke-color': colors.halo,
          'circle-stroke-width': 1.2,
          'circle-opacity': 0.55 * opacity,
          'circle-stroke-opacity': opacity,
        },
      },
    },
    {
      slot: 'detail-label',
      layer: {
        ...base(collection, 'cluster-count'),
        type: 'symbol',
        filter: CLUSTER,
        layout: {
          'text-field': ['number-format', ['get', 'point_count'], { locale: lang }],
          'text-font': FONT.bold,
          'text-size': 10.5,
          'text-allow-overlap': true,
        },
        paint: label(colors, colors.label, opacity),
      },
    },
  ];
}

/** Points without a symbol, as dots. */
export function dots(collection: Collection, context: DrawContext): Placed {
  return {
    slot: 'dots',
    layer: {
      ...base(collection, 'dot'),
      type: 'circle',
      filter: POINT,
      paint: {
        'circle-radius': ['interpolate', ['linear'], ['zoom'], 10, 1.6, 15, 3.4, 19, 6],
        'circle-color': layerColor(collection, context),
        'circle-stroke-color': context.colors.halo,
        'circle-stroke-width': 1,
        'circle-opacity': context.opacity,
        'circle-stroke-opacity': context.opacity,
      },
    },
  };
}
