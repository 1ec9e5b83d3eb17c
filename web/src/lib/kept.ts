/** Lists of texts that stay in this browser and are never sent anywhere. */

/** The list that was kept under a name, at most `max` texts; empty if there is none. */
export function readKept(name: string, max: number): string[] {
  try {
    const kept: unknown = JSON.parse(globalThis.localStorage?.getItem(name) ?? '[]');
    return Array.isArray(kept) ? kept.filter((text) => typeof text === 'string').slice(0, max) : [];
  } catch {
    // Storage that is forbidden, or was written by something else.
    return [];
  }
}

/** Keeps a list under a name; an empty one is forgotten. */
export function keep(name: string, list: readonly string[]): void {
  try {
    if (list.length === 0) globalThis.localStorage?.removeItem(name);
    else globalThis.localStorage?.setItem(name, JSON.stringify(list));
  } catch {
    // Full or forbidden storage: the list is not kept.
  }
}
