/** A build step that leaves out the unused parts of proj4. */
import type { Plugin } from 'vite';

/**
 * Leaves out of proj4 what the page never uses: thirty projections, the readers of WKT and of military grid references.
 * Together they are half the weight of the page's own script.
 */
export function smallProj4(): Plugin {
  const PARTS: Record<string, string> = {
    projs: `
      import mercator from 'proj4/lib/projections/etmerc';
      export default (proj4) => proj4.Proj.projections.add(mercator);`,
    mgrs: `
      const none = () => { throw new Error('grid references are not built in'); };
      export default none;
      export { none as toPoint, none as forward };`,
    wkt: `
      export default () => { throw new Error('WKT is not built in'); };`,
  };
  return {
    name: 'citymap-small-proj4',
    enforce: 'pre',
    apply: 'build',
    resolveId(id, importer) {
      if (!importer?.includes('/proj4/lib/')) return null;
      if (id === '../projs') return '\0proj4:projs';
      if (id === 'mgrs') return '\0proj4:mgrs';
      if (id === 'wkt-parser') return '\0proj4:wkt';
      return null;
    },
    load(id) {
      return id.startsWith('\0proj4:') ? (PARTS[id.slice('\0proj4:'.length)] ?? null) : null;
    },
  };
}
