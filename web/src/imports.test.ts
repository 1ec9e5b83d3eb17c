/** The layering of the page's modules: imports point down only, and no files import each other in a circle. */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const SRC = fileURLToPath(new URL('.', import.meta.url));

/** The folders from the ground up. A file may import from its own folder and from those below. */
const FLOORS: Record<string, number> = {
  lib: 0,
  live: 1,
  map: 2,
  day: 1,
  first: 3,
  page: 3,
  components: 4,
  edit: 4,
  history: 4,
  parcel: 4,
  print: 4,
  statistics: 4,
  '.': 5,
};

const files = readdirSync(SRC, { recursive: true, encoding: 'utf8' }).filter(
  (file) => /\.(ts|svelte)$/.test(file) && !/\.(test|d)\.ts$/.test(file),
);

/** The files below src/ that a file imports, types included. */
function importsOf(file: string): string[] {
  const text = readFileSync(join(SRC, file), 'utf8');
  return [...text.matchAll(/(?:from|import)\s*\(?\s*'(\.[^']+)'/g)].flatMap(([, path = '']) => {
    const target = relative(SRC, normalize(join(SRC, dirname(file), path)));
    return files.filter((candidate) => candidate === target || candidate === `${target}.ts`);
  });
}

const graph = new Map(files.map((file) => [file, importsOf(file)]));
const floor = (file: string) => FLOORS[file.includes('/') ? (file.split('/')[0] ?? '') : '.'] ?? -1;

it('imports point down only', () => {
  const up = [...graph].flatMap(([file, targets]) =>
    targets.filter((target) => floor(target) > floor(file)).map((target) => `${file} → ${target}`),
  );
  expect(up).toEqual([]);
  expect(files.filter((file) => floor(file) < 0)).toEqual([]);
});

it('no files import each other in a circle', () => {
  const done = new Set<string>();
  const visit = (file: string, path: string[]): string[] => {
    if (path.includes(file)) return [...path.slice(path.indexOf(file)), file];
    if (done.has(file)) return [];
    for (const target of graph.get(file) ?? []) {
      const circle = visit(target, [...path, file]);
      if (circle.length > 0) return circle;
    }
    done.add(file);
    return [];
  };
  expect(files.flatMap((file) => visit(file, []))).toEqual([]);
});
