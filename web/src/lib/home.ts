import type { Bbox, Collection } from './api';

/** The urban core: Bến Thành market. */
export const CORE: [number, number] = [106.698, 10.7725];
/** The zoom of the first view on the urban core. */
export const CORE_ZOOM = 14;

/** The first box of a collection's extent, or `null` where it has none or an impossible one. */
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
 * The first view. The urban core, unless no layer reaches it: then the layer with most features is shown whole. The city's
 * own extent would not do: Côn Đảo lies 200 km out at sea.
 */
export function firstView(collections: Collection[]): { center: [number, number]; zoom: number } | { bbox: Bbox } {
  const withExtent = collections
    .map((collection) => ({ collection, box: extent(collection) }))
    .filter(
      (item): item is { collection: Collection; box: Bbox } => item.box !== null && item.collection.citymap.count > 0,
    );
  if (withExtent.length === 0 || withExtent.some(({ box }) => holds(box, CORE))) {
    return { center: CORE, zoom: CORE_ZOOM };
  }
  const biggest = withExtent.reduce((best, item) =>
    item.collection.citymap.count > best.collection.citymap.count ? item : best,
  );
  return { bbox: biggest.box };
}
