/** The extent of a layer, and the first view of the map. */
import type { Bbox, Collection } from './api';
import { city } from './city';

/** The first box of a layer's extent, or `null` if it is missing or not valid. */
export function extent(collection: Collection): Bbox | null {
  const box = collection.extent?.spatial?.bbox?.[0];
  if (!box || box.length < 4) return null;
  const [west, south, east, north] = box.length >= 6 ? [box[0], box[1], box[3], box[4]] : box;
  if (![west, south, east, north].every((value) => typeof value === 'number' && Number.isFinite(value))) return null;
  return [west, south, east, north] as Bbox;
}

const holds = ([west, south, east, north]: Bbox, [lon, lat]: [number, number]) =>
  lon >= west && lon <= east && lat >= south && lat <= north;

/**
 * The first view: the city's own or, if no layer reaches it, the extent of the layer with the most features. The
 * extent of the whole city would not do, because its islands are far out at sea (Côn Đảo 200 km).
 */
export function firstView(collections: Collection[]): { center: [number, number]; zoom: number } | { bbox: Bbox } {
  const withExtent = collections
    .map((collection) => ({ collection, box: extent(collection) }))
    .filter(
      (item): item is { collection: Collection; box: Bbox } => item.box !== null && item.collection.citymap.count > 0,
    );
  const { lon, lat, zoom } = city().view;
  if (withExtent.length === 0 || withExtent.some(({ box }) => holds(box, [lon, lat]))) {
    return { center: [lon, lat], zoom };
  }
  const biggest = withExtent.reduce((best, item) =>
    item.collection.citymap.count > best.collection.citymap.count ? item : best,
  );
  return { bbox: biggest.box };
}
