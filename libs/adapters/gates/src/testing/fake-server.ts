import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:http';

export interface FakeServer {
  readonly url: string;
  readonly host: string;
  readonly requests: readonly { readonly path: string; readonly headers: IncomingMessage['headers'] }[];
  answer: (response: ServerResponse, asked: { readonly path: string; readonly body: string }) => void;
  stop(): Promise<void>;
}

/** For what real servers cannot be brought to say. */
export const startFakeServer = async (): Promise<FakeServer> => {
  const requests: { path: string; headers: IncomingMessage['headers'] }[] = [];
  const server = createServer((request, response) => {
    requests.push({ path: request.url ?? '', headers: request.headers });
    // Whoever asks may hang up in the middle of an answer.
    response.on('error', () => undefined);
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () =>
      fake.answer(response, { path: request.url ?? '', body: Buffer.concat(chunks).toString('utf8') }),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = address !== null && typeof address === 'object' ? address.port : 0;
  const fake: FakeServer = {
    url: `http://127.0.0.1:${port}`,
    host: `127.0.0.1:${port}`,
    requests,
    answer: (response) => response.writeHead(500).end(),
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  return fake;
};
