import { InvalidCursor } from '@breakwater/application';
import type { RecordPort, RolloutCommands } from '@breakwater/application';
import { Controller, Headers, Inject, Req, Res } from '@nestjs/common';
import type { Request, Response } from 'express';
import { Input, Route } from '../http/route.decorator.ts';
import type { AnswerOf, InputOf } from '../http/route.decorator.ts';
import { presentAuditEvent } from '../rollouts/rollout.presenter.ts';
import { COMMANDS, RECORD } from '../tokens.ts';
import { EventStreams } from './event-streams.ts';

const SEQUENCE = /^\d{1,15}$/;

@Controller()
export class AuditController {
  private readonly record: RecordPort;
  private readonly commands: RolloutCommands;
  private readonly streams: EventStreams;

  constructor(
    @Inject(RECORD) record: RecordPort,
    @Inject(COMMANDS) commands: RolloutCommands,
    @Inject(EventStreams) streams: EventStreams,
  ) {
    this.record = record;
    this.commands = commands;
    this.streams = streams;
  }

  @Route('listAudit')
  async list(@Input() { query }: InputOf<'listAudit'>): Promise<AnswerOf<'listAudit'>> {
    const { cursor, limit, since, cluster, by } = query;
    if (cursor !== undefined && !SEQUENCE.test(cursor)) throw new InvalidCursor('not a cursor of this list');
    const events = await this.record.audit.after(Number(cursor ?? 0), limit, {
      ...(await this.rolloutFilter(query.rollout)),
      ...(cluster === undefined ? {} : { cluster }),
      ...(by === undefined ? {} : { actor: by }),
      ...(since === undefined ? {} : { since: Date.parse(since) }),
    });
    const last = events.at(-1);
    const nextCursor = events.length < limit || last === undefined ? null : String(last.sequence);
    return { status: 200, body: { items: events.map(presentAuditEvent), nextCursor } };
  }

  @Route('streamEvents')
  async stream(
    @Input() { query }: InputOf<'streamEvents'>,
    @Headers('last-event-id') lastEventId: string | undefined,
    @Req() request: Request,
    @Res() response: Response,
  ): Promise<void> {
    const given = SEQUENCE.test(lastEventId ?? '') ? Number(lastEventId) : query.after;
    const filter = {
      ...(await this.rolloutFilter(query.rollout)),
      ...(query.cluster === undefined ? {} : { cluster: query.cluster }),
    };
    await this.streams.serve(request, response, given ?? (await this.record.audit.last()), filter);
  }

  private async rolloutFilter(reference: string | undefined): Promise<{ rollout?: string }> {
    return reference === undefined ? {} : { rollout: (await this.commands.find(reference)).id };
  }
}
