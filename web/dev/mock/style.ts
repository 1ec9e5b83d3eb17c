/** The style and the legend of the made-up quarter: plain shapes, enough to work on the page without a server. */
import type { LayerSpecification, StyleSpecification } from 'maplibre-gl';
import type { Collection } from '../../src/lib/api';
import type { LegendGroup } from '../../src/lib/styles';

/** A colour for each layer of the quarter. */
const COLORS = ['#f5d6d0', '#d5e5c6', '#ffffff', '#ddd7cd', '#333c44', '#76639a', '#2673a8', '#b3470f', '#7a3fa0'];
const colorOf = (index: number): string => COLORS[index % COLORS.length] ?? '#333c44';

/** The styles that there are. */
export const STYLES = [
  { id: 'cadastre', title: 'Địa chính' },
  { id: 'plan', title: 'Quy hoạch' },
];

/** What a style of the quarter draws: the cadastre all but plans, the plan all but parcels. */
function drawn(city: Collection[], style: string, named: string | null): Collection[] {
  const ids = named?.split(',');
  const other = style === 'plan' ? 'parcel' : 'zone';
  return city.filter(({ id, citymap }) => (ids ? ids.includes(id) : citymap.role !== other));
}

/** A style of the quarter. */
export function mockStyle(city: Collection[], style: string, named: string | null): StyleSpecification {
  const layers = drawn(city, style, named).flatMap((collection): LayerSpecification[] => {
    const color = colorOf(city.indexOf(collection));
    const { label, geometry } = collection.citymap;
    const part = (name: string) => ({
      id: `${collection.id}/${name}`,
      source: 'city',
      'source-layer': collection.id,
      metadata: { 'citymap:collection': collection.id },
    });
    const shape: LayerSpecification =
      geometry === 'polygon'
        ? { ...part('fill'), type: 'fill', paint: { 'fill-color': color, 'fill-outline-color': '#57534d' } }
        : geometry === 'line'
          ? { ...part('fill'), type: 'line', paint: { 'line-color': color, 'line-width': 3 } }
          : { ...part('dot'), type: 'circle', paint: { 'circle-color': color, 'circle-radius': 3 } };
    if (!label) return [shape];
    const layout = {
      'text-field': ['to-string', ['get', label]],
      'text-font': ['BeVietnamPro-Regular'],
      'text-size': 11,
    };
    return [shape, { ...part('label'), type: 'symbol', minzoom: 17, layout } as LayerSpecification];
  });
  const ground: LayerSpecification = { id: 'ground', type: 'background', paint: { 'background-color': '#f6f4ef' } };
  return {
    version: 8,
    metadata: { 'citymap:style': style },
    sources: { city: { type: 'vector', url: '/tiles/city.json' } },
    layers: [ground, ...layers],
  };
}

/** The legend of a style of the quarter: one entry for each layer. */
export function mockLegend(city: Collection[], style: string, named: string | null): LegendGroup[] {
  return drawn(city, style, named).map((collection) => {
    const color = colorOf(city.indexOf(collection));
    const { geometry, titles } = collection.citymap;
    const kind = geometry === 'polygon' || geometry === 'line' ? geometry : 'point';
    const part =
      kind === 'polygon'
        ? ({ type: 'fill', color, opacity: 1 } as const)
        : kind === 'line'
          ? ({ type: 'line', color, opacity: 1, width: 3, offset: 0 } as const)
          : ({ type: 'circle', color, opacity: 1, radius: 3, strokeColor: color, strokeWidth: 0 } as const);
    return {
      collection: collection.id,
      title: titles.vi,
      entries: [{ label: titles.vi, geometry: kind, parts: [part] }],
    };
  });
}
