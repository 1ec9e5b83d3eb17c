/** The layers: what the server says about them, how the user shows them, and what the map needs to draw them. */
import { type Collection, fetchCollections } from '../lib/api';
import { StaleTiles } from '../live/staletiles';
import { classify, minZoom } from '../map/classify';
import { findSeams, type SeamLabel, type SeamPart } from '../map/seams';

export class Layers {
  /** All layers, in the order of the catalogue. */
  all = $state.raw<Collection[]>([]);
  status = $state<'loading' | 'ready' | 'failed'>('loading');

  /** Layers that the user has hidden. */
  hidden = $state<Record<string, boolean>>({});
  /** Opacities in per cent; a layer that is not listed has 100. */
  opacity = $state<Record<string, number>>({});
  /** Layers whose details are open in the list. */
  expanded = $state<Record<string, boolean>>({});

  /** The codes of each layer that are drawn now, for the legend. */
  codesInView = $state.raw<Record<string, string[]>>({});
  /** The version under which each layer's tiles are requested. */
  tileVersions = $state.raw<Record<string, string>>({});
  /** Parcels on tile borders, which are labelled by points; by layer and feature number. */
  seams = $state.raw<Record<string, Map<number, SeamLabel>>>({});
  /** The label points of named areas, by layer. */
  areaLabels = $state.raw<Record<string, GeoJSON.FeatureCollection>>({});

  /** The tiles that have changed since the version under which they are requested. */
  readonly staleTiles = new StaleTiles();

  byId = $derived(new Map(this.all.map((layer) => [layer.id, layer])));
  /** The layers that are not hidden. */
  visible = $derived(this.all.filter(({ id }) => !this.hidden[id]));

  /** The version of the tiles from which the area labels of each layer were made. */
  #labelled = new Map<string, string>();

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
    void this.labelAreas();
    return revision;
  }

  /** Requests all tiles of `layers` by the versions they have now. */
  renewTiles(layers: Collection[]): void {
    if (layers.length === 0) return;
    const versions = layers.map(({ id, citymap }) => [id, citymap.tilesVersion] as const);
    this.tileVersions = { ...this.tileVersions, ...Object.fromEntries(versions) };
    for (const { id } of layers) this.staleTiles.reset(id);
  }

  /** Whether the map draws the features of a layer at a zoom level. */
  isDrawn(id: string, zoom: number): boolean {
    const layer = this.byId.get(id);
    return layer !== undefined && !this.hidden[id] && zoom >= minZoom(layer);
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

  /** Finds the label points of named areas. A layer that fails has no labels until its data changes. */
  async labelAreas(): Promise<void> {
    const { areaLabels } = await import('../map/arealabels');
    const outdated = this.drawnAs('admin').filter(({ id, citymap }) => this.#labelled.get(id) !== citymap.tilesVersion);
    const answers = await Promise.allSettled(
      outdated.map(async (layer) => [layer.id, await areaLabels(layer)] as const),
    );
    const found = answers.filter((answer) => answer.status === 'fulfilled').map((answer) => answer.value);
    for (const [id] of found) this.#labelled.set(id, this.byId.get(id)?.citymap.tilesVersion ?? '');
    if (found.length > 0) this.areaLabels = { ...this.areaLabels, ...Object.fromEntries(found) };
  }

  /** The latitude, in whole degrees, at which the style turns metres into pixels: that of the city's roads. */
  latitude(): number {
    const box = this.all.find((layer) => layer.citymap.role === 'road')?.extent?.spatial?.bbox?.[0];
    return box && box.length >= 4 ? Math.round(((box[1] ?? 0) + (box[3] ?? 0)) / 2) : 11;
  }
}
