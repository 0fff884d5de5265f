import type {
  ApplyOutcome,
  ApplyRequest,
  AssessOutcome,
  ClusterConnection,
  DryRunOutcome,
  DryRunRequest,
  ClusterJobs,
  HistoryRequest,
  IdentifyOutcome,
  JobDeletion,
  JobLogs,
  JobOutcome,
  Cutoff,
  Looked,
  Refusal,
  PreflightOutcome,
  PreflightRequest,
  PruneOutcome,
  PruneRequest,
  ReadOutcome,
  ReadRequest,
  ServiceOutcome,
  ServiceRequest,
} from '@breakwater/application';
import { applyBundle } from './apply-session.ts';
import { assessFresh } from './assess.ts';
import { readHistory } from './cluster-history.ts';
import { dryRunBundle } from './dry-run-session.ts';
import { settleRead } from './ended.ts';
import { Identity } from './identity.ts';
import { KubeApi } from './kube-api.ts';
import { endOf, failureOf } from './kube-status.ts';
import { preflightBundle } from './preflight-bundle.ts';
import { pruneInventory } from './prune-session.ts';
import { readObjects } from './read-objects.ts';
import { getService } from './service-proxy.ts';
import { deleteJob, jobLogs, startJob } from './smoke-jobs.ts';
import type { Timeouts, Transport } from './transport.ts';
import { watchObjects } from './watch.ts';

/** One cluster, through its own connections. */
export class KubeConnection implements ClusterConnection {
  readonly name: string;
  readonly #transport: Transport;
  readonly #api: KubeApi;
  readonly #identity: Identity;

  constructor(name: string, transport: Transport, timeouts: Timeouts) {
    this.name = name;
    this.#transport = transport;
    this.#api = new KubeApi(transport, timeouts);
    this.#identity = new Identity(this.#api);
  }

  identify(signal: AbortSignal): Promise<IdentifyOutcome> {
    return settleRead(async () => {
      const uid = await this.#identity.read(signal);
      const reply = await this.#api.read('/version', signal);
      if (reply.status !== 200) {
        const context = {
          object: null,
          name: '',
          mode: 'forward',
          existing: false,
          scrub: (text: string) => text,
        } as const;
        throw endOf(failureOf(reply, context), null, 'GET /version');
      }
      const { gitVersion = '' } = JSON.parse(reply.body) as { gitVersion?: string };
      return { kind: 'Identified' as const, uid, version: gitVersion, serverTime: reply.serverTime };
    });
  }

  apply(request: ApplyRequest): Promise<ApplyOutcome> {
    return applyBundle(this.#api, this.#identity, request);
  }

  prune(request: PruneRequest): Promise<PruneOutcome> {
    return pruneInventory(this.#api, this.#identity, request);
  }

  dryRun(request: DryRunRequest): Promise<DryRunOutcome> {
    return settleRead(() => dryRunBundle(this.#api, request));
  }

  preflight(request: PreflightRequest): Promise<PreflightOutcome> {
    return settleRead(() => preflightBundle(this.#api, request));
  }

  assess(request: Parameters<ClusterConnection['assess']>[0]): Promise<AssessOutcome> {
    return settleRead(async () => ({ kind: 'Assessed' as const, report: await assessFresh(this.#api, request) }));
  }

  watch(request: Parameters<ClusterConnection['watch']>[0]): void {
    watchObjects(this.#api, request);
  }

  serviceGet(request: ServiceRequest): Promise<ServiceOutcome> {
    return settleRead(() => getService(this.#api, request));
  }

  readObjects(request: ReadRequest): Promise<ReadOutcome> {
    return settleRead(() => readObjects(this.#api, request));
  }

  history(request: HistoryRequest): Promise<Looked | Refusal | Cutoff> {
    return settleRead(() => readHistory(this.#api, request));
  }

  startJob(request: Parameters<ClusterJobs['startJob']>[0]): Promise<JobOutcome> {
    return settleRead(() => startJob(this.#api, request));
  }

  jobLogs(request: Parameters<ClusterJobs['jobLogs']>[0]): Promise<JobLogs | Refusal | Cutoff> {
    return settleRead(() => jobLogs(this.#api, request));
  }

  deleteJob(request: Parameters<ClusterJobs['deleteJob']>[0]): Promise<JobDeletion> {
    return settleRead(() => deleteJob(this.#api, request));
  }

  close(): Promise<void> {
    return this.#transport.close();
  }

  retire(): Promise<void> {
    return this.#transport.retire();
  }
}
