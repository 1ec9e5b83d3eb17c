/** A build step that builds MapLibre from its source. */
import type { Plugin } from 'vite';

/** The shaders of kinds of layers that the page's style does not have (`src/map/style.test.ts`). */
const UNUSED_SHADERS =
  /\/shaders\/glsl\/(color_relief|fill_extrusion|heatmap|hillshade|line_gradient|raster|terrain)[\w.]*$/;

/** The parts of MapLibre's style sheet that belong to controls which the page does not have: 9 kB of gzip in pictures. */
const UNUSED_CONTROLS =
  /maplibregl-(attrib|compact|cooperative|popup|user-location|ctrl-(attrib|compass|fullscreen|geolocate|globe|group|icon|logo|shrink|terrain|zoom))/;

/** The rules of a style sheet, each with its block. */
function rulesOf(css: string): string[] {
  const rules: string[] = [];
  let depth = 0;
  let start = 0;
  for (let at = 0; at < css.length; at += 1) {
    if (css[at] === '{') depth += 1;
    if (css[at] === '}') depth -= 1;
    if (css[at] !== '}' || depth > 0) continue;
    rules.push(css.slice(start, at + 1));
    start = at + 1;
  }
  return rules;
}

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
    transform(css, id) {
      if (!building || !id.endsWith('/maplibre-gl/dist/maplibre-gl.css')) return null;
      return rulesOf(css)
        .filter((rule) => !UNUSED_CONTROLS.test(rule))
        .join('\n');
    },
    // A chunk that only imports another one would be one more request.
    generateBundle(_, bundle) {
      const chunks = Object.values(bundle).filter((item) => item.type === 'chunk');
      for (const facade of chunks) {
        const [, target] = /^import\s*["']\.\/([\w.-]+\.js)["'];?\s*$/.exec(facade.code) ?? [];
        if (!target || !facade.isDynamicEntry) continue;
        const [name] = facade.fileName.split('/').slice(-1);
        for (const chunk of chunks) chunk.code = chunk.code.replaceAll(name ?? '', target);
        delete bundle[facade.fileName];
      }
    },
    load(id) {
      // The programs of the graphics card for layers that our style does not have: 10 kB of gzip.
      if (building && UNUSED_SHADERS.test(id)) return "export default '';";
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
