import type { Instant } from '@breakwater/domain';
import { randomUUID } from 'node:crypto';
import type { LookAnswer, RecordPort } from '../ports/record.port.ts';

const ANSWER_TIMEOUT = 20_000;
const LOOK_EVERY = 1_000;

/**
 * Asks a worker what the cluster itself tells, and waits for the answer. That nobody answers is an answer too: whoever asks gets what the
 * record knows all the same, and reads why the rest is missing.
 */
export const lookAtCluster = async (record: RecordPort, cluster: string, since: Instant): Promise<LookAnswer> => {
  const id = randomUUID();
  let changed = Promise.withResolvers<void>();
  const unlisten = await record.listen('look', (payload) => {
    if (payload === id) changed.resolve();
  });
  try {
    if (!(await record.looks.ask({ id, cluster, since })))
      return { refused: 'too many people are asking at once; ask again in a moment' };
    const until = performance.now() + ANSWER_TIMEOUT;
    for (;;) {
      const answer = await record.looks.answerTo(id);
      if (answer !== null) return answer;
      if (performance.now() >= until)
        return { refused: `no rollout worker answered within ${ANSWER_TIMEOUT / 1000} s; is one running?` };
      const timer = setTimeout(() => changed.resolve(), LOOK_EVERY);
      await changed.promise;
      clearTimeout(timer);
      changed = Promise.withResolvers<void>();
    }
  } finally {
    await unlisten();
  }
};
