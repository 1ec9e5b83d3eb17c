/** A build step that builds MapLibre from its source. */
import type { Plugin } from 'vite';

/**
 * Builds MapLibre from its source instead of its two bundles. Each bundle holds all that page and worker have in
 * common (tile reading, expressions, style types): together 430 kB of gzip, past the page's whole budget. Built from
 * source, the common part is one chunk that both import.
 *
 * `virtual:map-worker` gives the worker's address: of that chunk in a build, of the ready-made bundle in development.
 */
export function maplibreFromSource(): Plugin {
  const VIRTUAL = 'virtual:map-worker';
  const source = (path: string) => new URL(`node_modules/maplibre-gl/src/${path}`, import.meta.url).pathname;
  let building = false;
  let worker = '';
  return {
    name: 'citymap-maplibre-source',
    enforce: 'pre',
    // MapLibre declares fields of base classes again in derived ones to narrow their types; under the standard's rule
    // such a declaration would set them back to undefined.
    config: () => ({
      oxc: { assumptions: { setPublicClassFields: true }, typescript: { removeClassFieldsWithoutInitializer: true } },
    }),
    configResolved(config) {
      building = config.command === 'build';
    },
    buildStart() {
      if (building) worker = this.emitFile({ type: 'chunk', id: source('source/worker.ts'), name: 'map-worker' });
    },
    resolveId(id) {
      if (id === VIRTUAL) return `\0${VIRTUAL}`;
      if (building && id === 'maplibre-gl') return source('index.ts');
      // The decoder of MapLibre's own tile format is a tenth of the worker; the server sends Mapbox vector tiles.
      if (building && id.startsWith('@maplibre/mlt')) return '\0no-mlt';
      return null;
    },
    // The map's own script is asked for only once the page's has run. Said beforehand, both come at the same time.
    transformIndexHtml: {
      order: 'post',
      handler: (_, { bundle }) => {
        const chunks = Object.values(bundle ?? {}).filter((item) => item.type === 'chunk');
        const map = chunks.find((chunk) => chunk.facadeModuleId?.endsWith('/src/map/view.ts'));
        if (!map) return [];
        return [map.fileName, ...map.imports].map((file) => ({
          tag: 'link',
          attrs: { rel: 'modulepreload', crossorigin: true, href: `./${file}` },
          injectTo: 'head' as const,
        }));
      },
    },
    load(id) {
      if (id === '\0no-mlt') {
        return `
          export default function decodeTile() { throw new Error('MapLibre tiles are not built in'); }
          export { decodeTile, decodeTile as GEOMETRY_TYPE, decodeTile as GeometryType };`;
      }
      if (id !== `\0${VIRTUAL}`) return null;
      return building
        ? `export default import.meta.ROLLUP_FILE_URL_${worker};`
        : "export { default } from 'maplibre-gl/dist/maplibre-gl-worker.mjs?worker&url';";
    },
  };
}
