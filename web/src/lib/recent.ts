/** The latest searches. */
import { keep, readKept } from './kept';

const STORAGE_KEY = 'citymap-searches';
const COUNT_MAX = 8;

/** The texts that were searched, the latest first. */
export const readRecent = (): string[] => readKept(STORAGE_KEY, COUNT_MAX);

/** Puts a text first and returns the new list. */
export function addRecent(text: string): string[] {
  const list = [text, ...readRecent().filter((other) => other !== text)].slice(0, COUNT_MAX);
  keep(STORAGE_KEY, list);
  return list;
}

export const clearRecent = (): void => keep(STORAGE_KEY, []);
