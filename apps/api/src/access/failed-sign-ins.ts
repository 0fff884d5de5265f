import { CountedAttempts } from './counted-attempts.ts';

const ALLOWED = 20;

/**
 * Counts failed sign-ins by address. It never stands in the way of a good token: who is on call behind the same address as a
 * broken script must be able to pause.
 */
export class FailedSignIns {
  private readonly attempts: CountedAttempts;

  constructor(now?: () => number) {
    this.attempts = new CountedAttempts(ALLOWED, now);
  }

  /** Counts one more; the seconds to wait when there were too many, else null. */
  failed(address: string): number | null {
    return this.attempts.another(address);
  }
}
