import { afterEach, describe, expect, it, vi } from 'vitest';
import type { LonLat } from '../lib/sketch';
import { Tools } from './tools.svelte';

afterEach(() => vi.unstubAllGlobals());

/** A screen on which a thousandth of a degree is a hundred pixels. */
const clicks = (tools: Tools, ...points: LonLat[]) => {
  for (const at of points) tools.click(at, (other) => Math.hypot(other[0] - at[0], other[1] - at[1]) * 100_000);
};
const A: LonLat = [106.7, 10.77];
const B: LonLat = [106.701, 10.77];
const C: LonLat = [106.701, 10.771];
const D: LonLat = [106.7, 10.771];

describe('measuring', () => {
  it('ends a line by a double click, and starts a new sketch with the next', () => {
    const tools = new Tools();
    tools.start('measure');
    clicks(tools, A, B, B);
    expect([tools.points, tools.done, tools.closed]).toEqual([[A, B], true, false]);
    expect(tools.length).toBeCloseTo(109.35, 0);
    clicks(tools, C);
    expect([tools.points, tools.done]).toEqual([[C], false]);
  });

  it('closes an area by a click on its first point', () => {
    const tools = new Tools();
    tools.start('measure');
    clicks(tools, A, B, C, D, [A[0] + 0.00005, A[1]]);
    expect([tools.points.length, tools.done, tools.closed, tools.crossed]).toEqual([4, true, true, false]);
    expect(tools.area / (109.35 * 110.6)).toBeCloseTo(1, 2);
  });

  it('takes back point by point, also from what was finished', () => {
    const tools = new Tools();
    tools.start('measure');
    clicks(tools, A, B, C, A);
    tools.undo();
    expect([tools.points, tools.done, tools.closed]).toEqual([[A, B, C], false, false]);
    tools.undo();
    expect(tools.points).toEqual([A, B]);
  });

  it('goes back in two steps: the drawing, then the tool', () => {
    const tools = new Tools();
    expect(tools.back()).toBe(false);
    tools.start('measure');
    clicks(tools, A);
    expect([tools.back(), tools.mode, tools.points.length]).toEqual([true, 'measure', 0]);
    expect([tools.back(), tools.mode]).toEqual([true, null]);
  });
});

describe('statistics', () => {
  const answering = (status: number, body: unknown) => {
    const asked = vi.fn(async (_path: string, _init: RequestInit) => Response.json(body, { status }));
    vi.stubGlobal('fetch', asked);
    return asked;
  };

  it('asks what is inside the area once it is closed', async () => {
    const asked = answering(200, { revision: 1, area: { value: 1, unit: 'm²' }, layers: [] });
    const tools = new Tools();
    tools.start('statistics');
    clicks(tools, A, B, B);
    expect(tools.done, 'two corners are no area').toBe(false);
    clicks(tools, C, C);
    await vi.waitFor(() => expect(tools.statistics?.revision).toBe(1));
    expect(asked).toHaveBeenCalledTimes(1);
    expect(asked.mock.calls[0]?.[0]).toBe('/api/within');
    expect(JSON.parse(String(asked.mock.calls[0]?.[1].body))).toEqual({ type: 'Polygon', coordinates: [[A, B, C, A]] });
  });

  it('asks by the fields that divide the layers, and without them where a field has too many values', async () => {
    const asked = vi.fn(async (path: string) =>
      path.includes('by=') ? Response.json({}, { status: 400 }) : Response.json({ revision: 2, layers: [] }),
    );
    vi.stubGlobal('fetch', asked);
    const tools = new Tools(() => ['parcels.loai_dat']);
    tools.start('statistics');
    clicks(tools, A, B, C, A);
    await vi.waitFor(() => expect(tools.statistics?.revision).toBe(2));
    expect(asked.mock.calls.map(([path]) => path)).toEqual(['/api/within?by=parcels.loai_dat', '/api/within']);
    expect(tools.undivided).toBe(true);
  });

  it('takes a feature for the area, and a click on the map draws another one', async () => {
    const asked = answering(200, { revision: 3, area: { value: 1, unit: 'm²' }, layers: [] });
    const tools = new Tools();
    tools.startInside({ layer: 'communes', id: '26743', name: 'Phường Bến Thành' });
    await vi.waitFor(() => expect(tools.statistics?.revision).toBe(3));
    expect(asked.mock.calls[0]?.[0]).toBe('/api/within?of=communes%3A26743');
    expect([tools.mode, tools.feature?.name]).toEqual(['statistics', 'Phường Bến Thành']);
    clicks(tools, A);
    expect([tools.feature, tools.statistics, tools.points]).toEqual([null, null, [A]]);
    tools.startInside({ layer: 'communes', id: '26743', name: '' });
    expect([tools.back(), tools.mode, tools.feature]).toEqual([true, 'statistics', null]);
  });

  it('keeps the drawing and says what the server said where that failed', async () => {
    answering(400, { title: 'Bad', detail: 'the area is too big' });
    const tools = new Tools();
    tools.start('statistics');
    clicks(tools, A, B, C, A);
    await vi.waitFor(() => expect(tools.error?.message).toBe('the area is too big'));
    expect([tools.points.length, tools.loading, tools.statistics]).toEqual([3, false, null]);
  });

  it('does not ask for an outline that crosses itself', () => {
    const asked = answering(200, {});
    const tools = new Tools();
    tools.start('statistics');
    clicks(tools, A, C, B, D, A);
    expect([tools.done, tools.crossed, asked.mock.calls.length]).toEqual([true, true, 0]);
  });
});

describe('drawing a new feature', () => {
  it('takes one click for a point, and the next one instead', () => {
    const tools = new Tools();
    tools.start('draw', 'point');
    clicks(tools, A);
    expect([tools.points, tools.done]).toEqual([[A], true]);
    clicks(tools, B);
    expect([tools.points, tools.done]).toEqual([[B], true]);
  });

  it('ends a line at its last point, never as an area', () => {
    const tools = new Tools();
    tools.start('draw', 'line');
    clicks(tools, A, B, C, A, A);
    expect([tools.points.length, tools.done, tools.closed]).toEqual([4, true, false]);
  });

  it('closes an area, and keeps it through a stray click', () => {
    const tools = new Tools();
    tools.start('draw', 'polygon');
    clicks(tools, A, B);
    expect(tools.finishable).toBe(false);
    clicks(tools, C, A);
    expect([tools.points.length, tools.done, tools.closed]).toEqual([3, true, true]);
    clicks(tools, D);
    expect([tools.points.length, tools.done]).toEqual([3, true]);
    tools.undo();
    expect([tools.points.length, tools.done]).toEqual([3, false]);
  });
});
