// Measures what somebody who opens the map for the first time waits for: requests, bytes on the wire, the time until
// water, roads and communes are drawn, and the time until the whole map is. A proxy between browser and server counts,
// and slows the line down: what the page and its workers fetch shares one line, as at home.
//
//     node scripts/first-view.mjs ../target/release/citymap [--parcels 100000] [--list]
//
// With CITYMAP_URL it uses the server that runs there; --list prints every request of the first run.
import { createServer, request as forward } from 'node:http';
import { launch } from './browser.mjs';
import { demoCity } from './democity.mjs';

/** Lines by their speed in bytes a second, with the milliseconds that a request takes to reach the server. */
const LINES = [
  { name: 'unlimited', rate: Number.POSITIVE_INFINITY, latency: 0 },
  { name: '1 MB/s', rate: 1_000_000, latency: 20 },
  { name: '50 kB/s', rate: 50_000, latency: 100 },
];

const DEVICES = [
  { name: 'desktop 1440 × 900', viewport: { width: 1440, height: 900 } },
  {
    name: 'phone 390 × 844',
    viewport: { width: 390, height: 844 },
    deviceScaleFactor: 2,
    isMobile: true,
    hasTouch: true,
  },
];

/** No line is that slow. */
const PATIENCE_MS = 180_000;
/** What comes after the map is complete still counts if it comes within this time. */
const SETTLE_MS = 1500;
/** Bytes of an answer that are sent before it is the next one's turn. */
const SLICE = 1460;
const TICK_MS = 5;

/** A proxy before `url` on a line. Counts requests and the bytes of the answers with their heads. */
async function openLine(url, { rate, latency }) {
  const counted = { requests: [], bytes: 0 };
  const sockets = new Set();
  const answers = new Set();
  let allowance = 0;
  let last = performance.now();
  // All answers share the line, slice by slice.
  const timer = setInterval(() => {
    const now = performance.now();
    allowance = Math.min(allowance + (rate * (now - last)) / 1000, Math.max(SLICE, rate * 0.05));
    last = now;
    for (let sent = true; sent && allowance > 0; ) {
      sent = false;
      for (const answer of [...answers]) {
        const slice = answer.waiting.subarray(0, SLICE);
        if (slice.length === 0) continue;
        answer.waiting = answer.waiting.subarray(slice.length);
        answer.outgoing.write(slice);
        allowance -= slice.length;
        sent = true;
        if (answer.waiting.length === 0) {
          if (answer.ended) {
            answers.delete(answer);
            answer.outgoing.end();
          } else answer.upstream.resume();
        }
        if (allowance <= 0) break;
      }
    }
  }, TICK_MS);
  const server = createServer((incoming, outgoing) => {
    counted.requests.push(incoming.url);
    setTimeout(() => {
      const { method, headers } = incoming;
      const request = forward(`${url}${incoming.url}`, { method, headers }, (upstream) => {
        outgoing.writeHead(upstream.statusCode ?? 502, upstream.headers);
        outgoing.flushHeaders();
        if (!Number.isFinite(rate)) return void upstream.pipe(outgoing);
        const answer = { outgoing, upstream, waiting: Buffer.alloc(0), ended: false };
        answers.add(answer);
        upstream.on('data', (chunk) => {
          answer.waiting = chunk;
          upstream.pause();
        });
        upstream.on('end', () => {
          answer.ended = true;
          if (answer.waiting.length > 0) return;
          answers.delete(answer);
          outgoing.end();
        });
        outgoing.on('close', () => answers.delete(answer));
      });
      request.on('error', () => outgoing.destroy());
      outgoing.on('close', () => request.destroy());
      incoming.pipe(request);
    }, latency);
  });
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('close', () => {
      counted.bytes += socket.bytesWritten;
      sockets.delete(socket);
    });
  });
  await new Promise((listening) => server.listen(0, '127.0.0.1', listening));
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    counted: () => ({
      requests: counted.requests,
      bytes: [...sockets].reduce((sum, socket) => sum + socket.bytesWritten, counted.bytes),
    }),
    close: () => {
      clearInterval(timer);
      server.closeAllConnections();
      server.close();
    },
  };
}

/** Runs in the page: notes when the layers of the base are drawn, and when the map has nothing left to do. */
function watch(base) {
  const times = {};
  window.firstView = times;
  const timer = setInterval(() => {
    const map = window.citymap?.map;
    const [picture] = performance.getEntriesByName('first-picture');
    if (picture) times.useful ??= picture.startTime;
    const all = base.flat();
    if (map && times.useful === undefined && all.every((id) => map.getSource(id) && map.isSourceLoaded(id))) {
      const layers = map.getLayersOrder().filter((id) => all.some((own) => id.startsWith(`${own}/`)));
      const drawn = new Set(map.queryRenderedFeatures({ layers }).map(({ sourceLayer }) => sourceLayer));
      if (base.every((kind) => kind.some((id) => drawn.has(id)))) times.useful = performance.now();
    }
    if (map && document.documentElement.dataset.mapIdle === 'true') {
      times.complete = performance.now();
      clearInterval(timer);
    }
  }, 50);
}

/** The layers without which nobody finds a place, by kind: administrative units, water and roads. */
async function baseLayers(url) {
  const { collections } = await (await fetch(`${url}/api/collections`)).json();
  const named = (is) => collections.filter(({ citymap }) => is(citymap)).map(({ id }) => id);
  return [
    named(({ role }) => role === 'admin_unit'),
    named(({ theme }) => theme === 'water'),
    named(({ role }) => role === 'road'),
  ].filter((ids) => ids.length > 0);
}

async function measure(browser, url, device, line) {
  const proxy = await openLine(url, line);
  const { name: _, ...options } = device;
  const context = await browser.newContext({ ...options, colorScheme: 'light', reducedMotion: 'reduce' });
  try {
    const page = await context.newPage();
    await page.addInitScript(watch, await baseLayers(url));
    await page.goto(proxy.url, { timeout: PATIENCE_MS, waitUntil: 'commit' });
    await page.waitForFunction(() => window.firstView?.complete, null, { timeout: PATIENCE_MS, polling: 250 });
    await page.waitForTimeout(SETTLE_MS);
    const times = await page.evaluate(() => window.firstView);
    return { ...proxy.counted(), ...times };
  } finally {
    await context.close();
    proxy.close();
  }
}

const argument = (name) => process.argv[process.argv.indexOf(name) + 1];
const parcels = process.argv.includes('--parcels') ? Number(argument('--parcels')) : 100_000;
const { url, stop } = await demoCity(process.argv[2]?.startsWith('--') ? undefined : process.argv[2], parcels);
const seconds = (ms) => (ms === undefined ? '–' : `${(ms / 1000).toFixed(1)} s`);
try {
  const browser = await launch();
  console.log('| first view | line | requests | bytes | useful map | complete map |');
  console.log('|---|---|---|---|---|---|');
  let first = true;
  for (const device of DEVICES) {
    // The tiles are cut once before: a server that many use has them.
    await measure(browser, url, device, LINES[0]);
    for (const line of LINES) {
      const { requests, bytes, useful, complete } = await measure(browser, url, device, line);
      const figures = [requests.length, `${Math.round(bytes / 1000)} kB`, seconds(useful), seconds(complete)];
      console.log(`| ${[device.name, line.name, ...figures].join(' | ')} |`);
      if (first && process.argv.includes('--list')) for (const path of requests) console.log(`    ${path}`);
      first = false;
    }
  }
  await browser.close();
} finally {
  stop();
}
