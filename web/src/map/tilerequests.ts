/**
 * One request for all layers of a tile.
 *
 * The style has a source for each layer, so that layers are switched, versioned and fetched again one by one. Asked for
 * one by one, their tiles would be a dozen requests for each place. The server answers for several layers at once
 * (`/tiles/{a},{b}/{z}/{x}/{y}`), so requests for one place that the map makes at the same time become one. What is
 * asked for alone (a layer that was switched on, a tile that an edit touched) is requested alone.
 */
import type { AddProtocolAction } from 'maplibre-gl';
import { TileSplitter } from './tilesplit';

/** The protocol of the map's requests that are gathered. */
export const TILE_PROTOCOL = 'citymap-tiles';
const SCHEME = `${TILE_PROTOCOL}://`;

/**
 * How long requests wait for those of other layers of their place, in milliseconds: until the map's worker has passed
 * none on for some time, but not for ever.
 */
const QUIET_MS = 50;
const LONGEST_MS = 1000;

/** The map announces all layers of a place at once. What it announced longer ago than this, it has given up. */
const ANNOUNCED_MS = 500;

/** At most this many places have announced layers at a time; the map shows fewer. */
const MAX_PLACES = 1000;

/** The address of a layer's tile: the server, layer, place, version, and the rest, which is the time of the data. */
const TILE = /^(.*)\/tiles\/([^/?,]+)\/(\d+\/\d+\/\d+)\?rev=([^&]*)(.*)$/;

interface TileAddress {
  server: string;
  layer: string;
  place: string;
  version: string;
  rest: string;
}

function read(url: string): TileAddress | null {
  const [, server = '', layer, place = '', version = '', rest = ''] = TILE.exec(url) ?? [];
  return layer === undefined ? null : { server, layer, place, version, rest };
}

/** What requests must have in common to become one. */
const meetingPoint = ({ server, place, rest }: TileAddress) => `${server} ${place} ${rest}`;

/** The address of one tile with several layers, which must have the same meeting point. */
export function joinedAddress(urls: string[]): string {
  const parts = urls.map(read).filter((part) => part !== null);
  const first = parts[0];
  if (!first || parts.length < urls.length) throw new Error(`not addresses of tiles: ${urls.join(' ')}`);
  const layers = parts.map(({ layer }) => layer).join(',');
  const versions = parts.map(({ version }) => version).join('.');
  return `${first.server}/tiles/${layers}/${first.place}?rev=${versions}${first.rest}`;
}

/** One part of the map that waits for a layer's tile. */
interface Waiting {
  resolve: (data: ArrayBuffer) => void;
  reject: (error: Error) => void;
  signal: AbortSignal;
}

/** Requests for one place that are gathered. */
interface Gathering {
  waiting: Map<string, Waiting[]>;
  since: number;
}

/** Gathers the map's requests for tiles. */
export class TileRequests {
  /** How often the map announced each address of a place, and when it announced the first. */
  readonly #announced = new Map<string, { urls: Map<string, number>; time: number }>();
  readonly #gathering = new Map<string, Gathering>();
  #timer: ReturnType<typeof setTimeout> | undefined;
  readonly #order: (layer: string) => number;

  /** `order` says how much a layer matters, the smallest number first: the server writes the layers in this order. */
  constructor(order: (layer: string) => number) {
    this.#order = order;
  }

  /**
   * The address by which the map is to request a layer's tile, so that {@link load} gets the request; `url` itself if
   * it has no version and must be requested alone.
   */
  announce(url: string): string {
    const address = read(url);
    if (!address) return url;
    const key = meetingPoint(address);
    const now = Date.now();
    let announced = this.#announced.get(key);
    if (!announced || now - announced.time > ANNOUNCED_MS) {
      announced = { urls: new Map(), time: now };
      this.#announced.delete(key);
      this.#announced.set(key, announced);
      const [oldest] = this.#announced.keys();
      if (this.#announced.size > MAX_PLACES && oldest !== undefined) this.#announced.delete(oldest);
    }
    announced.urls.set(url, (announced.urls.get(url) ?? 0) + 1);
    return `${SCHEME}${url}`;
  }

  /** Answers the map's requests for the addresses that {@link announce} gave it. */
  readonly load: AddProtocolAction = ({ url }, { signal }) => {
    const own = url.slice(SCHEME.length);
    const address = read(own);
    if (!address) return Promise.reject(new Error(`not the address of a tile: ${own}`));
    const key = meetingPoint(address);
    return new Promise((resolve, reject) => {
      const gathering = this.#gathering.get(key) ?? { waiting: new Map<string, Waiting[]>(), since: Date.now() };
      this.#gathering.set(key, gathering);
      // Above the deepest zoom several tiles of the map show one of the server's.
      const same = gathering.waiting.get(own) ?? [];
      same.push({ resolve: (data) => resolve({ data }), reject, signal });
      gathering.waiting.set(own, same);
      const announced = [...(this.#announced.get(key)?.urls ?? [])];
      const complete = announced.every(([other, times]) => (gathering.waiting.get(other)?.length ?? 0) >= times);
      if (complete) this.#send(key);
      else if (Date.now() - gathering.since > LONGEST_MS) this.#sendAll();
      else this.#sendWhenQuiet();
    });
  };

  #sendWhenQuiet(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      // If the page was busy, requests that have arrived in the meantime are passed on first.
      this.#timer = setTimeout(() => this.#sendAll(), 0);
    }, QUIET_MS);
  }

  #sendAll(): void {
    for (const key of [...this.#gathering.keys()]) this.#send(key);
  }

  #send(key: string): void {
    const gathering = this.#gathering.get(key);
    if (!gathering) return;
    this.#gathering.delete(key);
    this.#announced.delete(key);
    const order = (url: string) => this.#order(decodeURIComponent(read(url)?.layer ?? ''));
    const urls = [...gathering.waiting.keys()].sort((a, b) => order(a) - order(b));
    void fetchTile(new Map(urls.map((url) => [url, gathering.waiting.get(url) ?? []])));
  }
}

/** Fetches the tiles of several layers of one place, and gives each to those who wait for it. */
async function fetchTile(waiting: Map<string, Waiting[]>): Promise<void> {
  const abort = new AbortController();
  const urls = [...waiting.keys()];
  const url = joinedAddress(urls);
  const all = [...waiting.values()].flat();
  for (const { signal, reject } of all) {
    const aborted = () => {
      reject(new Error(`the tile is no longer needed: ${url}`));
      if (all.every((other) => other.signal.aborted)) abort.abort();
    };
    if (signal.aborted) aborted();
    else signal.addEventListener('abort', aborted, { once: true });
  }
  try {
    const response = await fetch(url, { signal: abort.signal });
    // A layer of them may be gone, or the server may take fewer layers at once: each is asked for by itself.
    if (response.status >= 400 && response.status < 500 && urls.length > 1) {
      await response.body?.cancel();
      for (const [own, waits] of waiting) void fetchTile(new Map([[own, waits]]));
      return;
    }
    if (!response.ok) throw new Error(`HTTP ${response.status} for ${url}`);
    await deliver(response, waiting);
  } catch (error) {
    const failure = error instanceof Error ? error : new Error(String(error));
    for (const { reject } of all) reject(failure);
  }
}

/** Gives each layer of an answer to those who wait for it as soon as it has arrived, empty ones at the end. */
async function deliver(response: Response, waiting: Map<string, Waiting[]>): Promise<void> {
  const missing = new Map([...waiting].map(([url, waits]) => [decodeURIComponent(read(url)?.layer ?? ''), waits]));
  const give = (layer: string, bytes: Uint8Array<ArrayBuffer>) => {
    const waits = missing.get(layer) ?? [];
    missing.delete(layer);
    // The map moves the bytes to its worker, so each gets its own.
    for (const { resolve } of waits) resolve(bytes.slice().buffer);
  };
  const splitter = new TileSplitter();
  const body = response.body?.getReader();
  for (let part = await body?.read(); part && !part.done; part = await body?.read()) {
    for (const { name, bytes } of splitter.push(part.value)) give(name, bytes);
  }
  splitter.end();
  for (const layer of [...missing.keys()]) give(layer, new Uint8Array(0));
}
