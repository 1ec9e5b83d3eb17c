/** The legend of the map, as the server reads it from the style that is drawn. */
import type { Bbox } from '../lib/api';
import { fetchLegend, type LegendGroup, legendPath, type StyleQuery } from '../lib/styles';

/** Every layer is drawn at this zoom level. */
const NEAR_ZOOM = 18;

export class Legends {
  /** What is drawn in the view, by layer; null until it is known. */
  inView = $state.raw<ReadonlyMap<string, LegendGroup> | null>(null);
  /** How each layer is drawn, whether it is in view or not; for the small pictures in the list of layers. */
  samples = $state.raw<ReadonlyMap<string, LegendGroup>>(new Map());
  /** Why the legend of the view could not be read. */
  error = $state.raw<unknown>(null);

  #view: AbortController | null = null;
  #asked = '';
  #sampled = '';

  /** Reads what is drawn in a box; `data` changes with the data. The legend before stays until the answer is there. */
  async readView(query: StyleQuery, zoom: number, box: Bbox, data: number): Promise<void> {
    const asked = `${legendPath(query, zoom, box)} ${data}`;
    if (asked === this.#asked) return;
    this.#asked = asked;
    this.#view?.abort();
    const request = new AbortController();
    this.#view = request;
    try {
      const found = await fetchLegend(query, zoom, box, request.signal);
      if (this.#view !== request) return;
      this.inView = found;
      this.error = null;
    } catch (error) {
      if (request.signal.aborted || this.#view !== request) return;
      this.inView = null;
      this.error = error;
      this.#asked = '';
    }
  }

  /** Reads how the layers of `query` are drawn. Where that fails the pictures stay as they are. */
  async readSamples(query: StyleQuery): Promise<void> {
    const asked = legendPath(query, NEAR_ZOOM, null);
    if (asked === this.#sampled) return;
    this.#sampled = asked;
    try {
      const found = await fetchLegend(query, NEAR_ZOOM, null);
      if (this.#sampled === asked) this.samples = found;
    } catch {
      if (this.#sampled === asked) this.#sampled = '';
    }
  }
}
