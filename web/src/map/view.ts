import workerUrl from 'virtual:map-worker';
import * as maplibregl from 'maplibre-gl';
import type { Bbox } from '../lib/api';
import type { Camera } from '../lib/permalink';
import { minRevisionHeaders } from '../lib/requesttime';
import type { StaleTiles } from '../live/staletiles';
import type { TilePlace } from '../live/touched';
import { throughWatch, watchGlyphs } from './glyphs';
import { Refresher } from './refresh';
import { REACH } from './sketching';

// Without the worker's own address the bundled map never becomes idle.
maplibregl.setWorkerUrl(workerUrl);
watchGlyphs();

/** What the map tells the page. */
export interface ViewEvents {
  moved: (view: Camera) => void;
  pointer: (lonlat: [number, number] | null) => void;
  clicked: (lonlat: [number, number]) => void;
  idle: () => void;
  busy: () => void;
}

/** Room that the page's panels take from the map, in pixels. */
export interface Insets {
  left: number;
  top: number;
  right: number;
  bottom: number;
}

/** The map itself, with the few things the page does to it. */
export class MapView {
  readonly map: maplibregl.Map;
  readonly #insets: () => Insets;
  readonly #refresher: Refresher;
  /** The style that waits for the former one to be read. */
  #styled = false;
  #drawing = false;
  #next: maplibregl.StyleSpecification | null = null;
  #waiting: ReturnType<typeof setInterval> | undefined;

  constructor(
    container: HTMLElement,
    style: maplibregl.StyleSpecification,
    first: Camera | null,
    insets: () => Insets,
    staleTiles: StaleTiles,
    events: ViewEvents,
  ) {
    this.#insets = insets;
    this.map = new maplibregl.Map({
      container,
      style,
      center: first ? [first.lon, first.lat] : [106.698, 10.7725],
      zoom: first?.zoom ?? 14,
      bearing: first?.bearing ?? 0,
      minZoom: 4,
      maxZoom: 22,
      maxPitch: 0,
      pitchWithRotate: false,
      attributionControl: false,
      renderWorldCopies: false,
      fadeDuration: 150,
      // Cadastre is read at the pixel: a tilted or globe view would only blur it.
      refreshExpiredTiles: false,
      transformRequest: (url, kind) => {
        if (kind !== 'Tile') return throughWatch(url, kind);
        const address = staleTiles.requestUrl(url);
        return address === url ? { url } : { url: address, headers: minRevisionHeaders() };
      },
    });
    this.#refresher = new Refresher(this.map);
    this.map.touchPitch.disable();
    // The stylesheet of the control is unwanted, its scale is not.
    this.map.addControl(new maplibregl.ScaleControl({ maxWidth: 110, unit: 'metric' }), 'bottom-left');
    this.map.on('moveend', () => events.moved(this.camera()));
    this.map.on('mousemove', (event) => events.pointer([event.lngLat.lng, event.lngLat.lat]));
    this.map.on('mouseout', () => events.pointer(null));
    this.map.on('click', (event) => {
      if (!this.#openCluster(event.point)) events.clicked([event.lngLat.lng, event.lngLat.lat]);
    });
    const busy = () => {
      events.busy();
      this.#nudge();
    };
    for (const name of ['movestart', 'dataloading', 'styledataloading'] as const) this.map.on(name, busy);
    this.map.once('style.load', () => {
      this.#styled = true;
      if (this.#next) this.setStyle(this.#next);
      this.#next = null;
    });
    this.map.on('idle', () => {
      clearInterval(this.#waiting);
      this.#waiting = undefined;
      events.idle();
    });
    // A tile that fails is asked for again by the next move; the page's own poll tells of an outage.
    this.map.on('error', (event) => console.warn('map:', event.error?.message ?? event));
  }

  /**
   * Draws a frame now and then until the map says that it is idle. It says so after a frame only, and data that comes
   * anew but changes nothing to see draws none.
   */
  #nudge(): void {
    this.#waiting ??= setInterval(() => this.map.triggerRepaint(), 1000);
  }

  /** Where the map looks now. */
  camera(): Camera {
    const center = this.map.getCenter();
    return { lon: center.lng, lat: center.lat, zoom: this.map.getZoom(), bearing: this.map.getBearing() };
  }

  /** Goes nearer where a cluster of points is, unless a tool draws; whether it did. */
  #openCluster(point: maplibregl.Point): boolean {
    if (this.#drawing) return false;
    const layers = this.map.getLayersOrder().filter((id) => id.endsWith('/cluster'));
    const hit = layers.length > 0 ? this.map.queryRenderedFeatures(point, { layers })[0] : undefined;
    if (hit?.geometry.type !== 'Point') return false;
    const [lng = 0, lat = 0] = hit.geometry.coordinates;
    this.map.easeTo({
      center: [lng, lat],
      zoom: this.map.getZoom() + 2,
      animate: !matchMedia('(prefers-reduced-motion: reduce)').matches,
    });
    return true;
  }

  /** Brings the picture to `style`: tiles of changed layers are fetched anew, the rest stays as it is. */
  setStyle(style: maplibregl.StyleSpecification): void {
    if (!this.#styled) {
      this.#next = style;
      return;
    }
    for (const [id, source] of Object.entries(style.sources)) {
      const present = this.map.getSource(id);
      if (source.type === 'vector' && source.tiles && present instanceof maplibregl.VectorTileSource) {
        if (present.tiles?.[0] !== source.tiles[0]) present.setTiles([...source.tiles]);
      }
    }
    this.map.setStyle(style, { diff: true, validate: false });
    this.#nudge();
  }

  /** Fetches those tiles of a layer again for which `touched` holds; the rest stays as it is. */
  refresh(layer: string, touched: (tile: TilePlace) => boolean): void {
    this.#refresher.refresh(layer, touched);
    this.#nudge();
  }

  /** Takes the map off the page. */
  remove(): void {
    this.#refresher.stop();
    this.map.remove();
  }

  /** Shows the piece of a sketch that follows the pointer. */
  reach(data: GeoJSON.FeatureCollection): void {
    const source = this.map.getSource(REACH);
    if (source instanceof maplibregl.GeoJSONSource) void source.setData(data);
  }

  /** Whether a tool draws: the pointer is a cross, and a double click ends a line instead of zooming. */
  drawing(on: boolean): void {
    this.#drawing = on;
    this.map.getCanvas().style.cursor = on ? 'crosshair' : '';
    if (on) this.map.doubleClickZoom.disable();
    else this.map.doubleClickZoom.enable();
  }

  /** Pixels on the screen between two positions. */
  pixels(a: [number, number], b: [number, number]): number {
    return this.map.project(a).dist(this.map.project(b));
  }

  /** Goes to a view at once. */
  jump(camera: Camera): void {
    this.map.jumpTo({ center: [camera.lon, camera.lat], zoom: camera.zoom, bearing: camera.bearing });
  }

  /** Shows a box whole in the part of the map that panels leave free. */
  fit(box: Bbox, maxZoom: number, animate = true): void {
    const { left, top, right, bottom } = this.#insets();
    this.map.fitBounds(box, {
      padding: { left: left + 32, top: top + 32, right: right + 32, bottom: bottom + 32 },
      maxZoom,
      bearing: this.map.getBearing(),
      animate: animate && !matchMedia('(prefers-reduced-motion: reduce)').matches,
      duration: 900,
    });
  }

  /** The middle of the part of the map that panels leave free, as longitude and latitude. */
  middle(): [number, number] {
    const { left, top, right, bottom } = this.#insets();
    const canvas = this.map.getContainer();
    const x = left + (canvas.clientWidth - left - right) / 2;
    const y = top + (canvas.clientHeight - top - bottom) / 2;
    const { lng, lat } = this.map.unproject([x, y]);
    return [lng, lat];
  }

  /** The pieces of a layer's features in the tiles at hand; none before `zoom`. */
  featureParts(layer: string, zoom: number): maplibregl.MapGeoJSONFeature[] {
    if (this.map.getZoom() < zoom || !this.map.getSource(layer)) return [];
    return this.map.querySourceFeatures(layer, { sourceLayer: layer }) as maplibregl.MapGeoJSONFeature[];
  }

  /** The values of `field` among the drawn features of a style layer. */
  valuesInView(layer: string, field: string): string[] {
    if (!this.map.getLayer(layer)) return [];
    const values = new Set<string>();
    for (const feature of this.map.queryRenderedFeatures({ layers: [layer] })) {
      const value: unknown = feature.properties[field];
      values.add(value === undefined || value === null ? '' : String(value));
    }
    return [...values];
  }
}
