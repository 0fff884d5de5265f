import { createServer } from 'node:http';
import type { RequestListener, Server } from 'node:http';
import type { AddressInfo } from 'node:net';

const DRAIN_MS = 10_000;

/**
 * An HTTP server that gives slow senders little time, and that ends in order: it stops listening, lets answers in progress
 * finish, then closes what is left.
 */
export class ApiServer {
  private readonly server: Server;

  constructor(listener: RequestListener) {
    this.server = createServer(
      {
        headersTimeout: 10_000,
        requestTimeout: 20_000,
        keepAliveTimeout: 65_000,
        connectionsCheckingInterval: 2_000,
        maxHeaderSize: 16 * 1024,
        insecureHTTPParser: false,
      },
      listener,
    );
    this.server.maxHeadersCount = 100;
    this.server.maxConnections = 4096;
    this.server.on('clientError', (_error, socket) => {
      if (socket.writable) socket.end('HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n');
      else socket.destroy();
    });
  }

  /** Resolves to the port in use, which differs from `port` when that is 0. */
  listen(port: number, host: string): Promise<number> {
    return new Promise((resolve, reject) => {
      this.server.once('error', reject);
      this.server.listen(port, host, () => {
        this.server.off('error', reject);
        resolve((this.server.address() as AddressInfo).port);
      });
    });
  }

  async close(): Promise<void> {
    if (!this.server.listening) return;
    const closed = new Promise<void>((resolve) => {
      this.server.close(() => resolve());
    });
    this.server.closeIdleConnections();
    const late = setTimeout(() => this.server.closeAllConnections(), DRAIN_MS);
    await closed;
    clearTimeout(late);
  }
}
