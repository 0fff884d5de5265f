/**
 * Wake-ups, never state: a job names a key (`rollout/ID`, `target/ID/CLUSTER`, `repository/NAME`); losing one costs time until the next
 * scan of the record, never truth. Adding while a job of the same key is active keeps the last (another run follows).
 */
export interface WakeUps {
  wake(key: string): Promise<void>;
  wakeAll(keys: readonly string[]): Promise<void>;
}

export interface WakeUpWorker {
  close(): Promise<void>;
}

export interface WakeUpQueue extends WakeUps {
  /** Runs `handle` for each key, at most `concurrency` at once, never the same key twice at the same time inside one process. */
  work(handle: (key: string) => Promise<void>, concurrency: number): Promise<WakeUpWorker>;
  ping(): Promise<void>;
  close(): Promise<void>;
}
