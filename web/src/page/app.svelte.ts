import {
  ApiError,
  type AtAnswer,
  type Collection,
  type Feature,
  fetchAt,
  fetchCollections,
  fetchItem,
} from '../lib/api';
import { featureName, lengthText, number } from '../lib/format';
import { CORE } from '../lib/home';
import { type Lang, MESSAGES } from '../lib/i18n';
import { innerPoint } from '../lib/inner';
import { type FeatureRef, type Link, readLink, type View, writeLink } from '../lib/permalink';
import { withRoads } from '../lib/roadsat';
import type { ThemeName } from '../lib/theme';
import { classify } from '../map/classify';
import { palette } from '../map/palette';
import { findSeams, type Piece, type SeamLabel } from '../map/seams';
import { selectionData } from '../map/selection';
import { reachData, type Sketch, sketchData } from '../map/sketching';
import { buildStyle } from '../map/style';
import { Following } from './following';
import { type Mode, type Shape, Tools } from './tools.svelte';
import { Travel } from './travel.svelte';

/** A short message at the page's foot; `lasting` ones stay until their cause is gone. */
export interface Note {
  text: string;
  kind: 'info' | 'error' | 'offline';
}

/** A shape that is being changed: its corners, and the one that is being moved. */
export interface Draft {
  geometry: GeoJSON.Geometry;
  corners: GeoJSON.Position[];
  corner: number | null;
}

/** One thing found at the point asked about. */
export interface FoundFeature {
  layer: string;
  feature: Feature;
}

/** Half the widest carriageway in metres. */
const HALF_WIDEST_ROAD = 20;

const RETRY_MS = 5000;
const NOTE_MS = 6000;
/** What went wrong takes longer to read. */
const ERROR_MS = 12_000;

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
  extra = $state.raw<FoundFeature | null>(null);
  /** What to say of what was selected and is no longer there. */
  gone = $state<string | null>(null);
  /** Grows with each change of the data that found places may be part of. */
  changes = $state(0);
  /** The version by which each layer's tiles are asked for. */
  versions = $state.raw<Record<string, string>>({});
  /** What the selected feature looked like once, drawn beside what it is now. */
  formerShape = $state.raw<GeoJSON.Geometry | null>(null);
  /** The shape that is being changed, before it is saved. */
  draft = $state.raw<Draft | null>(null);
  /** Whether a writer's token was entered in this tab. */
  writer = $state(globalThis.sessionStorage?.getItem('citymap-writer') != null);
  /** Something is being edited that would be lost if the page showed something else. */
  unsaved = $state(false);
  /** What stands open among the tools beside drawing. */
  toolPane = $state<'history' | 'edit' | null>(null);

  /** Measuring and statistics: while one is on, clicks on the map are its. */
  readonly tools = new Tools();
  /** Keeps the page in step with the record. */
  readonly following = new Following(this);
  /** Of which time the page shows what. */
  readonly time = new Travel(this);

  words = $derived(MESSAGES[this.lang]);
  byId = $derived(new Map(this.collections.map((collection) => [collection.id, collection])));
  hits = $derived(this.#hits());
  selectedHit = $derived(
    this.hits.find((hit) => hit.layer === this.selected?.layer && String(hit.feature.id) === this.selected?.id) ?? null,
  );
  selectionShape = $derived(
    selectionData(
      this.draft?.geometry ?? this.selectedHit?.feature.geometry ?? null,
      this.draft ? null : this.at,
      (metres) => number(metres, this.lang, metres < 100 ? 2 : 1, true),
      { former: this.formerShape, corners: this.draft?.corners, corner: this.draft?.corner },
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
      version: (collection) => this.versions[collection.id] ?? collection.citymap.tilesVersion,
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
  colors = $derived(palette(this.theme));

  /** The state of the tiles of each layer whose areas bear their names already. */
  #named = new Map<string, string>();
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
      await this.time.start(readLink(location.hash));
      this.status = 'ready';
      const parcels = this.collections.find((collection) => collection.citymap.role === 'parcel');
      if (parcels) this.open[parcels.id] = true;
      // A time that cannot be shown was said to be so already.
      const { moment, validOn } = this.time;
      await this.apply({
        ...readLink(location.hash),
        revision: moment?.revision,
        valid: validOn ?? undefined,
      });
    } catch {
      this.status = 'failed';
      setTimeout(() => void this.start(), RETRY_MS);
    }
  }

  /** Reads all layers anew, and gives the revision they are of. Their tiles are asked for by the versions they have now. */
  async readLayers(): Promise<number> {
    const { collections, revision } = await fetchCollections();
    this.collections = collections;
    this.versions = Object.fromEntries(collections.map(({ id, citymap }) => [id, citymap.tilesVersion]));
    this.seams = {};
    for (const { id } of collections) this.following.news.renew(id);
    void this.nameAreas();
    return revision;
  }

  /** Makes the page what `link` says. */
  async apply(link: Link): Promise<void> {
    if (this.held()) return;
    if (link.lang) this.lang = link.lang;
    if (link.theme) this.theme = link.theme;
    await this.time.apply(link);
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
      revision: this.time.moment?.revision,
      valid: this.time.validOn ?? undefined,
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
    if (this.held()) return;
    const signal = this.#begin();
    this.at = point;
    this.selected = prefer;
    this.extra = null;
    try {
      this.answer = await this.#answerAt(point, signal);
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
    if (this.held()) return;
    this.selected = ref;
    this.formerShape = null;
    this.remember(true);
  }

  /** Lets go of what is selected: it is no longer there. What else is at the point stays. */
  drop(): void {
    this.selected = null;
    this.extra = null;
    this.remember(true);
    void this.refresh();
  }

  /** Whether something unsaved holds the page where it is; says so. */
  held(): boolean {
    if (this.unsaved) this.say(this.words.unsaved, 'error');
    return this.unsaved;
  }

  /** Begins a tool: clicks on the map are its until it is left. */
  begin(mode: Mode, shape?: Shape): void {
    this.tools.start(mode, shape);
    this.tab = 'tools';
    this.panelOpen = true;
    // On a phone the map is needed now, not the panel.
    this.sheet = 0;
  }

  /** One step back: what a tool drew goes, then the tool, then the selection. Says whether there was any. */
  back(): boolean {
    if (this.held() || this.tools.back()) return true;
    if (this.toolPane && this.tab === 'tools') {
      this.toolPane = null;
      return true;
    }
    if (!this.at && !this.selected && this.gone === null) return false;
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
    this.#noteTimer = setTimeout(
      () => {
        this.note = null;
      },
      kind === 'error' ? ERROR_MS : NOTE_MS,
    );
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

  /** Asks again what is shown of a point, without a word: the data changed. What is no longer there is said to be gone. */
  async refresh(): Promise<void> {
    const { at, selected } = this;
    if (this.asking && at) return this.ask(at, selected);
    if (!at && !selected) return;
    const was = this.selectedHit;
    const name = was ? featureName(was.feature) : '';
    this.#request?.abort();
    this.#request = new AbortController();
    const { signal } = this.#request;
    let answer = this.answer;
    try {
      if (at) answer = await this.#answerAt(at, signal);
      const isIt = (layer: string, id: string | number) => layer === selected?.layer && String(id) === selected?.id;
      const found = answer?.layers.some((own) => own.features.some(({ id }) => isIt(own.layer, id)));
      const alone = selected && !found ? await fetchItem(selected.layer, selected.id, signal) : null;
      // All at once: what is selected, and the form that may be open for it, is never away in between.
      this.answer = answer;
      this.extra = selected && alone ? { layer: selected.layer, feature: alone } : null;
      this.askError = null;
    } catch (error) {
      // Trouble on the way: what is shown stays, and the next change or click asks again.
      if (signal.aborted || !(error instanceof ApiError) || error.status !== 404) return;
      this.answer = answer;
      this.extra = this.unsaved ? was : null;
      if (!this.unsaved) this.selected = null;
      this.gone = this.time.moment ? this.words.notThen(name) : this.words.gone(name);
      this.say(this.gone);
    }
  }

  /** Forgets where seam labels of changed features stand; without numbers, those of the whole layer. */
  forgetSeams(layer: string, numbers: number[] | null): void {
    const known = this.seams[layer];
    if (!known || (numbers && !numbers.some((number) => known.has(number)))) return;
    const kept = numbers ? new Map([...known].filter(([number]) => !numbers.includes(number))) : new Map();
    this.seams = { ...this.seams, [layer]: kept };
  }

  /** Finds the label points of layers whose areas bear names; a layer that fails stays without until the next data. */
  async nameAreas(): Promise<void> {
    const { areaLabels } = await import('../map/arealabels');
    const named = this.collections.filter(
      (layer) => classify(layer) === 'admin' && this.#named.get(layer.id) !== layer.citymap.tilesVersion,
    );
    const answers = await Promise.allSettled(named.map(async (layer) => [layer.id, await areaLabels(layer)] as const));
    const found = answers.filter((answer) => answer.status === 'fulfilled').map((answer) => answer.value);
    for (const [id] of found) this.#named.set(id, this.byId.get(id)?.citymap.tilesVersion ?? '');
    if (found.length > 0) this.areaLabels = { ...this.areaLabels, ...Object.fromEntries(found) };
  }

  async #answerAt(point: [number, number], signal: AbortSignal): Promise<AtAnswer> {
    const [answer, roads] = await Promise.all([
      fetchAt(point[0], point[1], this.tolerance(), signal),
      this.#roadsAt(point, signal),
    ]);
    return withRoads(answer, roads);
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
    this.gone = null;
    this.formerShape = null;
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
    this.gone = null;
    this.formerShape = null;
    this.tab = 'layers';
  }

  /** Everything found, nearest first; at one distance in catalogue order. */
  #hits(): FoundFeature[] {
    const found = this.#found();
    return this.extra ? [this.extra, ...found] : found;
  }

  #found(): FoundFeature[] {
    const found = (this.answer?.layers ?? []).flatMap((layer) =>
      layer.features.map((feature) => ({ layer: layer.layer, feature })),
    );
    found.sort((a, b) => (a.feature.distance ?? 0) - (b.feature.distance ?? 0));
    return found;
  }

  /** One latitude for the metres-to-pixels rule of the style: that of the city at hand, in whole degrees. */
  #latitude(): number {
    const box = this.collections.find((collection) => collection.citymap.role === 'road')?.extent?.spatial?.bbox?.[0];
    return box && box.length >= 4 ? Math.round(((box[1] ?? 0) + (box[3] ?? 0)) / 2) : 11;
  }
}
