import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';

const FIRST_PAUSE_MS = 50;
const LONGEST_PAUSE_MS = 3_000;

type Handler = (payload: string) => void;

/** One connection of its own that listens, and comes back when it was lost. What was sent in between is lost: a notification is a hint. */
export class Listener {
  readonly #config: pg.ClientConfig;
  readonly #onError: (error: unknown) => void;
  readonly #handlers = new Map<string, Set<Handler>>();
  readonly #closing = new AbortController();
  #client: pg.Client | null = null;
  #connecting: Promise<void> | null = null;

  constructor(config: pg.ClientConfig, onError: (error: unknown) => void) {
    this.#config = config;
    this.#onError = onError;
  }

  /** Listening once this resolves; returns what ends it. */
  async listen(channel: string, handler: Handler): Promise<() => Promise<void>> {
    const handlers = this.#handlers.get(channel) ?? new Set<Handler>();
    this.#handlers.set(channel, handlers.add(handler));
    if (this.#client === null) await this.#connectOnce();
    // Again in any case: a connection that was being made may have been past this channel. Listening twice is listening once.
    await this.#client?.query(`listen ${channel}`).catch(this.#onError);
    return async () => {
      handlers.delete(handler);
    };
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await this.#connecting?.catch(() => undefined);
    await this.#client?.end().catch(() => undefined);
    this.#client = null;
    this.#handlers.clear();
  }

  #connectOnce(): Promise<void> {
    this.#connecting ??= this.#connect().finally(() => {
      this.#connecting = null;
    });
    return this.#connecting;
  }

  async #connect(): Promise<void> {
    for (let pause = FIRST_PAUSE_MS; !this.#closing.signal.aborted; pause = Math.min(pause * 2, LONGEST_PAUSE_MS)) {
      try {
        await this.#open();
        return;
      } catch (error) {
        this.#onError(error);
      }
      await delay(pause * (0.5 + Math.random()), undefined, { signal: this.#closing.signal, ref: false }).catch(
        () => undefined,
      );
    }
  }

  async #open(): Promise<void> {
    const client = new pg.Client(this.#config);
    client.on('error', this.#onError);
    client.on('notification', ({ channel, payload }) => this.#deliver(channel, payload ?? ''));
    try {
      await client.connect();
      for (const channel of this.#handlers.keys()) await client.query(`listen ${channel}`);
    } catch (error) {
      await client.end().catch(() => undefined);
      throw error;
    }
    client.once('end', () => this.#lost(client));
    this.#client = client;
  }

  #lost(client: pg.Client): void {
    if (this.#client !== client) return;
    this.#client = null;
    if (!this.#closing.signal.aborted) void this.#connectOnce();
  }

  #deliver(channel: string, payload: string): void {
    for (const handler of this.#handlers.get(channel) ?? []) {
      try {
        handler(payload);
      } catch (error) {
        this.#onError(error);
      }
    }
  }
}
