/** What was started, to be stopped in the opposite order; a part that fails to stop does not keep the others running. */
export class Shutdown {
  readonly #steps: (() => Promise<void>)[] = [];
  #begun = false;
  readonly #onError: (error: unknown) => void;

  constructor(onError: (error: unknown) => void) {
    this.#onError = onError;
  }

  add(step: () => Promise<void>): void {
    this.#steps.push(step);
  }

  /** Connections that end from now on do so because they are meant to. */
  get running(): boolean {
    return this.#begun;
  }

  async run(): Promise<void> {
    this.#begun = true;
    for (let step = this.#steps.pop(); step !== undefined; step = this.#steps.pop()) {
      try {
        await step();
      } catch (error) {
        this.#onError(error);
      }
    }
  }
}
