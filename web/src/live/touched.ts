/** The tiles that a change has touched. */
import type { Bbox } from '../lib/api';
import type { LayerEvent } from '../lib/events';

/** A tile by zoom, column and row (XYZ). */
export interface TilePlace {
  z: number;
  x: number;
  y: number;
}

/** With more tiles or boxes than this the whole layer is fetched again, which is cheaper than the list. */
const MAX_TILES = 50_000;
const MAX_BOXES = 2000;

/** The deepest zoom of which the feed lists tiles and the map requests them. */
const DEEPEST = 18;

/** The margin of a tile, as a share of its width: not less than that of the server's tiles. */
const BUFFER = 1 / 16;

const key = ({ z, x, y }: TilePlace) => `${z}/${x}/${y}`;

/** A box in the unit square of Web Mercator, y downwards. */
interface Square {
  west: number;
  north: number;
  east: number;
  south: number;
  /** The zooms of which the box replaces the list of tiles. */
  zooms: Set<number>;
}

const column = (lon: number) => (lon + 180) / 360;
function row(lat: number): number {
  const sine = Math.sin((Math.max(-85.0511, Math.min(85.0511, lat)) * Math.PI) / 180);
  return 0.5 - Math.log((1 + sine) / (1 - sine)) / (4 * Math.PI);
}

function square([west, south, east, north]: Bbox, zooms: Set<number>): Square {
  return { west: column(west), east: column(east), north: row(north), south: row(south), zooms };
}

/** The tiles of a layer that changes have touched: as a list, or as boxes at zooms where they are too many to list. */
export class Touched {
  readonly #tiles = new Set<string>();
  #boxes: Square[] = [];

  /** Adds the tiles that an event touched. Returns `false` if the whole layer counts as touched. */
  add(event: LayerEvent): boolean {
    if (event.whole || event.truncated) return false;
    const unlisted = new Set<number>();
    for (let z = 0; z <= DEEPEST; z += 1) {
      const list = event.tiles?.[z];
      if (!list) unlisted.add(z);
      else for (const [x, y] of list) this.#tiles.add(key({ z, x, y }));
    }
    if (unlisted.size > 0) {
      const boxes = boxesOf(event);
      if (!boxes) return false;
      this.#boxes = [...this.#boxes, ...boxes.map((box) => square(box, unlisted))];
    }
    return this.#tiles.size <= MAX_TILES && this.#boxes.length <= MAX_BOXES;
  }

  /** Whether a tile was touched. */
  has(tile: TilePlace): boolean {
    return this.#tiles.has(key(tile)) || this.#boxes.some((box) => box.zooms.has(tile.z) && meets(box, tile));
  }
}

/** The boxes, before and after, of all features that an event touched; `null` if it does not list them. */
export function boxesOf(event: LayerEvent): Bbox[] | null {
  if (event.whole || event.truncated) return null;
  if (event.features.length > 0) {
    return event.features.flatMap(({ bbox, before }) => [bbox, before].filter((box) => box != null));
  }
  if (event.bbox) return [event.bbox];
  // No feature with a geometry was touched.
  return event.added + event.changed + event.removed === 0 ? [] : null;
}

function meets(box: Square, { z, x, y }: TilePlace): boolean {
  const count = 2 ** z;
  return (
    box.west * count <= x + 1 + BUFFER &&
    box.east * count >= x - BUFFER &&
    box.north * count <= y + 1 + BUFFER &&
    box.south * count >= y - BUFFER
  );
}
