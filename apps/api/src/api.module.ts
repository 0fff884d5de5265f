import type { FleetCommands, RecordPort, RolloutCommands } from '@breakwater/application';
import type { Log } from '@breakwater/platform';
import type { DynamicModule } from '@nestjs/common';
import { APP_FILTER, APP_GUARD, APP_INTERCEPTOR } from '@nestjs/core';
import type { Registry } from 'prom-client';
import { AccessGuard } from './access/access.guard.ts';
import { FailedSignIns } from './access/failed-sign-ins.ts';
import { TokensController } from './access/tokens.controller.ts';
import { AuditController } from './events/audit.controller.ts';
import { EventStreams } from './events/event-streams.ts';
import { FleetController } from './fleet/fleet.controller.ts';
import { RepositoriesController } from './fleet/repositories.controller.ts';
import { GateAnswersController } from './gates/gate-answers.controller.ts';
import type { AnswersToGates } from './gates/gate-answers.controller.ts';
import { HooksController } from './hooks/hooks.controller.ts';
import type { RepositoryHooks } from './hooks/hooks.controller.ts';
import { ProblemFilter } from './http/problem.filter.ts';
import { RouteInterceptor } from './http/route.interceptor.ts';
import { OperationsController } from './operations/operations.controller.ts';
import type { Readiness } from './operations/operations.controller.ts';
import { RolloutsController } from './rollouts/rollouts.controller.ts';
import { COMMANDS, FLEET, GATE_ANSWERS, HOOKS, LOG, METRICS, READINESS, RECORD, VERSION } from './tokens.ts';

export interface ApiModuleOptions {
  readonly record: RecordPort;
  readonly commands: RolloutCommands;
  readonly fleet: FleetCommands;
  readonly log: Log;
  readonly metrics: Registry;
  readonly readiness: Readiness;
  readonly version: string;
  readonly hooks: RepositoryHooks;
  readonly gateAnswers: AnswersToGates;
  readonly streams: EventStreams;
}

export const controllers = [
  OperationsController,
  RolloutsController,
  FleetController,
  RepositoriesController,
  AuditController,
  TokensController,
  HooksController,
  GateAnswersController,
];

export class ApiModule {
  static with(options: ApiModuleOptions): DynamicModule {
    return {
      module: ApiModule,
      controllers,
      providers: [
        { provide: RECORD, useValue: options.record },
        { provide: COMMANDS, useValue: options.commands },
        { provide: FLEET, useValue: options.fleet },
        { provide: LOG, useValue: options.log },
        { provide: METRICS, useValue: options.metrics },
        { provide: READINESS, useValue: options.readiness },
        { provide: VERSION, useValue: options.version },
        { provide: HOOKS, useValue: options.hooks },
        { provide: GATE_ANSWERS, useValue: options.gateAnswers },
        { provide: EventStreams, useValue: options.streams },
        { provide: FailedSignIns, useValue: new FailedSignIns() },
        { provide: APP_GUARD, useClass: AccessGuard },
        { provide: APP_INTERCEPTOR, useClass: RouteInterceptor },
        { provide: APP_FILTER, useClass: ProblemFilter },
      ],
    };
  }
}
