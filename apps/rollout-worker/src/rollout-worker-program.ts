import {
  type BundleStore,
  type ClusterConnector,
  type CredentialStore,
  type GateCallbacks,
  type RecordPort,
  startRolloutWorker,
  type WakeUpQueue,
} from '@breakwater/application';
import { ClusterCredentials } from '@breakwater/credentials';
import { createGateProbes, type GateSettings } from '@breakwater/gates';
import { createClusterConnector } from '@breakwater/kube';
import { elapsedClock, type Log, type Running } from '@breakwater/platform';

export interface RolloutWorkerProgramParts {
  readonly record: RecordPort;
  readonly queue: WakeUpQueue;
  readonly bundles: BundleStore;
  readonly log: Log;
  /** Where kubeconfigs are; the first that has a name wins. */
  readonly credentials: readonly CredentialStore[];
  /** Exec plug-ins and file references in kubeconfigs. */
  readonly allowFiles: boolean;
  /** What gates may reach. */
  readonly gates: GateSettings;
  /** Where servers that gates ask may answer later; null: nowhere. */
  readonly callbacks: GateCallbacks | null;
  readonly version: string;
}

/** A rollout worker with its real clusters. */
export const startRolloutWorkerProgram = async (parts: RolloutWorkerProgramParts): Promise<Running> => {
  const { record, queue, bundles, log } = parts;
  const clusters: ClusterConnector = createClusterConnector({
    credentials: new ClusterCredentials(record, parts.credentials),
    userAgent: `breakwater/${parts.version}`,
    ...(parts.allowFiles ? { allow: { fileReferences: true } } : {}),
  });
  const worker = await startRolloutWorker({
    record,
    queue,
    bundles,
    clusters,
    probes: createGateProbes(parts.gates),
    callbacks: parts.callbacks,
    log,
    monotonic: elapsedClock(),
  });
  return {
    stop: async () => {
      await worker.stop();
      await clusters.closeAll();
    },
  };
};
