import type { RecordUnderTest } from './record-under-test.ts';
import { describeAudit } from './audit-conformance.ts';
import { describeClustersAndSync } from './clusters-conformance.ts';
import { describeLocksAndSlots } from './locks-conformance.ts';
import { describeLooks } from './looks-conformance.ts';
import { describePermits } from './permits-conformance.ts';
import { describeRollouts } from './rollouts-conformance.ts';

/** What every record must do; `current` is the record of the test that runs. */
export const describeRecordConformance = (name: string, start: () => Promise<RecordUnderTest>): void => {
  describe(`the record ${name}`, () => {
    let current: RecordUnderTest;
    beforeEach(async () => {
      current = await start();
    }, 60_000);
    afterEach(() => current.stop(), 60_000);
    const subject = (): RecordUnderTest => current;
    describeRollouts(subject);
    describeLocksAndSlots(subject);
    describePermits(subject);
    describeAudit(subject);
    describeClustersAndSync(subject);
    describeLooks(subject);
  });
};
