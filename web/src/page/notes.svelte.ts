/** The short messages at the page's foot, and whether the server can be reached. */
import type { Messages } from '../lib/i18n';

/** A message that disappears after a while. */
export interface Note {
  text: string;
  kind: 'info' | 'error';
}

const NOTE_MS = 6000;
/** An error takes longer to read than a confirmation. */
const ERROR_MS = 12_000;

export class Notes {
  /** The message that is shown now. */
  current = $state<Note | null>(null);
  /** The server cannot be reached; this stays until it can. */
  offline = $state(false);
  /** A request has been waiting for some seconds. */
  slow = $state(false);

  readonly #words: () => Messages;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(words: () => Messages) {
    this.#words = words;
  }

  /** Shows a message in place of the one before; it disappears by itself. */
  show(text: string, kind: Note['kind'] = 'info'): void {
    clearTimeout(this.#timer);
    this.current = { text, kind };
    this.#timer = setTimeout(
      () => {
        this.current = null;
      },
      kind === 'error' ? ERROR_MS : NOTE_MS,
    );
  }

  /** Notes whether the server can be reached, and announces its return. */
  setReachable(reachable: boolean): void {
    this.offline = !reachable;
    if (reachable) this.show(this.#words().online);
  }

  /** Copies `text` to the clipboard and confirms it, by default with the text itself. */
  async copy(text: string, confirmation = `${this.#words().copied}: ${text}`): Promise<void> {
    try {
      await navigator.clipboard.writeText(text);
      this.show(confirmation);
    } catch {
      this.show(this.#words().copyFailed, 'error');
    }
  }
}
