import type { GateAnswers, GateTokens } from '@breakwater/application';
import type { GateQuestion } from '@breakwater/domain';
import { UseCaseError } from '@breakwater/application';
import { Problem } from '@breakwater/platform';
import { Controller, Inject, Req } from '@nestjs/common';
import { tooManyFailures } from '../access/access.guard.ts';
import { bearerOf } from '../access/bearer-token.ts';
import { CountedAttempts } from '../access/counted-attempts.ts';
import { FailedSignIns } from '../access/failed-sign-ins.ts';
import type { ApiRequest } from '../http/api-request.ts';
import { Input, Route } from '../http/route.decorator.ts';
import type { AnswerOf, InputOf } from '../http/route.decorator.ts';
import { GATE_ANSWERS } from '../tokens.ts';

export interface AnswersToGates extends GateAnswers {
  readonly tokens: Pick<GateTokens, 'read'>;
}

/** Of one question in a minute: one is enough, and a few more come from servers that try again. */
const ANSWERS_ALLOWED = 20;

@Controller()
export class GateAnswersController {
  private readonly answers: AnswersToGates;
  private readonly failures: FailedSignIns;
  private readonly attempts = new CountedAttempts(ANSWERS_ALLOWED);

  constructor(@Inject(GATE_ANSWERS) answers: AnswersToGates, @Inject(FailedSignIns) failures: FailedSignIns) {
    this.answers = answers;
    this.failures = failures;
  }

  @Route('answerGate')
  async answer(@Input() { body }: InputOf<'answerGate'>, @Req() request: ApiRequest): Promise<AnswerOf<'answerGate'>> {
    const from = request.socket.remoteAddress ?? '';
    const token = bearerOf(request.headers.authorization);
    const question = token === null ? null : this.answers.tokens.read(token);
    if (question === null) throw await this.refused(from);
    const wait = this.attempts.another(JSON.stringify(question));
    if (wait !== null)
      throw new Problem(429, 'TooManyAnswers', 'this question was answered too often', {
        headers: { 'retry-after': String(wait) },
      });
    const answered = await this.taken(question, { verdict: body.verdict, message: body.message ?? '' }, from);
    if (answered === null) {
      await this.answers.refused('its token has expired', from, question);
      throw new Problem(401, 'AnswerTokenExpired', 'the gate has timed out: its question has expired', {
        remedy: 'Answer before the gate’s `timeout`, or make that longer.',
      });
    }
    const { fresh: _fresh, ...about } = answered;
    return { status: 200, body: { ...about, verdict: body.verdict } };
  }

  private async taken(
    question: GateQuestion,
    answer: Parameters<GateAnswers['answer']>[1],
    from: string,
  ): ReturnType<GateAnswers['answer']> {
    try {
      return await this.answers.answer(question, answer);
    } catch (error) {
      if (error instanceof UseCaseError) await this.answers.refused(error.message, from, question);
      throw error;
    }
  }

  /** A token that was never given out says nothing about who asks: neither does the answer. */
  private async refused(from: string): Promise<Problem> {
    const wait = this.failures.failed(from);
    if (wait !== null) return tooManyFailures(wait);
    await this.answers.refused('its token is not one of this Breakwater', from, null);
    return new Problem(401, 'AnswerTokenInvalid', 'the token is not one that was sent with a question of a gate', {
      remedy: 'Send the `callback.token` of the request as Authorization: Bearer.',
      headers: { 'www-authenticate': 'Bearer realm="breakwater"' },
    });
  }
}
