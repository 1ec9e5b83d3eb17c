import { expression, latest } from '@maplibre/maplibre-gl-style-spec';
import type { LayerSpecification } from 'maplibre-gl';
import { expect, it } from 'vitest';
import { faded } from './fading';

/** The value of a faded opacity at a zoom level, as the reference implementation computes it. */
function opacityAt(value: unknown, zoom: number): unknown {
  const layer = { id: 'a', type: 'fill', source: 'a', paint: { 'fill-opacity': value } } as LayerSpecification;
  const half = (faded(layer, 0.5).paint as Record<string, unknown>)['fill-opacity'];
  const parsed = expression.createPropertyExpression(
    half,
    'layers[0].paint.fill-opacity',
    latest.paint_fill['fill-opacity'] as never,
  );
  if (parsed.result === 'error') throw parsed.value;
  return parsed.value.evaluate({ zoom }, { type: 3, properties: { strong: true } });
}

it('halves numbers, and the results of expressions by zoom and feature', () => {
  expect(opacityAt(undefined, 10)).toBe(0.5);
  expect(opacityAt(0.4, 10)).toBeCloseTo(0.2);
  expect(opacityAt(['interpolate', ['linear'], ['zoom'], 8, 0.2, 12, 1], 10)).toBeCloseTo(0.3);
  expect(opacityAt(['step', ['zoom'], 0.2, 9, 0.8], 8)).toBeCloseTo(0.1);
  expect(opacityAt(['step', ['zoom'], 0.2, 9, 0.8], 10)).toBeCloseTo(0.4);
  const byFeature = ['case', ['get', 'strong'], 0.6, 0.1];
  expect(opacityAt(byFeature, 10)).toBeCloseTo(0.3);
  expect(opacityAt(['interpolate', ['linear'], ['zoom'], 8, 0, 12, byFeature], 12)).toBeCloseTo(0.3);
});

it('leaves what is whole as it is, and fades icons and texts alike', () => {
  const symbol: LayerSpecification = { id: 'a', type: 'symbol', source: 'a', paint: { 'text-color': '#000' } };
  expect(faded(symbol, 1)).toBe(symbol);
  expect(faded(symbol, 0.5).paint).toEqual({ 'text-color': '#000', 'icon-opacity': 0.5, 'text-opacity': 0.5 });
  const ground: LayerSpecification = { id: 'a', type: 'background' };
  expect(faded(ground, 0.5)).toBe(ground);
});
