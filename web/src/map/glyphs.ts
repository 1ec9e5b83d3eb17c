/** Characters that the map's typeface does not contain. */
import { addProtocol, type RequestTransformFunction } from 'maplibre-gl';

const SCHEME = 'citymap-glyphs';

/**
 * Lets characters that our typeface does not contain (Greek, Khmer, …) be drawn in a font of the browser. MapLibre
 * does so only if a range of glyphs fails to load. The server answers such a range with an empty body, because an
 * error status would be printed in the browser's console; this turns the empty body into a failure.
 */
export function registerGlyphs(): void {
  addProtocol(SCHEME, async ({ url }, abort) => {
    const address = url.slice(`${SCHEME}://`.length);
    const response = await fetch(address, { signal: abort.signal });
    const data = response.ok ? await response.arrayBuffer() : null;
    if (!data || data.byteLength === 0) throw new Error(`no glyphs at ${address} (${response.status})`);
    return { data };
  });
}

/** Sends the map's requests for glyphs through {@link registerGlyphs}. */
export const glyphRequest: RequestTransformFunction = (url, kind) =>
  kind === 'Glyphs' ? { url: `${SCHEME}://${url}` } : { url };
