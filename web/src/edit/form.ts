/** Between the values of a feature and the texts of a form. */
import type { Feature, Field } from '../lib/api';
import { city, utcOffsetMs } from '../lib/city';
import { inputNumber, readNumber } from '../lib/format';
import type { Lang } from '../lib/i18n';

/** A value as an input shows it: numbers in the language's notation, dates in the input's, instants in the city's time. */
export function inputText(value: unknown, field: Field, lang: Lang): string {
  if (value === null || value === undefined) return '';
  if (field.type === 'real') return inputNumber(String(value), lang);
  if (field.type === 'datetime') {
    const time = new Date(String(value)).getTime();
    return Number.isNaN(time) ? String(value) : new Date(time + utcOffsetMs()).toISOString().slice(0, 19);
  }
  return String(value);
}

/** What the page itself finds wrong with a text. */
export type Wrong = 'badNumber' | 'badInteger' | 'badDate';

/** The value of a field that a text in the language's notation stands for; an empty text is no value. */
export function readText(text: string, field: Field, lang: Lang): { value: unknown } | { wrong: Wrong } {
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
      const value = readNumber(trimmed, lang);
      return value === null ? { wrong: 'badNumber' } : { value };
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
export function textsOf(feature: Feature | null, fields: Field[], lang: Lang): Record<string, string> {
  const text = (field: Field) => inputText(feature?.properties[field.name], field, lang);
  return Object.fromEntries(fields.map((field) => [field.name, text(field)]));
}

/**
 * The values that the texts change of a feature (`null`: a new one), and the texts that are wrong, by field. A text
 * that was not edited changes nothing, even if it is rounded. `lang` is the language in which the form was opened: its
 * numbers stay in that notation.
 */
export function changesOf(
  feature: Feature | null,
  texts: Record<string, string>,
  fields: Field[],
  lang: Lang,
): { properties: Record<string, unknown>; wrong: Record<string, Wrong> } {
  const properties: Record<string, unknown> = {};
  const wrong: Record<string, Wrong> = {};
  for (const field of fields) {
    const text = texts[field.name] ?? '';
    if (text === inputText(feature?.properties[field.name], field, lang)) continue;
    const read = readText(text, field, lang);
    if ('wrong' in read) wrong[field.name] = read.wrong;
    else properties[field.name] = read.value;
  }
  return { properties, wrong };
}

/**
 * The fields that the server finds wrong, and whether it finds anything else wrong: a fault points to a part of the
 * body that was sent (RFC 6901).
 */
export function faultyFields(faults: { pointer: string }[], fields: Field[]): { fields: Field[]; other: boolean } {
  const parts = faults.map(({ pointer }) =>
    pointer.split('/').map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~')),
  );
  const named = (field: Field) => parts.some(([, place, name]) => place === 'properties' && name === field.name);
  const faulty = fields.filter(named);
  const known = new Set(faulty.map(({ name }) => name));
  return {
    fields: faulty,
    other: parts.some(([, place, name = '']) => place !== 'properties' || !known.has(name)),
  };
}
