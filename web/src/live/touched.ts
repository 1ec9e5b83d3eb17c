import type { Bbox } from '../lib/api';
import type { LayerEvent } from '../lib/events';

/** A tile by zoom, column and row (XYZ). */
export interface TilePlace {
  z: number;
  x: number;
  y: number;
}

/** Beyond so many tiles or boxes a layer is asked for anew as a whole: that is cheaper than the list. */
const MOST_TILES = 50_000;
const MOST_BOXES = 2000;

/** The deepest zoom that the feed lists tiles of, and the map asks for. */
const DEEPEST = 18;

/** What a tile holds of its neighbours, as a share of its width: at least what the server's tiles have. */
const BUFFER = 1 / 16;

const key = ({ z, x, y }: TilePlace) => `${z}/${x}/${y}`;

/** A box in the unit square of Web Mercator, y downwards. */
interface Square {
  west: number;
  north: number;
  east: number;
  south: number;
  /** The zooms at which it stands for the tiles. */
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

/** The tiles of one layer that changes have touched: by list, or by box where a zoom has too many to list. */
export class Touched {
  readonly #tiles = new Set<string>();
  #boxes: Square[] = [];

  /** Adds what an event touched. `false`: it cannot be told, or is too much; the whole layer counts. */
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
    return this.#tiles.size <= MOST_TILES && this.#boxes.length <= MOST_BOXES;
  }

  /** Whether a tile is among them. */
  has(tile: TilePlace): boolean {
    return this.#tiles.has(key(tile)) || this.#boxes.some((box) => box.zooms.has(tile.z) && meets(box, tile));
  }
}

/** The boxes, old and new, of all that an event touched; `null` where it does not tell. */
export function boxesOf(event: LayerEvent): Bbox[] | null {
  if (event.whole || event.truncated) return null;
  if (event.features.length > 0) {
    return event.features.flatMap(({ bbox, before }) => [bbox, before].filter((box) => box != null));
  }
  if (event.bbox) return [event.bbox];
  // Nothing was touched that has a place.
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
