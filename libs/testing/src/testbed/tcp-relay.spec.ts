import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { TcpRelay } from './tcp-relay.ts';

describe('TCP relay', () => {
  let echo: Server;
  let relay: TcpRelay;
  const sockets: Socket[] = [];

  beforeEach(async () => {
    echo = createServer((socket) => {
      sockets.push(socket);
      socket.on('error', () => undefined).pipe(socket);
    });
    await new Promise<void>((resolve) => echo.listen(0, '127.0.0.1', resolve));
    relay = new TcpRelay((echo.address() as AddressInfo).port);
    await relay.start();
  });

  afterEach(async () => {
    await relay.close();
    for (const socket of sockets.splice(0)) socket.destroy();
    await new Promise((resolve) => echo.close(resolve));
  });

  const open = (): Socket => {
    const socket = connect(relay.port, '127.0.0.1');
    sockets.push(socket);
    return socket;
  };

  const read = async (socket: Socket, length: number): Promise<Buffer> => {
    const chunks: Buffer[] = [];
    let total = 0;
    for await (const chunk of socket.iterator({ destroyOnReturn: false })) {
      chunks.push(chunk as Buffer);
      total += (chunk as Buffer).length;
      if (total >= length) break;
    }
    return Buffer.concat(chunks);
  };

  it('carries many bytes unharmed, while the delay changes', async () => {
    const sent = Buffer.from(Array.from({ length: 2_000_000 }, (_, index) => (index * 7) % 251));
    const socket = open();
    const received = read(socket, sent.length);
    for (let from = 0; from < sent.length; from += 100_000) {
      relay.delay(from % 300_000 === 0 ? 5 : 0);
      socket.write(sent.subarray(from, from + 100_000));
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect((await received).equals(sent)).toBe(true);
  });

  it('delivers the last bytes before the end', async () => {
    const socket = open();
    socket.end('the last words');
    let text = '';
    for await (const chunk of socket) text += String(chunk);
    expect(text).toBe('the last words');
  });

  it('holds bytes while cut off, and delivers them afterwards', async () => {
    const socket = open();
    socket.write('before');
    expect(String(await read(socket, 6))).toBe('before');
    relay.cutOff();
    let early = '';
    socket.on('data', (chunk: Buffer) => (early += String(chunk)));
    await new Promise((resolve) => socket.write('during', resolve));
    for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
    expect(early).toBe('');
    relay.restore();
    await new Promise((resolve) => socket.once('data', resolve));
    expect(early).toBe('during');
  });

  it('resets held connections when what was on its way is to be lost', async () => {
    const socket = open();
    socket.write('x');
    await read(socket, 1);
    relay.cutOff();
    relay.restore('lost');
    const error = await new Promise<NodeJS.ErrnoException>((resolve) => socket.once('error', resolve));
    expect(error.code).toBe('ECONNRESET');
  });
});
