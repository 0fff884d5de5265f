import { Worker } from 'node:worker_threads';
import { fail, RenderFailure } from '../render-failure.ts';
import { mebibytes } from '../render-limits.ts';
import { findWorkerFile } from './worker-file.ts';
import type { Answer, WorkKind, WorkKinds } from './work.ts';

export interface WorkerPoolOptions {
  /** Threads at once. Default 2. */
  readonly size?: number | undefined;
  /** Of each thread's heap. Default 1 GiB. */
  readonly memoryBytes?: number | undefined;
  /** For one piece of work, from when a thread has taken it up. Default five minutes. */
  readonly timeoutMs?: number | undefined;
  /** Told of each piece of work once it is done: by which thread, 0 being the program's own. */
  readonly onWork?: ((kind: WorkKind, thread: number) => void) | undefined;
}

export interface WorkOptions {
  readonly timeoutMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** An idle thread keeps the heap that its largest document took; after this time it is ended. */
const IDLE_MS = 10_000;
const STACK_MEBIBYTES = 4;

interface Thread {
  readonly worker: Worker;
  idle: NodeJS.Timeout | null;
}

/**
 * Threads for what takes a processor long: leases are renewed and clusters watched by the event loop of the same process. Work that
 * exceeds its time or the heap is ended together with its thread, and fails with a RenderFailure.
 */
export class WorkerPool {
  private readonly size: number;
  private readonly memoryBytes: number;
  private readonly timeoutMs: number;
  private readonly onWork: (kind: WorkKind, thread: number) => void;
  private readonly resting: Thread[] = [];
  private busy = 0;
  private readonly waiting: (() => void)[] = [];

  constructor(options: WorkerPoolOptions = {}) {
    this.size = options.size ?? 2;
    this.memoryBytes = options.memoryBytes ?? 2 ** 30;
    this.timeoutMs = options.timeoutMs ?? 300_000;
    this.onWork = options.onWork ?? (() => undefined);
  }

  async run<K extends WorkKind>(
    kind: K,
    input: WorkKinds[K]['input'],
    options: WorkOptions = {},
  ): Promise<WorkKinds[K]['output']> {
    if (this.busy < this.size) this.busy += 1;
    else await new Promise<void>((turn) => this.waiting.push(turn));
    try {
      if (options.signal?.aborted === true) throw stopped();
      const thread = this.resting.pop() ?? this.start();
      const { threadId } = thread.worker;
      const answer = await this.ask(thread, { kind, input }, options);
      this.onWork(kind, threadId);
      if (answer.kind === 'defect') throw answer.error;
      if (answer.kind === 'failed') throw new RenderFailure(answer.errors);
      return answer.output as WorkKinds[K]['output'];
    } finally {
      const next = this.waiting.shift();
      if (next === undefined) this.busy -= 1;
      else next();
    }
  }

  private start(): Thread {
    const worker = new Worker(findWorkerFile(import.meta.dirname), {
      env: {},
      // Standard output is the program's own: its logs and its answers to scripts.
      stdout: true,
      resourceLimits: {
        maxOldGenerationSizeMb: Math.ceil(this.memoryBytes / 2 ** 20),
        stackSizeMb: STACK_MEBIBYTES,
      },
    });
    // What goes wrong while it rests shows when it is asked next: it no longer answers, and `exit` has taken it out.
    worker.on('error', () => undefined);
    const thread: Thread = { worker, idle: null };
    worker.once('exit', () => {
      const place = this.resting.indexOf(thread);
      if (place >= 0) this.resting.splice(place, 1);
    });
    return thread;
  }

  private async ask(thread: Thread, question: unknown, { timeoutMs, signal }: WorkOptions): Promise<Answer> {
    const { worker } = thread;
    const time = timeoutMs ?? this.timeoutMs;
    if (thread.idle !== null) clearTimeout(thread.idle);
    worker.ref();
    const { promise, resolve, reject } = Promise.withResolvers<Answer>();
    const onError = (error: Error): void => reject(this.explain(error));
    const onExit = (): void => reject(new Error('a rendering thread ended without an answer'));
    const onAbort = (): void => reject(stopped());
    const timer = setTimeout(() => reject(tookTooLong(time)), time);
    worker.once('message', resolve).once('error', onError).once('exit', onExit);
    signal?.addEventListener('abort', onAbort, { once: true });
    try {
      worker.postMessage(question);
      const answer = await promise;
      this.rest(thread);
      return answer;
    } catch (error) {
      await worker.terminate();
      throw error;
    } finally {
      clearTimeout(timer);
      worker.off('message', resolve).off('error', onError).off('exit', onExit);
      signal?.removeEventListener('abort', onAbort);
    }
  }

  private rest(thread: Thread): void {
    thread.worker.unref();
    thread.idle = setTimeout(() => void thread.worker.terminate(), IDLE_MS);
    thread.idle.unref();
    this.resting.push(thread);
  }

  private explain(error: Error): Error {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_WORKER_OUT_OF_MEMORY') return error;
    return fail(
      'OutOfMemory',
      `reading the documents took more than ${mebibytes(this.memoryBytes)} of memory`,
      'split the source, or make its documents smaller',
    );
  }
}

const stopped = (): RenderFailure => fail('Aborted', 'rendering was stopped', 'try again');

const tookTooLong = (ms: number): RenderFailure =>
  fail(
    'TimedOut',
    `reading the documents took longer than ${ms / 1000} s`,
    'split the source, or make its documents smaller',
  );
