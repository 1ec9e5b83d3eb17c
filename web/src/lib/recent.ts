/** The latest searches. They stay in this browser and are never sent anywhere. */
const STORAGE_KEY = 'citymap-searches';
const COUNT_MAX = 8;

/** The texts that were searched, the latest first. */
export function readRecent(): string[] {
  try {
    const kept: unknown = JSON.parse(globalThis.localStorage?.getItem(STORAGE_KEY) ?? '[]');
    return Array.isArray(kept) ? kept.filter((text) => typeof text === 'string').slice(0, COUNT_MAX) : [];
  } catch {
    // Storage that is forbidden, or was written by something else.
    return [];
  }
}

/** Puts a text first and returns the new list. */
export function addRecent(text: string): string[] {
  const list = [text, ...readRecent().filter((other) => other !== text)].slice(0, COUNT_MAX);
  try {
    globalThis.localStorage?.setItem(STORAGE_KEY, JSON.stringify(list));
  } catch {
    // Full or forbidden storage: the list is not kept.
  }
  return list;
}

export function clearRecent(): void {
  try {
    globalThis.localStorage?.removeItem(STORAGE_KEY);
  } catch {
    // Nothing was kept.
  }
}
