import { IANAZone } from 'luxon';
import type { Instant } from '../rollout/rollout.ts';
import type { Span } from './span.ts';

/**
 * What a clock on the wall shows, as the milliseconds that UTC would have for the same date and time. A wall time can come
 * twice, or never.
 */
export type WallTime = number;

export const MINUTE = 60_000;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;

interface Segment extends Span {
  /** Wall time minus instant. */
  readonly offset: number;
}

/** No zone changes its clock twice within this time. */
const PROBE = 6 * HOUR;
const CHUNK = 16 * DAY;
const KEPT_CHUNKS = 64;
/** Offsets are at most 14 hours, so that a wall time's instants are within a day of it. */
const REACH = DAY;

const ZONE_NAME = /^[A-Za-z][A-Za-z0-9_+/-]{0,63}$/;

/** Names of the IANA database and its aliases, as far as the runtime knows them; never a bare offset. */
export const isTimeZone = (name: string): boolean => ZONE_NAME.test(name) && IANAZone.create(name).isValid;

/** Wall times and instants of one zone. Remembers the changes of the clock that it has found. */
export class ZoneClock {
  readonly #zone: IANAZone;
  readonly #chunks = new Map<number, readonly Segment[]>();

  /** @throws {RangeError} for a zone that the schema refuses */
  constructor(timeZone: string) {
    if (!isTimeZone(timeZone)) throw new RangeError(`${timeZone} is not a time zone`);
    this.#zone = IANAZone.create(timeZone);
  }

  wallAt(instant: Instant): WallTime {
    return instant + this.#offsetAt(instant);
  }

  /**
   * When the wall shows this, in order: once, or twice where the clock goes back over it. A time that the clock jumps over
   * stands for the moment of the jump.
   */
  instantsOf(wall: WallTime): readonly [Instant, ...Instant[]] {
    const segments = this.#segments(wall - REACH, wall + REACH);
    const [first, ...more] = segments
      .filter((segment) => segment.from <= wall - segment.offset && wall - segment.offset < segment.to)
      .map((segment) => wall - segment.offset);
    if (first !== undefined) return [first, ...more];
    const after = segments.find((segment) => wall - segment.offset < segment.from);
    return [after?.from ?? wall];
  }

  /** When the wall shows a time from `from` until just before `to`; two spans where the clock goes back over one end. */
  whileWallShows(from: WallTime, to: WallTime): readonly Span[] {
    return this.#segments(from - REACH, to + REACH)
      .map((segment) => ({
        from: Math.max(segment.from, from - segment.offset),
        to: Math.min(segment.to, to - segment.offset),
      }))
      .filter((span) => span.from < span.to);
  }

  /** The offset all through these wall times, or null where the clock changes around them. */
  steadyOffset(from: WallTime, to: WallTime): number | null {
    const [only, ...others] = this.#segments(from - REACH, to + REACH);
    return only === undefined || others.length > 0 ? null : only.offset;
  }

  #offsetAt(instant: Instant): number {
    return Math.round(this.#zone.offset(instant) * MINUTE);
  }

  #segments(from: Instant, to: Instant): readonly Segment[] {
    const found: Segment[] = [];
    for (let chunk = Math.floor(from / CHUNK); chunk * CHUNK < to; chunk += 1)
      for (const segment of this.#chunk(chunk)) {
        if (segment.to <= from || segment.from >= to) continue;
        const last = found.at(-1);
        if (last?.offset === segment.offset) found[found.length - 1] = { ...last, to: segment.to };
        else found.push(segment);
      }
    return found;
  }

  #chunk(chunk: number): readonly Segment[] {
    const known = this.#chunks.get(chunk);
    if (known !== undefined) return known;
    const found = this.#search(chunk * CHUNK, (chunk + 1) * CHUNK);
    if (this.#chunks.size >= KEPT_CHUNKS) this.#chunks.clear();
    this.#chunks.set(chunk, found);
    return found;
  }

  #search(from: Instant, to: Instant): readonly Segment[] {
    const segments: Segment[] = [];
    let [start, offset] = [from, this.#offsetAt(from)];
    for (let probe = from + PROBE; probe <= to; probe += PROBE) {
      const later = this.#offsetAt(probe);
      if (later === offset) continue;
      const change = this.#changeBetween(probe - PROBE, probe);
      segments.push({ from: start, to: change, offset });
      [start, offset] = [change, later];
    }
    return start < to ? [...segments, { from: start, to, offset }] : segments;
  }

  /** The first instant with the offset of `after`. */
  #changeBetween(before: Instant, after: Instant): Instant {
    const later = this.#offsetAt(after);
    let [low, high] = [before, after];
    while (high - low > 1) {
      const middle = Math.floor((low + high) / 2);
      if (this.#offsetAt(middle) === later) high = middle;
      else low = middle;
    }
    return high;
  }
}
