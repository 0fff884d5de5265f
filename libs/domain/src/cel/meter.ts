/** Thrown when the steps are used up; one for all, because a stack trace for each would cost more than what it stops. */
class StepsUsedUp extends Error {
  constructor() {
    super('steps used up');
    delete this.stack;
  }
}

const USED_UP = new StepsUsedUp();

/** Characters that are read in one step: a pass over a text costs far less than the evaluation of a node. */
const CHARACTERS_PER_STEP = 32;

/**
 * Counts what an evaluation does. CEL swallows errors on one side of `||` and in `exists`, this one too: whoever evaluates
 * has to ask {@link Meter.usedUp} at the end, whatever came out.
 */
export class Meter {
  #limit = 0;
  #left = 0;
  #usedUp = false;

  start(limit: number): void {
    this.#limit = limit;
    this.#left = limit;
    this.#usedUp = false;
  }

  get usedUp(): boolean {
    return this.#usedUp;
  }

  /** Steps since the start, never more than its limit. */
  get used(): number {
    return Math.min(this.#limit, this.#limit - this.#left);
  }

  spend(steps: number): void {
    this.#left -= steps;
    if (this.#left >= 0) return;
    this.#usedUp = true;
    throw USED_UP;
  }

  spendOnText(length: number): void {
    if (length > CHARACTERS_PER_STEP) this.spend(Math.floor(length / CHARACTERS_PER_STEP));
  }

  /** For what walks a whole value, as a comparison does. */
  spendOnAll(value: unknown): void {
    if (typeof value === 'string') return this.spendOnText(value.length);
    if (typeof value !== 'object' || value === null) return;
    if (Array.isArray(value)) {
      for (const element of value) {
        this.spend(1);
        this.spendOnAll(element);
      }
    } else if (value instanceof Map) {
      for (const entry of value.values()) {
        this.spend(1);
        this.spendOnAll(entry);
      }
    } else if (value instanceof Uint8Array) this.spendOnText(value.length);
  }
}
