/** One label for each named area, although each tile contains only a part of it. */
import { VectorTile } from '@mapbox/vector-tile';
import { PbfReader } from 'pbf';
import { type Bbox, type Collection, tileUrl } from '../lib/api';
import { boundsOf, innerPoint } from '../lib/geometry';
import { extent } from '../lib/home';
import { serverUrl } from '../lib/root';

/**
 * The label points of a layer's named areas. MapLibre labels a polygon once in each tile that contains a part of it,
 * so that a commune would show its name three times. Therefore each name gets a point, found once in a few tiles of a
 * low zoom: these contain nearly all areas whole, and of any other area the largest part is used.
 */
export async function areaLabels(collection: Collection): Promise<GeoJSON.FeatureCollection> {
  const { label } = collection.citymap;
  const box = extent(collection);
  if (!label || !box) return { type: 'FeatureCollection', features: [] };
  const best = new Map<string, { size: number; feature: GeoJSON.Feature }>();
  const answers = await Promise.all(
    tilesOver(box).map(async ([z, x, y]) => {
      const path = tileUrl(collection).replace('{z}', String(z)).replace('{x}', String(x)).replace('{y}', String(y));
      const response = await fetch(serverUrl(path));
      const bytes = response.status === 200 ? await response.arrayBuffer() : null;
      return { z, x, y, bytes };
    }),
  );
  for (const { z, x, y, bytes } of answers) {
    const layer = bytes ? new VectorTile(new PbfReader(bytes)).layers[collection.id] : undefined;
    for (let index = 0; layer && index < layer.length; index += 1) {
      const raw = layer.feature(index);
      const { geometry } = raw.toGeoJSON(x, y, z);
      const bounds = boundsOf(geometry);
      const point = innerPoint(geometry);
      const text = raw.properties[label];
      if (!bounds || !point || text === undefined || text === null) continue;
      const size = (bounds[2] - bounds[0]) * (bounds[3] - bounds[1]);
      const id = String(raw.id ?? text);
      if (size <= (best.get(id)?.size ?? 0)) continue;
      best.set(id, {
        size,
        feature: {
          type: 'Feature',
          geometry: { type: 'Point', coordinates: point },
          properties: { label: String(text), id: String(raw.properties._id ?? '') },
        },
      });
    }
  }
  return { type: 'FeatureCollection', features: [...best.values()].map((item) => item.feature) };
}

/** Tiles of a layer that its labels are found in, at most. */
const MAX_TILES = 4;

/** The tiles over a box at the deepest zoom, at most 10, at which there are no more than {@link MAX_TILES}. */
export function tilesOver([west, south, east, north]: Bbox): [z: number, x: number, y: number][] {
  for (let z = 10; z > 0; z -= 1) {
    const count = 2 ** z;
    const column = (lon: number) => Math.min(count - 1, Math.max(0, Math.floor(((lon + 180) / 360) * count)));
    const row = (lat: number) => {
      const sine = Math.sin((Math.max(-85, Math.min(85, lat)) * Math.PI) / 180);
      return Math.min(
        count - 1,
        Math.max(0, Math.floor((0.5 - Math.log((1 + sine) / (1 - sine)) / (4 * Math.PI)) * count)),
      );
    };
    const [left, right, top, bottom] = [column(west), column(east), row(north), row(south)];
    if ((right - left + 1) * (bottom - top + 1) > MAX_TILES) continue;
    const tiles: [number, number, number][] = [];
    for (let x = left; x <= right; x += 1) for (let y = top; y <= bottom; y += 1) tiles.push([z, x, y]);
    return tiles;
  }
  return [[0, 0, 0]];
}
