// Weighs what the browser has to fetch as script, as gzip: what the first view asks for, which has a budget of 400
// kB, and what is fetched when somebody opens it.
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { gzipSync } from 'node:zlib';

const BUDGET = 400_000;
const folder = new URL('../dist/assets/', import.meta.url);
const scripts = readdirSync(folder).filter((file) => file.endsWith('.js'));
const text = (name) => readFileSync(new URL(name, folder), 'utf8');

/** The scripts that the page names, the page's own and the map's, and that of its worker. */
const page = readFileSync(new URL('../dist/index.html', import.meta.url), 'utf8');
const first = new Set([...page.matchAll(/assets\/([\w.-]+\.js)/g)].map(([, name]) => name));
for (const start of ['page-', 'view-', 'map-worker-']) {
  const found = scripts.filter((name) => name.startsWith(start));
  if (found.length !== 1) throw new Error(`${found.length} scripts begin with ${start}`);
  first.add(found[0]);
}
// And everything that these import statically: the loop visits what it adds.
for (const name of first) {
  for (const [, imported] of text(name).matchAll(/(?:from|import)\s*["']\.\/([\w.-]+\.js)["']/g)) first.add(imported);
}

let total = 0;
let later = 0;
let brotli = 0;
for (const name of scripts) {
  const bytes = gzipSync(text(name), { level: 9 }).length;
  if (first.has(name)) {
    total += bytes;
    brotli += statSync(new URL(`${name}.br`, folder)).size;
  } else later += bytes;
  console.log(`${String(bytes).padStart(8)}  ${name}${first.has(name) ? '' : '  (when opened)'}`);
}
console.log(`${String(later).padStart(8)}  when opened`);
console.log(`${String(brotli).padStart(8)}  for the first view, as Brotli`);
console.log(`${String(total).padStart(8)}  for the first view, of ${BUDGET}`);
if (total > BUDGET) process.exit(1);
