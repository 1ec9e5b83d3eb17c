/** The tools: measuring, statistics of an area, and drawing a new feature. */
import { ApiError } from '../lib/api';
import type { FeatureRef } from '../lib/permalink';
import { crossesItself, gridArea, gridLength, type LonLat, onGrid, polygonOf } from '../lib/sketch';
import { fetchWithin, type StatsArea, type WithinAnswer } from '../lib/within';

/** What clicks on the map do instead of asking what is there. */
export type ToolMode = 'measure' | 'statistics' | 'draw';

/** The shape that is drawn for a new feature. */
export type SketchShape = 'point' | 'line' | 'polygon';

/** A click within this distance of a point, in pixels, means that point. */
const SNAP = 9;

/** The most points that a sketch may have: the server accepts no larger polygon. */
const MAX_POINTS = 1000;

/**
 * The tool in use, what is drawn with it, and the result. Clicks add points; a click on the last point ends a line, a
 * click on the first closes an area.
 */
export class Tools {
  mode = $state<ToolMode | null>(null);
  /** The shape that the mode `draw` draws. */
  shape = $state<SketchShape>('polygon');
  points = $state.raw<LonLat[]>([]);
  /** The sketch is finished: the next click starts a new one. */
  done = $state(false);
  /** The sketch is an area: it returns to its first point. */
  closed = $state(false);
  /** The feature that is the area of the statistics, with its name; `null` for an area that is drawn. */
  feature = $state.raw<(FeatureRef & { name: string }) | null>(null);
  statistics = $state.raw<WithinAnswer | null>(null);
  /** The server could not divide the layers by the values of fields. */
  undivided = $state(false);
  loading = $state(false);
  error = $state.raw<ApiError | null>(null);

  /** Whether the sketch is in the area of use of the VN-2000 grid. */
  grid = $derived(onGrid(this.points));
  crossed = $derived(this.points.length > 3 && crossesItself(this.points));
  /** The length, for an area its perimeter, in metres on the VN-2000 grid. */
  length = $derived(gridLength(this.points, this.closed));
  /** The area inside in m² on the VN-2000 grid; 0 for fewer than three points. */
  area = $derived(this.points.length > 2 ? gridArea(this.points) : 0);
  /** Whether the sketch must be an area. */
  areaOnly = $derived(this.mode === 'statistics' || (this.mode === 'draw' && this.shape === 'polygon'));
  /** Whether the sketch must be a line. */
  lineOnly = $derived(this.mode === 'draw' && this.shape === 'line');
  /** The area of the statistics; `null` while there is none. */
  statsArea = $derived.by<StatsArea | null>(() => {
    if (this.mode !== 'statistics' || !this.done || this.crossed) return null;
    return this.feature ? { feature: this.feature } : { polygon: polygonOf(this.points) };
  });
  finishable = $derived(!this.done && this.points.length >= (this.areaOnly ? 3 : 2));

  #request: AbortController | null = null;
  /** By which fields the layers are divided, `LAYER.FIELD`. */
  readonly #dividedBy: () => string[];

  constructor(dividedBy: () => string[] = () => []) {
    this.#dividedBy = dividedBy;
  }

  /** Starts the statistics of a feature. */
  startInside(feature: FeatureRef & { name: string }): void {
    this.start('statistics');
    this.feature = feature;
    this.done = true;
    this.closed = true;
    void this.fetchStatistics();
  }

  /** Starts a tool with an empty sketch. */
  start(mode: ToolMode, shape: SketchShape = 'polygon'): void {
    this.clear();
    this.mode = mode;
    this.shape = shape;
  }

  /** Leaves the tool and drops the sketch. */
  stop(): void {
    this.clear();
    this.mode = null;
  }

  /** Drops the sketch, and stays in the tool. */
  clear(): void {
    this.#request?.abort();
    this.points = [];
    this.done = false;
    this.closed = false;
    this.feature = null;
    this.statistics = null;
    this.undivided = false;
    this.loading = false;
    this.error = null;
  }

  /** Goes one step back: first drops the sketch, then leaves the tool. Returns whether there was one. */
  back(): boolean {
    if (!this.mode) return false;
    if (this.points.length > 0 || this.feature) this.clear();
    else this.stop();
    return true;
  }

  /** Handles a click; `pixels` returns the distance of a position from it on the screen. */
  click(point: LonLat, pixels: (other: LonLat) => number): void {
    if (this.mode === 'draw') {
      // The form for the new feature is being filled in: a stray click must not drop its shape.
      if (this.done && this.shape !== 'point') return;
      if (this.shape === 'point') {
        this.points = [point];
        this.done = true;
        return;
      }
    }
    if (this.done) this.clear();
    const first = this.points[0];
    const last = this.points.at(-1);
    const near = (other: LonLat | undefined) => other !== undefined && pixels(other) <= SNAP;
    if (this.points.length > 2 && !this.lineOnly && near(first)) this.finish(true);
    else if (near(last)) this.finish();
    else if (this.points.length < MAX_POINTS) this.points = [...this.points, point];
  }

  /** Removes the last point, or reopens a finished sketch. */
  undo(): void {
    const kept = this.done ? this.points : this.points.slice(0, -1);
    this.clear();
    this.points = kept;
  }

  /** Finishes the sketch, as an area if `closed` or if it must be one. */
  finish(closed = this.areaOnly): void {
    if (!this.finishable) return;
    this.closed = (closed || this.areaOnly) && !this.lineOnly;
    this.done = true;
    if (this.mode === 'statistics') void this.fetchStatistics();
  }

  /** Asks the server what is inside the area. An outline that crosses itself has no inside. */
  async fetchStatistics(): Promise<void> {
    const area = this.statsArea;
    if (!area) return;
    this.#request?.abort();
    const request = new AbortController();
    this.#request = request;
    this.loading = true;
    this.error = null;
    try {
      const by = this.#dividedBy();
      let undivided = false;
      const answer = await fetchWithin(area, { by }, request.signal).catch((error: unknown) => {
        // A field may have more values than the server divides by: then the layers are not divided.
        if (by.length === 0 || !(error instanceof ApiError) || error.status !== 400) throw error;
        undivided = true;
        return fetchWithin(area, {}, request.signal);
      });
      if (request.signal.aborted) return;
      this.statistics = answer;
      this.undivided = undivided;
    } catch (error) {
      if (request.signal.aborted) return;
      this.error = error instanceof ApiError ? error : new ApiError(0, String(error), 'unexpected');
    }
    this.loading = false;
  }
}
