import {
  type BundleStore,
  createFleetCommands,
  createGateAnswers,
  createRolloutCommands,
  type GateTokens,
  type RecordPort,
  type WakeUps,
  wakeRepository,
} from '@breakwater/application';
import type { Log } from '@breakwater/platform';
import { createApi } from './api.ts';
import type { Readiness } from './operations/operations.controller.ts';
import { recordReadiness } from './operations/record-readiness.ts';

export interface ApiProgramParts {
  readonly record: RecordPort;
  readonly wakeUps: WakeUps;
  readonly bundles: BundleStore;
  readonly log: Log;
  readonly version: string;
  readonly host: string;
  readonly port: number;
  /** What the Git server signs its webhooks with; null: no webhooks. */
  readonly hookSecret: string | null;
  /** Of the questions that rollout workers ask. */
  readonly gateTokens: GateTokens;
  /** Beyond the record, which is always asked. */
  readonly readiness?: Readiness;
}

export interface ApiProgram {
  readonly port: number;
  stop(): Promise<void>;
}

/** The API with the real use cases, listening. */
export const startApiProgram = async (parts: ApiProgramParts): Promise<ApiProgram> => {
  const { record, wakeUps, bundles, log, version, hookSecret, gateTokens } = parts;
  const api = await createApi({
    record,
    log,
    version,
    commands: createRolloutCommands({ record, wakeUps, bundles }),
    fleet: createFleetCommands({ record, wakeUps }),
    gateAnswers: {
      tokens: gateTokens,
      ...createGateAnswers({ record, wakeUps, monotonic: () => performance.now() }),
    },
    readiness: parts.readiness ?? recordReadiness(record),
    hooks: {
      secret: async (repository) => ((await record.sync.repository(repository)) === null ? null : hookSecret),
      onRepositoryHook: (repository) => wakeRepository(record, repository),
    },
  });
  try {
    return { port: await api.listen(parts.port, parts.host), stop: () => api.close() };
  } catch (error) {
    await api.close().catch(() => undefined);
    throw error;
  }
};
