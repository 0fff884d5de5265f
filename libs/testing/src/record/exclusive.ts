import { AsyncLocalStorage } from 'node:async_hooks';
import type { MemoryState } from './memory-state.ts';

/**
 * One at a time: a transaction, or one call outside of any. Each is rolled back when it throws. A call outside of a transaction made from
 * inside one would wait for itself for ever, and on PostgreSQL would not see what its transaction wrote: it is refused.
 */
export class Exclusive {
  readonly #state: MemoryState;
  readonly #flow = new AsyncLocalStorage<{ open: boolean }>();
  readonly #waiting: (() => void)[] = [];
  readonly #deliver: (state: MemoryState) => void;
  #busy = false;

  constructor(state: MemoryState, deliver: (state: MemoryState) => void) {
    this.#state = state;
    this.#deliver = deliver;
  }

  async run<T>(work: () => T): Promise<T> {
    await this.#enter();
    try {
      return this.#settle(work());
    } catch (error) {
      this.#rollBack();
      throw error;
    } finally {
      this.#leave();
    }
  }

  async runAsync<T>(work: () => Promise<T>): Promise<T> {
    await this.#enter();
    const flow = { open: true };
    try {
      return this.#settle(await this.#flow.run(flow, work));
    } catch (error) {
      this.#rollBack();
      throw error;
    } finally {
      flow.open = false;
      this.#leave();
    }
  }

  #settle<T>(result: T): T {
    this.#state.journal.commit();
    if (this.#state.outbox.length > 0) this.#flow.exit(() => this.#deliver(this.#state));
    return result;
  }

  #rollBack(): void {
    this.#state.journal.rollBack();
    this.#state.outbox = [];
  }

  async #enter(): Promise<void> {
    if (this.#flow.getStore()?.open === true) {
      throw new Error('the record was used outside of its transaction while one was open in the same flow');
    }
    if (this.#busy) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    this.#busy = true;
  }

  /** Hands the turn over directly: nobody who comes later can slip in between. */
  #leave(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#busy = false;
    else next();
  }
}
