/** How the page is built, served in development, and unit tested. */
import { readFileSync } from 'node:fs';
import { constants, brotliCompressSync } from 'node:zlib';
import { svelte } from '@sveltejs/vite-plugin-svelte';
import type { Plugin } from 'vite';
import { defineConfig } from 'vitest/config';
import { mockCity } from './dev/mock/plugin';
import { maplibreFromSource } from './maplibre-source';
import { smallProj4 } from './proj4-small';

// `npm run dev` and `npm run preview` speak to a running `citymap serve` (CITYMAP_URL), or, with
// CITYMAP_MOCK=1, to a small made-up city that is no part of the product.
const server = process.env.CITYMAP_URL ?? 'http://127.0.0.1:8080';
const mock = process.env.CITYMAP_MOCK === '1';
const proxy = mock
  ? undefined
  : Object.fromEntries(['/api', '/tiles', '/fonts', '/sprites', '/styles', '/health'].map((path) => [path, server]));

/** Writes the icon into the page: browsers would request it twice, before and after the page's script has run. */
const inlineIcon = (): Plugin => ({
  name: 'citymap-inline-icon',
  transformIndexHtml: {
    order: 'pre',
    handler(html) {
      const icon = readFileSync(new URL('public/favicon.svg', import.meta.url), 'utf8').trim();
      return html.replace('href="/favicon.svg"', `href="data:image/svg+xml,${encodeURIComponent(icon)}"`);
    },
  },
});

/**
 * Writes a copy of each text file compressed with Brotli beside it, as small as can be. The server sends it instead of
 * compressing the file itself, which it could do only fast, not well.
 */
const precompress = (): Plugin => ({
  name: 'citymap-precompress',
  apply: 'build',
  generateBundle: {
    order: 'post',
    handler(_, bundle) {
      for (const file of Object.values(bundle)) {
        if (!/\.(js|css)$/.test(file.fileName)) continue;
        const bytes = Buffer.from(file.type === 'chunk' ? file.code : file.source);
        const source = brotliCompressSync(bytes, {
          params: { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length },
        });
        this.emitFile({ type: 'asset', fileName: `${file.fileName}.br`, source });
      }
    },
  },
});

/**
 * The chunks of the page, each one request at the first view: what draws the first picture, and the page itself. The
 * map with what it shares with its worker, and what is fetched when somebody opens it, are split by the bundler.
 */
const CHUNKS = [
  {
    name: 'first',
    test: /\/src\/(first|lib\/(api|city|geometry|home|insets|patience|permalink|requesttime|root|styles)\b|map\/(classify|tile\w+)\b)|\/node_modules\/(pbf|@mapbox\/(vector-tile|point-geometry))\/|preload-helper/,
    priority: 2,
  },
  {
    name: 'page',
    test: /\/src\/(lib|live|page|components|map\/(?!view|glyphs|refresh|whereabouts))|\/src\/(App|boot)|\/node_modules\/(svelte|proj4|mgrs|wkt-parser|@lucide)\//,
    priority: 1,
  },
];

export default defineConfig({
  // The page's files are named relative to it, so that it may be served below any path prefix.
  base: './',
  plugins: [inlineIcon(), maplibreFromSource(), smallProj4(), svelte(), precompress(), ...(mock ? [mockCity()] : [])],
  server: { proxy },
  preview: { proxy },
  build: {
    target: 'es2023',
    // What counts is the sum of all script, compressed: `npm run size` weighs it.
    chunkSizeWarningLimit: 1500,
    assetsInlineLimit: 2048,
    rolldownOptions: { output: { codeSplitting: { groups: CHUNKS } } },
  },
  worker: { format: 'es' },
  test: { include: ['src/**/*.test.ts'], environment: 'node', setupFiles: ['dev/testcity.ts'] },
});
