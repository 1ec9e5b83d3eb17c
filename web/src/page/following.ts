import { type Collection, fetchCollection, fetchCollections, fetchRevision } from '../lib/api';
import { fetchChanges, type LayerEvent, type RevisionEvent } from '../lib/events';
import { titleText } from '../lib/format';
import { requestTime } from '../lib/requesttime';
import { Feed } from '../live/feed';
import { StaleTiles } from '../live/staletiles';
import { boxesOf, type Touched } from '../live/touched';
import type { App } from './app.svelte';

/** Layers, legends and answers follow at most this often; tiles follow at once. */
const SETTLE_MS = 1000;
const RETRY_MS = 5000;

/** The same layers are not named again before so long: a day's work of others is not announced edit by edit. */
const QUIET_MS = 15_000;

/** Fewer changed layers than this are read one by one. */
const FEW = 3;

/** How far around the point asked about a change concerns its answer, in degrees: about 50 m. */
const NEAR = 0.0005;

/** Keeps the page in step with the record: the touched tiles, the layers' figures, and what is shown of features. */
export class Following {
  readonly news = new StaleTiles();
  /** Draws the touched tiles of a layer anew; the map sets it. */
  redraw: ((layer: string, touched: Touched) => void) | null = null;

  readonly #app: App;
  readonly #feed: Feed;
  /** Layers that changed since the page settled last, and whether as a whole. */
  #pending = new Map<string, { whole: boolean; events: LayerEvent[] }>();
  #settled = 0;
  #settling = false;
  /** What was announced last, and when. */
  #noted = { names: '', time: 0 };
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(app: App) {
    this.#app = app;
    this.#feed = new Feed(
      {
        revision: (event) => this.#take(event),
        lost: () => void this.#readAnew(),
        reachable: (yes) => this.#reachable(yes),
      },
      {
        open: (after) => new EventSource(`/api/events?since=${after}`),
        changes: fetchChanges,
        newest: fetchRevision,
        hidden: () => document.hidden,
      },
    );
  }

  /** Follows what comes after `revision`, of which the page's layers are. */
  start(revision: number): void {
    requestTime.minRevision = revision;
    this.#pending.clear();
    this.#feed.start(revision);
    this.#feed.visibility();
  }

  /** The newest revision that was told of. */
  get newest(): number {
    return this.#feed.last;
  }

  /** The browser says that the network came or went. */
  check(): void {
    this.#feed.check();
  }

  /** The page came into sight or left it. */
  visibility(): void {
    this.#feed.visibility();
  }

  #reachable(yes: boolean): void {
    this.#app.offline = !yes;
    if (yes) this.#app.say(this.#app.words.online);
  }

  #take(event: RevisionEvent): void {
    requestTime.minRevision = event.revision;
    // What is shown of a former time does not change; the way back reads all anew.
    if (requestTime.revision !== null) return;
    for (const layer of event.layers) {
      const touched = this.news.note(layer);
      const pending = this.#pending.get(layer.layer) ?? { whole: false, events: [] };
      pending.whole ||= touched === null;
      pending.events.push(layer);
      this.#pending.set(layer.layer, pending);
      if (touched) this.redraw?.(layer.layer, touched);
      this.#app.forgetSeams(layer.layer, touched ? layer.features.map(({ fid }) => fid) : null);
    }
    this.#settleSoon();
  }

  #settleSoon(): void {
    if (this.#timer !== undefined || this.#settling) return;
    const wait = Math.max(0, this.#settled + SETTLE_MS - Date.now());
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      void this.#settle();
    }, wait);
  }

  /** Brings the layers' figures and all that is shown of features to the changes that came. */
  async #settle(): Promise<void> {
    const app = this.#app;
    const pending = this.#pending;
    this.#pending = new Map();
    this.#settling = true;
    try {
      const present = await this.#read([...pending.keys()]);
      // Meanwhile the page may have gone to a former time, where all this means nothing.
      if (requestTime.revision !== null) return;
      app.collections = present;
      const whole = [...pending].filter(([, { whole }]) => whole).map(([id]) => id);
      this.#renew(present.filter(({ id }) => whole.includes(id) || app.versions[id] === undefined));
      this.#announce([...pending.keys()]);
      void app.nameAreas();
      app.changes += 1;
      if ([...pending].some(([layer, { whole, events }]) => whole || this.#concerns(layer, events))) void app.refresh();
      void app.tools.ask();
    } catch {
      for (const [layer, { whole, events }] of pending) {
        const newer = this.#pending.get(layer);
        this.#pending.set(layer, {
          whole: whole || (newer?.whole ?? false),
          events: [...events, ...(newer?.events ?? [])],
        });
      }
      this.#settled = Date.now() + RETRY_MS - SETTLE_MS;
    } finally {
      this.#settling = false;
      this.#settled = Math.max(this.#settled, Date.now());
      if (this.#pending.size > 0) this.#settleSoon();
    }
  }

  /** A quiet note. It does not take the place of one that says what went wrong. */
  #announce(layers: string[]): void {
    const app = this.#app;
    const names = layers.map((id) => titleText(app.byId.get(id)?.citymap.titles, app.lang, id)).join(', ');
    if (names === this.#noted.names && Date.now() - this.#noted.time < QUIET_MS) return;
    this.#noted = { names, time: Date.now() };
    if (app.note?.kind !== 'error') app.say(app.words.updated(names));
  }

  /** All layers, of which these changed. */
  async #read(changed: string[]): Promise<Collection[]> {
    const { byId, collections } = this.#app;
    if (changed.length < FEW && changed.every((id) => byId.has(id))) {
      const read = await Promise.all(changed.map(fetchCollection));
      const found = new Map(read.filter((item) => item !== null).map((item) => [item.id, item]));
      if (found.size === changed.length) return collections.map((item) => found.get(item.id) ?? item);
    }
    return (await fetchCollections()).collections;
  }

  /** Has all tiles of layers asked for by the version they have now. */
  #renew(layers: Collection[]): void {
    if (layers.length === 0) return;
    const versions = layers.map(({ id, citymap }) => [id, citymap.tilesVersion] as const);
    this.#app.versions = { ...this.#app.versions, ...Object.fromEntries(versions) };
    for (const { id } of layers) {
      this.news.renew(id);
      // What came while the layer was read may be newer than its version.
      for (const event of this.#pending.get(id)?.events ?? []) this.news.note(event);
    }
  }

  /** Whether a layer's changes may have changed what is shown of features. */
  #concerns(layer: string, events: LayerEvent[]): boolean {
    const { at, hits } = this.#app;
    const shown = new Set(hits.filter((hit) => hit.layer === layer).map((hit) => String(hit.feature.id)));
    return events.some((event) => {
      if (event.features.some(({ id }) => shown.has(String(id)))) return true;
      const boxes = boxesOf(event);
      if (!boxes) return true;
      if (!at) return false;
      return boxes.some(
        ([west, south, east, north]) =>
          west - NEAR <= at[0] && at[0] <= east + NEAR && south - NEAR <= at[1] && at[1] <= north + NEAR,
      );
    });
  }

  /** Reads all as it is now: too much was missed. */
  async #readAnew(): Promise<void> {
    const app = this.#app;
    // Of another record, the former one's number says nothing.
    requestTime.minRevision = 0;
    try {
      if (requestTime.revision !== null) {
        this.start((await fetchRevision()) ?? this.newest);
        return;
      }
      const revision = await app.readLayers();
      this.start(revision);
      app.say(app.words.updated(app.words.allLayers));
      app.changes += 1;
      void app.refresh();
      void app.tools.ask();
    } catch {
      setTimeout(() => void this.#readAnew(), RETRY_MS);
    }
  }
}
