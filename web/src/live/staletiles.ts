/** The tiles that the browser's cache holds in a former state. */
import type { LayerEvent } from '../lib/events';
import { type TilePlace, Touched } from './touched';

/** A tile's address: layer, zoom, column, row, and the version that lets a browser cache it for a year. */
const TILE = /\/tiles\/([^/?,]+)\/(\d+)\/(\d+)\/(\d+)\?rev=/;

/**
 * The tiles that the browser must not take from its cache. A layer's tiles are requested by the version that the
 * layer had when the map first showed it. Those that have changed since are requested without a version, so that the
 * browser asks the server each time whether they are still current. All others stay in the cache.
 */
export class StaleTiles {
  readonly #layers = new Map<string, Touched>();

  /** Adds the tiles that an event touched, and returns them; `null` if the whole layer must be fetched again. */
  add(event: LayerEvent): Touched | null {
    const known = this.#layers.get(event.layer) ?? new Touched();
    const touched = new Touched();
    if (!touched.add(event) || !known.add(event)) return null;
    this.#layers.set(event.layer, known);
    return touched;
  }

  /** A layer is requested by a new version: none of its tiles are stale. */
  reset(layer: string): void {
    this.#layers.delete(layer);
  }

  /** Whether a tile of a layer has changed since its version. */
  has(layer: string, tile: TilePlace): boolean {
    return this.#layers.get(layer)?.has(tile) ?? false;
  }

  /** The address by which to request the tile at `url`: without its version if the tile is stale. */
  requestUrl(url: string): string {
    const [, layer, z, x, y] = TILE.exec(url) ?? [];
    if (!layer || !this.has(decodeURIComponent(layer), { z: Number(z), x: Number(x), y: Number(y) })) return url;
    return url.replace(/\?rev=[^&]*&/, '?').replace(/\?rev=[^&]*$/, '');
  }
}
