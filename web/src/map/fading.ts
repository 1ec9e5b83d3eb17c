/** The opacity that the user gives a layer, on top of that of its style. */
import type { LayerSpecification } from 'maplibre-gl';

/** The opacities of each type of style layer. */
const OPACITIES: Partial<Record<LayerSpecification['type'], string[]>> = {
  fill: ['fill-opacity'],
  line: ['line-opacity'],
  circle: ['circle-opacity', 'circle-stroke-opacity'],
  symbol: ['icon-opacity', 'text-opacity'],
};

/** A style layer with its opacity multiplied by `share`, 0 to 1. */
export function faded(layer: LayerSpecification, share: number): LayerSpecification {
  const names = OPACITIES[layer.type];
  if (!names || share === 1) return layer;
  const paint = (layer.paint ?? {}) as Record<string, unknown>;
  const own = Object.fromEntries(names.map((name) => [name, times(paint[name] ?? 1, share)]));
  return { ...layer, paint: { ...paint, ...own } } as LayerSpecification;
}

/** `share` times a number or an expression. The zoom must stay at the top of an expression, so its results are multiplied. */
function times(value: unknown, share: number): unknown {
  if (typeof value === 'number') return value * share;
  if (!Array.isArray(value)) return ['*', value, share];
  // `interpolate`, its curve, its input, and pairs of input and result; `step`, its input, a result, and such pairs.
  if (value[0] === 'interpolate') return value.map((part, at) => (at > 3 && at % 2 === 0 ? times(part, share) : part));
  if (value[0] === 'step') return value.map((part, at) => (at > 1 && at % 2 === 0 ? times(part, share) : part));
  return ['*', value, share];
}
