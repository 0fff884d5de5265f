import { type PreflightFinding, type Rollout, type Target, type TargetPreflight } from '@breakwater/domain';
import type { ClusterConnection, ClusterConnector, Cutoff, Refusal } from '../../ports/cluster.port.ts';
import type { RecordPort } from '../../ports/record.port.ts';
import type { BundleStore } from '../../releases/bundle-store.ts';

export interface AskParts {
  readonly record: RecordPort;
  readonly bundles: BundleStore;
  readonly clusters: ClusterConnector;
}

type Answer = Omit<TargetPreflight, 'at'>;

/** In ms; a cluster that is away must not hold the others for long. */
const CONTACT_TIMEOUT = 6_000;
const CHECK_TIMEOUT = 30_000;

const PASSED: Answer = { state: 'Passed', findings: [], warnings: [], notDryRun: [] };

const answerOf = ({ kind, reason, message, ...rest }: Refusal | Cutoff): Answer => {
  const object = 'object' in rest ? rest.object : null;
  return { ...PASSED, state: kind === 'Refused' ? 'Failed' : 'Skipped', findings: [{ reason, object, message }] };
};

/**
 * Would this cluster take the release? Writes nothing. Where the very same bundle runs already, only who it is is asked. Null: this
 * worker is stopping, and nothing is known.
 */
export const askCluster = async (
  parts: AskParts,
  rollout: Rollout,
  target: Target,
  running: string | null,
  signal: AbortSignal,
): Promise<Answer | null> => {
  try {
    const connection = await parts.clusters.connect(target.cluster);
    if ('kind' in connection) return answerOf(connection);
    const who = await within(CONTACT_TIMEOUT, signal, (limit) => identify(parts.record, connection, target, limit));
    if (who.state !== 'Passed' || running === target.revision.digest) return who;
    const objects = await parts.bundles.load(target.revision.digest);
    return await within(CHECK_TIMEOUT, signal, async (limit): Promise<Answer> => {
      const { application, plan } = rollout;
      const request = { application, objects, policy: plan.apply, signal: limit };
      const outcome = await connection.preflight({ ...request, deletes: running !== null && plan.apply.prune.enabled });
      if (outcome.kind !== 'Checked') return answerOf(outcome);
      const { findings, warnings, notDryRun } = outcome;
      return { state: findings.length === 0 ? 'Passed' : 'Failed', findings, warnings, notDryRun };
    });
  } catch (error) {
    if (signal.aborted) return null;
    throw error;
  }
};

/** What takes too long could not be asked. */
const within = async (
  ms: number,
  signal: AbortSignal,
  ask: (signal: AbortSignal) => Promise<Answer>,
): Promise<Answer> => {
  const limit = AbortSignal.timeout(ms);
  try {
    return await ask(AbortSignal.any([signal, limit]));
  } catch (error) {
    if (signal.aborted || !limit.aborted) throw error;
    const finding: PreflightFinding = { reason: 'Timeout', object: null, message: `no answer within ${ms} ms` };
    return { ...PASSED, state: 'Skipped', findings: [finding] };
  }
};

const identify = async (
  record: RecordPort,
  connection: ClusterConnection,
  { cluster }: Target,
  signal: AbortSignal,
): Promise<Answer> => {
  const seen = await connection.identify(signal);
  if (seen.kind !== 'Identified') {
    if (!signal.aborted) {
      const kind = seen.kind === 'Refused' ? 'Refused' : 'Unreachable';
      await record.cluster.observe(cluster, { kind, reason: seen.reason, message: seen.message });
    }
    return answerOf(seen);
  }
  const known = await record.cluster.observe(cluster, { kind: 'Seen', uid: seen.uid, version: seen.version });
  if (known.state === 'Ready') return PASSED;
  return { ...PASSED, state: 'Failed', findings: [{ reason: known.reason, object: null, message: known.message }] };
};
