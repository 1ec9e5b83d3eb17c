/** Writing over the HTTP interface. A change counts as saved only when the server has confirmed it. */
import { ApiError, type Feature, itemUrl, send } from '../lib/api';
import { minRevisionHeaders, requestTime } from '../lib/requesttime';

import { readToken } from '../lib/token';

/** What the server found wrong with a part of the request body; `pointer` is RFC 6901. */
export interface Fault {
  pointer: string;
  reason: string;
}

/** A change that the server did not accept. */
export class WriteError extends ApiError {
  constructor(
    status: number,
    message: string,
    readonly faults: Fault[] = [],
    kind?: string,
    reference?: string,
  ) {
    super(status, message, kind, reference);
  }
}

/** A feature with the tag of its state, which a later change of it must name. */
export interface Read {
  feature: Feature;
  etag: string;
}

/** Reads the present state of a feature. Throws {@link WriteError}. */
export async function readNow(layer: string, id: string | number, signal?: AbortSignal): Promise<Read> {
  const response = await ask(itemUrl(layer, id), {
    method: 'GET',
    signal,
    cache: 'no-cache',
    headers: minRevisionHeaders(),
  });
  return { feature: (await response.json()) as Feature, etag: response.headers.get('etag') ?? '' };
}

/** Changes the values that `properties` names, and the shape if one is given. Throws {@link WriteError}. */
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

/** Deletes a feature. Throws {@link WriteError}. */
export function remove(layer: string, id: string | number, etag: string, message: string): Promise<Response> {
  return write(itemUrl(layer, id), 'DELETE', message, undefined, { 'if-match': etag });
}

/** Adds a feature and returns its id. Sent twice with the same `key` it is added once. Throws {@link WriteError}. */
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

/** A random key for {@link create}. */
export function newKey(): string {
  // Pages that were loaded without TLS have no `crypto.randomUUID`.
  return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}

async function write(
  path: string,
  method: string,
  message: string,
  body: unknown,
  headers: Record<string, string>,
): Promise<Response> {
  const response = await ask(path, {
    method,
    body: body === undefined ? undefined : JSON.stringify(body),
    headers: {
      ...headers,
      authorization: `Bearer ${readToken() ?? ''}`,
      ...(message === '' ? {} : { 'citymap-message': encodeURIComponent(message) }),
    },
  });
  // From now on every server must answer with what was written here.
  const revision = Number(response.headers.get('citymap-revision'));
  if (Number.isFinite(revision)) requestTime.minRevision = Math.max(requestTime.minRevision, revision);
  return response;
}

async function ask(path: string, question: RequestInit): Promise<Response> {
  let response: Response;
  try {
    const headers = { accept: 'application/geo+json, application/json', ...question.headers };
    response = await send(path, { ...question, headers });
  } catch (error) {
    if (error instanceof ApiError) throw new WriteError(0, error.message, [], error.kind);
    throw error;
  }
  if (response.ok) return response;
  const problem = (await response.json().catch(() => ({}))) as {
    type?: string;
    title?: string;
    detail?: string;
    faults?: Fault[];
  };
  throw new WriteError(
    response.status,
    problem.detail ?? problem.title ?? `HTTP ${response.status}`,
    problem.faults ?? [],
    problem.type?.split(':').at(-1),
    response.headers.get('x-request-id') ?? '',
  );
}

/** Whether the server lets the bearer of a token write to a layer. Throws {@link ApiError} if no answer comes. */
export async function accepts(token: string, layer: string): Promise<boolean> {
  const path = `/api/collections/${encodeURIComponent(layer)}/items`;
  const response = await send(path, { method: 'OPTIONS', headers: { authorization: `Bearer ${token}` } });
  return response.ok && /\bPOST\b/.test(response.headers.get('allow') ?? '');
}
