import { Agent, request } from 'undici';
import type { Dispatcher } from 'undici';

/** Where the API server under test is, and as whom to ask it. */
export interface KubeApiTarget {
  /** Base URL; may have a path. */
  readonly url: string;
  /** PEM; undefined for plain HTTP. */
  readonly ca: string | undefined;
  /** Of somebody who may do everything. */
  readonly token: string;
  /** Of somebody who is known and may do nothing; without it, sentences about 403 are not judged by it. */
  readonly powerlessToken?: string;
  readonly stop?: () => Promise<void>;
}

/** JSON whose shape the sentences judge. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- answers are read field by field, and expectations fail on a wrong shape
export type Answer = any;

export interface KubeAnswer {
  readonly status: number;
  readonly body: Answer;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
}

export interface WatchFrame {
  readonly type: string;
  readonly object: Answer;
}

/** An open watch. */
export interface KubeWatch {
  /** The next frame that fits. @throws Error when none comes in time, or the watch ends before */
  next(fits?: (frame: WatchFrame) => boolean, timeoutMs?: number): Promise<WatchFrame>;
  /** Resolves when the server has ended the watch. */
  ended(timeoutMs?: number): Promise<void>;
  close(): void;
}

const mediaTypes = {
  apply: 'application/apply-patch+yaml',
  merge: 'application/merge-patch+json',
  strategic: 'application/strategic-merge-patch+json',
  json: 'application/json-patch+json',
} as const;

/** Asks an API server, with nothing in between that could be cleverer than the server. */
export class KubeApiClient {
  readonly #target: KubeApiTarget;
  readonly #agent: Agent;

  constructor(target: KubeApiTarget) {
    this.#target = target;
    this.#agent = new Agent({ connect: target.ca === undefined ? {} : { ca: target.ca }, keepAliveTimeout: 60_000 });
  }

  async request(
    method: string,
    path: string,
    body?: unknown,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<KubeAnswer> {
    const response = await this.#send(method, path, body, headers);
    const text = await response.body.text();
    const json = String(response.headers['content-type'] ?? '').includes('json');
    return { status: response.statusCode, body: json ? (JSON.parse(text) as Answer) : text, headers: response.headers };
  }

  get(path: string): Promise<KubeAnswer> {
    return this.request('GET', path);
  }

  apply(path: string, object: unknown, query = 'fieldManager=breakwater'): Promise<KubeAnswer> {
    return this.request('PATCH', `${path}?${query}`, object, { 'content-type': mediaTypes.apply });
  }

  patch(path: string, patch: unknown, kind: keyof typeof mediaTypes = 'merge'): Promise<KubeAnswer> {
    return this.request('PATCH', path, patch, { 'content-type': mediaTypes[kind] });
  }

  /** Asks until the answer fits. @throws Error with the last answer when it does not in time */
  async until(path: string, fits: (answer: KubeAnswer) => boolean, timeoutMs = 15_000): Promise<KubeAnswer> {
    const deadline = Date.now() + timeoutMs;
    for (;;) {
      const answer = await this.get(path);
      if (fits(answer)) return answer;
      if (Date.now() > deadline) {
        throw new Error(
          `${path} after ${timeoutMs} ms: ${answer.status} ${JSON.stringify(answer.body).slice(0, 1_500)}`,
        );
      }
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  async watch(path: string): Promise<KubeWatch> {
    const aborter = new AbortController();
    const response = await this.#send('GET', path, undefined, {}, aborter.signal);
    if (response.statusCode !== 200) throw new Error(`watch: ${response.statusCode} ${await response.body.text()}`);
    return new OpenWatch(response, aborter);
  }

  async close(): Promise<void> {
    await this.#agent.destroy();
  }

  #send(
    method: string,
    path: string,
    body: unknown,
    headers: Readonly<Record<string, string>>,
    signal?: AbortSignal,
  ): Promise<Dispatcher.ResponseData> {
    return request(`${this.#target.url}${path}`, {
      method: method as Dispatcher.HttpMethod,
      dispatcher: this.#agent,
      headers: {
        authorization: `Bearer ${this.#target.token}`,
        accept: 'application/json',
        'user-agent': 'conformance/1.0',
        ...(body !== undefined && { 'content-type': 'application/json' }),
        ...headers,
      },
      body: body === undefined ? null : typeof body === 'string' ? body : JSON.stringify(body),
      ...(signal && { signal }),
    });
  }
}

class OpenWatch implements KubeWatch {
  readonly #frames: WatchFrame[] = [];
  readonly #aborter: AbortController;
  #over = false;
  #wake: () => void = () => undefined;

  constructor(response: Dispatcher.ResponseData, aborter: AbortController) {
    this.#aborter = aborter;
    void this.#read(response);
  }

  async #read(response: Dispatcher.ResponseData): Promise<void> {
    let rest = '';
    try {
      for await (const chunk of response.body.setEncoding('utf8')) {
        const lines = (rest + String(chunk)).split('\n');
        rest = lines.pop() ?? '';
        for (const line of lines) if (line.trim() !== '') this.#frames.push(JSON.parse(line) as WatchFrame);
        this.#wake();
      }
    } catch {
      // Closed by us, or by the server: either way it is over.
    }
    this.#over = true;
    this.#wake();
  }

  async next(fits: (frame: WatchFrame) => boolean = () => true, timeoutMs = 10_000): Promise<WatchFrame> {
    const deadline = Date.now() + timeoutMs;
    const seen: string[] = [];
    for (;;) {
      for (let frame = this.#frames.shift(); frame; frame = this.#frames.shift()) {
        if (fits(frame)) return frame;
        seen.push(`${frame.type} ${String(frame.object?.metadata?.name)}`);
      }
      if (this.#over || Date.now() > deadline)
        throw new Error(`no such frame; over: ${this.#over}; seen: ${seen.join(', ')}`);
      await this.#pause(deadline - Date.now());
    }
  }

  async ended(timeoutMs = 10_000): Promise<void> {
    const deadline = Date.now() + timeoutMs;
    while (!this.#over) {
      if (Date.now() > deadline) throw new Error('the watch goes on');
      await this.#pause(deadline - Date.now());
    }
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, Math.max(0, ms) + 1);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  close(): void {
    this.#aborter.abort();
  }
}
