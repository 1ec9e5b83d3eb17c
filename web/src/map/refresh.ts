import type { Map as MapLibre } from 'maplibre-gl';
import type { TilePlace } from '../live/touched';

/** How long until a tile that could not be asked for again at once is looked at again. */
const AGAIN_MS = 100;

const key = ({ z, x, y }: TilePlace) => `${z}/${x}/${y}`;

/**
 * Has single tiles of a source fetched again while the rest stays. `map.refreshTiles` does this for tiles in the picture that
 * are drawn; this does the rest. A tile that is still on its way may bring what was, and is asked for again once it is there
 * (two answers on their way at once might arrive in the wrong order). A tile that the map keeps for the way back is dropped.
 *
 * What the map keeps is no part of MapLibre's documented interface; its version is pinned, and the page's tests pan away
 * and back.
 */
export class Refresher {
  readonly #map: MapLibre;
  readonly #later = new Map<string, Set<string>>();
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** Sources whose new address the map did not follow yet. */
  readonly #held = new Set<string>();

  constructor(map: MapLibre) {
    this.#map = map;
    // A source that gets a new address while one of its layers gets a new filter is held until the next frame; the map then
    // draws its tiles anew, but forgets to fetch them.
    map.on('sourcedata', ({ sourceId, sourceDataType, sourceDataChanged }) => {
      if (sourceDataType !== 'content' || !sourceDataChanged) return;
      if (map.style?.tileManagers[sourceId]?._paused) this.#held.add(sourceId);
    });
    map.on('render', () => {
      for (const source of [...this.#held]) {
        const manager = map.style?.tileManagers[source];
        if (manager?._paused) continue;
        this.#held.delete(source);
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

  /** Ends it. */
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
