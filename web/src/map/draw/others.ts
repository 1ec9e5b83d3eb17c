/** Drawing water, green areas, and layers of no known kind. */
import type { Collection } from '../../lib/api';
import { classify, isBoundary } from '../classify';
import { codeColor, colorField } from '../codes';
import { FONT } from '../palette';
import { base, type DrawContext, hatches, LINE, label, labelText, layerColor, type Placed, POLYGON } from './common';
import { clusters, dots } from './points';

/** Water and green areas: fill, line and name. */
export function nature(collection: Collection, context: DrawContext): Placed[] {
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

/** A layer of no known kind, in any geometry: in the colours of its code list, or in a colour by its position. */
export function others(collection: Collection, context: DrawContext): Placed[] {
  const { colors, opacity } = context;
  const field = colorField(collection);
  const color = layerColor(collection, context);
  const kind = collection.citymap.geometry;
  const text = labelText(collection);
  const placed: Placed[] = [];
  if ((kind === 'polygon' || kind === 'mixed') && !isBoundary(collection)) {
    placed.push(
      {
        slot: 'other-fill',
        layer: {
          ...base(collection, 'fill'),
          type: 'fill',
          filter: POLYGON,
          paint: {
            'fill-color': field ? codeColor(field, colors) : color,
            'fill-opacity': field ? opacity : 0.22 * opacity,
          },
        },
      },
      ...hatches(collection, 13, opacity, colors),
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
          'line-color': color,
          'line-width': ['interpolate', ['linear'], ['zoom'], 8, 0.5, 14, 1.1, 19, 2],
          'line-opacity': 0.9 * opacity,
        },
      },
    });
  }
  if (kind === 'point' || kind === 'mixed') placed.push(dots(collection, context), ...clusters(collection, context));
  if (text && kind !== 'none') {
    placed.push({
      slot: 'detail-label',
      layer: {
        ...base(collection, 'label'),
        type: 'symbol',
        minzoom: 13,
        layout: {
          'text-field': text,
          'text-font': FONT.regular,
          'text-size': 11,
          'text-max-width': 8,
          'text-padding': 10,
        },
        paint: label(colors, colors.label, opacity),
      },
    });
  }
  return placed;
}
