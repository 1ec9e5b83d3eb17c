/** The city's change feed, with everything that can go wrong on the way. */
import type { ChangesAnswer, RevisionEvent } from '../lib/events';

/** What the feed needs of browser and server; tests replace it. */
export interface FeedEnvironment {
  /** Opens the stream of the revisions after `after`. */
  open(after: number): EventSource;
  /** The revisions after `after`, oldest first, at most a hundred. */
  changes(after: number): Promise<ChangesAnswer>;
  /** The newest revision that the server shows, or `null` if it does not answer. */
  newest(): Promise<number | null>;
  hidden(): boolean;
}

/** What the feed reports. */
export interface FeedListener {
  /** A revision was committed: each is reported once, in order. */
  revision(event: RevisionEvent): void;
  /**
   * Too many revisions were missed, or the data is another city's: read everything again, then start the feed again.
   */
  lost(): void;
  /** The server can, or can no longer, be reached. */
  reachable(yes: boolean): void;
}

/** How often the server is asked for its revision: next to an open stream, and without one. */
const CALM_MS = 20_000;
const ALERT_MS = 5000;
/** After this time a hidden page closes its stream: a browser has six connections to a host for all of its pages. */
const HIDDEN_MS = 20_000;
/** The first and the longest wait before a refused stream is opened again. */
const FIRST_WAIT_MS = 1000;
const LONGEST_WAIT_MS = 60_000;
/** More missed revisions than this are not replayed one by one. */
const MAX_MISSED = 300;

/**
 * Follows the city's changes by Server-Sent Events. Without a stream it asks for the revision from time to time, and
 * reads what it missed from `/api/changes`; it does the same after the page was hidden.
 */
export class Feed {
  readonly #listener: FeedListener;
  readonly #environment: FeedEnvironment;
  #last = 0;
  #stream: EventSource | null = null;
  #connected = false;
  #running = false;
  #paused = false;
  #failures = 0;
  /** The revision that the last check found, if it was not the one that was reported last. */
  #unconfirmed: number | null = null;
  #wait = FIRST_WAIT_MS;
  #catchingUp: Promise<void> | null = null;
  #checkTimer: ReturnType<typeof setTimeout> | undefined;
  #openTimer: ReturnType<typeof setTimeout> | undefined;
  #hideTimer: ReturnType<typeof setTimeout> | undefined;

  constructor(listener: FeedListener, environment: FeedEnvironment) {
    this.#listener = listener;
    this.#environment = environment;
  }

  /** The newest revision that was reported. */
  get last(): number {
    return this.#last;
  }

  /** Follows the revisions after `after`. Must be called again after `lost`. */
  start(after: number): void {
    this.stop();
    this.#last = after;
    this.#unconfirmed = null;
    this.#running = true;
    this.#paused = false;
    this.#open();
    this.#checkLater();
  }

  /** Stops following, and closes the stream. */
  stop(): void {
    this.#running = false;
    this.#close();
    for (const timer of [this.#checkTimer, this.#openTimer, this.#hideTimer]) clearTimeout(timer);
  }

  /** The page came into sight or left it. */
  visibilityChanged(): void {
    clearTimeout(this.#hideTimer);
    if (!this.#running) return;
    if (this.#environment.hidden()) {
      this.#hideTimer = setTimeout(() => this.#pause(), HIDDEN_MS);
    } else if (this.#paused) {
      this.#paused = false;
      void this.#catchUp().then(() => this.#open());
      this.#checkLater();
    }
  }

  /** Checks at once whether the server can be reached: the browser reports that the network came or went. */
  check(): void {
    if (!this.#running || this.#paused) return;
    clearTimeout(this.#checkTimer);
    void this.#check();
  }

  #pause(): void {
    this.#paused = true;
    this.#close();
    clearTimeout(this.#checkTimer);
    clearTimeout(this.#openTimer);
  }

  #close(): void {
    this.#stream?.close();
    this.#stream = null;
    this.#connected = false;
  }

  #open(): void {
    this.#close();
    if (!this.#running || this.#paused) return;
    const stream = this.#environment.open(this.#last);
    this.#stream = stream;
    stream.addEventListener('open', () => {
      this.#connected = true;
      this.#wait = FIRST_WAIT_MS;
      this.#reached();
    });
    stream.addEventListener('revision', (message) => {
      if (stream === this.#stream) this.#receive(JSON.parse((message as MessageEvent<string>).data) as RevisionEvent);
    });
    // A server that does not have the revision asked for reports its newest one.
    stream.addEventListener('hello', (message) => {
      if (stream !== this.#stream) return;
      const { revision } = JSON.parse((message as MessageEvent<string>).data) as { revision: number };
      if (revision < this.#last) this.check();
    });
    stream.addEventListener('error', () => {
      if (stream !== this.#stream) return;
      this.#connected = false;
      this.check();
      // The browser reopens a broken stream by itself, but not one that was refused.
      if (stream.readyState !== CLOSED) return;
      this.#close();
      const wait = this.#wait * (0.75 + Math.random() / 2);
      this.#wait = Math.min(LONGEST_WAIT_MS, this.#wait * 2);
      clearTimeout(this.#openTimer);
      this.#openTimer = setTimeout(() => this.#open(), wait);
    });
  }

  #receive(event: RevisionEvent): void {
    if (event.revision <= this.#last) return;
    if (event.revision > this.#last + 1) {
      void this.#catchUp();
      return;
    }
    this.#last = event.revision;
    this.#listener.revision(event);
  }

  #checkLater(): void {
    clearTimeout(this.#checkTimer);
    if (!this.#running || this.#paused) return;
    const calm = this.#connected && this.#failures === 0 && this.#unconfirmed === null;
    this.#checkTimer = setTimeout(() => void this.#check(), calm ? CALM_MS : ALERT_MS);
  }

  async #check(): Promise<void> {
    const newest = await this.#environment.newest();
    if (!this.#running || this.#paused) return;
    if (newest === null) {
      this.#failures += 1;
      // A single lost answer is not an outage.
      if (this.#failures === 2) this.#listener.reachable(false);
    } else {
      this.#reached();
      await this.#compare(newest);
    }
    this.#checkLater();
  }

  /** Compares the revision that the server shows with the one that was reported last. */
  async #compare(newest: number): Promise<void> {
    if (newest < this.#last) {
      // Another server may lag behind for a while. One that stays behind has other data.
      if (this.#unconfirmed === newest) this.#lost();
      this.#unconfirmed = newest;
    } else if (newest > this.#last) {
      // An open stream will bring the revision soon. If it has not by the next check, it is stuck.
      const stuck = this.#connected && this.#unconfirmed !== null && this.#last < this.#unconfirmed;
      this.#unconfirmed = newest;
      if (this.#connected && !stuck) return;
      await this.#catchUp();
      if (stuck) this.#open();
    } else {
      this.#unconfirmed = null;
    }
  }

  #reached(): void {
    if (this.#failures >= 2) this.#listener.reachable(true);
    this.#failures = 0;
  }

  #lost(): void {
    this.stop();
    this.#listener.lost();
  }

  #catchUp(): Promise<void> {
    this.#catchingUp ??= this.#replay().finally(() => {
      this.#catchingUp = null;
    });
    return this.#catchingUp;
  }

  async #replay(): Promise<void> {
    try {
      for (;;) {
        const { revisions, newest } = await this.#environment.changes(this.#last);
        if (!this.#running) return;
        if (newest - this.#last > MAX_MISSED) return this.#lost();
        const before = this.#last;
        for (const event of revisions) {
          if (event.revision !== this.#last + 1) continue;
          this.#last = event.revision;
          this.#listener.revision(event);
        }
        if (this.#last >= newest || this.#last === before) return;
      }
    } catch (error) {
      // The server has no change feed, or does not have this revision: read everything. Any other failure will pass.
      const status = (error as { status?: number }).status ?? 0;
      if (this.#running && status >= 400 && status < 500) this.#lost();
    }
  }
}

/** `EventSource.CLOSED`; unit tests have no EventSource. */
const CLOSED = 2;
