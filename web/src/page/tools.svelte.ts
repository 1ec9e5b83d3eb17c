import { ApiError, fetchWithin, type WithinAnswer } from '../lib/api';
import { crossesItself, gridArea, gridLength, type LonLat, onGrid, polygonOf } from '../lib/sketch';

/** What is being done on the map instead of asking what is there. */
export type ToolMode = 'measure' | 'statistics' | 'draw';

/** What is drawn for a new feature. */
export type SketchShape = 'point' | 'line' | 'polygon';

/** A click this many pixels from a point drawn before means that point. */
const SNAP = 9;

/** The server takes no polygon of more corners. */
const MAX_POINTS = 1000;

/**
 * The tools: a mode, what is drawn in it, and what came of it. Clicks add points; a click on the last one ends a line, a
 * click on the first one closes an area.
 */
export class Tools {
  mode = $state<ToolMode | null>(null);
  /** What `draw` draws. */
  shape = $state<SketchShape>('polygon');
  points = $state.raw<LonLat[]>([]);
  /** Drawn to the end: the next click begins anew. */
  done = $state(false);
  /** The line came back to its start. */
  closed = $state(false);
  statistics = $state.raw<WithinAnswer | null>(null);
  loading = $state(false);
  error = $state<string | null>(null);

  /** Whether a figure on the VN-2000 grid makes sense here. */
  grid = $derived(onGrid(this.points));
  crossed = $derived(this.points.length > 3 && crossesItself(this.points));
  /** Metres, on the grid. */
  length = $derived(gridLength(this.points, this.closed));
  /** Square metres inside, on the grid. */
  area = $derived(this.points.length > 2 ? gridArea(this.points) : 0);
  /** Whether only an area makes sense. */
  areaOnly = $derived(this.mode === 'statistics' || (this.mode === 'draw' && this.shape === 'polygon'));
  /** Whether only a line makes sense. */
  lineOnly = $derived(this.mode === 'draw' && this.shape === 'line');
  finishable = $derived(!this.done && this.points.length >= (this.areaOnly ? 3 : 2));

  #request: AbortController | null = null;

  /** Begins a tool, with nothing drawn. */
  start(mode: ToolMode, shape: SketchShape = 'polygon'): void {
    this.clear();
    this.mode = mode;
    this.shape = shape;
  }

  /** Leaves the tool; what was drawn goes. */
  stop(): void {
    this.clear();
    this.mode = null;
  }

  /** Begins anew in the same tool. */
  clear(): void {
    this.#request?.abort();
    this.points = [];
    this.done = false;
    this.closed = false;
    this.statistics = null;
    this.loading = false;
    this.error = null;
  }

  /** One step back: what is drawn goes, then the tool. Says whether there was one. */
  back(): boolean {
    if (!this.mode) return false;
    if (this.points.length > 0) this.clear();
    else this.stop();
    return true;
  }

  /** Takes a click; `pixels` says how far on the screen a position is from it. */
  click(point: LonLat, pixels: (other: LonLat) => number): void {
    if (this.mode === 'draw') {
      // Values are being filled in for what was drawn: a stray click must not undo it.
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

  /** Takes the last point back; what was finished is open again. */
  undo(): void {
    const kept = this.done ? this.points : this.points.slice(0, -1);
    this.clear();
    this.points = kept;
  }

  /** Ends the drawing: as an area with `closed`, and always so where only an area makes sense. */
  finish(closed = this.areaOnly): void {
    if (!this.finishable) return;
    this.closed = (closed || this.areaOnly) && !this.lineOnly;
    this.done = true;
    if (this.mode === 'statistics') void this.fetchStatistics();
  }

  /** Asks what lies in the area. An outline that crosses itself has no inside to ask for. */
  async fetchStatistics(): Promise<void> {
    if (this.mode !== 'statistics' || !this.done || this.crossed) return;
    this.#request?.abort();
    const request = new AbortController();
    this.#request = request;
    this.loading = true;
    this.error = null;
    try {
      const answer = await fetchWithin(polygonOf(this.points), request.signal);
      if (!request.signal.aborted) this.statistics = answer;
    } catch (error) {
      if (request.signal.aborted) return;
      this.error = error instanceof ApiError ? error.message : String(error);
    }
    this.loading = false;
  }
}
