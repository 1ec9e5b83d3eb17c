/**
 * The page: its parts, each with the state of one idea, and what happens between them. The parts do not know each
 * other; they get what they need as a port. Components read the parts and call them; the map's style ({@link
 * Picture}) and the page's address ({@link App.link}) follow from them.
 */

import { city, loadCity } from '../lib/city';
import { day, featureName, titleText } from '../lib/format';
import { readKept } from '../lib/kept';
import { onSlow } from '../lib/patience';
import { type FeatureRef, type Link, readLink, writeLink } from '../lib/permalink';
import { FIRST_STYLE } from '../lib/styles';
import { troubleText } from '../lib/trouble';
import { dividedBy } from '../lib/within';
import { Answer } from './answer.svelte';
import { Cartography } from './cartography.svelte';
import { Editing } from './editing.svelte';
import { Following } from './following';
import { Layers, ORDER_KEY, ORDER_MAX } from './layers.svelte';
import { Legends } from './legends.svelte';
import { Notes } from './notes.svelte';
import { Panel } from './panel.svelte';
import { Picture } from './picture.svelte';
import { Settings } from './settings.svelte';
import { type SketchShape, type ToolMode, Tools } from './tools.svelte';
import { BeforeRecord, Travel } from './travel.svelte';
import { Viewport } from './viewport.svelte';

const RETRY_MS = 5000;
/** The zoom from which roads are drawn as wide as they are, so that a click on their edge means them. */
const WIDE_ROADS_ZOOM = 15;

export class App {
  readonly settings: Settings;
  readonly viewport = new Viewport();
  readonly layers = new Layers();
  readonly cartography = new Cartography(this.layers, {
    look: () => ({ theme: this.settings.theme, lang: this.settings.lang }),
    missing: (id) => this.notes.show(this.settings.words.styleMissing(id), 'error'),
  });
  readonly legends = new Legends();
  readonly panel = new Panel();
  readonly tools = new Tools(() => dividedBy(this.layers.all));
  readonly notes = new Notes(() => this.settings.words);
  readonly editing = new Editing(() => this.notes.show(this.settings.words.unsaved, 'error'));
  readonly answer = new Answer({
    words: () => this.settings.words,
    zoom: () => this.viewport.zoom(14),
    tolerance: (lat, zoom) => this.viewport.tolerance(lat, zoom),
    roadLayers: (zoom) => (zoom < WIDE_ROADS_ZOOM ? [] : this.layers.drawnAs('road')),
    layer: (id) => this.layers.byId.get(id),
    name: ({ layer, feature }) => featureName(feature, this.layers.byId.get(layer), this.settings.lang),
    isDrawn: (id, zoom) => this.layers.isDrawn(id, zoom),
    blocked: () => this.editing.blocks(),
    unsaved: () => this.editing.unsaved,
    isPast: () => this.time.moment !== null,
    asked: () => this.panel.showAnswer(),
    lost: (text) => this.notes.show(text),
  });
  readonly following = new Following(this.layers, {
    setReachable: (reachable) => this.notes.setReachable(reachable),
    announce: (layers) => this.#announce(layers),
    shown: () => ({
      at: this.answer.at,
      features: this.answer.features.map(({ layer, feature }) => ({ layer, id: String(feature.id) })),
    }),
    changed: (answer) => {
      this.dataChanges += 1;
      if (answer) void this.answer.refresh();
      void this.tools.fetchStatistics();
    },
  });
  readonly time = new Travel({
    blocked: () => this.editing.blocks(),
    readLayers: () => this.layers.read(),
    follow: (revision) => this.following.start(revision),
    arrived: async () => {
      this.answer.formerShape = null;
      this.remember(true);
      this.dataChanges += 1;
      void this.tools.fetchStatistics();
      await this.answer.refresh();
    },
    failed: (error) => {
      const { words } = this.settings;
      const reason = error instanceof BeforeRecord ? words.beforeRecord(day(error.day, this.settings.lang)) : null;
      this.notes.show(reason ?? `${words.noSuchTime} ${troubleText(error, words)}`, 'error');
    },
  });
  readonly picture: Picture;

  /** Grows with each change of the data or of its time: what was read of it before may be outdated. */
  dataChanges = $state(0);

  constructor() {
    const dark = matchMedia('(prefers-color-scheme: dark)').matches;
    const link = readLink(location.hash);
    this.settings = new Settings(link.lang ?? city().languages[0] ?? 'vi', link.theme ?? (dark ? 'dark' : 'light'));
    this.viewport.camera = link.camera ?? null;
    this.picture = new Picture(this);
    onSlow((slow) => {
      this.notes.slow = slow;
    });
  }

  /** Loads the layers, then what the page's address names. Tries again while the server does not answer. */
  async start(): Promise<void> {
    try {
      if (city().grid === null) await loadCity();
      await this.time.start(readLink(location.hash));
      this.#takeStyle(readLink(location.hash));
      await this.cartography.load();
      this.layers.status = 'ready';
      const parcels = this.layers.all.find((layer) => layer.citymap.role === 'parcel');
      if (parcels) this.layers.expanded[parcels.id] = true;
      // If the address names a time that cannot be shown, the user was told so already.
      const { moment, validOn } = this.time;
      const link = readLink(location.hash);
      // A link shows what its sender saw; a bare address begins with the order that this browser has kept.
      if (location.hash.length < 2) link.order = readKept(ORDER_KEY, ORDER_MAX);
      await this.apply({ ...link, revision: moment?.revision, valid: validOn ?? undefined });
    } catch {
      this.layers.status = 'failed';
      setTimeout(() => void this.start(), RETRY_MS);
    }
  }

  /** Brings the page to the state that an address names. */
  async apply(link: Link): Promise<void> {
    if (this.editing.blocks()) return;
    if (link.lang) this.settings.lang = link.lang;
    if (link.theme) this.settings.theme = link.theme;
    await this.time.apply(link);
    this.#takeStyle(link);
    const switched = (ids: string[], on: boolean) => ids.map((id) => [id, on] as const);
    this.layers.switched = Object.fromEntries([...switched(link.on, true), ...switched(link.off, false)]);
    this.layers.order = link.order;
    this.layers.opacity = { ...link.opacity };
    if (link.at) await this.answer.ask(link.at, link.selected ?? null);
    else if (link.selected) await this.answer.show(link.selected);
    else this.#clearAnswer();
  }

  /** The state of the page as its address names it. */
  link(): Link {
    const { settings, viewport, cartography, layers, answer, time } = this;
    return {
      camera: viewport.camera ?? undefined,
      style: cartography.id === FIRST_STYLE ? undefined : cartography.id,
      level: cartography.level ?? undefined,
      on: layers.switchedTo(true),
      off: layers.switchedTo(false),
      order: layers.order,
      opacity: { ...layers.opacity },
      at: answer.at ?? undefined,
      selected: answer.selected ?? undefined,
      revision: time.moment?.revision,
      valid: time.validOn ?? undefined,
      lang: settings.lang,
      theme: settings.theme,
    };
  }

  /** Writes the address: in place, or as a new step that the browser's back button undoes. */
  remember(step: boolean): void {
    const url = writeLink(this.link());
    if (url === location.hash) return;
    if (step) history.pushState(null, '', url);
    else history.replaceState(null, '', url);
  }

  /** Selects one of the features that were found; `null` selects none. */
  select(ref: FeatureRef | null): void {
    if (this.editing.blocks()) return;
    this.answer.select(ref);
    this.remember(true);
  }

  /** Deselects a feature that was deleted; what else is at the point is asked for again. */
  deselect(): void {
    this.answer.deselect();
    this.remember(true);
    void this.answer.refresh();
  }

  /** Starts a tool: clicks on the map belong to it until it is left. */
  startTool(mode: ToolMode, shape?: SketchShape): void {
    this.tools.start(mode, shape);
    this.panel.showTool();
  }

  /** Asks what is inside a feature. */
  countInside(feature: FeatureRef & { name: string }): void {
    if (this.editing.blocks()) return;
    this.tools.startInside(feature);
    this.panel.showTool();
    this.panel.raise();
  }

  /** Goes one step back: first clears the drawing, then leaves the tool, then its pane, then drops the answer. */
  back(): boolean {
    if (this.editing.blocks() || this.tools.back() || this.panel.closeToolPane()) return true;
    if (this.answer.empty) return false;
    this.#clearAnswer();
    this.remember(true);
    return true;
  }

  #takeStyle({ style, level }: Link): void {
    this.cartography.choose(style ?? FIRST_STYLE);
    this.cartography.level = level ?? null;
  }

  #clearAnswer(): void {
    this.answer.clear();
    this.panel.tab = 'layers';
  }

  /** Announces changed layers, but never in place of an error. */
  #announce(layers: string[] | null): void {
    const { words, lang } = this.settings;
    const name = (id: string) => titleText(this.layers.byId.get(id)?.citymap.titles, lang, id);
    const names = layers?.map(name).join(', ') ?? words.allLayers;
    if (layers === null || this.notes.current?.kind !== 'error') this.notes.show(words.updated(names));
  }
}
