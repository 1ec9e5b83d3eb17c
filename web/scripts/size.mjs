// Weighs what the browser has to fetch as script: 400 kB of gzip in all is the budget of the first map.
import { readdirSync, readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';

const BUDGET = 400_000;
const folder = new URL('../dist/assets/', import.meta.url);
let total = 0;
for (const name of readdirSync(folder).filter((file) => file.endsWith('.js'))) {
  const bytes = gzipSync(readFileSync(new URL(name, folder)), { level: 9 }).length;
  total += bytes;
  console.log(`${String(bytes).padStart(8)}  ${name}`);
}
console.log(`${String(total).padStart(8)}  in all, of ${BUDGET}`);
if (total > BUDGET) process.exit(1);
