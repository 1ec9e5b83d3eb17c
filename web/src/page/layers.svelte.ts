/** The layers: what the server says about them, how the user shows them, and what the map needs to draw them. */
import { type Collection, fetchCollections } from '../lib/api';
import { keep, readKept } from '../lib/kept';
import { StaleTiles } from '../live/staletiles';
import { classify, importance } from '../map/classify';
import { findSeams, type SeamLabel, type SeamPart } from '../map/seams';
import { arrange, type GroupId, moved, orderOf } from './layergroups';

/** Under which name the browser keeps the order of the layers. */
export const ORDER_KEY = 'citymap-layer-order';
/** Under which name the browser keeps which groups are closed. */
const CLOSED_KEY = 'citymap-layer-groups';
/** The most layers whose order is kept. */
export const ORDER_MAX = 200;

/** Why a layer cannot be seen, or that it can. */
export type LayerState = 'hidden' | 'far' | 'empty' | 'drawn';

export class Layers {
  /** All layers, in the order of the catalogue. */
  all = $state.raw<Collection[]>([]);
  status = $state<'loading' | 'ready' | 'failed'>('loading');

  /** Layers that the user has switched on or off. */
  switched = $state<Record<string, boolean>>({});
  /** The layers from the top as the user has put them; empty for the order at first. */
  order = $state.raw<string[]>([]);
  /** Groups that are closed in the list. */
  closed = $state.raw<string[]>(readKept(CLOSED_KEY, ORDER_MAX));
  /** Opacities in per cent; a layer that is not listed has 100. */
  opacity = $state<Record<string, number>>({});
  /** Layers whose details are open in the list. */
  expanded = $state<Record<string, boolean>>({});

  /** Whether anything of a layer is drawn now; of layers whose details are open. */
  drawnInView = $state.raw<Record<string, boolean>>({});
  /** The version under which each layer's tiles are requested. */
  tileVersions = $state.raw<Record<string, string>>({});
  /** Parcels and zones on tile borders, which are labelled by points; by layer and feature number. */
  seams = $state.raw<Record<string, Map<number, SeamLabel>>>({});
  /** The layers that the map's style shows by itself; null until it is known. */
  styled = $state.raw<ReadonlySet<string> | null>(null);
  /** The zoom level from which the map's style draws each layer. */
  zooms = $state.raw<ReadonlyMap<string, number>>(new Map());

  /** The tiles that have changed since the version under which they are requested. */
  readonly staleTiles = new StaleTiles();

  byId = $derived(new Map(this.all.map((layer) => [layer.id, layer])));
  /** The layers that are not hidden. */
  visible = $derived(this.all.filter(({ id }) => this.isShown(id)));
  /** The layers in their groups, in the order of the list. */
  groups = $derived(arrange(this.all, this.order));
  /** The position of each layer in the list, and at first. */
  #ranks = $derived([orderOf(this.groups), orderOf(arrange(this.all))].map(positions));
  /** Layers that were shown before: a former state may not have them, and its changes still name them. */
  #seen = new Map<string, Collection>();

  /** A layer of the state that is shown or, where it is not there, of one that was shown before. */
  known(id: string): Collection | undefined {
    return this.byId.get(id) ?? this.#seen.get(id);
  }

  /** Reads all layers again and returns their revision. Their tiles are requested by the versions they have now. */
  async read(): Promise<number> {
    const { collections, revision } = await fetchCollections();
    this.all = collections;
    for (const layer of collections) this.#seen.set(layer.id, layer);
    this.tileVersions = Object.fromEntries(collections.map(({ id, citymap }) => [id, citymap.tilesVersion]));
    this.seams = {};
    for (const { id } of collections) this.staleTiles.reset(id);
    return revision;
  }

  /** Requests all tiles of `layers` by the versions they have now. */
  renewTiles(layers: Collection[]): void {
    if (layers.length === 0) return;
    const versions = layers.map(({ id, citymap }) => [id, citymap.tilesVersion] as const);
    this.tileVersions = { ...this.tileVersions, ...Object.fromEntries(versions) };
    for (const { id } of layers) this.staleTiles.reset(id);
  }

  /** Whether a layer is switched on: as the user has set it, or as the map's style has it. */
  isShown(id: string): boolean {
    return this.switched[id] ?? this.#isShownAtFirst(id);
  }

  #isShownAtFirst(id: string): boolean {
    return this.styled?.has(id) ?? false;
  }

  /** Switches layers on or off. */
  show(ids: string[], on: boolean): void {
    for (const id of ids) {
      if (on === this.#isShownAtFirst(id)) delete this.switched[id];
      else this.switched[id] = on;
    }
  }

  /** The layers that are switched on, or off, contrary to the map's style; also ones that do not exist now. */
  switchedTo(on: boolean): string[] {
    const isChoice = (id: string) => !this.byId.has(id) || on !== this.#isShownAtFirst(id);
    return Object.keys(this.switched).filter((id) => this.switched[id] === on && isChoice(id));
  }

  /** Whether switches, order or opacities differ from what they are at first. */
  get changed(): boolean {
    const opacity = Object.values(this.opacity).some((percent) => percent !== 100);
    return this.order.length > 0 || opacity || [...this.switchedTo(true), ...this.switchedTo(false)].length > 0;
  }

  /** Back to the switches, the order and the opacities at first. */
  reset(): void {
    this.switched = {};
    this.opacity = {};
    this.#put([]);
  }

  /** Moves a layer to a position in its group. Returns that position, or `null` if it stays where it was. */
  moveLayer(id: string, to: number): number | null {
    const group = this.groups.find(({ layers }) => layers.some((layer) => layer.id === id));
    if (!group) return null;
    const from = group.layers.findIndex((layer) => layer.id === id);
    const layers = moved(group.layers, from, to);
    const place = layers.findIndex((layer) => layer.id === id);
    if (place === from) return null;
    this.#put(orderOf(this.groups.map((own) => (own.id === group.id ? { ...own, layers } : own))));
    return place;
  }

  /** Moves a group to a position in the list. Returns that position, or `null` if it stays where it was. */
  moveGroup(id: GroupId, to: number): number | null {
    const from = this.groups.findIndex((group) => group.id === id);
    const groups = moved(this.groups, from, to);
    const place = groups.findIndex((group) => group.id === id);
    if (from < 0 || place === from) return null;
    this.#put(orderOf(groups));
    return place;
  }

  #put(order: string[]): void {
    this.order = order.join() === orderOf(arrange(this.all)).join() ? [] : order;
    keep(ORDER_KEY, this.order);
  }

  /** Whether the user has put the layer `a` above `b`, although it is below at first. */
  isRaised(a: string, b: string): boolean {
    const [now, first] = this.#ranks;
    const above = (ranks: Map<string, number> | undefined) => (ranks?.get(a) ?? 0) < (ranks?.get(b) ?? 0);
    return above(now) && !above(first);
  }

  /** Opens or closes a group of the list. */
  toggleGroup(id: GroupId): void {
    this.closed = this.closed.includes(id) ? this.closed.filter((own) => own !== id) : [...this.closed, id];
    keep(CLOSED_KEY, this.closed);
  }

  /** The zoom level from which the map draws a layer. */
  drawnFrom(layer: Collection): number {
    return this.zooms.get(layer.id) ?? 0;
  }

  /** How much a layer matters, 0 the most; see {@link importance}. */
  importance(id: string): number {
    const layer = this.byId.get(id);
    return layer ? importance(layer) : Number.MAX_SAFE_INTEGER;
  }

  /** Whether the map draws the features of a layer at a zoom level. */
  isDrawn(id: string, zoom: number): boolean {
    const layer = this.byId.get(id);
    return layer !== undefined && this.isShown(id) && zoom >= this.drawnFrom(layer);
  }

  /** Why a layer cannot be seen at a zoom level, or that it can. */
  state(id: string, zoom: number): LayerState {
    if (!this.isShown(id)) return 'hidden';
    if (!this.isDrawn(id, zoom)) return 'far';
    return this.drawnInView[id] === false ? 'empty' : 'drawn';
  }

  /** The layers of a kind of drawing. */
  drawnAs(kind: ReturnType<typeof classify>): Collection[] {
    return this.all.filter((layer) => classify(layer) === kind);
  }

  /**
   * Finds among the drawn parts of a layer's features those that lie in several tiles, so that each is labelled once.
   */
  addSeams(layer: string, parts: SeamPart[]): void {
    const known = this.seams[layer] ?? new Map<number, SeamLabel>();
    const seams = findSeams(parts, known);
    if (seams !== known) this.seams = { ...this.seams, [layer]: seams };
  }

  /** Drops the seam labels of changed features, given by their numbers; `null` drops those of the whole layer. */
  dropSeams(layer: string, fids: number[] | null): void {
    const known = this.seams[layer];
    if (!known || (fids && !fids.some((fid) => known.has(fid)))) return;
    const kept = fids ? new Map([...known].filter(([fid]) => !fids.includes(fid))) : new Map();
    this.seams = { ...this.seams, [layer]: kept };
  }

  /** The latitude, in whole degrees, at which the style turns metres into pixels: that of the city's roads. */
  latitude(): number {
    const box = this.all.find((layer) => layer.citymap.role === 'road')?.extent?.spatial?.bbox?.[0];
    return box && box.length >= 4 ? Math.round(((box[1] ?? 0) + (box[3] ?? 0)) / 2) : 11;
  }
}

const positions = (order: string[]) => new Map(order.map((id, index) => [id, index]));
