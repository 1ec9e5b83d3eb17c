/** The official colours of a code list, and the hatchings that tell codes of one colour apart. */
import type { ExpressionSpecification } from 'maplibre-gl';
import type { CodeEntry, Collection, Field } from '../lib/api';
import { classify, type Drawing } from './classify';
import { tone } from './colors';
import type { Palette } from './palette';

/**
 * The hatchings of tiles/sprites, in the order in which codes of one colour receive them; the first code stays plain.
 */
export const HATCHES = [
  'diagonal',
  'dots',
  'antidiagonal',
  'horizontal',
  'vertical',
  'grid',
  'cross',
  'dashes',
  'wide',
] as const;
export type Hatch = (typeof HATCHES)[number];

/** The field by whose code list a layer is coloured: the first one with at least two coloured codes. */
export function colorField(collection: Collection): Field | null {
  return (
    collection.citymap.fields.find(
      (field) => (field.codeList?.entries.filter((entry) => entry.color).length ?? 0) >= 2,
    ) ?? null
  );
}

/** Whether one of the layers is of a kind and coloured by a code list. */
export const colored = (layers: Collection[], kind: Drawing): boolean =>
  layers.some((layer) => classify(layer) === kind && colorField(layer) !== null);

/** How each code with an official colour is drawn. */
export interface CodeStyle {
  entry: CodeEntry;
  color: string;
  hatch: Hatch | null;
}

/**
 * How the codes of a field are drawn. The law gives many uses the same colour: from the second code of a colour on
 * each gets a hatching, so that the first ten differ. Later ones repeat a hatching and differ by their label.
 */
export function codeStyles(field: Field): CodeStyle[] {
  const used = new Map<string, number>();
  const looks: CodeStyle[] = [];
  for (const entry of field.codeList?.entries ?? []) {
    if (!entry.color) continue;
    const color = entry.color.toLowerCase();
    const before = used.get(color) ?? 0;
    used.set(color, before + 1);
    looks.push({ entry, color, hatch: before === 0 ? null : (HATCHES[(before - 1) % HATCHES.length] ?? null) });
  }
  return looks;
}

/** The value of a field as text, so that codes that were read as numbers match too. */
export function codeText(field: Field): ExpressionSpecification {
  return ['to-string', ['get', field.name]];
}

/** The fill colour by code: the official colour, toned down so that lines and labels stay legible. */
export function codeColor(field: Field, colors: Palette): ExpressionSpecification {
  const cases = codeStyles(field).flatMap(({ entry, color }) => [
    entry.code,
    tone(color, colors.ground, colors.codeStrength),
  ]);
  return ['match', codeText(field), ...cases, colors.noCode] as unknown as ExpressionSpecification;
}

/** The codes of a field that are drawn with each hatching. */
export function hatchedCodes(field: Field): Map<Hatch, string[]> {
  const byHatch = new Map<Hatch, string[]>();
  for (const { entry, hatch } of codeStyles(field)) {
    if (hatch) byHatch.set(hatch, [...(byHatch.get(hatch) ?? []), entry.code]);
  }
  return byHatch;
}
