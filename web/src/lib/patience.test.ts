import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { onSlow, watch } from './patience';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  onSlow(() => {});
  vi.useRealTimers();
});

test('a request is slow after three seconds, and the page hears of the first and the last', () => {
  const told: boolean[] = [];
  onSlow((slow) => told.push(slow));
  const quick = watch();
  vi.advanceTimersByTime(2900);
  quick();
  const [first, second] = [watch(), watch()];
  vi.advanceTimersByTime(3100);
  expect(told).toEqual([true]);
  first();
  expect(told).toEqual([true]);
  second();
  second();
  expect(told).toEqual([true, false]);
});
