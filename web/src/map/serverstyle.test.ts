/** The styles of the server (crates/render) are valid for the reference implementation. */
import { readFileSync } from 'node:fs';
import { type StyleSpecification, validateStyleMin } from '@maplibre/maplibre-gl-style-spec';
import { expect, it } from 'vitest';

// A Rust test keeps this file equal to what the server makes of a catalogue with every kind of layer.
const file = new URL('../../../crates/render/tests/everything.json', import.meta.url);

it('a style of every kind of layer is valid', () => {
  const style = JSON.parse(readFileSync(file, 'utf8')) as StyleSpecification;
  expect(style.layers.length).toBeGreaterThan(100);
  expect(validateStyleMin(style)).toEqual([]);
});
