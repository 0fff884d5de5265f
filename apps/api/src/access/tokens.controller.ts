import type { RecordPort } from '@breakwater/application';
import { Controller, Inject } from '@nestjs/common';
import type { Principal } from '../http/api-request.ts';
import { By, Input, Route } from '../http/route.decorator.ts';
import type { AnswerOf, InputOf } from '../http/route.decorator.ts';
import { RECORD } from '../tokens.ts';
import { hashToken, newToken } from './bearer-token.ts';

@Controller()
export class TokensController {
  private readonly record: RecordPort;

  constructor(@Inject(RECORD) record: RecordPort) {
    this.record = record;
  }

  @Route('createToken')
  async create(@Input() { body }: InputOf<'createToken'>, @By() by: Principal): Promise<AnswerOf<'createToken'>> {
    const { name, role } = body;
    const token = newToken();
    await this.record.access.addToken({ name, hash: hashToken(token), role });
    await this.record.audit.append([
      {
        type: 'token.created',
        actor: by.name,
        reason: '',
        message: `token ${name} with role ${role} created`,
        data: { name, role },
      },
    ]);
    return { status: 201, body: { name, role, token } };
  }
}
