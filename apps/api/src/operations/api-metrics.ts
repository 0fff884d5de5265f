import type { RecordPort } from '@breakwater/application';
import type { RolloutState } from '@breakwater/domain';
import { ROLLOUT_STATES, TERMINAL_STATES } from '@breakwater/domain';
import { Counter, Gauge, Histogram } from 'prom-client';
import type { Registry } from 'prom-client';

const FRESH_MS = 5_000;
const PAGE = 200;
const PAGES = 20;

/** Scrapes do not reach the record more often than every five seconds, whoever asks. */
const unfinishedByState = (record: RecordPort) => {
  let known: { readonly at: number; readonly counts: Map<string, number> } | null = null;
  return async (): Promise<Map<string, number>> => {
    if (known !== null && performance.now() - known.at < FRESH_MS) return known.counts;
    const counts = new Map<string, number>();
    let cursor: string | null = null;
    for (let page = 0; page < PAGES; page += 1) {
      const { items, nextCursor } = await record.rollouts.list({ unfinished: true, limit: PAGE, cursor });
      for (const { state, paused } of items) {
        const key = `${state}/${paused !== null}`;
        counts.set(key, (counts.get(key) ?? 0) + 1);
      }
      cursor = nextCursor;
      if (cursor === null) break;
    }
    known = { at: performance.now(), counts };
    return counts;
  };
};

export interface HttpMetrics {
  observe(method: string, route: string, status: number, seconds: number): void;
}

/** Rate, errors and duration of HTTP by route; unfinished rollouts by state. No label holds a name that people chose. */
export const registerApiMetrics = (registry: Registry, record: RecordPort, streams: () => number): HttpMetrics => {
  const duration = new Histogram({
    name: 'breakwater_http_request_duration_seconds',
    help: 'Time from the request to the end of its answer',
    labelNames: ['method', 'route', 'status'],
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
    registers: [registry],
  });
  const requests = new Counter({
    name: 'breakwater_http_requests_total',
    help: 'Requests by route and status',
    labelNames: ['method', 'route', 'status'],
    registers: [registry],
  });
  new Gauge({
    name: 'breakwater_event_streams',
    help: 'Open streams of server-sent events',
    registers: [registry],
    collect() {
      this.set(streams());
    },
  });
  const counted = unfinishedByState(record);
  new Gauge({
    name: 'breakwater_rollouts',
    help: 'Unfinished rollouts by state',
    labelNames: ['state', 'paused'],
    registers: [registry],
    async collect() {
      this.reset();
      const counts = await counted().catch(() => null);
      if (counts === null) return;
      const states = ROLLOUT_STATES.filter((state: RolloutState) => !TERMINAL_STATES.has(state));
      for (const state of states)
        for (const paused of ['true', 'false']) this.set({ state, paused }, counts.get(`${state}/${paused}`) ?? 0);
    },
  });
  return {
    observe: (method, route, status, seconds) => {
      const labels = { method, route, status: String(status) };
      duration.observe(labels, seconds);
      requests.inc(labels);
    },
  };
};
