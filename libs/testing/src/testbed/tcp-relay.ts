import { connect, createServer, type Server, type Socket } from 'node:net';

/** One direction of one connection. Keeps the order of chunks, whatever is done to the line meanwhile. */
class Lane {
  readonly #from: Socket;
  readonly #to: Socket;
  readonly #line: { readonly isCut: () => boolean; readonly delayMs: () => number };
  readonly #queue: { readonly due: number; readonly chunk: Buffer | null }[] = [];
  #timer: NodeJS.Timeout | null = null;

  constructor(from: Socket, to: Socket, line: { readonly isCut: () => boolean; readonly delayMs: () => number }) {
    this.#from = from;
    this.#to = to;
    this.#line = line;
    from.on('data', (chunk) => this.#put(chunk));
    // Its end travels behind its bytes.
    from.on('end', () => this.#put(null));
    to.on('drain', () => this.flush());
  }

  #put(chunk: Buffer | null): void {
    this.#queue.push({ due: Date.now() + this.#line.delayMs(), chunk });
    this.flush();
  }

  /** Sends what is due; called again when the line is restored. */
  flush(): void {
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = null;
    if (this.#line.isCut()) {
      this.#from.pause();
      return;
    }
    for (let head = this.#queue[0]; head !== undefined && !this.#to.writableNeedDrain; head = this.#queue[0]) {
      const wait = head.due - Date.now();
      if (wait > 0) {
        this.#timer = setTimeout(() => this.flush(), wait);
        break;
      }
      this.#queue.shift();
      if (head.chunk === null) this.#to.end();
      else this.#to.write(head.chunk);
    }
    if (this.#to.writableNeedDrain) this.#from.pause();
    else this.#from.resume();
  }

  stop(): void {
    if (this.#timer) clearTimeout(this.#timer);
    this.#queue.length = 0;
  }
}

interface Pair {
  readonly client: Socket;
  readonly upstream: Socket;
  readonly lanes: readonly Lane[];
}

/**
 * A line to a server that can be cut. It carries bytes and knows nothing of TLS, so certificates stay the server's own.
 * Connections to it are accepted even when it is cut off: to a client that looks like a server that never answers.
 */
export class TcpRelay {
  readonly #upstreamPort: number;
  readonly #server: Server;
  readonly #pairs = new Set<Pair>();
  #cut = false;
  #refusing = false;
  #delayMs = 0;
  #port = 0;

  constructor(upstreamPort: number) {
    this.#upstreamPort = upstreamPort;
    this.#server = createServer({ noDelay: true, allowHalfOpen: true }, (client) => this.#accept(client));
    this.#server.unref();
  }

  get port(): number {
    return this.#port;
  }

  /** Connections that are open now. */
  get connections(): number {
    return this.#pairs.size;
  }

  async start(): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(0, '127.0.0.1', resolve);
    });
    const address = this.#server.address();
    if (typeof address === 'object' && address) this.#port = address.port;
  }

  #accept(client: Socket): void {
    if (this.#refusing) {
      client.resetAndDestroy();
      return;
    }
    const upstream = connect({ port: this.#upstreamPort, host: '127.0.0.1', noDelay: true, allowHalfOpen: true });
    const line = { isCut: () => this.#cut, delayMs: () => this.#delayMs };
    const lanes = [new Lane(client, upstream, line), new Lane(upstream, client, line)];
    const pair = { client, upstream, lanes };
    this.#pairs.add(pair);
    client.on('error', () => this.#drop(pair));
    // A black hole does not tell that the other side has gone; neither does a server that is no more.
    upstream.on('error', () => {
      if (!this.#cut) this.#drop(pair);
    });
    const whenClosed = (): void => {
      if (client.destroyed && upstream.destroyed) this.#drop(pair);
    };
    client.on('close', whenClosed);
    upstream.on('close', whenClosed);
    for (const lane of lanes) lane.flush();
  }

  #drop(pair: Pair): void {
    this.#pairs.delete(pair);
    for (const lane of pair.lanes) lane.stop();
    pair.upstream.destroy();
    if (!pair.client.destroyed) pair.client.resetAndDestroy();
  }

  /** Bytes stop in both directions; nothing is closed. Whatever is sent meanwhile arrives after `restore`. */
  cutOff(): void {
    this.#cut = true;
    for (const pair of this.#pairs) for (const lane of pair.lanes) lane.flush();
  }

  /** Resets every open connection; new ones go through. */
  resetConnections(): void {
    for (const pair of [...this.#pairs]) this.#drop(pair);
  }

  /** Resets every open connection and each new one. */
  refuse(): void {
    this.#refusing = true;
    this.resetConnections();
  }

  /** Every chunk arrives this much later, in each direction; order is kept. 0 for none. */
  delay(ms: number): void {
    this.#delayMs = ms;
  }

  /** Everything goes through again. `lost`: connections that were held are reset instead of going on. */
  restore(held: 'go-on' | 'lost' = 'go-on'): void {
    this.#refusing = false;
    this.#delayMs = 0;
    if (this.#cut && held === 'lost') this.resetConnections();
    this.#cut = false;
    for (const pair of [...this.#pairs]) {
      if (pair.upstream.destroyed) this.#drop(pair);
      else for (const lane of pair.lanes) lane.flush();
    }
  }

  async close(): Promise<void> {
    this.resetConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
