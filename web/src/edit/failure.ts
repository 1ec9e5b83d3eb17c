/** What a change that was not saved means for its form. */
import type { ApiError, Field } from '../lib/api';
import { number } from '../lib/format';
import { type Lang, MESSAGES } from '../lib/i18n';
import { troubleText } from '../lib/trouble';
import { faultyFields } from './form';
import { EDIT } from './words';
import { WriteError } from './writes';

export interface Failure {
  /** What went wrong, for the user. */
  text: string;
  /** What is wrong with each field, by name. */
  faults: Record<string, string>;
  /** The token was refused: another one must be entered. */
  refused: boolean;
}

/**
 * What may be entered in a field, in the language of the page. The server's own sentences are English and for
 * programs; the page knows the field's type, codes, range and pattern too.
 */
export function fieldRule(field: Field, lang: Lang): string {
  const words = EDIT[lang];
  if (field.codeList && field.codeList.entries.length > 0) return words.badCode;
  if (field.range) {
    const [min, max] = [field.range.min, field.range.max].map((bound) =>
      bound === null || bound === undefined ? null : number(bound, lang, 6),
    );
    if (min && max) return words.badRange(min, max);
    return min ? words.badMinimum(min) : words.badMaximum(max ?? '');
  }
  if (field.pattern) return words.badPattern(field.pattern);
  switch (field.type) {
    case 'int':
      return words.badInteger;
    case 'real':
      return words.badNumber;
    case 'date':
    case 'datetime':
      return words.badDate;
    case 'bool':
      return words.badCode;
    default:
      return words.badText;
  }
}

/** Describes a failure in which nothing was saved. Conflicts (412) are for the caller. */
export function failureOf(error: ApiError, fields: Field[], lang: Lang): Failure {
  const words = EDIT[lang];
  if (error.status === 401) return { text: words.unauthorized, faults: {}, refused: true };
  const found = error instanceof WriteError ? faultyFields(error.faults, fields) : { fields: [], other: false };
  if (error.status !== 422 || (found.fields.length === 0 && !found.other)) {
    return { text: `${words.failed} ${troubleText(error, MESSAGES[lang])}`, faults: {}, refused: false };
  }
  return {
    text: found.other ? `${words.faults} ${words.badShape}` : words.faults,
    faults: Object.fromEntries(found.fields.map((field) => [field.name, fieldRule(field, lang)])),
    refused: false,
  };
}
