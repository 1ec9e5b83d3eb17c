/** How the map is drawn: the style that was chosen, and the document that the server made of it. */
import type { StyleSpecification } from 'maplibre-gl';
import { ApiError, type Collection } from '../lib/api';
import type { Lang } from '../lib/i18n';
import {
  drawnBy,
  FIRST_STYLE,
  fetchStyle,
  fetchStyles,
  forgetStyles,
  type StyleEntry,
  type StyleLevel,
  type StyleQuery,
} from '../lib/styles';
import type { ThemeName } from '../lib/theme';
import type { Layers } from './layers.svelte';

/** A style that could not be read is asked for again after this time. */
const RETRY_MS = 5000;

/** Above every zoom level of the map. */
const NEVER = 24;

/** What the cartography needs of the page besides its layers. */
export interface CartographyPort {
  look(): { theme: ThemeName; lang: Lang };
  /** There is no style with this id; the page goes back to its first one. */
  missing(id: string): void;
}

/** What of the catalogue a style is made of: all but what every edit changes. The names of units are in the style. */
const madeOf = ({ id, citymap }: Collection): string =>
  JSON.stringify([
    id,
    { ...citymap, count: 0, revision: 0, dataDate: null, tilesVersion: '' },
    citymap.role === 'admin_unit' ? citymap.tilesVersion : '',
  ]);

export class Cartography {
  /** The styles that there are to choose from. */
  styles = $state.raw<StyleEntry[]>([]);
  /** The chosen style, and the only level of plans in it. */
  id = $state(FIRST_STYLE);
  level = $state<StyleLevel | null>(null);
  /** The style as the map shows it: of the layers that are switched on. */
  document = $state.raw<StyleSpecification | null>(null);
  /** Whether another style is on its way. */
  loading = $state(false);

  readonly #layers: Layers;
  readonly #port: CartographyPort;
  /** Grows with each change of the catalogue that changes styles. */
  readonly #catalogue = $derived.by(() => this.#layers.all.map(madeOf).join('\n'));
  #known = '';
  /** The language in which the list of styles was read. */
  #listed: Lang | null = null;
  /** The number of the latest request: an answer to an earlier one is not shown. */
  #latest = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** Changes when a failed request is to be made again. */
  #again = $state(0);

  constructor(layers: Layers, port: CartographyPort) {
    this.#layers = layers;
    this.#port = port;
  }

  /** What the map shows; null until the style says which layers are its own. */
  readonly query = $derived.by<StyleQuery | null>(() => {
    const own = this.#layers.styled;
    const visible = this.#layers.visible.filter(({ citymap }) => citymap.geometry !== 'none').map(({ id }) => id);
    if (!own) return null;
    const same = visible.length === own.size && visible.every((id) => own.has(id));
    // Without any layer the style is its ground alone, which the page makes by hiding all of them.
    return { ...this.#asked, layers: same || visible.length === 0 ? null : visible };
  });

  readonly #asked = $derived.by<Omit<StyleQuery, 'layers'>>(() => {
    const { theme, lang } = this.#port.look();
    return { style: this.id, level: this.level, theme, lang };
  });

  /** Everything that {@link load} goes by, so that an effect that reads it runs at each change. */
  get wanted(): unknown {
    return [this.query, this.#asked, this.#catalogue, this.#again];
  }

  /** Chooses a style: it is shown as it is, without the layers that were switched on or off before. */
  choose(id: string): void {
    if (id === this.id) return;
    this.id = id;
    this.level = null;
    this.#layers.switched = {};
  }

  /** Reads the style that is wanted, and shows it once it is there. The style before stays until then. */
  async load(): Promise<void> {
    clearTimeout(this.#timer);
    if (this.#known !== this.#catalogue) {
      if (this.#known !== '') forgetStyles();
      this.#known = this.#catalogue;
    }
    this.#latest += 1;
    const number = this.#latest;
    const isLatest = () => number === this.#latest;
    const asked = this.#asked;
    this.loading = true;
    try {
      const [own] = await Promise.all([fetchStyle({ ...asked, layers: null }), this.#list(asked.lang)]);
      if (!isLatest()) return;
      this.#takeOwn(own);
      const layers = this.query?.layers ?? null;
      // A file of the operator is what it is, whatever layers are named.
      const isMade = (own.metadata as Record<string, unknown> | undefined)?.['citymap:style'] !== undefined;
      const document = layers && isMade ? await fetchStyle({ ...asked, layers }) : own;
      if (!isLatest()) return;
      this.#layers.zooms = zoomsOf(document);
      this.document = document;
      this.loading = false;
    } catch (error) {
      if (!isLatest()) return;
      if (error instanceof ApiError && error.status === 404 && asked.style !== FIRST_STYLE) {
        this.#port.missing(asked.style);
        this.choose(FIRST_STYLE);
      } else {
        // The style before stays, and the page says elsewhere that the server does not answer.
        this.loading = false;
        this.#timer = setTimeout(() => {
          this.#again += 1;
        }, RETRY_MS);
      }
    }
  }

  /** The zoom level from which areas of a layer are labelled; a level that no map has if they are not. */
  labelZoom(id: string): number {
    const labels = this.document?.layers.filter((layer) => layer.type === 'symbol' && drawnBy(layer) === id) ?? [];
    return Math.min(NEVER, ...labels.map(({ minzoom }) => minzoom ?? 0));
  }

  /** The name of the administrative unit with an id, as far as the map labels it. */
  unitName(id: string): string | null {
    for (const layer of this.#layers.drawnAs('admin')) {
      const source = this.document?.sources[`citymap-labels-${layer.id}`];
      const label = layer.citymap.label;
      if (source?.type !== 'geojson' || !label) continue;
      const { features } = source.data as GeoJSON.FeatureCollection;
      const name = features.find(({ properties }) => properties?._id === id)?.properties?.[label];
      if (name !== undefined) return String(name);
    }
    return null;
  }

  /** Reads the list of styles, unless it has been read in this language. */
  async #list(lang: Lang): Promise<void> {
    if (this.#listed === lang) return;
    const styles = await fetchStyles(lang);
    this.#listed = lang;
    this.styles = styles;
  }

  #takeOwn(own: StyleSpecification): void {
    const ids = new Set(own.layers.flatMap((layer) => drawnBy(layer) ?? []));
    const known = this.#layers.styled;
    if (known && known.size === ids.size && [...ids].every((id) => known.has(id))) return;
    this.#layers.styled = ids;
  }
}

/** The lowest zoom level at which a style draws anything of each layer. */
function zoomsOf({ layers }: StyleSpecification): Map<string, number> {
  const zooms = new Map<string, number>();
  for (const layer of layers) {
    const id = drawnBy(layer);
    if (id !== null) zooms.set(id, Math.min(zooms.get(id) ?? NEVER, layer.minzoom ?? 0));
  }
  return zooms;
}
