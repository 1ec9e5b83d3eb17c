import { afterEach, expect, test, vi } from 'vitest';
import { addRecent, clearRecent, readRecent } from './recent';

function storage(): Map<string, string> {
  const kept = new Map<string, string>();
  vi.stubGlobal('localStorage', {
    getItem: (key: string) => kept.get(key) ?? null,
    setItem: (key: string, value: string) => kept.set(key, value),
    removeItem: (key: string) => kept.delete(key),
  });
  return kept;
}

afterEach(() => vi.unstubAllGlobals());

test('the latest search comes first, once, and eight are kept', () => {
  storage();
  for (let i = 0; i < 10; i++) addRecent(`search ${i}`);
  expect(addRecent('search 5')).toEqual([5, 9, 8, 7, 6, 4, 3, 2].map((i) => `search ${i}`));
  expect(readRecent()[0]).toBe('search 5');
  clearRecent();
  expect(readRecent()).toEqual([]);
});

test('what is no list of texts is not read, and missing storage is no error', () => {
  storage().set('citymap-searches', '{"a":1}');
  expect(readRecent()).toEqual([]);
  vi.stubGlobal('localStorage', undefined);
  expect(addRecent('a')).toEqual(['a']);
});
