/**
 * The time that questions are asked of: the record as it was after a revision, and what was valid at an instant or on a day
 * (docs/time.md). It is one for the whole page, so that map, panel and tools never speak of different times.
 */
export const requestTime: {
  /** The revision whose record is shown; `null` for the newest. */
  revision: number | null;
  /** What must have been valid then, RFC 3339 or a day; `null` for all. */
  datetime: string | null;
  /** The newest revision that the page heard of: no server may answer with less. */
  minRevision: number;
} = { revision: null, datetime: null, minRevision: 0 };

/** `path` with the time, where it is not now; `valid` says whether the question knows of valid time too. */
export function withTime(path: string, valid = false): string {
  const query = new URLSearchParams();
  if (requestTime.revision !== null) query.set('revision', String(requestTime.revision));
  if (valid && requestTime.datetime !== null) query.set('datetime', requestTime.datetime);
  const text = query.toString();
  return text === '' ? path : `${path}${path.includes('?') ? '&' : '?'}${text}`;
}

/** What makes a server that lags behind wait until it has what the page knows already. */
export function minRevisionHeaders(): Record<string, string> {
  return requestTime.minRevision > 0 && requestTime.revision === null
    ? { 'citymap-min-revision': String(requestTime.minRevision) }
    : {};
}
