import type { WakeUpQueue } from '@breakwater/application';

export interface WakeUpsUnderTest {
  readonly queue: WakeUpQueue;
  /** Another process's view of the same queue. */
  readonly another: () => Promise<WakeUpQueue>;
  /** Forgets everything that was sent (FLUSHALL, or its like). */
  readonly wipe: () => Promise<void>;
  /** Stops the server behind the queue, and starts it again. */
  readonly restart: () => Promise<void>;
  readonly stop: () => Promise<void>;
}

/** Resolves when `done` says so; told after each call of what it counts. */
class Seen {
  readonly keys: string[] = [];
  readonly #waiting: { readonly done: () => boolean; readonly resolve: () => void }[] = [];

  add(key: string): void {
    this.keys.push(key);
    for (const waiter of [...this.#waiting]) if (waiter.done()) waiter.resolve();
  }

  until(done: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      if (done()) resolve();
      else this.#waiting.push({ done, resolve });
    });
  }

  count(key: string): number {
    return this.keys.filter((seen) => seen === key).length;
  }
}

/** What every queue of wake-ups must do. */
export const describeWakeUpConformance = (name: string, start: () => Promise<WakeUpsUnderTest>): void => {
  describe(`wake-ups ${name}`, () => {
    let current: WakeUpsUnderTest;
    let seen: Seen;
    beforeEach(async () => {
      seen = new Seen();
      current = await start();
    }, 60_000);
    afterEach(() => current.stop(), 60_000);

    it('reach a worker, of this process or of another', async () => {
      const other = await current.another();
      await current.queue.ping();
      await current.queue.wake('rollout/1');
      await other.work(async (key) => seen.add(key), 4);
      await current.queue.wakeAll(['target/1/a', 'target/1/b', 'target/1/a']);
      await seen.until(() => seen.keys.length >= 3);
      expect([...seen.keys].sort()).toEqual(['rollout/1', 'target/1/a', 'target/1/b']);
      await other.close();
    }, 30_000);

    it('of one key that waits are one', async () => {
      for (let n = 0; n < 20; n += 1) await current.queue.wake('rollout/1');
      await current.queue.wake('last');
      await current.queue.work(async (key) => seen.add(key), 1);
      await seen.until(() => seen.count('last') === 1);
      expect(seen.count('rollout/1')).toBe(1);
    }, 30_000);

    it('during a run lead to one more run, and never to two at once', async () => {
      const entered = Promise.withResolvers<void>();
      const goOn = Promise.withResolvers<void>();
      let atOnce = 0;
      let most = 0;
      await current.queue.work(async (key) => {
        atOnce += 1;
        most = Math.max(most, atOnce);
        entered.resolve();
        await goOn.promise;
        atOnce -= 1;
        seen.add(key);
      }, 8);
      await current.queue.wake('rollout/1');
      await entered.promise;
      for (let n = 0; n < 5; n += 1) await current.queue.wake('rollout/1');
      goOn.resolve();
      await seen.until(() => seen.count('rollout/1') === 2);
      await current.queue.wake('last');
      await seen.until(() => seen.count('last') === 1);
      expect(seen.count('rollout/1')).toBe(2);
      expect(most).toBe(1);
    }, 30_000);

    it('whose handler fails are gone, and their key can be woken again', async () => {
      await current.queue.work(async (key) => {
        seen.add(key);
        throw new Error('on purpose');
      }, 1);
      await current.queue.wake('rollout/1');
      await seen.until(() => seen.count('rollout/1') === 1);
      await current.queue.wake('next');
      await seen.until(() => seen.count('next') === 1);
      expect(seen.count('rollout/1')).toBe(1);
      await current.queue.wake('rollout/1');
      await seen.until(() => seen.count('rollout/1') === 2);
    }, 30_000);

    it('run as many at once as allowed, and no more', async () => {
      const three = Promise.withResolvers<void>();
      const goOn = Promise.withResolvers<void>();
      let atOnce = 0;
      let most = 0;
      await current.queue.work(async (key) => {
        atOnce += 1;
        most = Math.max(most, atOnce);
        if (atOnce === 3) three.resolve();
        await goOn.promise;
        atOnce -= 1;
        seen.add(key);
      }, 3);
      await current.queue.wakeAll(Array.from({ length: 9 }, (_, n) => `target/1/${n}`));
      await three.promise;
      goOn.resolve();
      await seen.until(() => seen.keys.length === 9);
      expect(most).toBe(3);
    }, 30_000);

    it('a worker that closes finishes what it runs, and leaves the rest to others', async () => {
      const entered = Promise.withResolvers<void>();
      const goOn = Promise.withResolvers<void>();
      const worker = await current.queue.work(async (key) => {
        entered.resolve();
        await goOn.promise;
        seen.add(`first ${key}`);
      }, 1);
      await current.queue.wakeAll(['a', 'b']);
      await entered.promise;
      const closed = worker.close();
      goOn.resolve();
      await closed;
      expect(seen.keys).toHaveLength(1);
      await current.queue.work(async (key) => seen.add(`second ${key}`), 1);
      await seen.until(() => seen.keys.length === 2);
      expect([...seen.keys].map((text) => text.slice(-1)).sort()).toEqual(['a', 'b']);
    }, 30_000);

    it('go on after everything was forgotten', async () => {
      await current.queue.work(async (key) => seen.add(key), 2);
      await current.queue.wake('before');
      await seen.until(() => seen.count('before') === 1);
      await current.wipe();
      await current.queue.wake('after');
      await seen.until(() => seen.count('after') === 1);
    }, 30_000);

    it('go on after the server was restarted; sending meanwhile does not throw', async () => {
      await current.queue.work(async (key) => seen.add(key), 2);
      await current.queue.wake('before');
      await seen.until(() => seen.count('before') === 1);
      const restarted = current.restart();
      await current.queue.wake('meanwhile');
      await restarted;
      // As the scan of the record does: what is due is woken again, until it was seen.
      const scan = setInterval(() => void current.queue.wake('after'), 250);
      await seen.until(() => seen.count('after') >= 1);
      clearInterval(scan);
    }, 60_000);
  });
};
