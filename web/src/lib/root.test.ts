import { expect, it } from 'vitest';
import { rootOf } from './root';

it.each([
  ['https://map.test/', 'https://map.test'],
  ['https://map.test/#map=17/10.77/106.69', 'https://map.test'],
  ['https://map.test/geo/#map=17/10.77/106.69', 'https://map.test/geo'],
  ['https://map.test/geo/city/index.html?lang=en', 'https://map.test/geo/city'],
])('the server of the page %s is at %s', (page, root) => {
  expect(rootOf(page)).toBe(root);
});
