/** What to do to take a transaction back, newest last. */
export class Journal {
  #undo: (() => void)[] = [];

  add(undo: () => void): void {
    this.#undo.push(undo);
  }

  commit(): void {
    this.#undo = [];
  }

  rollBack(): void {
    for (const undo of this.#undo.reverse()) undo();
    this.#undo = [];
  }
}

/** A map whose changes can be taken back. Values are never changed in place. */
export class Table<K, V> {
  readonly #rows = new Map<K, V>();
  readonly #journal: Journal;

  constructor(journal: Journal) {
    this.#journal = journal;
  }

  get(key: K): V | undefined {
    return this.#rows.get(key);
  }

  has(key: K): boolean {
    return this.#rows.has(key);
  }

  get size(): number {
    return this.#rows.size;
  }

  set(key: K, value: V): void {
    const known = this.#rows.has(key);
    const before = this.#rows.get(key);
    this.#rows.set(key, value);
    this.#journal.add(() => {
      if (known) this.#rows.set(key, before as V);
      else this.#rows.delete(key);
    });
  }

  delete(key: K): void {
    const before = this.#rows.get(key);
    if (before === undefined || !this.#rows.delete(key)) return;
    this.#journal.add(() => this.#rows.set(key, before));
  }

  values(): IterableIterator<V> {
    return this.#rows.values();
  }

  filter(keep: (value: V) => boolean): V[] {
    const kept: V[] = [];
    for (const value of this.#rows.values()) if (keep(value)) kept.push(value);
    return kept;
  }
}
