import { Problem } from '@breakwater/platform';
import { Controller, Inject, Req } from '@nestjs/common';
import { tooManyFailures } from '../access/access.guard.ts';
import { FailedSignIns } from '../access/failed-sign-ins.ts';
import type { ApiRequest } from '../http/api-request.ts';
import { Input, Route } from '../http/route.decorator.ts';
import type { AnswerOf, InputOf } from '../http/route.decorator.ts';
import { HOOKS } from '../tokens.ts';
import { isSigned } from './hook-signature.ts';

export interface RepositoryHooks {
  /** The secret that the Git server signs with; null: this repository has no webhook. */
  secret(repository: string): Promise<string | null>;
  /** Wakes the sync; what the push says is not believed, the repository is read. */
  onRepositoryHook(repository: string): Promise<void>;
}

@Controller()
export class HooksController {
  private readonly hooks: RepositoryHooks;
  private readonly failures: FailedSignIns;

  constructor(@Inject(HOOKS) hooks: RepositoryHooks, @Inject(FailedSignIns) failures: FailedSignIns) {
    this.hooks = hooks;
    this.failures = failures;
  }

  @Route('repositoryHook')
  async receive(
    @Input() { params }: InputOf<'repositoryHook'>,
    @Req() request: ApiRequest,
  ): Promise<AnswerOf<'repositoryHook'>> {
    const secret = await this.hooks.secret(params.name);
    const body = request.breakwater.rawBody ?? Buffer.alloc(0);
    if (secret === null || !isSigned(request.headers, body, secret)) {
      const wait = this.failures.failed(request.socket.remoteAddress ?? '');
      if (wait !== null) throw tooManyFailures(wait);
      // An unknown repository answers as a wrong signature does: strangers learn no names.
      throw new Problem(401, 'SignatureInvalid', 'the webhook is not signed with the secret of this repository', {
        remedy: 'Set the same secret in the Git server and in Breakwater.',
      });
    }
    await this.hooks.onRepositoryHook(params.name);
    return { status: 202, body: { repository: params.name, accepted: true } };
  }
}
