/** Drawing buildings, address points, administrative units, pipes and cables. */
import type { ExpressionSpecification } from 'maplibre-gl';
import { type Collection, fieldWith } from '../../lib/api';
import { classify, detailZoom } from '../classify';
import { FONT } from '../palette';
import {
  base,
  type DrawContext,
  LINE,
  label,
  labelSource,
  labelText,
  layerColor,
  type Placed,
  POINT,
  POLYGON,
} from './common';

/** Buildings: a faint fill over the parcel, with an outline. */
export function buildings(collection: Collection, { colors, opacity }: DrawContext): Placed[] {
  const outline = colors.buildingLine;
  const detail = detailZoom(collection);
  return [
    {
      slot: 'building',
      layer: {
        ...base(collection, 'fill'),
        type: 'fill',
        filter: POLYGON,
        paint: {
          'fill-color': colors.building,
          'fill-opacity': [
            'interpolate',
            ['linear'],
            ['zoom'],
            13,
            0.08 * opacity,
            14,
            0.15 * opacity,
            16,
            0.26 * opacity,
            18,
            0.3 * opacity,
          ],
          'fill-outline-color': detail > 0 ? ['step', ['zoom'], 'rgba(0,0,0,0)', detail, outline] : outline,
        },
      },
    },
  ];
}

/** Address points: dots, and house numbers in near views. */
export function addresses(collection: Collection, { colors, opacity }: DrawContext): Placed[] {
  const house = fieldWith(collection, 'house_number');
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

/** Administrative units: the ground, the border, and the name at the label point. */
export function admin(collection: Collection, { colors, opacity }: DrawContext): Placed[] {
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
          'line-opacity': [
            'interpolate',
            ['linear'],
            ['zoom'],
            8,
            0.45 * opacity,
            12,
            0.75 * opacity,
            17,
            0.6 * opacity,
          ],
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

/** Pipes and cables, as dashed lines. */
export function network(collection: Collection, context: DrawContext): Placed[] {
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
          'line-color': layerColor(collection, context),
          'line-width': ['interpolate', ['linear'], ['zoom'], 14, 0.5, 17, 1.2, 20, 2.2],
          'line-dasharray': power ? [1, 1.5] : [5, 2],
          'line-opacity': ['interpolate', ['linear'], ['zoom'], 14, 0.35 * opacity, 17, 0.8 * opacity],
        },
      },
    },
  ];
}
