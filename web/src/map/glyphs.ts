import { addProtocol, type RequestTransformFunction } from 'maplibre-gl';

const SCHEME = 'citymap-glyphs';

/**
 * Has characters that our typeface lacks (Greek, Khmer, …) drawn in a font of the browser. MapLibre does so only where a
 * range fails to load; the server answers such a range with nothing, because an error would stand in the browser's console.
 */
export function watchGlyphs(): void {
  addProtocol(SCHEME, async ({ url }, abort) => {
    const address = url.slice(`${SCHEME}://`.length);
    const response = await fetch(address, { signal: abort.signal });
    const data = response.ok ? await response.arrayBuffer() : null;
    if (!data || data.byteLength === 0) throw new Error(`no glyphs at ${address} (${response.status})`);
    return { data };
  });
}

/** Sends the map's questions for glyphs through `watchGlyphs`. */
export const throughWatch: RequestTransformFunction = (url, kind) =>
  kind === 'Glyphs' ? { url: `${SCHEME}://${url}` } : { url };
