import type { LayerEvent } from '../lib/events';
import { type TilePlace, Touched } from './touched';

/** A tile's address: layer, zoom, column, row, and the version that lets a browser keep it for a year. */
const TILE = /\/tiles\/([^/?,]+)\/(\d+)\/(\d+)\/(\d+)\?rev=/;

/**
 * Which tiles the browser must not take from its cache. A layer's tiles are asked for by the version that the layer had when
 * the map began to show it; those that changes have touched since are asked for without it, so that the server is asked each
 * time whether they still hold. The untouched ones are what they were, and stay.
 */
export class StaleTiles {
  readonly #layers = new Map<string, Touched>();

  /** Takes note of an event. Gives the tiles it touched, or `null` where the layer must be asked for anew as a whole. */
  add(event: LayerEvent): Touched | null {
    const known = this.#layers.get(event.layer) ?? new Touched();
    const touched = new Touched();
    if (!touched.add(event) || !known.add(event)) return null;
    this.#layers.set(event.layer, known);
    return touched;
  }

  /** A layer is shown by a new version: nothing of it is stale. */
  reset(layer: string): void {
    this.#layers.delete(layer);
  }

  /** Whether a tile of a layer was touched since its version. */
  has(layer: string, tile: TilePlace): boolean {
    return this.#layers.get(layer)?.has(tile) ?? false;
  }

  /** The address under which to ask for what has the address `url`. */
  requestUrl(url: string): string {
    const [, layer, z, x, y] = TILE.exec(url) ?? [];
    if (!layer || !this.has(decodeURIComponent(layer), { z: Number(z), x: Number(x), y: Number(y) })) return url;
    return url.replace(/\?rev=[^&]*&/, '?').replace(/\?rev=[^&]*$/, '');
  }
}
