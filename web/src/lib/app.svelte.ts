import { classify } from '../map/classify';
import { look, type ThemeName } from '../map/look';
import { findSeams, type Piece, type SeamLabel } from '../map/seams';
import { selectionData } from '../map/selection';
import { reachData, type Sketch, sketchData } from '../map/sketching';
import { buildStyle } from '../map/style';
import {
  ApiError,
  type AtAnswer,
  type Collection,
  type Feature,
  fetchAt,
  fetchCollections,
  fetchItem,
  fetchRevision,
} from './api';
import { lengthText, number } from './format';
import { CORE } from './home';
import { type Lang, MESSAGES } from './i18n';
import { innerPoint } from './inner';
import { withRoads } from './roadsat';
import { type FeatureRef, type Link, readLink, type View, writeLink } from './permalink';
import { type Mode, Tools } from './tools.svelte';

/** A short message at the page's foot; `lasting` ones stay until their cause is gone. */
export interface Note {
  text: string;
  kind: 'info' | 'error' | 'offline';
}

/** One thing found at the point asked about. */
export interface Hit {
  layer: string;
  feature: Feature;
}

/** Half the widest carriageway in metres. */
const HALF_WIDEST_ROAD = 20;

const POLL_MS = 5000;
const NOTE_MS = 6000;

/**
 * The page's state and what may be done to it. Components read it and call its methods; the map's style and the page's
 * address follow from it.
 */
export class App {
  collections = $state.raw<Collection[]>([]);
  status = $state<'loading' | 'ready' | 'failed'>('loading');
  offline = $state(false);
  note = $state<Note | null>(null);

  lang = $state<Lang>('vi');
  theme = $state<ThemeName>('light');
  tab = $state<'layers' | 'selected' | 'tools'>('layers');
  panelOpen = $state(true);
  panelWidth = $state(368);
  /** On a phone: how far the panel has risen, 0 a strip, 1 half, 2 nearly all. */
  sheet = $state<0 | 1 | 2>(0);

  hidden = $state<Record<string, boolean>>({});
  opacity = $state<Record<string, number>>({});
  view = $state.raw<View | null>(null);
  pointer = $state.raw<[number, number] | null>(null);
  mapBusy = $state(false);
  /** Codes of each layer that are in the picture, for the legend. */
  inView = $state.raw<Record<string, string[]>>({});
  /** Layers whose details stand open. */
  open = $state<Record<string, boolean>>({});

  /** Parcels on tile seams, which are labelled by points; by layer. */
  seams = $state.raw<Record<string, Map<number, SeamLabel>>>({});
  /** Label points of named areas, by layer. */
  areaLabels = $state.raw<Record<string, GeoJSON.FeatureCollection>>({});

  at = $state.raw<[number, number] | null>(null);
  answer = $state.raw<AtAnswer | null>(null);
  asking = $state(false);
  askError = $state<string | null>(null);
  selected = $state.raw<FeatureRef | null>(null);
  /** The selected feature where the answer at the point does not hold it (a link, a search result). */
  extra = $state.raw<Hit | null>(null);

  /** Measuring and statistics: while one is on, clicks on the map are its. */
  readonly tools = new Tools();

  words = $derived(MESSAGES[this.lang]);
  byId = $derived(new Map(this.collections.map((collection) => [collection.id, collection])));
  hits = $derived(this.#hits());
  selectedHit = $derived(
    this.hits.find((hit) => hit.layer === this.selected?.layer && String(hit.feature.id) === this.selected?.id) ?? null,
  );
  selectionShape = $derived(
    selectionData(this.selectedHit?.feature.geometry ?? null, this.at, (metres) =>
      number(metres, this.lang, metres < 100 ? 2 : 1, true),
    ),
  );
  sketch = $derived<Sketch | null>(
    this.tools.mode
      ? {
          points: this.tools.points,
          closed: this.tools.closed,
          done: this.tools.done,
          grid: this.tools.grid,
        }
      : null,
  );
  sketchShape = $derived(sketchData(this.sketch, (metres) => lengthText(metres, this.lang)));
  /** The piece from the sketch's last point to the pointer: it moves too often to be part of the style. */
  reachShape = $derived(reachData(this.sketch, this.pointer, (metres) => lengthText(metres, this.lang)));
  style = $derived(
    buildStyle({
      collections: this.collections,
      shown: (id) => !this.hidden[id],
      opacity: (id) => (this.opacity[id] ?? 100) / 100,
      theme: this.theme,
      lang: this.lang,
      origin: location.origin,
      selection: this.selectionShape,
      sketch: this.sketchShape,
      areaLabels: this.areaLabels,
      seams: this.seams,
      lat: this.#latitude(),
    }),
  );
  colors = $derived(look(this.theme));

  #revision: number | null = null;
  /** The state of the tiles of each layer whose areas bear their names already. */
  #named = new Map<string, string>();
  #misses = 0;
  #request: AbortController | null = null;
  #noteTimer: ReturnType<typeof setTimeout> | undefined;

  constructor() {
    const dark = matchMedia('(prefers-color-scheme: dark)').matches;
    const link = readLink(location.hash);
    this.theme = link.theme ?? (dark ? 'dark' : 'light');
    this.lang = link.lang ?? 'vi';
    this.view = link.view ?? null;
  }

  /** Loads the layers, then what the address asks for; tries again by itself while the server does not answer. */
  async start(): Promise<void> {
    try {
      this.collections = await fetchCollections();
      this.status = 'ready';
      void this.#nameAreas();
      this.#revision = await fetchRevision();
      const parcels = this.collections.find((collection) => collection.citymap.role === 'parcel');
      if (parcels) this.open[parcels.id] = true;
      await this.apply(readLink(location.hash));
    } catch {
      this.status = 'failed';
    }
  }

  /** Makes the page what `link` says. */
  async apply(link: Link): Promise<void> {
    if (link.lang) this.lang = link.lang;
    if (link.theme) this.theme = link.theme;
    this.hidden = Object.fromEntries(link.off.map((id) => [id, true]));
    this.opacity = { ...link.opacity };
    if (link.at) await this.ask(link.at, link.selected ?? null);
    else if (link.selected) await this.show(link.selected);
    else this.#forget();
  }

  /** The page's address as it should be now. */
  link(): Link {
    return {
      view: this.view ?? undefined,
      on: [],
      off: Object.keys(this.hidden).filter((id) => this.hidden[id]),
      opacity: { ...this.opacity },
      at: this.at ?? undefined,
      selected: this.selected ?? undefined,
      lang: this.lang,
      theme: this.theme,
    };
  }

  /** Writes the address: in place, or as a new step that the back button undoes. */
  remember(step: boolean): void {
    const url = writeLink(this.link());
    if (url === location.hash) return;
    if (step) history.pushState(null, '', url);
    else history.replaceState(null, '', url);
  }

  /** Asks what is at `point` (longitude, latitude) and selects `prefer`, or the nearest. */
  async ask(point: [number, number], prefer: FeatureRef | null = null): Promise<void> {
    const signal = this.#begin();
    this.at = point;
    this.selected = prefer;
    this.extra = null;
    try {
      const [answer, roads] = await Promise.all([
        fetchAt(point[0], point[1], this.tolerance(), signal),
        this.#roadsAt(point, signal),
      ]);
      this.answer = withRoads(answer, roads);
      const found = this.#hits();
      if (prefer && !found.some((hit) => hit.layer === prefer.layer && String(hit.feature.id) === prefer.id)) {
        this.extra = { layer: prefer.layer, feature: await fetchItem(prefer.layer, prefer.id, signal) };
      }
      const first = found[0];
      if (!prefer) this.selected = first ? { layer: first.layer, id: String(first.feature.id) } : null;
      this.asking = false;
    } catch (error) {
      this.#failed(error, signal);
    }
  }

  /** Selects a feature by its layer and id, and asks what else is at a point inside it. */
  async show(ref: FeatureRef): Promise<void> {
    const signal = this.#begin();
    try {
      const feature = await fetchItem(ref.layer, ref.id, signal);
      const point = innerPoint(feature.geometry);
      if (point) {
        await this.ask(point, ref);
        return;
      }
      this.at = null;
      this.answer = null;
      this.extra = { layer: ref.layer, feature };
      this.selected = ref;
      this.asking = false;
    } catch (error) {
      this.#failed(error, signal);
    }
  }

  /** Chooses among what was found; `null` closes all. */
  choose(ref: FeatureRef | null): void {
    this.selected = ref;
    this.remember(true);
  }

  /** Begins a tool: clicks on the map are its until it is left. */
  begin(mode: Mode): void {
    this.tools.start(mode);
    this.tab = 'tools';
    this.panelOpen = true;
    // On a phone the map is needed now, not the panel.
    this.sheet = 0;
  }

  /** One step back: what a tool drew goes, then the tool, then the selection. Says whether there was any. */
  back(): boolean {
    if (this.tools.back()) return true;
    if (!this.at && !this.selected) return false;
    this.#forget();
    this.remember(true);
    return true;
  }

  /** Takes note of the drawn pieces of a layer: those in several tiles are labelled once from now on. */
  noteSeams(layer: string, pieces: Piece[]): void {
    const known = this.seams[layer] ?? new Map<number, SeamLabel>();
    const seams = findSeams(pieces, known);
    if (seams !== known) this.seams = { ...this.seams, [layer]: seams };
  }

  /** Metres around a click that count as a hit on points and lines: 8 pixels, within what the server allows. */
  tolerance(): number {
    const zoom = this.view?.zoom ?? 14;
    const lat = ((this.at ?? CORE)[1] * Math.PI) / 180;
    return Math.min(500, (8 * 40_075_016.686 * Math.cos(lat)) / (512 * 2 ** zoom));
  }

  /** A short note that goes by itself. */
  say(text: string, kind: Note['kind'] = 'info'): void {
    clearTimeout(this.#noteTimer);
    this.note = { text, kind };
    this.#noteTimer = setTimeout(() => {
      this.note = null;
    }, NOTE_MS);
  }

  /** Copies `text` and says so. */
  async copy(text: string): Promise<void> {
    try {
      await navigator.clipboard.writeText(text);
      this.say(`${this.words.copied}: ${text}`);
    } catch {
      this.say(this.words.copyFailed, 'error');
    }
  }

  /** Looks for newer data now and then; gives the way to stop. */
  follow(): () => void {
    const timer = setInterval(() => {
      if (!document.hidden) void this.#poll();
    }, POLL_MS);
    return () => clearInterval(timer);
  }

  async #poll(): Promise<void> {
    if (this.status === 'failed') return this.start();
    const revision = await fetchRevision();
    if (revision === null) {
      this.#misses += 1;
      // One lost answer is no outage.
      if (this.#misses >= 2) this.offline = true;
      return;
    }
    this.#misses = 0;
    if (this.offline) {
      this.offline = false;
      this.say(this.words.online);
    }
    if (this.#revision !== null && revision !== this.#revision) {
      try {
        this.collections = await fetchCollections();
        this.seams = {};
        void this.#nameAreas();
        this.say(this.words.updated);
        if (this.at) void this.ask(this.at, this.selected);
        void this.tools.ask();
      } catch {
        return;
      }
    }
    this.#revision = revision;
  }

  /** Finds the label points of layers whose areas bear names; a layer that fails stays without until the next data. */
  async #nameAreas(): Promise<void> {
    const { areaLabels } = await import('../map/arealabels');
    const named = this.collections.filter(
      (layer) => classify(layer) === 'admin' && this.#named.get(layer.id) !== layer.citymap.tilesVersion,
    );
    const answers = await Promise.allSettled(named.map(async (layer) => [layer.id, await areaLabels(layer)] as const));
    const found = answers.filter((answer) => answer.status === 'fulfilled').map((answer) => answer.value);
    for (const [id] of found) this.#named.set(id, this.byId.get(id)?.citymap.tilesVersion ?? '');
    if (found.length > 0) this.areaLabels = { ...this.areaLabels, ...Object.fromEntries(found) };
  }

  /** Roads near a point, as far as the widest carriageway reaches from its middle. */
  async #roadsAt(point: [number, number], signal: AbortSignal): Promise<AtAnswer | null> {
    const roads = this.collections.filter((collection) => classify(collection) === 'road');
    if (roads.length === 0 || (this.view?.zoom ?? 0) < 15) return null;
    return fetchAt(
      point[0],
      point[1],
      HALF_WIDEST_ROAD,
      signal,
      roads.map((collection) => collection.id),
    );
  }

  #begin(): AbortSignal {
    this.#request?.abort();
    this.#request = new AbortController();
    this.asking = true;
    this.askError = null;
    this.tab = 'selected';
    this.panelOpen = true;
    if (this.sheet === 0) this.sheet = 1;
    return this.#request.signal;
  }

  #failed(error: unknown, signal: AbortSignal): void {
    if (signal.aborted) return;
    this.asking = false;
    const gone = error instanceof ApiError && error.status === 404;
    const reason = error instanceof Error ? error.message : String(error);
    this.askError = gone ? this.words.failedItem : `${this.words.failedAt} ${reason}`;
  }

  #forget(): void {
    this.#request?.abort();
    this.at = null;
    this.answer = null;
    this.selected = null;
    this.extra = null;
    this.asking = false;
    this.askError = null;
    this.tab = 'layers';
  }

  /** Everything found, nearest first; at one distance in catalogue order. */
  #hits(): Hit[] {
    const found = (this.answer?.layers ?? []).flatMap((layer) =>
      layer.features.map((feature) => ({ layer: layer.layer, feature })),
    );
    found.sort((a, b) => (a.feature.distance ?? 0) - (b.feature.distance ?? 0));
    return this.extra ? [this.extra, ...found] : found;
  }

  /** One latitude for the metres-to-pixels rule of the style: that of the city at hand, in whole degrees. */
  #latitude(): number {
    const box = this.collections.find((collection) => collection.citymap.role === 'road')?.extent?.spatial?.bbox?.[0];
    return box && box.length >= 4 ? Math.round(((box[1] ?? 0) + (box[3] ?? 0)) / 2) : 11;
  }
}
