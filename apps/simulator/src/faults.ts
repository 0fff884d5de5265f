import type { ApiRequest } from './api/api-request.ts';

export type RequestClass = 'read' | 'write' | 'watch';

/** What is wrong with an API server. */
export type FaultKind =
  /** Takes requests and does not answer; what was taken is done when the fault is lifted, as after SIGSTOP and SIGCONT. */
  | { readonly kind: 'hang' }
  /** Closes connections without a word; a cluster with a port of its own stops listening. */
  | { readonly kind: 'refuse' }
  /** Does what is asked and then closes the connection without an answer. */
  | { readonly kind: 'lose-answer' }
  | { readonly kind: 'error'; readonly code: 500 | 502 | 503 | 504; readonly message?: string }
  | { readonly kind: 'throttle'; readonly retryAfterSeconds: number }
  | { readonly kind: 'unauthorized' }
  | { readonly kind: 'latency'; readonly ms: number };

export type Fault = FaultKind & {
  /** Which requests it concerns; default all. */
  readonly only?: readonly RequestClass[];
  readonly match?: (request: ApiRequest) => boolean;
  /** Ends by itself after so many requests. */
  readonly times?: number;
};

export interface ActiveFault {
  readonly fault: Fault;
  left: number;
}

export function requestClass(request: Pick<ApiRequest, 'method' | 'query'>): RequestClass {
  if (request.method !== 'GET' && request.method !== 'HEAD') return 'write';
  const watch = request.query.get('watch');
  return watch === '1' || watch === 'true' ? 'watch' : 'read';
}

/** The faults of one cluster, and whoever waits for them to be lifted. */
export class FaultBoard {
  readonly #active = new Set<ActiveFault>();
  #waiting: (() => void)[] = [];

  /** @returns lifts the fault */
  add(fault: Fault): () => void {
    const active = { fault, left: fault.times ?? Number.POSITIVE_INFINITY };
    this.#active.add(active);
    return () => this.#lift(active);
  }

  clear(): void {
    this.#active.clear();
    this.#release();
  }

  /** The fault that a request meets, if any; it uses up one of the fault's times. */
  meet(request: ApiRequest): FaultKind | undefined {
    if (this.#active.size === 0) return undefined;
    const kind = requestClass(request);
    for (const active of this.#active) {
      const { only, match } = active.fault;
      if (only && !only.includes(kind)) continue;
      if (match && !match(request)) continue;
      active.left -= 1;
      if (active.left <= 0) this.#active.delete(active);
      return active.fault;
    }
    return undefined;
  }

  has(kind: FaultKind['kind'], only: RequestClass): boolean {
    return [...this.#active].some(
      ({ fault }) => fault.kind === kind && !fault.match && (!fault.only || fault.only.includes(only)),
    );
  }

  /** Runs the work when a fault is lifted. */
  wait(work: () => void): void {
    this.#waiting.push(work);
  }

  #lift(active: ActiveFault): void {
    if (this.#active.delete(active) || active.left <= 0) this.#release();
  }

  #release(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const work of waiting) work();
  }
}
