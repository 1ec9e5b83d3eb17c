/** Where the first picture looks, and which tiles it needs. */
import { freeMiddle, type Insets } from '../lib/insets';
import type { Camera } from '../lib/permalink';

/** A view of the map in pixels: a position of the world is drawn at its {@link place} minus `origin`. */
export interface Sight {
  zoom: number;
  /** The width of the whole world in pixels. */
  world: number;
  /** The place of the upper left corner. */
  origin: [number, number];
  width: number;
  height: number;
}

/** A tile by zoom, column and row, with its upper left corner and its width in pixels of the sight. */
export interface SightTile {
  z: number;
  x: number;
  y: number;
  left: number;
  top: number;
  size: number;
}

/** Pixels to a side of a tile at its own zoom level, as the map draws it. */
const TILE_PX = 512;

/**
 * The tiles are of this zoom level at most: they have main roads and collectors, but no local streets, which have most
 * of the bytes. Tiles of a lower level than the map's would show rivers as a few pixels.
 */
const FAR_ZOOM = 12;

/** The place of a position in a world of this width, in pixels from the world's upper left corner. */
export function place([lon, lat]: [number, number], world: number): [number, number] {
  const sine = Math.sin((lat * Math.PI) / 180);
  return [((lon + 180) / 360) * world, (0.5 - Math.log((1 + sine) / (1 - sine)) / (4 * Math.PI)) * world];
}

/**
 * The view of a screen of this size. `camera` is shown in its middle; the city's own view, where panels cover a part of
 * the screen, in the middle of the rest.
 */
export function sightOf(
  view: Pick<Camera, 'lon' | 'lat' | 'zoom'>,
  [width, height]: [number, number],
  covered: Insets | null,
): Sight {
  const world = TILE_PX * 2 ** view.zoom;
  const [x, y] = place([view.lon, view.lat], world);
  const [middleX, middleY] = freeMiddle(width, height, covered ?? { left: 0, top: 0, right: 0, bottom: 0 });
  return { zoom: view.zoom, world, origin: [x - middleX, y - middleY], width, height };
}

/** The tiles that the first picture is drawn from: coarser than those of the map, so that there are few. */
export function sightTiles({ zoom, world, origin, width, height }: Sight): SightTile[] {
  const z = Math.max(0, Math.min(FAR_ZOOM, Math.floor(zoom)));
  const count = 2 ** z;
  const size = world / count;
  const tiles: SightTile[] = [];
  const within = (value: number) => Math.max(0, Math.min(count - 1, Math.floor(value / size)));
  for (let y = within(origin[1]); y <= within(origin[1] + height - 1); y += 1) {
    for (let x = within(origin[0]); x <= within(origin[0] + width - 1); x += 1) {
      tiles.push({ z, x, y, left: x * size - origin[0], top: y * size - origin[1], size });
    }
  }
  return tiles;
}
