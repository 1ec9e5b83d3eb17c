import type { ChangesAnswer, RevisionEvent } from '../lib/events';

/** What the feed needs of the world; tests have their own. */
export interface FeedWorld {
  /** Opens the stream of what comes after a revision. */
  open(after: number): EventSource;
  /** What came after a revision, oldest first, at most a hundred. */
  changes(after: number): Promise<ChangesAnswer>;
  /** The newest revision that the server shows, or `null` where it does not answer. */
  newest(): Promise<number | null>;
  hidden(): boolean;
}

/** Who wants to know. */
export interface FeedListener {
  /** A revision was committed: each is told once, in order. */
  revision(event: RevisionEvent): void;
  /** Too much was missed, or the record is another one: all must be read anew, and the feed started again. */
  lost(): void;
  /** The server is, or is no longer, in reach. */
  reachable(yes: boolean): void;
}

/** How often the server is asked for its revision: beside a stream that flows, and without one. */
const CALM_MS = 20_000;
const ALERT_MS = 5000;
/** A page out of sight gives its stream back: a browser has six connections to a host for all its pages. */
const HIDDEN_MS = 20_000;
/** Waits before a refused stream is opened again. */
const FIRST_WAIT_MS = 1000;
const LONGEST_WAIT_MS = 60_000;
/** So many missed revisions are not replayed one by one. */
const MOST_MISSED = 300;

/**
 * Follows the city's changes by Server-Sent Events. Where no stream can be had the revision's number is asked for now and
 * then instead, and what it says was missed is read from `/api/changes`; so also after the page was out of sight.
 */
export class Feed {
  readonly #listener: FeedListener;
  readonly #world: FeedWorld;
  #last = 0;
  #stream: EventSource | null = null;
  #flows = false;
  #running = false;
  #paused = false;
  #misses = 0;
  /** The revision that the last look found, where it was not the one that was told last. */
  #ahead: number | null = null;
  #wait = FIRST_WAIT_MS;
  #catching: Promise<void> | null = null;
  #checkTimer: ReturnType<typeof setTimeout> | undefined;
  #openTimer: ReturnType<typeof setTimeout> | undefined;
  #hideTimer: ReturnType<typeof setTimeout> | undefined;

  constructor(listener: FeedListener, world: FeedWorld) {
    this.#listener = listener;
    this.#world = world;
  }

  /** The newest revision that was told. */
  get last(): number {
    return this.#last;
  }

  /** Begins to follow what comes after revision `after`; `lost` calls for it again. */
  start(after: number): void {
    this.stop();
    this.#last = after;
    this.#ahead = null;
    this.#running = true;
    this.#paused = false;
    this.#open();
    this.#checkLater();
  }

  /** Ends it. */
  stop(): void {
    this.#running = false;
    this.#close();
    for (const timer of [this.#checkTimer, this.#openTimer, this.#hideTimer]) clearTimeout(timer);
  }

  /** The page came into sight or left it. */
  visibilityChanged(): void {
    clearTimeout(this.#hideTimer);
    if (!this.#running) return;
    if (this.#world.hidden()) {
      this.#hideTimer = setTimeout(() => this.#pause(), HIDDEN_MS);
    } else if (this.#paused) {
      this.#paused = false;
      void this.#catchUp().then(() => this.#open());
      this.#checkLater();
    }
  }

  /** Looks at once whether the server is in reach: the browser says that the network came or went. */
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
    this.#flows = false;
  }

  #open(): void {
    this.#close();
    if (!this.#running || this.#paused) return;
    const stream = this.#world.open(this.#last);
    this.#stream = stream;
    stream.addEventListener('open', () => {
      this.#flows = true;
      this.#wait = FIRST_WAIT_MS;
      this.#found();
    });
    stream.addEventListener('revision', (message) => {
      if (stream === this.#stream) this.#take(JSON.parse((message as MessageEvent<string>).data) as RevisionEvent);
    });
    // Asked for what comes after a revision that the server does not have, it tells the newest it has.
    stream.addEventListener('hello', (message) => {
      if (stream !== this.#stream) return;
      const { revision } = JSON.parse((message as MessageEvent<string>).data) as { revision: number };
      if (revision < this.#last) this.check();
    });
    stream.addEventListener('error', () => {
      if (stream !== this.#stream) return;
      this.#flows = false;
      this.check();
      // The browser comes back by itself to a stream that broke, not to one that was refused.
      if (stream.readyState !== CLOSED) return;
      this.#close();
      const wait = this.#wait * (0.75 + Math.random() / 2);
      this.#wait = Math.min(LONGEST_WAIT_MS, this.#wait * 2);
      clearTimeout(this.#openTimer);
      this.#openTimer = setTimeout(() => this.#open(), wait);
    });
  }

  #take(event: RevisionEvent): void {
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
    const calm = this.#flows && this.#misses === 0 && this.#ahead === null;
    this.#checkTimer = setTimeout(() => void this.#check(), calm ? CALM_MS : ALERT_MS);
  }

  async #check(): Promise<void> {
    const newest = await this.#world.newest();
    if (!this.#running || this.#paused) return;
    if (newest === null) {
      this.#misses += 1;
      // One lost answer is no outage.
      if (this.#misses === 2) this.#listener.reachable(false);
    } else {
      this.#found();
      await this.#compare(newest);
    }
    this.#checkLater();
  }

  /** What the server shows against what was told. */
  async #compare(newest: number): Promise<void> {
    if (newest < this.#last) {
      // Another server may only lag behind; a record that stays behind is another record.
      if (this.#ahead === newest) this.#lost();
      this.#ahead = newest;
    } else if (newest > this.#last) {
      // A stream that flows brings it in a moment; one that still has not by the next look is stuck on the way.
      const stuck = this.#flows && this.#ahead !== null && this.#last < this.#ahead;
      this.#ahead = newest;
      if (this.#flows && !stuck) return;
      await this.#catchUp();
      if (stuck) this.#open();
    } else {
      this.#ahead = null;
    }
  }

  #found(): void {
    if (this.#misses >= 2) this.#listener.reachable(true);
    this.#misses = 0;
  }

  #lost(): void {
    this.stop();
    this.#listener.lost();
  }

  #catchUp(): Promise<void> {
    this.#catching ??= this.#replay().finally(() => {
      this.#catching = null;
    });
    return this.#catching;
  }

  async #replay(): Promise<void> {
    try {
      for (;;) {
        const { revisions, newest } = await this.#world.changes(this.#last);
        if (!this.#running) return;
        if (newest - this.#last > MOST_MISSED) return this.#lost();
        const before = this.#last;
        for (const event of revisions) {
          if (event.revision !== this.#last + 1) continue;
          this.#last = event.revision;
          this.#listener.revision(event);
        }
        if (this.#last >= newest || this.#last === before) return;
      }
    } catch (error) {
      // A server without this feed, or whose record ends before: what it has now is read as a whole. Other troubles pass.
      const status = (error as { status?: number }).status ?? 0;
      if (this.#running && status >= 400 && status < 500) this.#lost();
    }
  }
}

/** `EventSource.CLOSED`, which tests have no EventSource for. */
const CLOSED = 2;
