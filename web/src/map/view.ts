/** The MapLibre map on the page, and what the page does with it. */
import workerUrl from 'virtual:map-worker';
import * as maplibregl from 'maplibre-gl';
import type { Bbox } from '../lib/api';
import { city } from '../lib/city';
import { freeMiddle, type Insets } from '../lib/insets';
import type { Camera } from '../lib/permalink';
import { minRevisionHeaders } from '../lib/requesttime';
import type { StaleTiles } from '../live/staletiles';
import type { TilePlace } from '../live/touched';
import { glyphRequest, registerGlyphs } from './glyphs';
import { providePlate } from './plate';
import { Refresher } from './refresh';
import { REACH } from './sketching';
import { TILE_PROTOCOL, TileRequests } from './tilerequests';
import { Whereabouts } from './whereabouts';

// The bundled map needs the address of its worker, or it never becomes idle.
maplibregl.setWorkerUrl(workerUrl);
registerGlyphs();

/** What the map must know about the layers to request their tiles. */
export interface TilePort {
  staleTiles: StaleTiles;
  /** How much a layer matters, the smallest number first. */
  importance(layer: string): number;
}

/** What the map reports to the page. */
export interface ViewEvents {
  moved: (view: Camera) => void;
  pointer: (lonlat: [number, number] | null) => void;
  clicked: (lonlat: [number, number]) => void;
  idle: () => void;
  busy: () => void;
}

/** The map with the operations that the page needs. Positions are longitude, latitude in degrees. */
export class MapView {
  readonly map: maplibregl.Map;
  readonly #insets: () => Insets;
  readonly #refresher: Refresher;
  /** Whether the first style has been read; until then the next one waits. */
  #styled = false;
  #drawing = false;
  #next: maplibregl.StyleSpecification | null = null;
  #waiting: ReturnType<typeof setInterval> | undefined;
  #whereabouts: Whereabouts | null = null;

  constructor(
    container: HTMLElement,
    style: maplibregl.StyleSpecification,
    first: Camera | null,
    insets: () => Insets,
    tiles: TilePort,
    events: ViewEvents,
  ) {
    this.#insets = insets;
    const requests = new TileRequests((layer) => tiles.importance(layer));
    maplibregl.addProtocol(TILE_PROTOCOL, requests.load);
    this.map = new maplibregl.Map({
      container,
      style,
      center: [(first ?? city().view).lon, (first ?? city().view).lat],
      zoom: (first ?? city().view).zoom,
      bearing: first?.bearing ?? 0,
      minZoom: 4,
      maxZoom: 22,
      maxPitch: 0,
      pitchWithRotate: false,
      attributionControl: false,
      renderWorldCopies: false,
      fadeDuration: 150,
      refreshExpiredTiles: false,
      transformRequest: (url, kind) => {
        if (kind !== 'Tile') return glyphRequest(url, kind);
        const address = tiles.staleTiles.requestUrl(url);
        return address === url ? { url: requests.announce(url) } : { url: address, headers: minRevisionHeaders() };
      },
    });
    this.#refresher = new Refresher(this.map);
    providePlate(this.map);
    this.map.touchPitch.disable();
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
    // A tile that failed is requested again by the next move; the change feed reports an outage.
    this.map.on('error', (event) => console.warn('map:', event.error?.message ?? event));
  }

  /**
   * Draws a frame each second until the map reports that it is idle. It reports so only after a frame, and new data
   * that changes nothing in the picture does not cause one.
   */
  #nudge(): void {
    this.#waiting ??= setInterval(() => this.map.triggerRepaint(), 1000);
  }

  /** Makes the map report again that it is idle, once it is. */
  settle(): void {
    this.#nudge();
  }

  /** The position, zoom and bearing that the map shows now. */
  camera(): Camera {
    const center = this.map.getCenter();
    return { lon: center.lng, lat: center.lat, zoom: this.map.getZoom(), bearing: this.map.getBearing() };
  }

  /** Zooms in on a cluster of points under the pointer, unless a tool is drawing. Returns whether it did. */
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

  /** Shows `style`: tiles of layers with a new address are fetched, all others stay. */
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

  /** Fetches the tiles of a layer again for which `touched` returns true; all others stay. */
  refresh(layer: string, touched: (tile: TilePlace) => boolean): void {
    this.#refresher.refresh(layer, touched);
    this.#nudge();
  }

  /** Calls `then` once: when all tiles of `layers` are drawn, or the map moves. */
  onceDrawn(layers: () => string[], then: () => void): void {
    const finish = () => {
      this.map.off('render', check);
      this.map.off('movestart', finish);
      then();
    };
    const check = () => {
      const ids = layers().filter((id) => this.map.getSource(id));
      if (ids.length > 0 && ids.every((id) => this.map.isSourceLoaded(id))) finish();
    };
    this.map.on('render', check);
    this.map.on('movestart', finish);
  }

  /** Shows the user's position (degrees) with its accuracy in metres. */
  showWhereabouts(lonlat: [number, number], accuracy: number, label: string): void {
    this.#whereabouts ??= new Whereabouts(this.map);
    this.#whereabouts.show(lonlat, accuracy, label);
  }

  /** Removes the map from the page. */
  remove(): void {
    this.#refresher.stop();
    this.map.remove();
  }

  /** Shows the line from a sketch's last point to the pointer. */
  showReach(data: GeoJSON.FeatureCollection): void {
    const source = this.map.getSource(REACH);
    if (source instanceof maplibregl.GeoJSONSource) void source.setData(data);
  }

  /** A tool begins or ends to draw: the pointer becomes a cross, and a double click no longer zooms. */
  setDrawing(on: boolean): void {
    this.#drawing = on;
    this.map.getCanvas().style.cursor = on ? 'crosshair' : '';
    if (on) this.map.doubleClickZoom.disable();
    else this.map.doubleClickZoom.enable();
  }

  /** The distance between two positions on the screen, in pixels. */
  pixels(a: [number, number], b: [number, number]): number {
    return this.map.project(a).dist(this.map.project(b));
  }

  /** Goes to a position, zoom and bearing without animation. */
  jump(camera: Camera): void {
    this.map.jumpTo({ center: [camera.lon, camera.lat], zoom: camera.zoom, bearing: camera.bearing });
  }

  /** Shows a whole box in the part of the map that panels leave free. Returns the zoom level that it goes to. */
  fit(box: Bbox, maxZoom: number, animate = true): number {
    const { left, top, right, bottom } = this.#insets();
    const options = {
      padding: { left: left + 32, top: top + 32, right: right + 32, bottom: bottom + 32 },
      maxZoom,
      bearing: this.map.getBearing(),
    };
    const zoom = this.map.cameraForBounds(box, options)?.zoom ?? this.map.getZoom();
    this.map.fitBounds(box, {
      ...options,
      animate: animate && !matchMedia('(prefers-reduced-motion: reduce)').matches,
      duration: 900,
    });
    return zoom;
  }

  /** The middle of the part of the map that panels leave free. */
  middle(): [number, number] {
    const { clientWidth, clientHeight } = this.map.getContainer();
    const { lng, lat } = this.map.unproject(freeMiddle(clientWidth, clientHeight, this.#insets()));
    return [lng, lat];
  }

  /** The parts of a layer's features in the loaded tiles; none below `zoom`. */
  featureParts(layer: string, zoom: number): maplibregl.MapGeoJSONFeature[] {
    if (this.map.getZoom() < zoom || !this.map.getSource(layer)) return [];
    return this.map.querySourceFeatures(layer, { sourceLayer: layer }) as maplibregl.MapGeoJSONFeature[];
  }

  /** Whether anything of a layer is drawn in the view, be it a feature, a cluster or a name. */
  draws(layer: string): boolean {
    const layers = this.map.getLayersOrder().filter((id) => id.startsWith(`${layer}/`));
    return layers.length > 0 && this.map.queryRenderedFeatures({ layers }).length > 0;
  }

  /** The box around what the map shows. */
  bounds(): Bbox {
    const [[west, south], [east, north]] = this.map.getBounds().toArray();
    return [Math.max(-180, west), south, Math.min(180, east), north];
  }
}
