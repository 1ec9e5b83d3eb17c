import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { ChangesAnswer, RevisionEvent } from '../lib/events';
import { Feed } from './feed';

/** A stream that the test feeds by hand. */
class Stream extends EventTarget {
  readyState = 0;
  constructor(readonly after: number) {
    super();
  }
  flow(): void {
    this.readyState = 1;
    this.dispatchEvent(new Event('open'));
  }
  commit(revision: number): void {
    this.dispatchEvent(new MessageEvent('revision', { data: JSON.stringify(event(revision)) }));
  }
  /** The connection breaks; the browser tries by itself unless it was refused. */
  fail(refused: boolean): void {
    this.readyState = refused ? 2 : 0;
    this.dispatchEvent(new Event('error'));
  }
  close(): void {
    this.readyState = 2;
  }
}

const event = (revision: number): RevisionEvent => ({
  revision,
  time: '2026-11-22T00:00:00Z',
  message: '',
  layers: [],
});

/** A city with a log, and a page that follows it. */
function setUp(newest: number) {
  const city = { newest: newest as number | null, hidden: false, refuse: 0 };
  const streams: Stream[] = [];
  const asked: number[] = [];
  const reported: (number | string)[] = [];
  const feed = new Feed(
    {
      revision: ({ revision }) => reported.push(revision),
      lost: () => reported.push('lost'),
      reachable: (yes) => reported.push(yes ? 'here' : 'away'),
    },
    {
      open: (after) => {
        const stream = new Stream(after);
        streams.push(stream);
        return stream as unknown as EventSource;
      },
      changes: async (after): Promise<ChangesAnswer> => {
        asked.push(after);
        if (city.refuse) throw Object.assign(new Error('refused'), { status: city.refuse });
        const end = city.newest ?? 0;
        const count = Math.min(100, Math.max(0, end - after));
        return { newest: end, revisions: Array.from({ length: count }, (_, index) => event(after + 1 + index)) };
      },
      newest: async () => city.newest,
      hidden: () => city.hidden,
    },
  );
  return { city, streams, asked, reported, feed };
}

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});
const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms);

describe('the feed', () => {
  it('opens a stream after the revision the page has, and tells each revision once, in order', async () => {
    const { feed, streams, reported, asked } = setUp(7);
    feed.start(7);
    expect(streams.map(({ after }) => after)).toEqual([7]);
    streams[0]!.flow();
    for (const revision of [8, 9, 9, 8, 10]) streams[0]!.commit(revision);
    expect(reported).toEqual([8, 9, 10]);
    await pass(1);
    expect(asked).toEqual([]);
    feed.stop();
  });

  it('reads the missing revisions where the stream has a gap', async () => {
    const { feed, streams, reported, city } = setUp(7);
    feed.start(7);
    streams[0]!.flow();
    city.newest = 10;
    streams[0]!.commit(10);
    await pass(1);
    expect(reported).toEqual([8, 9, 10]);
    feed.stop();
  });

  it('opens a refused stream again after growing waits, and asks for the revision in the meantime', async () => {
    const { feed, streams, reported, city } = setUp(7);
    feed.start(7);
    streams[0]!.fail(true);
    city.newest = 8;
    await pass(5100);
    expect(reported).toEqual([8]);
    for (const stream of streams.slice(1)) stream.fail(true);
    await pass(120_000);
    const opened = streams.length;
    expect(opened).toBeGreaterThan(2);
    for (let round = 0; round < 12; round += 1) {
      streams.at(-1)!.fail(true);
      await pass(90_000);
    }
    expect(streams.length - opened, 'never more often than about once a minute').toBeLessThanOrEqual(13);
    expect(streams.at(-1)!.after, 'the revision that the page has').toBe(8);
    feed.stop();
  });

  it('leaves a broken stream to the browser, which resumes by itself', async () => {
    const { feed, streams, reported } = setUp(7);
    feed.start(7);
    streams[0]!.flow();
    streams[0]!.fail(false);
    await pass(60_000);
    expect(streams).toHaveLength(1);
    streams[0]!.flow();
    streams[0]!.commit(8);
    expect(reported).toEqual([8]);
    feed.stop();
  });

  it('notices a stream that is stuck on the way, and reads what it holds back', async () => {
    const { feed, streams, reported, city } = setUp(7);
    feed.start(7);
    streams[0]!.flow();
    city.newest = 9;
    await pass(65_000);
    expect(reported).toEqual([8, 9]);
    expect(streams.length).toBeGreaterThan(1);
    feed.stop();
  });

  it('says that the server is away after two misses, and when it is back', async () => {
    const { feed, streams, reported, city } = setUp(7);
    feed.start(7);
    city.newest = null;
    streams[0]!.fail(false);
    await pass(4000);
    expect(reported).toEqual([]);
    await pass(3000);
    expect(reported).toEqual(['away']);
    city.newest = 8;
    await pass(5100);
    expect(reported).toEqual(['away', 'here', 8]);
    feed.stop();
  });

  it('closes the stream of a page that is long hidden, and catches up page by page afterwards', async () => {
    const { feed, streams, reported, city, asked } = setUp(7);
    feed.start(7);
    streams[0]!.flow();
    city.hidden = true;
    feed.visibilityChanged();
    await pass(10_000);
    city.hidden = false;
    feed.visibilityChanged();
    expect(streams[0]!.readyState, 'a short absence changes nothing').toBe(1);
    city.hidden = true;
    feed.visibilityChanged();
    await pass(25_000);
    expect(streams[0]!.readyState).toBe(2);
    city.newest = 130;
    await pass(600_000);
    expect(asked).toEqual([]);
    city.hidden = false;
    feed.visibilityChanged();
    await pass(1);
    expect(reported).toHaveLength(123);
    expect(asked).toEqual([7, 107]);
    expect(streams.at(-1)!.after).toBe(130);
    feed.stop();
  });

  it('does not replay what is too much, nor what the server no longer knows', async () => {
    const far = setUp(7);
    far.feed.start(7);
    far.streams[0]!.fail(true);
    far.city.newest = 5000;
    await pass(5100);
    expect(far.reported).toEqual(['lost']);
    const without = setUp(7);
    without.feed.start(7);
    without.streams[0]!.fail(true);
    without.city.newest = 8;
    without.city.refuse = 404;
    await pass(5100);
    expect(without.reported).toEqual(['lost']);
  });

  it('takes a record that is behind, and stays so, for another one', async () => {
    const { feed, streams, reported, city } = setUp(7);
    feed.start(7);
    streams[0]!.fail(true);
    city.newest = 3;
    await pass(3000);
    expect(reported, 'another server may lag behind').toEqual([]);
    await pass(10_000);
    expect(reported).toEqual(['lost']);
  });

  it('takes it so within seconds where the stream itself says so', async () => {
    const { feed, streams, reported, city } = setUp(7);
    feed.start(7);
    streams[0]!.flow();
    city.newest = 3;
    streams[0]!.dispatchEvent(new MessageEvent('hello', { data: '{"revision":3}' }));
    await pass(1000);
    expect(reported, 'another server may lag behind').toEqual([]);
    await pass(6000);
    expect(reported).toEqual(['lost']);
  });

  it('keeps quiet after its end', async () => {
    const { feed, streams, reported, city } = setUp(7);
    feed.start(7);
    const stream = streams[0]!;
    feed.stop();
    city.newest = 12;
    stream.commit(8);
    await pass(100_000);
    expect(reported).toEqual([]);
    expect(streams).toHaveLength(1);
  });
});
