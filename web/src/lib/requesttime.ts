/**
 * The time of which all requests ask for data: the data as it was recorded after a revision, and of that what was
 * valid at an instant or on a day (docs/time.md). There is one for the whole page, so that map, panel and tools
 * agree.
 */
export const requestTime: {
  /** The revision that is shown; `null` for the newest. */
  revision: number | null;
  /** The instant (RFC 3339) or day at which features must have been valid; `null` for all. */
  datetime: string | null;
  /** The newest revision that the page knows: no server may answer with an older one. */
  minRevision: number;
} = { revision: null, datetime: null, minRevision: 0 };

/** `path` with the time as parameters, unless it is the present. `valid`: the route takes a time of validity too. */
export function withTime(path: string, valid = false): string {
  const query = new URLSearchParams();
  if (requestTime.revision !== null) query.set('revision', String(requestTime.revision));
  if (valid && requestTime.datetime !== null) query.set('datetime', requestTime.datetime);
  const text = query.toString();
  return text === '' ? path : `${path}${path.includes('?') ? '&' : '?'}${text}`;
}

/** The header that makes a server which lags behind wait until it has the revision that the page knows. */
export function minRevisionHeaders(): Record<string, string> {
  return requestTime.minRevision > 0 && requestTime.revision === null
    ? { 'citymap-min-revision': String(requestTime.minRevision) }
    : {};
}
