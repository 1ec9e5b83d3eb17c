/** The time of which the page shows the data, and the way to another time. */
import { ApiError, ask, fetchRevision } from '../lib/api';
import { fetchChanges } from '../lib/events';
import type { Link } from '../lib/permalink';
import { requestTime } from '../lib/requesttime';

/** A former state of the data: the revision after which it was so. `time` is RFC 3339, or empty where it is unknown. */
export interface Moment {
  /** The day (`2026-01-31`) of whose end the data is shown, where it was chosen by the day. */
  day: string | null;
  revision: number;
  time: string;
  message: string;
}

/** Nothing was recorded yet at the end of the day that was asked for. */
export class BeforeRecord extends Error {
  constructor(readonly day: string) {
    super(`nothing was recorded by the end of ${day}`);
  }
}

/** What the travel through time needs of the page. */
export interface TravelPort {
  /** Whether unsaved work forbids the page to show something else; the user is told so. */
  blocked(): boolean;
  /** Reads all layers as of the time of {@link requestTime}, and returns their revision. */
  readLayers(): Promise<number>;
  /** Follows what is committed after `revision`. */
  follow(revision: number): void;
  /** Another time is shown: brings the rest of the page to it. */
  arrived(): Promise<void>;
  /** The time that was asked for cannot be shown. */
  failed(error: unknown): void;
}

/**
 * The page shows the data as it was recorded after a revision, and of that what was valid on a day. Both are one for
 * the whole page, so that map, panel and tools never show different times.
 */
export class Travel {
  /** The former state that is shown; `null` for the present. */
  moment = $state.raw<Moment | null>(null);
  /** The day (`2026-01-31`) on which what is shown must have been valid; `null` for all. */
  validOn = $state<string | null>(null);
  /** The page is on its way to another time. */
  busy = $state(false);

  readonly #port: TravelPort;
  /** The last journey that was begun: journeys are made one after the other. */
  #last: Promise<void> = Promise.resolve();

  constructor(port: TravelPort) {
    this.#port = port;
  }

  /**
   * Reads the layers as of the time that the page's address names or, where that cannot be shown, as they are now.
   *
   * Throws {@link ApiError} where the server does not answer.
   */
  async start(link: Link): Promise<void> {
    const [revision, valid] = [link.revision ?? null, link.valid ?? null];
    try {
      await this.#arrive(revision, valid);
    } catch (error) {
      const refused = error instanceof ApiError && error.status >= 400 && error.status < 500;
      if (!refused || (revision === null && valid === null)) throw error;
      this.#port.failed(error);
      await this.#arrive(null, null);
    }
    if (this.moment) this.#port.follow((await fetchRevision()) ?? this.moment.revision);
  }

  /** Goes to the time that the page's address names, unless it is shown already. */
  async apply(link: Link): Promise<void> {
    const [revision, valid] = [link.revision ?? null, link.valid ?? null];
    if (revision === (this.moment?.revision ?? null) && valid === this.validOn) return;
    try {
      await this.#arrive(revision, valid);
    } catch (error) {
      this.#port.failed(error);
    }
  }

  /**
   * Shows the data as it was after a revision, or at the end of a day (`2026-01-31` in the city's time zone), and of
   * that what was valid on the day `valid`. `null` is the present, and all. Where that cannot be shown the page stays
   * as it is, and the user is told.
   */
  async go(revision: number | string | null, valid: string | null): Promise<void> {
    if (this.#port.blocked()) return;
    try {
      await this.#arrive(revision, valid);
      await this.#port.arrived();
    } catch (error) {
      this.#port.failed(error);
    }
  }

  #arrive(revision: number | string | null, valid: string | null): Promise<void> {
    this.busy = true;
    const journey = this.#last
      .then(() => this.#journey(revision, valid))
      .finally(() => {
        this.busy = false;
      });
    this.#last = journey.catch(() => {});
    return journey;
  }

  async #journey(revision: number | string | null, valid: string | null): Promise<void> {
    const before = { revision: requestTime.revision, datetime: requestTime.datetime };
    try {
      const wanted = typeof revision === 'string' ? await revisionOf(revision) : revision;
      if (typeof revision === 'string' && wanted === 0) throw new BeforeRecord(revision);
      // The newest revision is the present, which goes on.
      const past = wanted !== null && wanted !== (await fetchRevision());
      const event = past ? (await fetchChanges(Math.max(0, wanted - 1), 1)).revisions[0] : undefined;
      requestTime.revision = past ? wanted : null;
      requestTime.datetime = valid;
      const read = await this.#port.readLayers();
      // Whatever was committed in the meantime is reported after the revision that was read.
      if (!past) this.#port.follow(read);
      const day = typeof revision === 'string' ? revision : null;
      this.moment = past ? { day, revision: wanted, time: event?.time ?? '', message: event?.message ?? '' } : null;
      this.validOn = valid;
    } catch (error) {
      Object.assign(requestTime, before);
      throw error;
    }
  }
}

/** The last revision of a day in the city's time zone. */
async function revisionOf(day: string): Promise<number> {
  const response = await ask(`/api/collections?revision=${encodeURIComponent(day)}`);
  return Number(response.headers.get('citymap-revision'));
}
