import type { Instant } from '../rollout/rollout.ts';

/** From `from` on, until just before `to`. */
export interface Span {
  readonly from: Instant;
  readonly to: Instant;
}

/** The union: sorted, none empty, none touching another. */
export const mergeSpans = (spans: readonly Span[]): readonly Span[] => {
  const merged: { from: Instant; to: Instant }[] = [];
  for (const span of spans.filter(({ from, to }) => from < to).sort((a, b) => a.from - b.from)) {
    const last = merged.at(-1);
    if (last !== undefined && span.from <= last.to) last.to = Math.max(last.to, span.to);
    else merged.push({ from: span.from, to: span.to });
  }
  return merged;
};

export const clipSpans = (spans: readonly Span[], from: Instant, to: Instant): readonly Span[] =>
  spans
    .map((span) => ({ from: Math.max(span.from, from), to: Math.min(span.to, to) }))
    .filter((span) => span.from < span.to);
