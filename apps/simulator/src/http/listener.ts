import { createServer as createHttpServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import type { ServerCertificate } from './certificate.ts';

export type RequestListener = (incoming: IncomingMessage, response: ServerResponse) => void;

/** One port of the loopback interface. */
export class Listener {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #port = 0;

  /** @param certificate without it, plain HTTP */
  constructor(listener: RequestListener, certificate: ServerCertificate | undefined) {
    // Go's servers keep idle connections for minutes; a client that is dropped after Node's five seconds pays a handshake.
    const options = { keepAliveTimeout: 300_000, requestTimeout: 0, headersTimeout: 60_000, noDelay: true };
    this.#server = certificate
      ? createHttpsServer(
          { ...options, key: certificate.key, cert: certificate.certificate, ALPNProtocols: ['http/1.1'] },
          listener,
        )
      : createHttpServer(options, listener);
    this.#server.on('connection', (socket: Socket) => {
      this.#sockets.add(socket);
      socket.on('close', () => this.#sockets.delete(socket));
    });
    // Clients that hang up in the middle of a handshake are none of our business.
    this.#server.on('tlsClientError', () => undefined);
    this.#server.on('clientError', (_error, socket) => socket.destroy());
  }

  get port(): number {
    return this.#port;
  }

  get isOpen(): boolean {
    return this.#server.listening;
  }

  /** Listens on the port, or on a free one; the same again after {@link close}. */
  async open(port = this.#port): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen({ port, host: '127.0.0.1', backlog: 4_096 }, () => {
        this.#server.removeListener('error', reject);
        resolve();
      });
    });
    this.#port = (this.#server.address() as AddressInfo).port;
  }

  /** Stops listening and cuts every connection. */
  async close(): Promise<void> {
    if (!this.#server.listening) return;
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }
}
