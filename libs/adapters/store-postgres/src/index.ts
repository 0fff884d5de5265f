export { createPostgresRecord } from './postgres-record.ts';
export type { PostgresRecordOptions } from './postgres-record.ts';
export { createPostgresRetention } from './retention-records.ts';
export type { RetentionOptions } from './retention-records.ts';
export { migrate, SchemaTooNew } from './migrate.ts';
export { startEmbeddedPostgres } from './embedded/embedded-postgres.ts';
export type { EmbeddedPostgres, EmbeddedPostgresOptions } from './embedded/embedded-postgres.ts';
export { EmbeddedPostgresError } from './embedded/embedded-error.ts';
export type { EmbeddedPostgresProblem } from './embedded/embedded-error.ts';
