import type { Interception, TestbedCluster } from '@breakwater/testing';

export interface WriteSeen {
  readonly method: string;
  readonly path: string;
  readonly body: string;
}

/**
 * `hang`: the server has it, and does it only when told to; `lose-answer`: the server does it, and nobody is told.
 */
export type SeamKind = 'hang' | 'lose-answer';

export interface HeldWrite {
  /** The program is at the seam. */
  readonly reached: Promise<void>;
  /** What was held is done now, whoever has sent it; where nothing was, nothing will be. */
  readonly land: () => Promise<void>;
}

/** What is wrong with the line: nothing answers until it is mended, connections break, or writes are done and nobody is told. */
export type LineFault = 'hang' | 'refuse' | 'lose-answer';

/** One real cluster, behind a proxy of which the test can stop a write, or break the whole line. */
export class WriteGate {
  kubeconfig = '';
  #next: ((write: WriteSeen, send: () => Promise<void>) => boolean) | null = null;
  #fault: { readonly kind: LineFault; readonly mended: Promise<void> } | null = null;

  static async before(cluster: TestbedCluster): Promise<WriteGate> {
    const gate = new WriteGate();
    const { kubeconfig } = await cluster.intercept(({ method, path, headers, body, isWrite }) => {
      const text = body.toString('utf8');
      const contentType = headers['content-type'] ?? 'application/json';
      const send = async (): Promise<void> => {
        // Its answer, good or bad, is for a program that is not there any more.
        await cluster.request(method, path, text === '' ? undefined : text, { as: 'breakwater', contentType });
      };
      const held = isWrite && gate.#next?.({ method, path, body: text }, send) === true;
      return held ? new Promise<never>(() => undefined) : gate.#through(isWrite);
    });
    gate.kubeconfig = kubeconfig;
    return gate;
  }

  hold(kind: SeamKind, matches: (write: WriteSeen) => boolean): HeldWrite {
    const reached = Promise.withResolvers<void>();
    let late: (() => Promise<void>) | null = null;
    const next = (write: WriteSeen, send: () => Promise<void>): boolean => {
      if (!matches(write)) return false;
      this.#next = null;
      if (kind === 'hang') {
        late = send;
        reached.resolve();
      } else send().then(reached.resolve, reached.reject);
      return true;
    };
    this.#next = next;
    return {
      reached: reached.promise,
      land: async () => {
        if (this.#next === next) this.#next = null;
        await late?.();
      },
    };
  }

  /** Breaks the line. @returns mends it; what hangs then goes on, whether or not somebody still waits for it */
  break(kind: LineFault): () => void {
    const { promise, resolve } = Promise.withResolvers<void>();
    const fault = { kind, mended: promise };
    this.#fault = fault;
    return () => {
      if (this.#fault === fault) this.#fault = null;
      resolve();
    };
  }

  #through(isWrite: boolean): Interception | Promise<Interception> {
    switch (this.#fault?.kind) {
      case 'hang':
        return this.#fault.mended.then(() => this.#through(isWrite));
      case 'refuse':
        return 'reset';
      case 'lose-answer':
        return isWrite ? 'lose-answer' : 'forward';
      case undefined:
        return 'forward';
    }
  }
}
