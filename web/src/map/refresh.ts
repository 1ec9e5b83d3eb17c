/** Fetching single tiles of the map again. */
import type { Map as MapLibre } from 'maplibre-gl';
import type { TilePlace } from '../live/touched';

/** When a tile that could not be fetched at once is tried again. */
const AGAIN_MS = 100;

const key = ({ z, x, y }: TilePlace) => `${z}/${x}/${y}`;

/**
 * Fetches single tiles of a source again while all others stay. `map.refreshTiles` does so for tiles that are drawn;
 * this does the rest. A tile that is still loading may arrive in its former state: it is requested again once it has
 * arrived, because two answers at a time could arrive in the wrong order. A tile that the map keeps outside the view
 * is dropped.
 *
 * The tiles that the map keeps are not part of MapLibre's documented interface. Its version is pinned, and the page's
 * tests pan away and back.
 */
export class Refresher {
  readonly #map: MapLibre;
  readonly #later = new Map<string, Set<string>>();
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** Sources with a new address whose tiles the map has not requested yet. */
  readonly #paused = new Set<string>();

  constructor(map: MapLibre) {
    this.#map = map;
    // If a source gets a new address while one of its layers gets a new filter, MapLibre pauses the source until the
    // next frame. It then draws the tiles again, but does not request them.
    map.on('sourcedata', ({ sourceId, sourceDataType, sourceDataChanged }) => {
      if (sourceDataType !== 'content' || !sourceDataChanged) return;
      if (map.style?.tileManagers[sourceId]?._paused) this.#paused.add(sourceId);
    });
    map.on('render', () => {
      for (const source of [...this.#paused]) {
        const manager = map.style?.tileManagers[source];
        if (manager?._paused) continue;
        this.#paused.delete(source);
        if (manager) map.refreshTiles(source);
      }
    });
  }

  /** Fetches again the tiles of a source for which `touched` holds. */
  refresh(source: string, touched: (tile: TilePlace) => boolean): void {
    const manager = this.#map.style?.tileManagers[source];
    if (!manager) return;
    manager._outOfViewCache.filter((tile) => !touched(tile.tileID.canonical));
    const now: TilePlace[] = [];
    for (const tile of manager._inViewTiles.getAllTiles()) {
      const place = tile.tileID.canonical;
      if (!touched(place)) continue;
      if (tile.state === 'errored' || (tile.state === 'loaded' && tile.isRenderable(false))) now.push(place);
      else this.#again(source, place);
    }
    if (now.length > 0) this.#map.refreshTiles(source, now);
  }

  /** Ends all waiting; nothing is fetched any more. */
  stop(): void {
    clearTimeout(this.#timer);
  }

  #again(source: string, place: TilePlace): void {
    const waiting = this.#later.get(source) ?? new Set<string>();
    waiting.add(key(place));
    this.#later.set(source, waiting);
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      const later = [...this.#later];
      this.#later.clear();
      for (const [id, keys] of later) this.refresh(id, (tile) => keys.has(key(tile)));
    }, AGAIN_MS);
  }
}
