import type { ClusterConnection, GateProbe, MeasureRequest } from '@breakwater/application';
import { objectKey } from '@breakwater/domain';
import type { JobSpec, JsonObject, KubeObject, Measurement } from '@breakwater/domain';
import { connectionTo, troubleOf } from '../clusters-in-time.ts';
import { printable } from '../prometheus/prometheus-api.ts';
import type { JobMemo } from './smoke-job.ts';
import { isOurs, jobName, memoOf, smokeJob, stateOf } from './smoke-job.ts';

const ASK_AGAIN = 2_000;
const LOG_LINES = 20;
const LOG_TIME = 5_000;
const LOG_SHOWN = 1_024;
/** The cluster ends a Job at its deadline; where its controllers do not work, nobody does. In ms. */
const GRACE = 60_000;

export class JobProbe implements GateProbe {
  readonly kind = 'job';

  async measure(request: MeasureRequest): Promise<Measurement> {
    const [cluster] = request.clusters;
    if (cluster === undefined) return error('there is no cluster to run it in', memoOf(request.memo));
    const spec = request.gate.spec as unknown as JobSpec;
    const memo = memoOf(request.memo);
    const connected = await connectionTo(request, cluster.name);
    if ('trouble' in connected) return connected.trouble;
    const { connection } = connected;
    const name = memo.job ?? jobName(request, cluster.name, memo.run);
    const running: JobMemo = { run: memo.run, job: name, since: memo.since ?? request.now };
    const { signal } = request;
    if (memo.job === null) {
      const started = await request.withPermit(cluster.name, (permit) =>
        connection.startJob({ job: smokeJob(request, spec, cluster, name), permit, signal }),
      );
      if (started === null) return pending('nothing may be written there now', memo);
      if (started.kind !== 'Job') return { ...troubleOf(started), memo: asJson(memo) };
      if (!isOurs(started.job, request)) return error(`the Job ${name} is there, and not of this gate`, memo);
      if (!started.existed) return pending(`the Job ${name} has begun`, running, started.job);
      return this.#look(request, connection, started.job, running);
    }
    const read = await connection.readObjects({ ...JOB, namespace: request.rollout.namespace, name, limit: 1, signal });
    if (read.kind !== 'Read') return { ...troubleOf(read), memo: asJson(memo) };
    const [job] = read.objects;
    if (job === undefined || !isOurs(job, request)) {
      return error(`the Job ${name} was taken away before it had ended`, next(memo));
    }
    return this.#look(request, connection, job, running);
  }

  async #look(
    request: MeasureRequest,
    connection: ClusterConnection,
    job: KubeObject,
    memo: JobMemo,
  ): Promise<Measurement> {
    const { name } = job.metadata;
    const state = stateOf(job);
    if (state.done === null) {
      const spec = request.gate.spec as unknown as JobSpec;
      return request.now - (memo.since ?? request.now) > spec.deadline + GRACE
        ? error(`the Job ${name} is past its deadline, and the cluster does not end it`, memo, job)
        : pending(`the Job ${name} runs`, memo, job);
    }
    const told = state.done === 'Complete' ? '' : await lastWords(request, connection, name);
    const left = await takeAway(request, connection, job);
    const evidence =
      state.done === 'Complete'
        ? `the Job ${name} succeeded`
        : `the Job ${name} failed: ${printable(state.message)}${told}`;
    return {
      verdict: state.done === 'Complete' ? 'Success' : 'Failure',
      evidence: `${evidence}${left}`,
      object: objectKey(job),
      memo: asJson(next(memo)),
    };
  }
}

const JOB = { apiVersion: 'batch/v1', kind: 'Job' } as const;

/** Another run is another Job. */
const next = (memo: JobMemo): JobMemo => ({ run: memo.run + 1, job: null, since: null });

const lastWords = async (request: MeasureRequest, connection: ClusterConnection, name: string): Promise<string> => {
  const { namespace } = request.rollout;
  const logs = await connection.jobLogs({
    namespace,
    name,
    lines: LOG_LINES,
    timeout: LOG_TIME,
    signal: request.signal,
  });
  if (logs.kind !== 'Logs') return `; its logs are not to be had: ${printable(logs.message)}`;
  const exit = logs.exit === null ? '' : `; ${printable(logs.exit)}`;
  if (logs.text === null) return `${exit}; its logs are not to be had: ${printable(logs.message)}`;
  return logs.text.trim() === '' ? `${exit}; it wrote no logs` : `${exit}; its last lines: ${lastOf(logs.text)}`;
};

/** Lines side by side, printable, the end of them: what a test says last is why it failed. */
const lastOf = (text: string): string => {
  const lines = text.split('\n').map((line) => line.replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\s]+/gu, ' ').trim());
  const line = lines.filter((each) => each !== '').join(' | ');
  return line.length > LOG_SHOWN ? `…${line.slice(-LOG_SHOWN)}` : line;
};

/** What could not be taken away is said, and does not change the verdict: the cluster deletes it after a while. */
const takeAway = async (request: MeasureRequest, connection: ClusterConnection, job: KubeObject): Promise<string> => {
  const [cluster] = request.clusters;
  const { name, namespace = '', uid = '' } = job.metadata;
  const { signal } = request;
  try {
    const gone = await request.withPermit(cluster?.name ?? '', (permit) =>
      connection.deleteJob({ namespace, name, uid, permit, signal }),
    );
    if (gone === null) return '; the Job stays: nothing may be written there now';
    if (gone.kind === 'Deleted') return '';
    if (gone.kind === 'Held') return `; the Job stays: held by ${printable(gone.finalizers.join(', '))}`;
    return `; the Job stays: ${printable(gone.message)}`;
  } catch (cause) {
    if (cause instanceof Error && cause.name === 'PermitLost')
      return '; the Job stays: nothing may be written there now';
    throw cause;
  }
};

const asJson = (memo: JobMemo): JsonObject => ({ run: memo.run, job: memo.job, since: memo.since });

const pending = (evidence: string, memo: JobMemo, job?: KubeObject): Measurement => ({
  verdict: 'Pending',
  evidence,
  memo: asJson(memo),
  retryAfter: ASK_AGAIN,
  ...(job === undefined ? {} : { object: objectKey(job) }),
});

const error = (evidence: string, memo: JobMemo, job?: KubeObject): Measurement => ({
  verdict: 'Error',
  evidence,
  memo: asJson(memo),
  ...(job === undefined ? {} : { object: objectKey(job) }),
});
