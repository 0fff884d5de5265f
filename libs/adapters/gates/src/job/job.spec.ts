import type { ClusterConnection, JobLogs, WritePermit } from '@breakwater/application';
import type { JsonObject, KubeObject } from '@breakwater/domain';
import { gateKind } from '@breakwater/domain';
import { gateRequest } from '../testing/gate-request.ts';
import { JobProbe } from './job.probe.ts';

const PERMIT: WritePermit = { send: (request) => request(() => undefined) };

/** One cluster, as far as smoke tests see it. */
class FakeCluster {
  readonly jobs = new Map<string, KubeObject>();
  created = 0;
  logs: JobLogs = { kind: 'Logs', text: null, message: 'none', exit: null };
  readonly connection = {
    startJob: ({ job }: { job: KubeObject }) => {
      const live = this.jobs.get(job.metadata.name);
      if (live !== undefined) return Promise.resolve({ kind: 'Job', job: live, existed: true });
      this.created += 1;
      this.jobs.set(job.metadata.name, { ...job, metadata: { ...job.metadata, uid: `uid-${this.created}` } });
      return Promise.resolve({ kind: 'Job', job, existed: false });
    },
    readObjects: ({ name }: { name: string }) => {
      const job = this.jobs.get(name);
      return Promise.resolve({ kind: 'Read', objects: job === undefined ? [] : [job], complete: true });
    },
    jobLogs: () => Promise.resolve(this.logs),
    deleteJob: ({ name }: { name: string }) => {
      this.jobs.delete(name);
      return Promise.resolve({ kind: 'Deleted' });
    },
  } as unknown as ClusterConnection;

  end(type: 'Complete' | 'Failed', reason = ''): void {
    for (const [name, job] of this.jobs) {
      this.jobs.set(name, { ...job, status: { conditions: [{ type, status: 'True', reason }] } });
    }
  }
}

describe('the job gate', () => {
  const probe = new JobProbe();
  const cluster = new FakeCluster();
  const measure = (memo: JsonObject | null, rest: object = {}): ReturnType<JobProbe['measure']> =>
    probe.measure(
      gateRequest(
        'job',
        { image: 'smoke:{commit}', args: ['--app={application}'] },
        {
          connect: () => Promise.resolve(cluster.connection),
          withPermit: (_cluster, act) => act(PERMIT),
          startedAt: 1 as never,
          memo,
          ...rest,
        },
      ),
    );
  beforeEach(() => {
    cluster.jobs.clear();
    cluster.created = 0;
  });

  it('runs each measurement in a Job of its own, once', async () => {
    const begun = await measure(null);
    expect(begun).toMatchObject({ verdict: 'Pending', retryAfter: 2_000 });
    // Whoever takes over without the memo finds the same Job.
    expect(await measure(null)).toMatchObject({ verdict: 'Pending' });
    expect(cluster.created).toBe(1);
    cluster.end('Complete');
    const passed = await measure(begun.memo as JsonObject);
    expect(passed).toMatchObject({
      verdict: 'Success',
      evidence: expect.stringMatching(/^the Job gate-job-\w{12} succeeded$/),
    });
    expect(cluster.jobs.size).toBe(0);
    expect(await measure(passed.memo as JsonObject)).toMatchObject({ verdict: 'Pending' });
    expect(cluster.created).toBe(2);
  });

  it('fails with the last lines, printable and bounded', async () => {
    const { memo } = await measure(null);
    cluster.end('Failed', 'BackoffLimitExceeded');
    const text = `${'early '.repeat(1_000)}\nGET /cart\u001b[31m: 500\n`;
    cluster.logs = { kind: 'Logs', text, message: '', exit: 'exit code 3' };
    const failed = await measure(memo as JsonObject);
    expect(failed.verdict).toBe('Failure');
    expect(failed.evidence).toMatch(
      /failed: BackoffLimitExceeded; exit code 3; its last lines: ….* \| GET \/cart \[31m: 500$/,
    );
    expect(failed.evidence.length).toBeLessThan(1_300);
  });

  it('writes nothing without a permit', async () => {
    const held = await measure(null, { withPermit: () => Promise.resolve(null) });
    expect(held).toMatchObject({ verdict: 'Pending', evidence: 'nothing may be written there now' });
    expect(cluster.created).toBe(0);
  });

  it('does not wait for ever, nor for a Job that somebody took away', async () => {
    const { memo } = await measure(null);
    const later = Date.now() + 3_600_000;
    expect(await measure(memo as JsonObject, { now: later })).toMatchObject({
      verdict: 'Error',
      evidence: expect.stringContaining('past its deadline'),
    });
    cluster.jobs.clear();
    expect(await measure(memo as JsonObject)).toMatchObject({
      verdict: 'Error',
      evidence: expect.stringContaining('taken away'),
      memo: { run: 1, job: null, since: null },
    });
  });

  it.each([
    [{ image: 'a', privileged: true }, /known fields/],
    [{ image: 'a', env: { '1A': 'x' } }, /./],
    [{ image: 'a', deadline: '2h' }, /is not between 1s and 1h/],
    [{ image: 'a b' }, /is not an image/],
    [{ image: 'a', runAsUser: 0 }, /./],
  ])('refuses %j', (spec, message) => {
    const parsed = gateKind('job')!.schema().safeParse(spec);
    expect(parsed.error?.issues.map((issue) => issue.message)).toEqual([expect.stringMatching(message)]);
  });
});
