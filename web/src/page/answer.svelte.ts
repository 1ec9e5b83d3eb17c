/**
 * The question "what is here?": the point that was clicked, what the server found there, and what is selected of it.
 */
import { ApiError, type AtAnswer, type Collection, type Feature, fetchAt, fetchItem } from '../lib/api';
import { innerPoint } from '../lib/geometry';
import type { Messages } from '../lib/i18n';
import type { FeatureRef } from '../lib/permalink';
import { troubleText } from '../lib/trouble';
import { withRoads } from '../lib/wideroads';
import { inOrder } from './order';

/** A feature with the layer that it is of. */
export interface FoundFeature {
  layer: string;
  feature: Feature;
}

/** What the answer needs of the page. */
export interface AnswerPort {
  words(): Messages;
  /** The zoom level of the map. */
  zoom(): number;
  /** Metres around a point at latitude `lat` within which points and lines are found at a zoom level. */
  tolerance(lat: number, zoom: number): number;
  /** The road layers to search around a point, or none at zoom levels where roads are too thin to have a width. */
  roadLayers(zoom: number): Collection[];
  /** A layer. */
  layer(id: string): Collection | undefined;
  /** The name of a feature for people. */
  name(found: FoundFeature): string;
  /** Whether the map draws a layer at a zoom level. */
  isDrawn(id: string, zoom: number): boolean;
  /** Whether unsaved work forbids the page to show something else; the user is told so. */
  blocked(): boolean;
  /** Whether a form with unsaved work is open. */
  unsaved(): boolean;
  /** Whether a former state of the data is shown. */
  isPast(): boolean;
  /** A question was asked: its answer should come into sight. */
  asked(): void;
  /** The selected feature is no longer there; `text` says so. */
  lost(text: string): void;
}

/** The part of the tolerance within which a line counts as under the pointer; points have all of it. */
const LINE_REACH = 3 / 8;

/** Half the width of the widest carriageway, in metres. */
const HALF_WIDEST_ROAD_M = 20;

const isFeature = (ref: FeatureRef | null, layer: string, id: string | number) =>
  ref !== null && ref.layer === layer && ref.id === String(id);

export class Answer {
  /** The point that was asked about, longitude and latitude in degrees. */
  at = $state.raw<[number, number] | null>(null);
  response = $state.raw<AtAnswer | null>(null);
  loading = $state(false);
  error = $state<string | null>(null);
  selected = $state.raw<FeatureRef | null>(null);
  /** The selected feature where the response does not contain it: it comes from a link or a search result. */
  linked = $state.raw<FoundFeature | null>(null);
  /** The text that says that the selected feature is no longer there. */
  gone = $state<string | null>(null);
  /** A former shape of the selected feature, drawn next to the present one. */
  formerShape = $state.raw<GeoJSON.Geometry | null>(null);

  /** Everything found, in the order of `inOrder`. */
  features = $derived(this.#features());
  selectedFeature = $derived(
    this.features.find(({ layer, feature }) => isFeature(this.selected, layer, feature.id)) ?? null,
  );
  /** The commune at the point, as its layer has it: the smallest administrative unit; `null` if there is none. */
  commune = $derived.by(() => {
    const units = this.features.filter(({ layer }) => this.#port.layer(layer)?.citymap.role === 'admin_unit');
    const size = ({ feature }: FoundFeature) => feature.area?.value ?? Number.POSITIVE_INFINITY;
    const smallest = units.reduce<FoundFeature | null>((a, b) => (a && size(a) <= size(b) ? a : b), null);
    return smallest ? { id: String(smallest.feature.id), name: String(smallest.feature.label ?? '') } : null;
  });
  /** Nothing was asked, selected or lost. */
  empty = $derived(!this.at && !this.selected && this.gone === null);

  readonly #port: AnswerPort;
  #request: AbortController | null = null;
  /** The zoom level at which the question was asked. */
  #zoom = $state.raw(14);

  constructor(port: AnswerPort) {
    this.#port = port;
  }

  /**
   * Asks what is at `point` (longitude, latitude) and selects `prefer`, or what is first. `zoom` is the level that
   * the map goes to, where it is on its way.
   */
  async ask(point: [number, number], prefer: FeatureRef | null = null, zoom = this.#port.zoom()): Promise<void> {
    if (this.#port.blocked()) return;
    const signal = this.#startRequest();
    this.#zoom = zoom;
    this.at = point;
    this.selected = prefer;
    this.linked = null;
    try {
      this.response = await this.#fetch(point, signal);
      const found = this.#features();
      if (prefer && !found.some(({ layer, feature }) => isFeature(prefer, layer, feature.id))) {
        this.linked = { layer: prefer.layer, feature: await fetchItem(prefer.layer, prefer.id, signal) };
      }
      const first = found[0];
      if (!prefer) this.selected = first ? { layer: first.layer, id: String(first.feature.id) } : null;
      this.loading = false;
    } catch (error) {
      this.#fail(error, signal);
    }
  }

  /** Selects a feature by its layer and id, and asks what else is at a point inside it. */
  async show(ref: FeatureRef): Promise<void> {
    const signal = this.#startRequest();
    try {
      const feature = await fetchItem(ref.layer, ref.id, signal);
      const point = innerPoint(feature.geometry);
      if (point) {
        await this.ask(point, ref);
        return;
      }
      this.at = null;
      this.response = null;
      this.linked = { layer: ref.layer, feature };
      this.selected = ref;
      this.loading = false;
    } catch (error) {
      this.#fail(error, signal);
    }
  }

  /** Selects one of the features that were found, or none. */
  select(ref: FeatureRef | null): void {
    this.selected = ref;
    this.formerShape = null;
  }

  /** Deselects a feature that was deleted. What else is at the point stays. */
  deselect(): void {
    this.selected = null;
    this.linked = null;
  }

  /** Drops question and answer. */
  clear(): void {
    this.#request?.abort();
    this.at = null;
    this.response = null;
    this.selected = null;
    this.linked = null;
    this.loading = false;
    this.error = null;
    this.gone = null;
    this.formerShape = null;
  }

  /** Asks the same question again because the data changed. A selected feature that is no longer there is reported. */
  async refresh(): Promise<void> {
    const { at, selected } = this;
    if (this.loading && at) return this.ask(at, selected, this.#zoom);
    if (!at && !selected) return;
    const before = this.selectedFeature;
    const name = before ? this.#port.name(before) : '';
    this.#request?.abort();
    this.#request = new AbortController();
    const { signal } = this.#request;
    let response = this.response;
    try {
      if (at) response = await this.#fetch(at, signal);
      const found = response?.layers.some(({ layer, features }) =>
        features.some(({ id }) => isFeature(selected, layer, id)),
      );
      const linked = selected && !found ? await fetchItem(selected.layer, selected.id, signal) : null;
      // All at once, so that the selected feature and a form that is open for it never disappear in between.
      this.response = response;
      this.linked = selected && linked ? { layer: selected.layer, feature: linked } : null;
      this.error = null;
    } catch (error) {
      // After any other failure the page keeps what it shows; the next change or click asks again.
      if (signal.aborted || !(error instanceof ApiError) || error.status !== 404) return;
      this.response = response;
      const unsaved = this.#port.unsaved();
      this.linked = unsaved ? before : null;
      if (!unsaved) this.selected = null;
      const words = this.#port.words();
      this.gone = this.#port.isPast() ? words.notThen(name) : words.gone(name);
      this.#port.lost(this.gone);
    }
  }

  async #fetch(point: [number, number], signal: AbortSignal): Promise<AtAnswer> {
    const [lon, lat] = point;
    const roads = this.#port.roadLayers(this.#zoom);
    const ids = roads.map(({ id }) => id);
    const [answer, aroundRoads] = await Promise.all([
      fetchAt(lon, lat, this.#port.tolerance(lat, this.#zoom), signal),
      // A road is stored as its centre line: search as far as the widest carriageway reaches from it.
      roads.length > 0 ? fetchAt(lon, lat, HALF_WIDEST_ROAD_M, signal, ids) : null,
    ]);
    return withRoads(answer, aroundRoads, new Map(roads.map((layer) => [layer.id, layer])));
  }

  /** Starts a new question in place of the one before. */
  #startRequest(): AbortSignal {
    this.#request?.abort();
    this.#request = new AbortController();
    this.loading = true;
    this.error = null;
    this.gone = null;
    this.formerShape = null;
    this.#port.asked();
    return this.#request.signal;
  }

  #fail(error: unknown, signal: AbortSignal): void {
    if (signal.aborted) return;
    this.loading = false;
    const words = this.#port.words();
    const missing = error instanceof ApiError && error.status === 404;
    this.error = missing ? words.failedItem : `${words.failedAt} ${troubleText(error, words)}`;
  }

  #features(): FoundFeature[] {
    const found = (this.response?.layers ?? []).flatMap(({ layer, features }) =>
      features.map((feature) => ({ layer, feature })),
    );
    const sorted = inOrder(
      found,
      (id) => this.#port.layer(id),
      (id) => this.#port.isDrawn(id, this.#zoom),
      LINE_REACH * this.#port.tolerance(this.at?.[1] ?? 0, this.#zoom),
    );
    return this.linked ? [this.linked, ...sorted] : sorted;
  }
}
