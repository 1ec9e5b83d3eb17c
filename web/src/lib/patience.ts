/** Whether the server takes long to answer. The page says so after three seconds, and gives up after thirty. */
const SLOW_MS = 3000;
/** The server answers 503 itself after this time by default (`--request-timeout`). */
export const PATIENCE_MS = 31_000;

const slow = new Set<symbol>();
let listener: (slow: boolean) => void = () => {};

/** Tells `told` whenever the first request becomes slow, and when the last slow one has ended. */
export function onSlow(told: (slow: boolean) => void): void {
  listener = told;
}

/** Watches a request; the result must be called when it has ended. */
export function watch(): () => void {
  const request = Symbol('request');
  const timer = setTimeout(() => {
    slow.add(request);
    if (slow.size === 1) listener(true);
  }, SLOW_MS);
  return () => {
    clearTimeout(timer);
    if (slow.delete(request) && slow.size === 0) listener(false);
  };
}
