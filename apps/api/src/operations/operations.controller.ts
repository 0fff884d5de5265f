import type { RecordPort } from '@breakwater/application';
import { openApiDocument } from '@breakwater/platform';
import { Controller, Inject, Res } from '@nestjs/common';
import type { Response } from 'express';
import type { Registry } from 'prom-client';
import { OpenRoute } from '../http/route.decorator.ts';
import { METRICS, READINESS, RECORD, VERSION } from '../tokens.ts';

/** `checks` by name; the messages are shown to anybody, so they hold no address and no name. */
export type Readiness = () => Promise<{
  readonly ok: boolean;
  readonly checks: Readonly<Record<string, { readonly ok: boolean; readonly message?: string }>>;
}>;

@Controller()
export class OperationsController {
  private readonly record: RecordPort;
  private readonly readiness: Readiness;
  private readonly metrics: Registry;
  private readonly document: string;

  constructor(
    @Inject(RECORD) record: RecordPort,
    @Inject(READINESS) readiness: Readiness,
    @Inject(METRICS) metrics: Registry,
    @Inject(VERSION) version: string,
  ) {
    this.record = record;
    this.readiness = readiness;
    this.metrics = metrics;
    this.document = JSON.stringify(openApiDocument(version));
  }

  @OpenRoute('/healthz')
  health(): { status: string } {
    return { status: 'ok' };
  }

  @OpenRoute('/readyz')
  async ready(@Res({ passthrough: true }) response: Response): Promise<object> {
    const { ok, checks } = await this.readiness().catch(() => ({ ok: false, checks: { readiness: { ok: false } } }));
    const answers = await this.record.ping().then(
      () => true,
      () => false,
    );
    response.status(ok && answers ? 200 : 503);
    return { status: ok && answers ? 'ready' : 'unready', checks: { record: { ok: answers }, ...checks } };
  }

  @OpenRoute('/metrics')
  async expose(@Res() response: Response): Promise<void> {
    const text = await this.metrics.metrics();
    response.setHeader('content-type', this.metrics.contentType);
    response.send(text);
  }

  @OpenRoute('/api/v1/openapi.json')
  openApi(@Res() response: Response): void {
    response.type('application/json').send(this.document);
  }
}
