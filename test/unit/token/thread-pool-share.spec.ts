import { describe, expect, it, vi } from 'vitest';
import { ThreadPoolShare } from '../../../lib/token/thread-pool-share.js';

const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** A job that runs until the test ends it. */
class Job {
  isRunning = false;
  end = (): void => undefined;
  fail = (_error: Error): void => undefined;

  readonly start = (): Promise<string> => {
    this.isRunning = true;
    return new Promise((resolve, reject) => {
      this.end = () => resolve('done');
      this.fail = reject;
    });
  };
}

const running = (jobs: readonly Job[]): number => jobs.filter(({ isRunning }) => isRunning).length;

describe('isBusy', () => {
  it('returns true for the rest of a turn of the event loop that has been taken', async () => {
    const share = new ThreadPoolShare();
    expect(share.isBusy).toBe(false);
    share.takeTurn();
    await Promise.resolve();
    expect(share.isBusy).toBe(true);
    await nextTurn();
    expect(share.isBusy).toBe(false);
  });

  it('returns true while a job runs in the pool', async () => {
    const share = new ThreadPoolShare();
    const job = new Job();
    const done = share.run(20, job.start);
    await nextTurn();
    expect(share.isBusy).toBe(true);
    job.end();
    await done;
    expect(share.isBusy).toBe(false);
  });

  it('returns true in the turn after one with several signatures, until one has a single signature', async () => {
    const share = new ThreadPoolShare();
    share.takeTurn();
    await share.run(20, () => Promise.resolve());
    await nextTurn();
    expect(share.isBusy).toBe(true);
    await share.run(20, () => Promise.resolve());
    await nextTurn();
    expect(share.isBusy).toBe(false);
  });
});

describe('run', () => {
  it.each([
    { cost: 20, atOnce: 200 },
    { cost: 75, atOnce: 53 },
    { cost: 1100, atOnce: 3 },
    { cost: 10_000, atOnce: 1 },
  ])('starts $atOnce jobs of $cost µs at once, and the next as each ends', async ({ cost, atOnce }) => {
    const share = new ThreadPoolShare();
    const jobs = Array.from({ length: atOnce + 2 }, () => new Job());
    const done = jobs.map((job) => share.run(cost, job.start));
    await nextTurn();
    expect(running(jobs)).toBe(atOnce);
    jobs[0]?.end();
    await done[0];
    expect(running(jobs)).toBe(atOnce + 1);
    expect(jobs[atOnce]?.isRunning).toBe(true);
    jobs[1]?.end();
    jobs[atOnce]?.end();
    await Promise.all([done[1], done[atOnce]]);
    expect(running(jobs)).toBe(jobs.length);
  });

  it('starts the jobs of a turn of the event loop together, at its end', async () => {
    const share = new ThreadPoolShare();
    const jobs = [new Job(), new Job(), new Job()];
    for (const job of jobs) {
      void share.run(20, job.start);
      await Promise.resolve();
      expect(running(jobs)).toBe(0);
    }
    await nextTurn();
    expect(running(jobs)).toBe(3);
  });

  it('starts jobs while the timers of the application are faked', async () => {
    vi.useFakeTimers();
    try {
      await expect(new ThreadPoolShare().run(20, () => Promise.resolve('done'))).resolves.toBe('done');
    } finally {
      vi.useRealTimers();
    }
  });

  it('starts jobs where there is no global setImmediate, as in jsdom', async () => {
    vi.resetModules();
    vi.stubGlobal('setImmediate', undefined);
    try {
      const loaded = await import('../../../lib/token/thread-pool-share.js');
      await expect(new loaded.ThreadPoolShare().run(20, () => Promise.resolve('done'))).resolves.toBe('done');
    } finally {
      vi.unstubAllGlobals();
    }
  });

  it('starts the next job when one fails, and rejects with the error', async () => {
    const share = new ThreadPoolShare();
    const [first, second] = [new Job(), new Job()];
    const failed = share.run(4000, first.start);
    const done = share.run(4000, second.start);
    await nextTurn();
    first.fail(new Error('no'));
    await expect(failed).rejects.toThrow('no');
    expect(second.isRunning).toBe(true);
    second.end();
    expect(await done).toBe('done');
  });

  it('keeps the order: a small job does not overtake a large one that waits', async () => {
    const share = new ThreadPoolShare();
    const [first, large, small] = [new Job(), new Job(), new Job()];
    const done = share.run(3900, first.start);
    void share.run(1000, large.start);
    void share.run(10, small.start);
    await nextTurn();
    expect([large.isRunning, small.isRunning]).toEqual([false, false]);
    first.end();
    await done;
    expect([large.isRunning, small.isRunning]).toEqual([true, true]);
  });

  it('returns undefined when a second of work waits already, and takes work again later', async () => {
    const share = new ThreadPoolShare();
    const jobs = Array.from({ length: 1000 }, () => new Job());
    const done = jobs.map((job) => share.run(1100, job.start));
    const taken = done.filter((job) => job !== undefined).length;
    // 909 of 1,100 µs are one second; three of them run then.
    expect(taken).toBe(909);
    await nextTurn();
    expect(running(jobs)).toBe(3);
    for (let room = 0; room < 3; room++) expect(share.run(1100, new Job().start)).toBeInstanceOf(Promise);
    jobs[0]?.end();
    await done[0];
    expect(share.run(1100, new Job().start)).toBeInstanceOf(Promise);
    expect(share.run(1100, new Job().start)).toBeUndefined();
  });

  it('runs a thousand times what fits, one after another', async () => {
    const share = new ThreadPoolShare();
    let inFlight = 0;
    let most = 0;
    const job = async (): Promise<void> => {
      most = Math.max(most, ++inFlight);
      await nextTurn();
      inFlight--;
    };
    await Promise.all(Array.from({ length: 3000 }, async () => share.run(300, job)));
    expect(most).toBe(13);
    expect(inFlight).toBe(0);
  });
});
