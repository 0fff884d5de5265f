import type { RecordPort } from '@breakwater/application';
import type { Readiness } from './operations.controller.ts';

/** Live workers look at everything that is due within seconds; in ms. */
const QUIET = 60_000;

/** An API of its own sees the other programs only by what they write into the record. */
export const recordReadiness =
  (record: RecordPort): Readiness =>
  async () => {
    const checks = { sync: await firstSyncTried(record), workers: await workersAct(record) };
    return { ok: checks.sync.ok && checks.workers.ok, checks };
  };

const firstSyncTried = async (record: RecordPort) => {
  const repositories = await record.sync.repositories();
  const tried = repositories.length > 0 && repositories.every(({ triedAt }) => triedAt !== null);
  return tried ? { ok: true } : { ok: false, message: 'the first sync of the repositories was not tried yet' };
};

/**
 * A worker takes what is due, and sees clusters: one of the two goes on while any is alive, also where clusters are all away, or where
 * there is more to do than the workers can. While nothing is due, nothing tells.
 */
const workersAct = async (record: RecordPort) => {
  const [now, due] = await Promise.all([record.now(), record.rollouts.nextDue()]);
  if (due === null || now - due < QUIET) return { ok: true };
  const seen = (await record.cluster.list()).some(({ lastSeen }) => lastSeen !== null && now - lastSeen < QUIET);
  return seen ? { ok: true } : { ok: false, message: 'work is due, and no rollout worker takes it' };
};
