import type {
  Cluster,
  FreezeOverride,
  FreezeScope,
  FreezeWindow,
  InFlight,
  WaveHours,
  WindowTimes,
} from '../fleet/index.ts';
import { selects } from '../fleet/index.ts';
import type { Instant } from '../rollout/rollout.ts';
import { Timeline } from './timeline.ts';
import { spansOf } from './window-spans.ts';
import type { WindowRule, WindowState } from './window-state.ts';
import { sameUntil, windowStateAt } from './window-state.ts';
import { ZoneClock } from './zone-clock.ts';

/** What is written to, for whom. */
export interface WindowSubject {
  readonly cluster: Cluster;
  /** The fleet whose application it is. */
  readonly fleet: string;
  /** Of a rollout; null for everything else. */
  readonly wave: { readonly name: string; readonly schedule: readonly WaveHours[] } | null;
}

const NOBODY: FreezeOverride = { users: [], roles: [] };

/** Whether the scope has a cluster, for one fleet or another. */
export const freezesOn = (scope: FreezeScope, cluster: Cluster): boolean =>
  (scope.clusters.length === 0 || scope.clusters.includes(cluster.name)) &&
  (scope.selector === null || selects(scope.selector, cluster));

/** A scope without any part would be everything, which the schema lets nobody write without saying so. */
export const freezes = (scope: FreezeScope, cluster: Cluster, fleet: string): boolean =>
  (scope.fleets.length === 0 || scope.fleets.includes(fleet)) && freezesOn(scope, cluster);

/** Subjects with the same rules share one, and with it what it remembers. */
class RuleSet {
  readonly rules: readonly WindowRule[];
  #last: { readonly from: Instant; readonly to: Instant; readonly state: WindowState } | null = null;

  constructor(rules: readonly WindowRule[]) {
    this.rules = rules;
  }

  stateAt(now: Instant): WindowState {
    const last = this.#last;
    if (last !== null && last.from <= now && now < last.to) return last.state;
    const state = windowStateAt(this.rules, now);
    this.#last = { from: now, to: sameUntil(this.rules, now), state };
    return state;
  }
}

interface Window {
  readonly times: WindowTimes;
  readonly inFlight: InFlight;
}

const KEPT_SETS = 50_000;

/**
 * Every window of a snapshot, made ready once and asked often. It remembers what it has worked out, but its answers depend on
 * nothing except the windows and the instant, which the caller says.
 */
export class WindowCalendar {
  readonly #freezes: readonly { readonly window: FreezeWindow; readonly rule: WindowRule }[];
  readonly #clocks = new Map<string, ZoneClock>();
  readonly #timelines = new Map<string, Timeline>();
  readonly #frozenBy = new WeakMap<Cluster, Map<string, readonly WindowRule[]>>();
  readonly #sets = new Map<string, RuleSet>();

  /** @throws {RangeError} for a window that the schema refuses */
  constructor(freezeWindows: readonly FreezeWindow[]) {
    this.#freezes = freezeWindows.map((window) => ({ window, rule: this.#freezeRule(window) }));
  }

  /** Whether a target may be written to, since when, until when, and what closes it. @throws {RangeError} as the constructor */
  stateOf(subject: WindowSubject, now: Instant): WindowState {
    return this.#setOf(subject).stateAt(now);
  }

  #setOf({ cluster, fleet, wave }: WindowSubject): RuleSet {
    const frozenBy = this.#freezeRulesOf(cluster, fleet);
    const { maintenanceWindows } = cluster;
    const schedule = wave?.schedule ?? [];
    const key = JSON.stringify([
      frozenBy.map((rule) => rule.name),
      maintenanceWindows.length === 0 ? [] : [cluster.name, ...maintenanceWindows],
      schedule.length === 0 ? [] : [wave?.name, ...schedule],
    ]);
    const known = this.#sets.get(key);
    if (known !== undefined) return known;
    const set = new RuleSet([
      ...frozenBy,
      ...this.#openingRules('MaintenanceWindow', cluster.name, maintenanceWindows),
      ...this.#openingRules('WaveSchedule', wave?.name ?? '', schedule),
    ]);
    if (this.#sets.size >= KEPT_SETS) this.#sets.clear();
    this.#sets.set(key, set);
    return set;
  }

  #freezeRulesOf(cluster: Cluster, fleet: string): readonly WindowRule[] {
    const byFleet = this.#frozenBy.get(cluster) ?? new Map<string, readonly WindowRule[]>();
    const known = byFleet.get(fleet);
    if (known !== undefined) return known;
    const rules = this.#freezes.filter(({ window }) => freezes(window.scope, cluster, fleet)).map(({ rule }) => rule);
    this.#frozenBy.set(cluster, byFleet.set(fleet, rules));
    return rules;
  }

  #freezeRule(window: FreezeWindow): WindowRule {
    const { name, reason, override } = window;
    const windows = this.#timelinesOf([window]);
    const timeline = this.#timelineOf([window.times]);
    return { kind: 'FreezeWindow', name, reason, override, timeline, closedWhileCovered: true, windows };
  }

  #openingRules(
    kind: 'MaintenanceWindow' | 'WaveSchedule',
    name: string,
    windows: readonly Window[],
  ): readonly WindowRule[] {
    if (windows.length === 0) return [];
    const timeline = this.#timelineOf(windows.map(({ times }) => times));
    const each = this.#timelinesOf(windows);
    return [{ kind, name, reason: null, override: NOBODY, timeline, closedWhileCovered: false, windows: each }];
  }

  #timelinesOf(windows: readonly Window[]): WindowRule['windows'] {
    return windows.map(({ times, inFlight }) => ({ timeline: this.#timelineOf([times]), inFlight }));
  }

  #timelineOf(times: readonly WindowTimes[]): Timeline {
    const key = JSON.stringify(times);
    const known = this.#timelines.get(key);
    if (known !== undefined) return known;
    const timeline = new Timeline(times.map((one) => spansOf(one, this.#clockOf(one.timeZone))));
    this.#timelines.set(key, timeline);
    return timeline;
  }

  #clockOf(timeZone: string): ZoneClock {
    const known = this.#clocks.get(timeZone);
    if (known !== undefined) return known;
    const clock = new ZoneClock(timeZone);
    this.#clocks.set(timeZone, clock);
    return clock;
  }
}
