import type { Instant } from '../rollout/rollout.ts';
import type { Span } from './span.ts';
import { clipSpans, mergeSpans } from './span.ts';
import type { SpansBetween } from './window-spans.ts';
import { DAY } from './zone-clock.ts';

const CHUNK = 32 * DAY;
const KEPT_CHUNKS = 8;

/** The union of windows over all of time, worked out where it is asked for. Remembers the last months that it was asked for. */
export class Timeline {
  readonly #sources: readonly SpansBetween[];
  readonly #chunks = new Map<number, readonly Span[]>();

  constructor(sources: readonly SpansBetween[]) {
    this.#sources = sources;
  }

  covers(instant: Instant): boolean {
    return this.#spanAt(instant) !== null;
  }

  /** The first instant after this one at which a window opens or the last open one closes; null where none is before `limit`. */
  changeAfter(instant: Instant, limit: Instant): Instant | null {
    let at = instant;
    const covered = this.covers(instant);
    for (let chunk = chunkOf(instant); at < limit; chunk += 1) {
      const end = (chunk + 1) * CHUNK;
      const change = covered ? this.#endOfCover(chunk, at) : this.#startOfCover(chunk, at);
      if (change !== null) return change < limit ? change : null;
      at = end;
    }
    return null;
  }

  /** The last instant, up to this one, at which it became as it is; null where that was before `limit`. */
  changeBefore(instant: Instant, limit: Instant): Instant | null {
    const covered = this.covers(instant);
    for (let chunk = chunkOf(instant); (chunk + 1) * CHUNK > limit; chunk -= 1) {
      const change = this.#lastChange(chunk, instant, covered);
      if (change !== null) return change >= limit ? change : null;
    }
    return null;
  }

  /** Null: covered until the end of the chunk. */
  #endOfCover(chunk: number, at: Instant): Instant | null {
    const span = this.#spanAt(at);
    if (span === null) return at;
    return span.to < (chunk + 1) * CHUNK ? span.to : null;
  }

  /** Null: nothing more in the chunk. */
  #startOfCover(chunk: number, at: Instant): Instant | null {
    const spans = this.#spans(chunk);
    return spans[firstIndex(spans, (span) => span.from >= at)]?.from ?? null;
  }

  /** Null: as it is since before the chunk. */
  #lastChange(chunk: number, instant: Instant, covered: boolean): Instant | null {
    const start = chunk * CHUNK;
    const last = Math.min(instant, start + CHUNK - 1);
    const spans = this.#spans(chunk);
    const before = spans[firstIndex(spans, (span) => span.from > last) - 1];
    if (!covered) return before?.to ?? null;
    if (before === undefined || before.to <= last) return last + 1;
    return before.from > start ? before.from : null;
  }

  #spanAt(instant: Instant): Span | null {
    const spans = this.#spans(chunkOf(instant));
    const span = spans[firstIndex(spans, ({ to }) => to > instant)];
    return span !== undefined && span.from <= instant ? span : null;
  }

  #spans(chunk: number): readonly Span[] {
    const known = this.#chunks.get(chunk);
    if (known !== undefined) return known;
    const [from, to] = [chunk * CHUNK, (chunk + 1) * CHUNK];
    const found = clipSpans(mergeSpans(this.#sources.flatMap((source) => source(from, to))), from, to);
    const [oldest] = this.#chunks.keys();
    if (oldest !== undefined && this.#chunks.size >= KEPT_CHUNKS) this.#chunks.delete(oldest);
    this.#chunks.set(chunk, found);
    return found;
  }
}

const chunkOf = (instant: Instant): number => Math.floor(instant / CHUNK);

/** Of a list in which everything after the first that holds holds as well; its length where none does. */
const firstIndex = <Item>(items: readonly Item[], holds: (item: Item) => boolean): number => {
  let [low, high] = [0, items.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    const item = items[middle];
    if (item !== undefined && holds(item)) high = middle;
    else low = middle + 1;
  }
  return low;
};
