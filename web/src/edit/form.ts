/** Between the values of a feature and the texts of a form. */
import type { Feature, Field } from '../lib/api';
import { city, utcOffsetMs } from '../lib/city';

/** A value as an input shows it: dates in the input's notation, instants in the city's time. */
export function inputText(value: unknown, field: Field): string {
  if (value === null || value === undefined) return '';
  if (field.type === 'datetime') {
    const time = new Date(String(value)).getTime();
    return Number.isNaN(time) ? String(value) : new Date(time + utcOffsetMs()).toISOString().slice(0, 19);
  }
  return String(value);
}

/** What the page itself finds wrong with a text. */
export type Wrong = 'badNumber' | 'badInteger' | 'badDate';

/** The value of a field that a text stands for; an empty text is no value. */
export function readText(text: string, field: Field): { value: unknown } | { wrong: Wrong } {
  const trimmed = field.type === 'text' ? text : text.trim();
  if (trimmed === '') return { value: null };
  switch (field.type) {
    case 'bool':
      return { value: trimmed === 'true' };
    case 'int': {
      const value = Number(trimmed);
      return /^[+-]?\d+$/.test(trimmed) && Number.isSafeInteger(value) ? { value } : { wrong: 'badInteger' };
    }
    case 'real': {
      // Vietnamese writes a decimal comma. Thousands must not be grouped.
      const plain = trimmed.replace(',', '.');
      return /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(plain) ? { value: Number(plain) } : { wrong: 'badNumber' };
    }
    case 'date': {
      const time = new Date(`${trimmed}T00:00:00Z`);
      const real = /^\d{4}-\d{2}-\d{2}$/.test(trimmed) && !Number.isNaN(time.getTime());
      return real && time.toISOString().startsWith(trimmed) ? { value: trimmed } : { wrong: 'badDate' };
    }
    case 'datetime': {
      const match = /^(\d{4}-\d{2}-\d{2}T\d{2}:\d{2})(:\d{2})?/.exec(trimmed);
      const time = match ? new Date(`${match[1]}${match[2] ?? ':00'}${city().utcOffset}`) : null;
      if (!time || Number.isNaN(time.getTime())) return { wrong: 'badDate' };
      return { value: time.toISOString().replace('.000Z', 'Z') };
    }
    default:
      return { value: text };
  }
}

/** The texts that the inputs show when a feature (`null`: a new one) is opened, by field. */
export function textsOf(feature: Feature | null, fields: Field[]): Record<string, string> {
  return Object.fromEntries(fields.map((field) => [field.name, inputText(feature?.properties[field.name], field)]));
}

/**
 * The values that the texts change of a feature (`null`: a new one), and the texts that are wrong, by field. A text
 * that was not edited changes nothing, even if it is rounded.
 */
export function changesOf(
  feature: Feature | null,
  texts: Record<string, string>,
  fields: Field[],
): { properties: Record<string, unknown>; wrong: Record<string, Wrong> } {
  const properties: Record<string, unknown> = {};
  const wrong: Record<string, Wrong> = {};
  for (const field of fields) {
    const text = texts[field.name] ?? '';
    if (text === inputText(feature?.properties[field.name], field)) continue;
    const read = readText(text, field);
    if ('wrong' in read) wrong[field.name] = read.wrong;
    else properties[field.name] = read.value;
  }
  return { properties, wrong };
}

/** The reasons of faults by field; those that concern no field are under the empty name. */
export function faultsByField(faults: { pointer: string; reason: string }[], fields: Field[]): Record<string, string> {
  const names = new Set(fields.map((field) => field.name));
  const found: Record<string, string> = {};
  for (const { pointer, reason } of faults) {
    const [, place, name = ''] = pointer.split('/').map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'));
    const key = place === 'properties' && names.has(name) ? name : '';
    found[key] = found[key] ? `${found[key]} ${reason}` : reason;
  }
  return found;
}
