import { expect, test } from 'vitest';
import { ApiError } from './api';
import { MESSAGES } from './i18n';
import { troubleText } from './trouble';

test('problems are told in the language of the page, with the reference of the server’s log', () => {
  const busy = new ApiError(503, 'all places are taken', 'unavailable', 'abc-1');
  expect(troubleText(busy, MESSAGES.vi)).toMatch(/^Máy chủ .*abc-1\)\.$/);
  expect(troubleText(busy, MESSAGES.en)).not.toContain('all places are taken');
  expect(troubleText(new ApiError(0, 'timeout', 'timeout'), MESSAGES.en)).toBe(MESSAGES.en.problems.timeout);
  expect(troubleText(new ApiError(599, 'x', 'new-kind'), MESSAGES.en)).toBe(MESSAGES.en.problems.internal);
  expect(troubleText(new TypeError('x'), MESSAGES.en)).toBe(MESSAGES.en.problems.unexpected);
});

test('both languages know the same problems', () => {
  expect(Object.keys(MESSAGES.vi.problems)).toEqual(Object.keys(MESSAGES.en.problems));
});
