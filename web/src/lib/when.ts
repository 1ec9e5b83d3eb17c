/**
 * The time that questions are asked of: the record as it was after a revision, and what was valid at an instant or on a day
 * (docs/time.md). It is one for the whole page, so that map, panel and tools never speak of different times.
 */
export const when: {
  /** The revision whose record is shown; `null` for the newest. */
  revision: number | null;
  /** What must have been valid then, RFC 3339 or a day; `null` for all. */
  datetime: string | null;
  /** The newest revision that the page heard of: no server may answer with less. */
  least: number;
} = { revision: null, datetime: null, least: 0 };

/** `path` with the time, where it is not now; `valid` says whether the question knows of valid time too. */
export function timed(path: string, valid = false): string {
  const query = new URLSearchParams();
  if (when.revision !== null) query.set('revision', String(when.revision));
  if (valid && when.datetime !== null) query.set('datetime', when.datetime);
  const text = query.toString();
  return text === '' ? path : `${path}${path.includes('?') ? '&' : '?'}${text}`;
}

/** What makes a server that lags behind wait until it has what the page knows already. */
export function leastHeaders(): Record<string, string> {
  return when.least > 0 && when.revision === null ? { 'citymap-min-revision': String(when.least) } : {};
}
