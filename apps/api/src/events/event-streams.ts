import { once } from 'node:events';
import type { RecordPort, StoredAuditEvent } from '@breakwater/application';
import { Problem } from '@breakwater/platform';
import type { Request, Response } from 'express';
import { presentAuditEvent } from '../rollouts/rollout.presenter.ts';

const STREAMS = 500;
const PAGE = 200;
const HEARTBEAT_MS = 15_000;
/** A notification may be lost: the record is asked at least so often. */
const POLL_MS = 2_000;
/** A reader that takes nothing for so long is cut off; it resumes by its last event. */
const STALLED_MS = 30_000;

type Filter = { readonly rollout?: string; readonly cluster?: string };

const frame = (event: StoredAuditEvent): string =>
  `id: ${event.sequence}\nevent: ${event.type.replaceAll(/[\r\n]/g, ' ')}\ndata: ${JSON.stringify(presentAuditEvent(event))}\n\n`;

/** Server-sent events from the sealed audit trail: what is sent is read from the record, so a resumed stream misses nothing. */
export class EventStreams {
  private readonly record: RecordPort;
  private readonly ends = new Set<AbortController>();
  private readonly sleepers = new Set<() => void>();
  private unlisten: Promise<() => Promise<void>> | null = null;
  private wakes = 0;
  private closed = false;

  constructor(record: RecordPort) {
    this.record = record;
  }

  get open(): number {
    return this.ends.size;
  }

  /** Serves one reader until it goes away or the API closes. */
  async serve(request: Request, response: Response, after: number, filter: Filter): Promise<void> {
    if (this.closed || this.ends.size >= STREAMS)
      throw new Problem(503, 'TooManyStreams', 'no more event streams can be opened here', {
        headers: { 'retry-after': '5' },
      });
    const end = new AbortController();
    this.ends.add(end);
    response.once('close', () => end.abort());
    try {
      this.unlisten ??= this.record.listen('event', () => this.wake());
      await this.unlisten;
      request.socket.setNoDelay(true);
      response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8', 'x-accel-buffering': 'no' });
      await this.pump(response, after, filter, end.signal);
    } finally {
      this.ends.delete(end);
      response.end();
    }
  }

  /** Ends every stream: readers connect again, elsewhere. */
  async close(): Promise<void> {
    this.closed = true;
    for (const end of this.ends) end.abort();
    const unlisten = await this.unlisten;
    await unlisten?.();
  }

  private async pump(response: Response, after: number, filter: Filter, signal: AbortSignal): Promise<void> {
    let sequence = after;
    let spoke = performance.now();
    await this.write(response, 'retry: 1000\n\n', signal);
    while (!signal.aborted) {
      const seen = this.wakes;
      const events = await this.record.audit.after(sequence, PAGE, filter);
      for (const event of events) {
        await this.write(response, frame(event), signal);
        if (signal.aborted) return;
        sequence = event.sequence;
        spoke = performance.now();
      }
      if (events.length === PAGE || this.wakes !== seen) continue;
      if (performance.now() - spoke >= HEARTBEAT_MS) {
        await this.write(response, ': still here\n\n', signal);
        spoke = performance.now();
      }
      await this.sleep(signal);
    }
  }

  /** Waits for the reader when its buffer is full. */
  private async write(response: Response, text: string, signal: AbortSignal): Promise<void> {
    if (signal.aborted || response.write(text)) return;
    const patience = AbortSignal.any([signal, AbortSignal.timeout(STALLED_MS)]);
    await once(response, 'drain', { signal: patience }).catch(() => {
      response.destroy();
    });
  }

  private sleep(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        clearTimeout(timer);
        signal.removeEventListener('abort', done);
        this.sleepers.delete(done);
        resolve();
      };
      const timer = setTimeout(done, POLL_MS);
      this.sleepers.add(done);
      signal.addEventListener('abort', done);
      if (signal.aborted) done();
    });
  }

  private wake(): void {
    this.wakes += 1;
    for (const sleeper of [...this.sleepers]) sleeper();
  }
}
