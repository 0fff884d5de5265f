import { describeRecordConformance } from '../conformance/record/record-conformance.ts';
import { createMemoryRecord } from './memory-record.ts';

describeRecordConformance('in memory', async () => {
  let now = 1_700_000_000_000;
  const record = createMemoryRecord({ now: () => now, random: () => 0.5 });
  return {
    record,
    pass: async (ms) => {
      now += ms;
    },
    tamper: async (sequence, message) => record.tamperWithAudit(sequence, message),
    stop: () => record.close(),
  };
});

describe('the record in memory', () => {
  it('refuses to be used outside of the transaction that is open, where it would wait for itself', async () => {
    const record = createMemoryRecord({ now: () => 1 });
    await expect(record.transaction(() => record.audit.last())).rejects.toThrow('outside of its transaction');
    expect(await record.audit.last()).toBe(0);
  });

  it('refuses a call that was not awaited', async () => {
    const record = createMemoryRecord({ now: () => 1 });
    const kept = await record.transaction(async (tx) => tx);
    await expect(kept.now()).rejects.toThrow('not awaited');
  });
});
