import { ApiError, ask, fetchRevision } from '../lib/api';
import { fetchChanges } from '../lib/events';
import type { Link } from '../lib/permalink';
import { requestTime } from '../lib/requesttime';
import type { App } from './app.svelte';

/** A former state of the record. `time` is RFC 3339, empty where nobody knows it. */
export interface Moment {
  revision: number;
  time: string;
  message: string;
}

/**
 * Of which time the page shows what: the record as it was after a revision, and what was valid on a day. Both are one for the
 * whole page: map, panel, tools.
 */
export class Travel {
  /** The former record that is shown; `null` for the present. */
  moment = $state.raw<Moment | null>(null);
  /** The day on which what is shown must have been valid; `null` for all. */
  validOn = $state<string | null>(null);
  /** On the way to another time. */
  busy = $state(false);

  readonly #app: App;
  /** Journeys are made one after the other. */
  #last: Promise<void> = Promise.resolve();

  constructor(app: App) {
    this.#app = app;
  }

  /** Reads the layers as of the time that the address asks for, or, where that cannot be, as they are now. */
  async start(link: Link): Promise<void> {
    const [revision, valid] = [link.revision ?? null, link.valid ?? null];
    try {
      await this.#arrive(revision, valid);
    } catch (error) {
      const refused = error instanceof ApiError && error.status >= 400 && error.status < 500;
      if (!refused || (revision === null && valid === null)) throw error;
      this.#failed(error);
      await this.#arrive(null, null);
    }
    if (this.moment) this.#app.following.start((await fetchRevision()) ?? this.moment.revision);
  }

  /** Goes where the address says, if the page is elsewhere. */
  async apply(link: Link): Promise<void> {
    const [revision, valid] = [link.revision ?? null, link.valid ?? null];
    if (revision === (this.moment?.revision ?? null) && valid === this.validOn) return;
    try {
      await this.#arrive(revision, valid);
    } catch (error) {
      this.#failed(error);
    }
  }

  /**
   * Shows the record as it was after a revision, or at the end of a day (`2026-01-31`, the city's time), and what was valid on
   * a day; `null` is the present, and all. Where that cannot be, the page stays where it is and says so.
   */
  async go(revision: number | string | null, valid: string | null): Promise<void> {
    const app = this.#app;
    if (app.held()) return;
    try {
      await this.#arrive(revision, valid);
      app.formerShape = null;
      app.remember(true);
      app.changes += 1;
      void app.tools.ask();
      await app.refresh();
    } catch (error) {
      this.#failed(error);
    }
  }

  #failed(error: unknown): void {
    this.#app.say(`${this.#app.words.noSuchTime} ${error instanceof Error ? error.message : String(error)}`, 'error');
  }

  #arrive(revision: number | string | null, valid: string | null): Promise<void> {
    this.busy = true;
    const journey = this.#last.then(() => this.#journey(revision, valid)).finally(() => (this.busy = false));
    this.#last = journey.catch(() => {});
    return journey;
  }

  async #journey(revision: number | string | null, valid: string | null): Promise<void> {
    const app = this.#app;
    const former = { revision: requestTime.revision, datetime: requestTime.datetime };
    try {
      const wanted = typeof revision === 'string' ? await revisionOf(revision) : revision;
      // The newest record is the present, and goes on.
      const past = wanted !== null && wanted !== (await fetchRevision());
      const told = past ? (await fetchChanges(Math.max(0, wanted - 1), 1)).revisions[0] : undefined;
      requestTime.revision = past ? wanted : null;
      requestTime.datetime = valid;
      const read = await app.readLayers();
      // From what was read on: what came meanwhile is told again.
      if (!past) app.following.start(read);
      this.moment = past ? { revision: wanted, time: told?.time ?? '', message: told?.message ?? '' } : null;
      this.validOn = valid;
    } catch (error) {
      requestTime.revision = former.revision;
      requestTime.datetime = former.datetime;
      throw error;
    }
  }
}

/** The last revision of a day, the city's time. */
async function revisionOf(day: string): Promise<number> {
  const response = await ask(`/api/collections?revision=${encodeURIComponent(day)}`);
  return Number(response.headers.get('citymap-revision'));
}
