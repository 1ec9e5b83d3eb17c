/** What a change that was not saved means for its form. */
import type { ApiError, Field } from '../lib/api';
import type { Messages } from '../lib/i18n';
import { troubleText } from '../lib/trouble';
import { faultsByField } from './form';
import type { EditWords } from './words';
import { WriteError } from './writes';

export interface Failure {
  /** What went wrong, for the user. */
  text: string;
  /** What is wrong with each field, by name. */
  faults: Record<string, string>;
  /** The token was refused: another one must be entered. */
  refused: boolean;
}

/** Describes a failure in which nothing was saved. Conflicts (412) are for the caller. */
export function failureOf(error: ApiError, fields: Field[], words: EditWords, page: Messages): Failure {
  if (error.status === 401) return { text: words.unauthorized, faults: {}, refused: true };
  const text = `${words.failed} ${troubleText(error, page)}`;
  if (error.status !== 422) return { text, faults: {}, refused: false };
  const faults = error instanceof WriteError ? faultsByField(error.faults, fields) : {};
  // A fault of no field, or the message of the server if it names no faults.
  const more = faults[''] ?? (Object.keys(faults).length === 0 ? error.message : '');
  return { text: `${words.faults} ${more}`, faults, refused: false };
}
