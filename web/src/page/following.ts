/** Keeps the page up to date with the data: the touched tiles, the layers' figures, and the features that are shown. */
import { type Collection, fetchCollection, fetchCollections, fetchRevision } from '../lib/api';
import { fetchChanges, type LayerEvent, type RevisionEvent } from '../lib/events';
import type { FeatureRef } from '../lib/permalink';
import { requestTime } from '../lib/requesttime';
import { serverUrl } from '../lib/root';
import { Feed } from '../live/feed';
import { boxesOf, type Touched } from '../live/touched';
import type { Layers } from './layers.svelte';

/** Changes to draw again after an outage, at most; a stream rarely outlives the network for long. */
const MISSED_MAX = 1000;
/** Layers, legends and answers are updated at most this often; tiles are updated at once. */
const UPDATE_MS = 1000;
const RETRY_MS = 5000;

/**
 * The same layers are announced again only after this time: the page does not announce the edits of a day one by one.
 */
const QUIET_MS = 15_000;

/** Fewer changed layers than this are read one by one. */
const FEW = 3;

/** How far from the point asked about a change may affect its answer, in degrees: about 50 m. */
const NEAR_DEG = 0.0005;

/** What following needs of the page besides its layers. */
export interface FollowingPort {
  /** The server can, or can no longer, be reached. */
  setReachable(reachable: boolean): void;
  /** Tells the user which layers have changed; `null`: all of them. */
  announce(layers: string[] | null): void;
  /** The point asked about (longitude, latitude in degrees) and the features that are listed for it. */
  shown(): { at: [number, number] | null; features: FeatureRef[] };
  /** The data changed; `answer` says whether what is shown of features may have changed too. */
  changed(answer: boolean): void;
}

/** The changes of a layer since the last update of the page. */
interface Pending {
  /** The layer changed as a whole: all of its tiles must be fetched again. */
  whole: boolean;
  events: LayerEvent[];
}

export class Following {
  /** Fetches the touched tiles of a layer again; set by the map. */
  redraw: ((layer: string, touched: Touched) => void) | null = null;

  readonly #layers: Layers;
  readonly #port: FollowingPort;
  readonly #feed: Feed;
  #reachable = true;
  /** Draws the tiles again that changed while the server could not be reached. */
  readonly #missed: (() => void)[] = [];
  #pending = new Map<string, Pending>();
  /** When the page was last updated, in milliseconds since 1970. */
  #updated = 0;
  #updating = false;
  /** The layers that were last announced, and when. */
  #announced = { layers: '', time: 0 };
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(layers: Layers, port: FollowingPort) {
    this.#layers = layers;
    this.#port = port;
    this.#feed = new Feed(
      {
        revision: (event) => this.#receive(event),
        lost: () => void this.#readAll(),
        reachable: (yes) => this.#setReachable(yes),
      },
      {
        open: (after) => new EventSource(serverUrl(`/api/events?since=${after}`)),
        changes: fetchChanges,
        newest: fetchRevision,
        hidden: () => document.hidden,
      },
    );
  }

  /** Follows what is committed after `revision`, which is the revision of the page's layers. */
  start(revision: number): void {
    requestTime.minRevision = revision;
    this.#pending.clear();
    this.#feed.start(revision);
    this.#feed.visibilityChanged();
  }

  /** The newest revision that was reported to the page. */
  get newest(): number {
    return this.#feed.last;
  }

  /** Checks at once whether the server can be reached: the browser reports that the network came or went. */
  check(): void {
    this.#feed.check();
  }

  /** The page came into sight or left it. */
  visibilityChanged(): void {
    this.#feed.visibilityChanged();
  }

  #receive(event: RevisionEvent): void {
    requestTime.minRevision = event.revision;
    // A former state does not change; the way back to the present reads everything again.
    if (requestTime.revision !== null) return;
    for (const layer of event.layers) {
      const touched = this.#layers.staleTiles.add(layer);
      const pending = this.#pending.get(layer.layer) ?? { whole: false, events: [] };
      pending.whole ||= touched === null;
      pending.events.push(layer);
      this.#pending.set(layer.layer, pending);
      if (touched) this.redraw?.(layer.layer, touched);
      // The stream may outlive the network: these tiles cannot be fetched now.
      if (touched && !this.#reachable && this.#missed.length < MISSED_MAX) {
        this.#missed.push(() => this.redraw?.(layer.layer, touched));
      }
      this.#layers.dropSeams(layer.layer, touched ? layer.features.map(({ fid }) => fid) : null);
    }
    this.#scheduleUpdate();
  }

  /** Tells the page; when the server can be reached again, fetches the tiles that could not be fetched before. */
  #setReachable(yes: boolean): void {
    this.#reachable = yes;
    this.#port.setReachable(yes);
    if (!yes) return;
    for (const redraw of this.#missed.splice(0)) redraw();
  }

  #scheduleUpdate(): void {
    if (this.#timer !== undefined || this.#updating) return;
    const wait = Math.max(0, this.#updated + UPDATE_MS - Date.now());
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      void this.#update();
    }, wait);
  }

  /** Reads the changed layers again, and updates everything that is shown of them. */
  async #update(): Promise<void> {
    const layers = this.#layers;
    const pending = this.#pending;
    this.#pending = new Map();
    this.#updating = true;
    try {
      const present = await this.#read([...pending.keys()]);
      // In the meantime the page may have gone to a former time, which these changes do not concern.
      if (requestTime.revision !== null) return;
      layers.all = present;
      this.#renew(present.filter(({ id }) => pending.get(id)?.whole || layers.tileVersions[id] === undefined));
      this.#announce([...pending.keys()]);
      this.#port.changed([...pending].some(([layer, { whole, events }]) => whole || this.#concerns(layer, events)));
    } catch {
      for (const [layer, { whole, events }] of pending) {
        const newer = this.#pending.get(layer);
        this.#pending.set(layer, {
          whole: whole || (newer?.whole ?? false),
          events: [...events, ...(newer?.events ?? [])],
        });
      }
      this.#updated = Date.now() + RETRY_MS - UPDATE_MS;
    } finally {
      this.#updating = false;
      this.#updated = Math.max(this.#updated, Date.now());
      if (this.#pending.size > 0) this.#scheduleUpdate();
    }
  }

  #announce(layers: string[]): void {
    const names = layers.join();
    if (names === this.#announced.layers && Date.now() - this.#announced.time < QUIET_MS) return;
    this.#announced = { layers: names, time: Date.now() };
    this.#port.announce(layers);
  }

  /** All layers as they are now, of which those in `changed` have changed. */
  async #read(changed: string[]): Promise<Collection[]> {
    const { all, byId } = this.#layers;
    if (changed.length < FEW && changed.every((id) => byId.has(id))) {
      const read = await Promise.all(changed.map(fetchCollection));
      const found = new Map(read.filter((layer) => layer !== null).map((layer) => [layer.id, layer]));
      if (found.size === changed.length) return all.map((layer) => found.get(layer.id) ?? layer);
    }
    return (await fetchCollections()).collections;
  }

  /** Requests all tiles of these layers by the versions they have now. */
  #renew(layers: Collection[]): void {
    this.#layers.renewTiles(layers);
    for (const { id } of layers) {
      // Changes that came while the layer was read may be newer than its version.
      for (const event of this.#pending.get(id)?.events ?? []) this.#layers.staleTiles.add(event);
    }
  }

  /** Whether the changes of a layer may have changed what is shown of features. */
  #concerns(layer: string, events: LayerEvent[]): boolean {
    const { at, features } = this.#port.shown();
    const shown = new Set(features.filter((feature) => feature.layer === layer).map(({ id }) => id));
    return events.some((event) => {
      if (event.features.some(({ id }) => shown.has(String(id)))) return true;
      const boxes = boxesOf(event);
      if (!boxes) return true;
      if (!at) return false;
      return boxes.some(
        ([west, south, east, north]) =>
          west - NEAR_DEG <= at[0] &&
          at[0] <= east + NEAR_DEG &&
          south - NEAR_DEG <= at[1] &&
          at[1] <= north + NEAR_DEG,
      );
    });
  }

  /** Reads everything as it is now: too many revisions were missed. */
  async #readAll(): Promise<void> {
    // The server may have another city's data now, where the revision of the former one means nothing.
    requestTime.minRevision = 0;
    try {
      if (requestTime.revision !== null) {
        this.start((await fetchRevision()) ?? this.newest);
        return;
      }
      this.start(await this.#layers.read());
      this.#port.announce(null);
      this.#port.changed(true);
    } catch {
      setTimeout(() => void this.#readAll(), RETRY_MS);
    }
  }
}
