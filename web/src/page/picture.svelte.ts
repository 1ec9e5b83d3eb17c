/** The map as a function of the page's state: its style, with the selection and the sketch of a tool in it. */
import { lengthText, number } from '../lib/format';
import { ROOT } from '../lib/root';
import { INK } from '../map/ink';
import { parcelNumber, selectionData } from '../map/selection';
import { reachData, type Sketch, sketchData } from '../map/sketching';
import { buildStyle } from '../map/style';
import type { Answer } from './answer.svelte';
import type { Cartography } from './cartography.svelte';
import type { Editing } from './editing.svelte';
import type { Layers } from './layers.svelte';
import type { Settings } from './settings.svelte';
import type { Tools } from './tools.svelte';
import type { Viewport } from './viewport.svelte';

/** The parts of the page that the map shows. */
export interface Shown {
  settings: Settings;
  cartography: Cartography;
  viewport: Viewport;
  layers: Layers;
  answer: Answer;
  tools: Tools;
  editing: Editing;
}

export class Picture {
  readonly #shown: Shown;

  /** The zoom level in steps, so that moving the map alone does not place the lengths of edges again. */
  #selectionZoom = $derived.by(() => Math.floor(this.#shown.viewport.zoom() * 4) / 4);
  #selection = $derived.by(() => {
    const { answer, editing, layers, settings } = this.#shown;
    const { draft } = editing;
    const found = draft ? null : answer.selectedFeature;
    return selectionData(
      draft?.geometry ?? answer.selectedFeature?.feature.geometry ?? null,
      draft ? null : answer.at,
      (metres) => number(metres, settings.lang, metres < 100 ? 2 : 1, true),
      {
        zoom: this.#selectionZoom,
        number: found ? parcelNumber(found.feature, layers.byId.get(found.layer), settings.lang) : null,
        former: answer.formerShape,
        corners: draft?.corners,
        corner: draft?.corner,
      },
    );
  });
  #sketch = $derived.by<Sketch | null>(() => {
    const { mode, points, closed, done, grid } = this.#shown.tools;
    return mode ? { points, closed, done, grid } : null;
  });
  #sketchShape = $derived(sketchData(this.#sketch, (metres) => lengthText(metres, this.#shown.settings.lang)));

  /** The line from the sketch's last point to the pointer. It moves too often to be part of the style. */
  reach = $derived.by(() => {
    const { settings, viewport } = this.#shown;
    return reachData(this.#sketch, viewport.pointer, (metres) => lengthText(metres, settings.lang));
  });

  style = $derived.by(() => {
    const { cartography, layers, settings } = this.#shown;
    return buildStyle({
      document: cartography.document,
      collections: layers.all,
      shown: (id) => layers.isShown(id),
      raised: (above, below) => layers.isRaised(above, below),
      opacity: (id) => (layers.opacity[id] ?? 100) / 100,
      version: (layer) => layers.tileVersions[layer.id] ?? layer.citymap.tilesVersion,
      ink: INK[settings.theme],
      root: ROOT,
      selection: this.#selection,
      sketch: this.#sketchShape,
      seams: layers.seams,
    });
  });

  constructor(shown: Shown) {
    this.#shown = shown;
  }
}
