/** A demo city and a server for the scripts of this folder. */
import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';

/**
 * Makes a demo city with the `citymap` of a path and serves it on a free port; with CITYMAP_URL, uses the server that
 * runs there. CITYMAP_ASSETS is a folder with the web map to serve instead of the one in the binary.
 *
 * Returns the server's address, its process (if it was started here), a token that may write, and the function that
 * ends it and removes the city.
 */
export async function demoCity(binary, parcels = 20000) {
  if (process.env.CITYMAP_URL) {
    return { url: process.env.CITYMAP_URL, server: null, token: process.env.CITYMAP_TOKEN ?? '', stop: () => {} };
  }
  if (!binary) throw new Error('name the citymap binary, or a server by CITYMAP_URL');
  const program = resolve(binary);
  const folder = mkdtempSync(join(tmpdir(), 'citymap-web-'));
  const store = ['--store', join(folder, 'city.gpkg')];
  execFileSync(program, [...store, 'demo', '--parcels', String(parcels), '--seed', '1'], { stdio: 'ignore' });
  const token = crypto.randomUUID().replaceAll('-', '');
  writeFileSync(join(folder, 'writers'), `script:${token}\n`, { mode: 0o600 });
  const assets = process.env.CITYMAP_ASSETS ? ['--assets', process.env.CITYMAP_ASSETS] : [];
  const serve = ['--json', 'serve', '--writers', join(folder, 'writers'), ...assets, '--listen', '127.0.0.1:0'];
  const server = spawn(program, [...store, ...serve], { stdio: ['ignore', 'pipe', 'ignore'] });
  const stop = () => {
    server.kill('SIGCONT');
    server.kill();
    rmSync(folder, { recursive: true, force: true });
  };
  for await (const line of createInterface({ input: server.stdout })) {
    const [, url] = /"url": ?"([^"]+)"/.exec(line) ?? [];
    if (url) return { url, server, token, stop };
  }
  stop();
  throw new Error('the server ended before it was ready');
}
