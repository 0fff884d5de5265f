import { createHash } from 'node:crypto';
import type { MeasureRequest } from '@breakwater/application';
import type { JobSpec, JsonValue, KubeObject } from '@breakwater/domain';
import { asText, fillTemplate, templateValues } from '../template.ts';

export const GATE_LABEL = 'breakwater.dev/gate';
export const ROLLOUT_ANNOTATION = 'breakwater.dev/rollout';
/** The cluster takes it away after this, where nobody else does. */
const KEPT_SECONDS = 3_600;

/** What one measurement leaves for the next: which run it is, and the Job's name while there is one. */
export interface JobMemo {
  readonly run: number;
  readonly job: string | null;
  /** When it was begun, by the record's clock. */
  readonly since: number | null;
}

export const memoOf = (memo: JsonValue): JobMemo => {
  const given =
    typeof memo === 'object' && memo !== null && !Array.isArray(memo) ? (memo as Record<string, JsonValue>) : {};
  const { run, job, since } = given;
  return {
    run: typeof run === 'number' ? run : 0,
    job: typeof job === 'string' ? job : null,
    since: typeof since === 'number' ? since : null,
  };
};

/** The same for whoever measures this run: a worker that takes over finds the Job of the one before. */
export const jobName = (request: MeasureRequest, cluster: string, run: number): string => {
  const { rollout, gate, startedAt } = request;
  const told = createHash('sha256').update(JSON.stringify([rollout.id, gate.name, cluster, startedAt, run]));
  return `gate-${gate.name.slice(0, 40).replace(/-+$/, '')}-${told.digest('hex').slice(0, 12)}`;
};

/** Everything closed that a document cannot open. */
export const smokeJob = (
  request: MeasureRequest,
  spec: JobSpec,
  cluster: MeasureRequest['clusters'][number],
  name: string,
): KubeObject => {
  const values = templateValues(request, cluster);
  const filled = (text: string): string => fillTemplate(text, values, asText);
  const labels = { [GATE_LABEL]: request.gate.name, 'app.kubernetes.io/managed-by': 'breakwater' };
  const limits = { cpu: spec.cpu, memory: spec.memory };
  const { serviceAccountName, runAsUser, command, args } = spec;
  return {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: {
      name,
      namespace: request.rollout.namespace,
      labels,
      annotations: { [ROLLOUT_ANNOTATION]: request.rollout.id },
    },
    spec: {
      backoffLimit: spec.backoffLimit,
      activeDeadlineSeconds: Math.ceil(spec.deadline / 1_000),
      ttlSecondsAfterFinished: KEPT_SECONDS,
      template: {
        metadata: { labels },
        spec: {
          restartPolicy: 'Never',
          enableServiceLinks: false,
          automountServiceAccountToken: serviceAccountName !== undefined,
          ...(serviceAccountName === undefined ? {} : { serviceAccountName }),
          ...(spec.imagePullSecrets === undefined
            ? {}
            : { imagePullSecrets: spec.imagePullSecrets.map((secret) => ({ name: secret })) }),
          securityContext: {
            runAsNonRoot: true,
            seccompProfile: { type: 'RuntimeDefault' },
            ...(runAsUser === undefined ? {} : { runAsUser }),
          },
          containers: [
            {
              name: 'smoke-test',
              image: filled(spec.image),
              ...(command === undefined ? {} : { command: command.map(filled) }),
              ...(args === undefined ? {} : { args: args.map(filled) }),
              env: Object.entries(spec.env ?? {}).map(([variable, value]) => ({
                name: variable,
                value: filled(value),
              })),
              resources: { limits, requests: limits },
              securityContext: {
                allowPrivilegeEscalation: false,
                privileged: false,
                readOnlyRootFilesystem: true,
                capabilities: { drop: ['ALL'] },
              },
            },
          ],
        },
      },
    },
  };
};

export const isOurs = (job: KubeObject, request: MeasureRequest): boolean =>
  job.metadata.labels?.[GATE_LABEL] === request.gate.name &&
  job.metadata.annotations?.[ROLLOUT_ANNOTATION] === request.rollout.id;

export type JobState = { readonly done: 'Complete' | 'Failed'; readonly message: string } | { readonly done: null };

export const stateOf = (job: KubeObject): JobState => {
  const status = job['status'] as
    | { readonly conditions?: readonly { type: string; status: string; reason?: string; message?: string }[] }
    | undefined;
  for (const { type, status: holds, reason = '', message = '' } of status?.conditions ?? []) {
    if (holds === 'True' && (type === 'Complete' || type === 'Failed')) {
      return { done: type, message: [reason, message].filter((text) => text !== '').join(': ') };
    }
  }
  return { done: null };
};
