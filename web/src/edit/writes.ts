/** Writing over the HTTP interface. Nothing here counts as done before the server said so. */
import { ApiError, type Feature, itemUrl } from '../lib/api';
import { minRevisionHeaders, requestTime } from '../lib/requesttime';
import { readToken } from '../lib/token';

/** What the server says is wrong with a part of what was sent; `pointer` as in RFC 6901. */
export interface Fault {
  pointer: string;
  reason: string;
}

/** A write that the server did not take. */
export class WriteError extends ApiError {
  constructor(
    status: number,
    message: string,
    readonly faults: Fault[] = [],
  ) {
    super(status, message);
  }
}

/** A feature as it is, with what tells this state from later ones. */
export interface Read {
  feature: Feature;
  etag: string;
}

/** The feature as the server has it now. */
export async function readNow(layer: string, id: string | number, signal?: AbortSignal): Promise<Read> {
  const response = await send(itemUrl(layer, id), {
    method: 'GET',
    signal,
    cache: 'no-cache',
    headers: minRevisionHeaders(),
  });
  return { feature: (await response.json()) as Feature, etag: response.headers.get('etag') ?? '' };
}

/** Changes those values of a feature that `properties` names, and its shape where one is given. */
export function patch(
  layer: string,
  id: string | number,
  etag: string,
  change: { properties?: Record<string, unknown>; geometry?: GeoJSON.Geometry },
  message: string,
): Promise<Response> {
  return write(itemUrl(layer, id), 'PATCH', message, change, {
    'content-type': 'application/merge-patch+json',
    'if-match': etag,
  });
}

/** Takes a feature away. */
export function remove(layer: string, id: string | number, etag: string, message: string): Promise<Response> {
  return write(itemUrl(layer, id), 'DELETE', message, undefined, { 'if-match': etag });
}

/** Adds a feature, and gives its id. The same `key` twice adds it once. */
export async function create(
  layer: string,
  feature: { geometry: GeoJSON.Geometry | null; properties: Record<string, unknown> },
  message: string,
  key: string,
): Promise<string> {
  const path = `/api/collections/${encodeURIComponent(layer)}/items`;
  const body = { type: 'Feature', ...feature };
  const response = await write(path, 'POST', message, body, {
    'content-type': 'application/geo+json',
    'idempotency-key': key,
  });
  const place = response.headers.get('location') ?? '';
  return decodeURIComponent(new URL(place, location.href).pathname.split('/').at(-1) ?? '');
}

/** A key that no other write has. */
export function newKey(): string {
  // `crypto.randomUUID` is missing on pages that came without TLS.
  return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}

async function write(
  path: string,
  method: string,
  message: string,
  body: unknown,
  headers: Record<string, string>,
): Promise<Response> {
  const response = await send(path, {
    method,
    body: body === undefined ? undefined : JSON.stringify(body),
    headers: {
      ...headers,
      authorization: `Bearer ${readToken() ?? ''}`,
      ...(message === '' ? {} : { 'citymap-message': encodeURIComponent(message) }),
    },
  });
  // What was written is what is read from now on, whichever server answers.
  const revision = Number(response.headers.get('citymap-revision'));
  if (Number.isFinite(revision)) requestTime.minRevision = Math.max(requestTime.minRevision, revision);
  return response;
}

async function send(path: string, question: RequestInit): Promise<Response> {
  let response: Response;
  try {
    const headers = { accept: 'application/geo+json, application/json', ...question.headers };
    response = await fetch(path, { ...question, headers });
  } catch (error) {
    if (question.signal?.aborted) throw error;
    throw new WriteError(0, String(error));
  }
  if (response.ok) return response;
  const problem = (await response.json().catch(() => ({}))) as { title?: string; detail?: string; faults?: Fault[] };
  throw new WriteError(
    response.status,
    problem.detail ?? problem.title ?? `HTTP ${response.status}`,
    problem.faults ?? [],
  );
}
