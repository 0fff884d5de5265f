import { describeRecordConformance } from '@breakwater/testing';
import type { EmbeddedPostgres } from './embedded/embedded-postgres.ts';
import { temporaryRecord, temporaryServer } from './test-server.ts';

describe('with the embedded server', () => {
  let server: EmbeddedPostgres;
  beforeAll(async () => {
    server = await temporaryServer();
  }, 120_000);
  afterAll(() => server.stop(), 60_000);
  describeRecordConformance('on PostgreSQL', () => temporaryRecord(server.url));
});

const outside = process.env['DATABASE_URL'];
if (outside !== undefined && outside !== '') {
  describeRecordConformance('on the PostgreSQL of DATABASE_URL', () => temporaryRecord(outside));
}
