import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { ApiError, fetchSearch } from './api';

const answers = (...statuses: number[]) =>
  vi.fn(async () => {
    const status = statuses.shift() ?? 200;
    return new Response(status === 200 ? '{"results":[]}' : '{"detail":"wait"}', { status });
  });

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

it('asks again while the server still indexes its names', async () => {
  const fetch = answers(503, 503, 200);
  vi.stubGlobal('fetch', fetch);
  const found = fetchSearch('ben thanh', [106.7, 10.77], 'vi');
  await vi.advanceTimersByTimeAsync(2000);
  expect(await found).toEqual({ results: [] });
  expect(fetch).toHaveBeenCalledTimes(3);
});

it('gives up after a while, and at once if the request is wrong or aborted', async () => {
  vi.stubGlobal('fetch', answers(...Array<number>(20).fill(503)));
  const late = expect(fetchSearch('x', [0, 0], 'vi')).rejects.toThrow(ApiError);
  await vi.advanceTimersByTimeAsync(20_000);
  await late;
  vi.stubGlobal('fetch', answers(400));
  await expect(fetchSearch('x', [0, 0], 'vi')).rejects.toMatchObject({ status: 400 });
  const fetch = answers(503, 200);
  vi.stubGlobal('fetch', fetch);
  const control = new AbortController();
  const left = expect(fetchSearch('x', [0, 0], 'vi', control.signal)).rejects.toThrow();
  control.abort();
  await vi.advanceTimersByTimeAsync(2000);
  await left;
  expect(fetch).toHaveBeenCalledTimes(1);
});
