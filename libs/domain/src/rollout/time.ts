/** Epoch milliseconds, read from the record's clock. */
export type Instant = number;
/** Milliseconds for which a rollout's clocks have run: it stands still while the rollout is frozen. */
export type RolloutTime = number;
