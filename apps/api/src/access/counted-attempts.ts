const WINDOW_MS = 60_000;
const KEYS = 10_000;

/** Counts attempts of a minute, by who makes them. What it remembers is bounded: the oldest are forgotten first. */
export class CountedAttempts {
  private readonly attempts = new Map<string, { count: number; readonly since: number }>();
  private readonly allowed: number;
  private readonly now: () => number;

  constructor(allowed: number, now: () => number = () => performance.now()) {
    this.allowed = allowed;
    this.now = now;
  }

  /** Counts one more; the seconds to wait when there were too many, else null. */
  another(key: string): number | null {
    const now = this.now();
    const known = this.attempts.get(key);
    if (known === undefined || now - known.since >= WINDOW_MS) {
      this.attempts.delete(key);
      const [oldest] = this.attempts.keys();
      if (this.attempts.size >= KEYS && oldest !== undefined) this.attempts.delete(oldest);
      this.attempts.set(key, { count: 1, since: now });
      return null;
    }
    known.count += 1;
    return known.count > this.allowed ? Math.ceil((known.since + WINDOW_MS - now) / 1000) : null;
  }
}
