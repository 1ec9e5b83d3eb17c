/** What went wrong, in the words of the page. */
import { ApiError } from './api';
import type { Messages } from './i18n';

/**
 * A failed request for the user: what happened and what to do, in the language of the page, and the reference under
 * which the server's log has it. The server's own sentences are English and for programs.
 */
export function troubleText(error: unknown, words: Messages): string {
  if (!(error instanceof ApiError)) return words.problems.unexpected;
  const text =
    words.problems[error.kind as keyof Messages['problems']] ??
    (error.status >= 500 ? words.problems.internal : words.problems.unexpected);
  return error.reference ? `${text} ${words.problemReference(error.reference)}` : text;
}
