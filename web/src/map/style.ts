/**
 * The style of the map: the server's (docs/styles.md), with what the page adds to it. The server decides how the city
 * is drawn. The page decides from where tiles come (one source for each layer, decision 19), which layers are shown, how
 * strongly and in which order, labels areas in several tiles once, and draws selections and sketches on top.
 */
import type { LayerSpecification, SourceSpecification, StyleSpecification } from 'maplibre-gl';
import { type Collection, tileUrl } from '../lib/api';
import { drawnBy } from '../lib/styles';
import { classify, SEAMED } from './classify';
import { faded } from './fading';
import { FONT_FACES } from './fonts';
import type { Ink } from './ink';
import { type SeamLabel, seamData, seamSource, withoutSeams } from './seams';
import { selectionLayers } from './selection';
import { REACH, SKETCH, sketchLayers } from './sketching';
import { type Drawn, stacked } from './stacking';

/** Everything that the style depends on. */
export interface StyleInput {
  /** The server's style; null until it has arrived. */
  document: StyleSpecification | null;
  collections: Collection[];
  /** Whether a layer is shown, and how strongly (0–1). */
  shown: (id: string) => boolean;
  opacity: (id: string) => number;
  /** Whether the user has put a layer above another one, contrary to the order at first. */
  raised: (above: string, below: string) => boolean;
  /** The version by which a layer's tiles are requested. */
  version: (collection: Collection) => string;
  ink: Ink;
  /** Where the server is, `https://host/prefix`: tile, glyph and sprite addresses must be absolute. */
  root: string;
  /** The features that draw the selection. */
  selection: GeoJSON.FeatureCollection;
  /** The features that draw the sketch of a tool. */
  sketch: GeoJSON.FeatureCollection;
  /** Areas on tile borders, by layer and feature number. */
  seams: Record<string, Map<number, SeamLabel>>;
}

/** The types of style layers that the page's MapLibre can draw (maplibre-source.ts). */
const DRAWABLE: LayerSpecification['type'][] = ['background', 'fill', 'line', 'circle', 'symbol'];

/** The deepest zoom of tiles. The grid of such a tile is finer than 4 cm: deeper ones would add requests, no detail. */
const DEEPEST = 18;

/** Whether a source has the tiles of this server, be it as TileJSON or as a template. */
function isOfCity(source: SourceSpecification | undefined): boolean {
  if (source?.type !== 'vector') return false;
  const address = source.url ?? source.tiles?.[0] ?? '';
  return URL.canParse(address, 'http://any.host') && new URL(address, 'http://any.host').pathname.includes('/tiles/');
}

/** The server's own sprite and glyphs below the address by which the page reached it. */
function ownAddress(address: unknown, ending: string, root: string): string | undefined {
  if (typeof address !== 'string') return undefined;
  return address.endsWith(ending) ? `${root}${ending}` : address;
}

/** Builds the style of the whole map; MapLibre applies only the difference to the style before. */
export function buildStyle(input: StyleInput): StyleSpecification {
  const { document, root, ink } = input;
  const city = new Map(input.collections.map((collection) => [collection.id, collection]));
  const sources: Record<string, SourceSpecification> = {
    'citymap-selection': { type: 'geojson', data: input.selection },
    [SKETCH]: { type: 'geojson', data: input.sketch },
    // `MapView.showReach` fills it at every move of the pointer.
    [REACH]: { type: 'geojson', data: { type: 'FeatureCollection', features: [] } },
  };
  const drawn: Drawn[] = [];
  for (const layer of document?.layers ?? []) {
    if (!DRAWABLE.includes(layer.type)) continue;
    const id = drawnBy(layer);
    const collection = id === null ? undefined : city.get(id);
    const source = 'source' in layer ? document?.sources[layer.source] : undefined;
    if (id !== null && !collection && isOfCity(source)) continue;
    if (!collection) {
      if (source && 'source' in layer) sources[layer.source] = source;
      drawn.push({ of: null, layer });
      continue;
    }
    drawn.push(...layersOf(input, layer, collection, sources));
  }
  return {
    version: 8,
    sources,
    sprite: ownAddress(document?.sprite, '/sprites/citymap', root) ?? `${root}/sprites/citymap`,
    'font-faces': FONT_FACES,
    // For characters that those do not contain.
    glyphs:
      ownAddress(document?.glyphs, '/fonts/{fontstack}/{range}.pbf', root) ?? `${root}/fonts/{fontstack}/{range}.pbf`,
    layers: [...stacked(drawn, input.raised).map(({ layer }) => layer), ...selectionLayers(ink), ...sketchLayers(ink)],
  };
}

/** The style layers that a layer of the server's style becomes; adds their sources. */
function layersOf(
  input: StyleInput,
  layer: LayerSpecification,
  collection: Collection,
  sources: Record<string, SourceSpecification>,
): Drawn[] {
  const { id } = collection;
  const visible = input.shown(id);
  let own = faded(layer, input.opacity(id));
  const source = 'source' in own ? input.document?.sources[own.source] : undefined;
  if (isOfCity(source)) {
    own = { ...own, source: id } as LayerSpecification;
    const tiles = [`${input.root}${tileUrl(collection, input.version(collection))}`];
    const attribution = collection.citymap.attribution ?? undefined;
    const known = sources[id];
    const from = Math.min(Math.floor(layer.minzoom ?? 0), known?.type === 'vector' ? (known.minzoom ?? 0) : DEEPEST);
    sources[id] = { type: 'vector', tiles, minzoom: from, maxzoom: DEEPEST, attribution };
  } else if (source && 'source' in own) {
    sources[own.source] = source;
  }
  const kind = classify(collection);
  const seams = SEAMED.includes(kind) ? (input.seams[id] ?? new Map<number, SeamLabel>()) : undefined;
  const building = kind === 'building';
  return withoutSeams(own, id, isOfCity(source) ? seams : undefined).map((one) => {
    if ('source' in one && one.source === seamSource(id)) {
      sources[one.source] = { type: 'geojson', data: seamData(seams) };
    }
    const layout = { ...one.layout, visibility: visible ? 'visible' : 'none' };
    return { of: id, building, layer: { ...one, layout } as LayerSpecification };
  });
}
