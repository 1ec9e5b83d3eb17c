/** The map's style as a function of the page's state. */
import type { LayerSpecification, SourceSpecification, StyleSpecification } from 'maplibre-gl';
import { type Collection, tileUrl } from '../lib/api';
import { city } from '../lib/city';
import { titleText } from '../lib/format';
import type { Lang } from '../lib/i18n';
import type { ThemeName } from '../lib/theme';
import { classify, minZoom } from './classify';
import { colored, colorField } from './codes';
import { labelSource, seamSource } from './draw/common';
import { FONT_FACES } from './fonts';
import { drawCollection } from './layers';
import { FONT, palette } from './palette';
import { type SeamLabel, seamData } from './seams';
import { selectionLayers } from './selection';
import { REACH, SKETCH, sketchLayers } from './sketching';
import { type Drawn, stacked } from './stacking';

/** Everything that the style depends on. */
export interface StyleInput {
  collections: Collection[];
  /** Whether a layer is shown, and how strongly (0–1). */
  shown: (id: string) => boolean;
  opacity: (id: string) => number;
  /** Whether the user has put a layer above another one, contrary to the order at first. */
  raised: (above: string, below: string) => boolean;
  /** The version by which a layer's tiles are requested. */
  version: (collection: Collection) => string;
  theme: ThemeName;
  lang: Lang;
  /** Where the server is, `https://host/prefix`: tile, glyph and sprite addresses must be absolute. */
  root: string;
  /** The features that draw the selection. */
  selection: GeoJSON.FeatureCollection;
  /** The features that draw the sketch of a tool. */
  sketch: GeoJSON.FeatureCollection;
  /** The label points of named areas, by layer. */
  areaLabels: Record<string, GeoJSON.FeatureCollection>;
  /** Parcels on tile borders, by layer and feature number. */
  seams: Record<string, Map<number, SeamLabel>>;
  /** Latitude in degrees at which metres become pixels. */
  lat: number;
}

/** The names that a map of national extent shows: archipelagos, sea and city. */
function nation(lang: Lang): GeoJSON.FeatureCollection {
  const places: [string, string, number, number, string][] = [
    ['Quần đảo Hoàng Sa\n(Việt Nam)', 'Hoàng Sa Archipelago\n(Vietnam)', 111.9, 16.45, 'islands'],
    ['Quần đảo Trường Sa\n(Việt Nam)', 'Trường Sa Archipelago\n(Vietnam)', 113.8, 9.6, 'islands'],
    ['BIỂN ĐÔNG', 'EAST SEA', 112.4, 13.2, 'sea'],
  ];
  const { name, mapLabel, view } = city();
  const label = (lang: Lang) => titleText(mapLabel, lang) || titleText(name, lang);
  if (label(lang)) places.push([label('vi'), label('en'), view.lon, view.lat, 'city']);
  return {
    type: 'FeatureCollection',
    features: places.map(([vi, en, lon, lat, kind]) => ({
      type: 'Feature',
      properties: { name: lang === 'vi' ? vi : en, kind },
      geometry: { type: 'Point', coordinates: [lon, lat] },
    })),
  };
}

/** Builds the style of the whole map; MapLibre applies only the difference to the style before. */
export function buildStyle(input: StyleInput): StyleSpecification {
  const colors = palette(input.theme);
  const sources: Record<string, SourceSpecification> = {
    'citymap-nation': { type: 'geojson', data: nation(input.lang) },
    'citymap-selection': { type: 'geojson', data: input.selection },
    [SKETCH]: { type: 'geojson', data: input.sketch },
    // `MapView.showReach` fills it at every move of the pointer.
    [REACH]: { type: 'geojson', data: { type: 'FeatureCollection', features: [] } },
  };
  const drawn = input.collections.filter((collection) => collection.citymap.geometry !== 'none');
  const visible = drawn.filter(({ id }) => input.shown(id));
  const parcelLayers = visible.filter((layer) => classify(layer) === 'parcel' && colorField(layer) !== null);
  const zonesShown = colored(visible, 'zone');
  const dimmed = input.selection.features.length > 0;
  const placed: Drawn[] = [];
  drawn.forEach((collection, index) => {
    const { id } = collection;
    const tiles = [`${input.root}${tileUrl(collection, input.version(collection))}`];
    const attribution = collection.citymap.attribution ?? undefined;
    // At zoom 18 the grid of a tile is finer than 4 cm: deeper tiles would add requests but no detail.
    sources[id] = { type: 'vector', tiles, minzoom: minZoom(collection), maxzoom: 18, attribution };
    if (classify(collection) === 'admin') {
      sources[labelSource(id)] = {
        type: 'geojson',
        data: input.areaLabels[id] ?? { type: 'FeatureCollection', features: [] },
      };
    }
    if (classify(collection) === 'parcel')
      sources[seamSource(id)] = { type: 'geojson', data: seamData(input.seams[id]) };
    const seams = [...(input.seams[id]?.keys() ?? [])];
    const opacity = input.opacity(id);
    const parcelsShown = parcelLayers.some((parcels) => !input.raised(id, parcels.id));
    const { lang, lat } = input;
    const context = { seams, colors, opacity, lang, index, lat, parcelsShown, zonesShown, dimmed };
    for (const item of drawCollection(collection, context)) {
      const layout = { ...item.layer.layout, visibility: input.shown(id) ? 'visible' : 'none' };
      placed.push({ of: id, slot: item.slot, layer: { ...item.layer, layout } as LayerSpecification });
    }
  });
  const ordered = stacked(placed, input.raised);
  const hasAdmin = drawn.some((collection) => classify(collection) === 'admin' && input.shown(collection.id));
  return {
    version: 8,
    sources,
    sprite: `${input.root}/sprites/citymap`,
    'font-faces': FONT_FACES,
    // For characters that those do not contain.
    glyphs: `${input.root}/fonts/{fontstack}/{range}.pbf`,
    layers: [
      {
        id: 'citymap-ground',
        type: 'background',
        // If the administrative units are drawn they are the ground, and the area outside recedes.
        paint: { 'background-color': hasAdmin ? colors.outside : colors.ground },
      },
      ...ordered.map((item) => item.layer),
      ...selectionLayers(colors),
      ...sketchLayers(colors),
      {
        id: 'citymap-nation',
        type: 'symbol',
        source: 'citymap-nation',
        maxzoom: 9,
        filter: ['any', ['!=', ['get', 'kind'], 'city'], ['<', ['zoom'], 8]],
        layout: {
          'text-field': ['get', 'name'],
          'text-font': ['match', ['get', 'kind'], 'sea', ['literal', FONT.italic], ['literal', FONT.bold]],
          'text-size': ['match', ['get', 'kind'], 'sea', 15, 'city', 14, 12.5],
          'text-letter-spacing': ['match', ['get', 'kind'], 'sea', 0.2, 0],
          'text-allow-overlap': true,
        },
        paint: {
          'text-color': ['match', ['get', 'kind'], 'sea', colors.waterLabel, colors.label],
          'text-halo-color': colors.halo,
          'text-halo-width': 1.4,
        },
      },
    ],
  };
}
