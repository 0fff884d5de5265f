import { z } from 'zod';
import type { FleetKind } from '../../fleet/index.ts';
import { applicationSchema } from './application.schema.ts';
import { clusterSchema } from './cluster.schema.ts';
import { fleetSchema } from './fleet.schema.ts';
import { freezeWindowSchema } from './freeze-window.schema.ts';
import { gateDocumentSchema } from './gate.schema.ts';
import { healthRuleSchema } from './health-rule.schema.ts';
import { strategySchema } from './strategy.schema.ts';

/** The one source of the validation, the reference and the JSON schemas. */
export const fleetDocumentSchemas = {
  Cluster: clusterSchema,
  Fleet: fleetSchema,
  Strategy: strategySchema,
  Gate: gateDocumentSchema,
  Application: applicationSchema,
  FreezeWindow: freezeWindowSchema,
  HealthRule: healthRuleSchema,
} as const satisfies Record<FleetKind, z.ZodType>;

export type ParsedDocument = { [Kind in FleetKind]: z.output<(typeof fleetDocumentSchemas)[Kind]> };

/** JSON Schema (2020-12) of a kind's documents, for the reference; a field that is not built yet allows nothing. */
export const fleetJsonSchema = (kind: FleetKind): Readonly<Record<string, unknown>> =>
  z.toJSONSchema(fleetDocumentSchemas[kind], { io: 'input', unrepresentable: 'any' });
