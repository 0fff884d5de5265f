import type { ClusterSelector } from './selector.ts';

/** What happens to targets in the middle of their change when a window closes: they finish it, or stand still. */
export const IN_FLIGHT = ['finish', 'freeze'] as const;
export type InFlight = (typeof IN_FLIGHT)[number];

export const WEEKDAYS = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'] as const;
export type Weekday = (typeof WEEKDAYS)[number];

/** From the first time that the clock shows `from` until the last time that it shows `to`. */
export interface OnceTimes {
  readonly kind: 'once';
  readonly timeZone: string;
  /** ISO 8601: a local time of the zone, or with an offset. */
  readonly from: string;
  readonly to: string;
}

/** Each start lasts for `duration` of elapsed time, whatever the clock does meanwhile. */
export interface CronTimes {
  readonly kind: 'cron';
  readonly timeZone: string;
  readonly cron: string;
  readonly duration: number;
}

/** While the clock on the wall shows it. */
export interface HourTimes {
  readonly kind: 'hours';
  readonly timeZone: string;
  readonly days: readonly Weekday[];
  /** Minutes of the day; where `to` is before `from`, of the day after. */
  readonly from: number;
  readonly to: number;
  /** As `2026-12-24`: no range begins on these days. */
  readonly exceptDates: readonly string[];
}

export type WindowTimes = OnceTimes | CronTimes | HourTimes;

export interface MaintenanceWindow {
  readonly times: CronTimes;
  readonly inFlight: InFlight;
}

export interface WaveHours {
  readonly times: HourTimes;
  readonly inFlight: InFlight;
}

/** Each role may do what those before it may. */
export const OVERRIDE_ROLES = ['operator', 'admin'] as const;
export type OverrideRole = (typeof OVERRIDE_ROLES)[number];

/** Both empty: nobody. */
export interface FreezeOverride {
  readonly users: readonly string[];
  readonly roles: readonly OverrideRole[];
}

/** Every part that is given must hold; at least one is. */
export interface FreezeScope {
  /** Rollouts of these fleets' applications; empty: of every fleet. */
  readonly fleets: readonly string[];
  /** Names of clusters; empty: whatever they are called. */
  readonly clusters: readonly string[];
  readonly selector: ClusterSelector | null;
}

export interface FreezeWindow {
  readonly kind: 'FreezeWindow';
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly scope: FreezeScope;
  readonly times: OnceTimes | CronTimes;
  readonly inFlight: InFlight;
  readonly reason: string;
  readonly override: FreezeOverride;
}
