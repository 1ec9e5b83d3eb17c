/** How the page is built, served in development, and unit tested. */
import { svelte } from '@sveltejs/vite-plugin-svelte';
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

export default defineConfig({
  // The page's files are named relative to it, so that it may be served below any path prefix.
  base: './',
  plugins: [maplibreFromSource(), smallProj4(), svelte(), ...(mock ? [mockCity()] : [])],
  server: { proxy },
  preview: { proxy },
  build: {
    target: 'es2023',
    // What counts is the sum of all script, compressed: `npm run size` weighs it.
    chunkSizeWarningLimit: 1500,
    assetsInlineLimit: 2048,
  },
  worker: { format: 'es' },
  test: { include: ['src/**/*.test.ts'], environment: 'node', setupFiles: ['dev/testcity.ts'] },
});
