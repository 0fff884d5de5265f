import type { FreezeOverride, InFlight } from '../fleet/index.ts';
import type { Instant } from '../rollout/rollout.ts';
import type { Timeline } from './timeline.ts';
import { DAY } from './zone-clock.ts';

/** How far is looked for a change, forward and back: every yearly window is within it. */
export const LOOK_AHEAD_DAYS = 400;
/** Changes that are looked through for the end of overlapping windows: more than forty a day. */
const MOST_STEPS = 20_000;

export const WINDOW_RULE_KINDS = ['FreezeWindow', 'MaintenanceWindow', 'WaveSchedule'] as const;
export type WindowRuleKind = (typeof WINDOW_RULE_KINDS)[number];

/** What closes a target at times: a freeze while it lasts, maintenance windows and business hours while none of them is open. */
export interface WindowRule {
  readonly kind: WindowRuleKind;
  /** Of the FreezeWindow, the cluster or the wave. */
  readonly name: string;
  readonly reason: string | null;
  readonly override: FreezeOverride;
  readonly timeline: Timeline;
  /** Whether the times are those in which it is closed, rather than open. */
  readonly closedWhileCovered: boolean;
  /** Of each window by itself: those that closed last say what happens to targets in flight. */
  readonly windows: readonly { readonly timeline: Timeline; readonly inFlight: InFlight }[];
}

/** `beyond`: nothing changes up to this instant, and further was not looked. */
export type WindowChange = { readonly kind: 'at' | 'beyond'; readonly at: Instant };

export interface WindowClosure {
  readonly kind: WindowRuleKind;
  readonly name: string;
  readonly reason: string | null;
  readonly since: WindowChange;
  readonly until: WindowChange;
  readonly inFlight: InFlight;
  readonly override: FreezeOverride;
}

export interface WindowState {
  readonly open: boolean;
  /** Since when it is open, or closed by one window or another without a break. */
  readonly since: WindowChange;
  /** When it closes, or opens, next. */
  readonly until: WindowChange;
  /** Empty while it is open. */
  readonly closedBy: readonly WindowClosure[];
  /** The strictest of the windows that close it; null while it is open. */
  readonly inFlight: InFlight | null;
}

const closedAt = (rule: WindowRule, now: Instant): boolean => rule.timeline.covers(now) === rule.closedWhileCovered;

const known = (change: Instant | null, limit: Instant): WindowChange =>
  change === null ? { kind: 'beyond', at: limit } : { kind: 'at', at: change };

const strictest = (answers: readonly InFlight[]): InFlight => (answers.includes('freeze') ? 'freeze' : 'finish');

/** Of the windows that ended when the rule closed; of all of them where that is too long ago to be known. */
const inFlightOf = (rule: WindowRule, since: WindowChange): InFlight => {
  const last = rule.windows.filter(({ timeline }) => since.kind === 'at' && timeline.covers(since.at - 1));
  const asked = rule.closedWhileCovered || last.length === 0 ? rule.windows : last;
  return strictest(asked.map(({ inFlight }) => inFlight));
};

interface Horizon {
  readonly earliest: Instant;
  readonly latest: Instant;
}

/** By whole days, so that the answer does not change with every millisecond. */
const horizonOf = (now: Instant): Horizon => {
  const today = Math.floor(now / DAY);
  return { earliest: (today - LOOK_AHEAD_DAYS) * DAY, latest: (today + LOOK_AHEAD_DAYS) * DAY };
};

const closureOf = (rule: WindowRule, now: Instant, { earliest, latest }: Horizon): WindowClosure => {
  const since = known(rule.timeline.changeBefore(now, earliest), earliest);
  const until = known(rule.timeline.changeAfter(now, latest), latest);
  const { kind, name, reason, override } = rule;
  return { kind, name, reason, since, until, inFlight: inFlightOf(rule, since), override };
};

/** When the last of the overlapping and adjoining closures ends. */
const openingAfter = (rules: readonly WindowRule[], now: Instant, { latest }: Horizon): WindowChange => {
  let at = now;
  for (let step = 0; step < MOST_STEPS && at < latest; step += 1) {
    const closed = rules.filter((rule) => closedAt(rule, at));
    if (closed.length === 0) return { kind: 'at', at };
    at = Math.max(...closed.map((rule) => rule.timeline.changeAfter(at, latest) ?? latest));
  }
  return { kind: 'beyond', at: Math.min(at, latest) };
};

/** When the first of them began. */
const closingBefore = (rules: readonly WindowRule[], now: Instant, { earliest }: Horizon): WindowChange => {
  let at = now + 1;
  for (let step = 0; step < MOST_STEPS && at > earliest; step += 1) {
    const closed = rules.filter((rule) => closedAt(rule, at - 1));
    if (closed.length === 0) return { kind: 'at', at };
    at = Math.min(...closed.map((rule) => rule.timeline.changeBefore(at - 1, earliest) ?? earliest));
  }
  return { kind: 'beyond', at: Math.max(at, earliest) };
};

const changesAfter = (rules: readonly WindowRule[], now: Instant, { latest }: Horizon): Instant =>
  Math.min(latest, ...rules.map((rule) => rule.timeline.changeAfter(now, latest) ?? latest));

const openState = (rules: readonly WindowRule[], now: Instant, horizon: Horizon): WindowState => {
  const { earliest, latest } = horizon;
  const since = Math.max(earliest, ...rules.map((rule) => rule.timeline.changeBefore(now, earliest) ?? earliest));
  const until = changesAfter(rules, now, horizon);
  return {
    open: true,
    since: known(since > earliest ? since : null, earliest),
    until: known(until < latest ? until : null, latest),
    closedBy: [],
    inFlight: null,
  };
};

const closedState = (rules: readonly WindowRule[], now: Instant, horizon: Horizon): WindowState => {
  const closures = rules.filter((rule) => closedAt(rule, now)).map((rule) => closureOf(rule, now, horizon));
  return {
    open: false,
    since: closingBefore(rules, now, horizon),
    until: openingAfter(rules, now, horizon),
    closedBy: closures,
    inFlight: strictest(closures.map(({ inFlight }) => inFlight)),
  };
};

/** Open while every rule is. */
export const windowStateAt = (rules: readonly WindowRule[], now: Instant): WindowState =>
  (rules.some((rule) => closedAt(rule, now)) ? closedState : openState)(rules, now, horizonOf(now));

/** How long after `now` every answer of {@link windowStateAt} stays the same. */
export const sameUntil = (rules: readonly WindowRule[], now: Instant): Instant =>
  Math.min((Math.floor(now / DAY) + 1) * DAY, changesAfter(rules, now, horizonOf(now)));
