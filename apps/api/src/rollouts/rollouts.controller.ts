import { readReport } from '@breakwater/application';
import type { PauseResult, RecordPort, RolloutCommands } from '@breakwater/application';
import { TERMINAL_STATES } from '@breakwater/domain';
import type { Rollout } from '@breakwater/domain';
import { API_PREFIX, Problem, reportMarkdown } from '@breakwater/platform';
import type { WireRollout, WireSettledRollout } from '@breakwater/platform';
import { Controller, Headers, Inject, Req } from '@nestjs/common';
import { By, Input, Route } from '../http/route.decorator.ts';
import type { AnswerOf, InputOf } from '../http/route.decorator.ts';
import type { ApiRequest, Principal } from '../http/api-request.ts';
import { withoutUndefined } from '../http/without-undefined.ts';
import { COMMANDS, RECORD } from '../tokens.ts';
import { presentExplanation, presentPlan, presentRollout, presentTarget } from './rollout.presenter.ts';
import { presentReport } from './report.presenter.ts';

const KEY = /^[\x21-\x7e]{1,200}$/;

@Controller()
export class RolloutsController {
  private readonly record: RecordPort;
  private readonly commands: RolloutCommands;

  constructor(@Inject(RECORD) record: RecordPort, @Inject(COMMANDS) commands: RolloutCommands) {
    this.record = record;
    this.commands = commands;
  }

  @Route('listRollouts')
  async list(@Input() { query }: InputOf<'listRollouts'>): Promise<AnswerOf<'listRollouts'>> {
    const { application, unfinished } = query;
    const page = await this.record.rollouts.list({
      limit: query.limit,
      cursor: query.cursor ?? null,
      ...(application === undefined ? {} : { application }),
      ...(unfinished === true ? { unfinished } : {}),
    });
    const items = await Promise.all(page.items.map((rollout) => this.present(rollout)));
    return { status: 200, body: { items, nextCursor: page.nextCursor } };
  }

  @Route('startRollout')
  async start(
    @Input() { body }: InputOf<'startRollout'>,
    @By() by: Principal,
    @Headers('idempotency-key') key: string | undefined,
  ): Promise<AnswerOf<'startRollout'>> {
    if (key !== undefined && !KEY.test(key))
      throw new Problem(400, 'InvalidRequest', 'Idempotency-Key must be 1 to 200 printable characters without spaces');
    const input = { ...body, ...(key === undefined ? {} : { idempotencyKey: key }) };
    const { rollout, fresh } = await this.commands.start(withoutUndefined(input), by);
    const presented = await this.present(rollout);
    const headers = { location: `${API_PREFIX}/rollouts/${rollout.id}` };
    return fresh ? { status: 201, body: presented, headers } : { status: 200, body: presented, headers };
  }

  @Route('getRollout')
  async get(@Input() { params }: InputOf<'getRollout'>): Promise<AnswerOf<'getRollout'>> {
    return { status: 200, body: await this.present(await this.commands.find(params.id)) };
  }

  @Route('listTargets')
  async targets(@Input() { params, query }: InputOf<'listTargets'>): Promise<AnswerOf<'listTargets'>> {
    const rollout = await this.commands.find(params.id);
    const wave = query.wave === undefined ? undefined : rollout.plan.waves.findIndex(({ name }) => name === query.wave);
    if (wave === -1) throw new Problem(404, 'WaveNotFound', `the rollout has no wave "${query.wave}"`);
    const page = await this.record.rollouts.targets(rollout.id, {
      limit: query.limit,
      cursor: query.cursor ?? null,
      ...(wave === undefined ? {} : { wave }),
      ...(query.state === undefined ? {} : { states: [query.state] }),
    });
    const items = page.items.map((target) => presentTarget(rollout, target));
    return { status: 200, body: { items, nextCursor: page.nextCursor } };
  }

  @Route('explainRollout')
  async explain(@Input() { params }: InputOf<'explainRollout'>): Promise<AnswerOf<'explainRollout'>> {
    return { status: 200, body: presentExplanation(await this.commands.explain(params.id)) };
  }

  @Route('reportRollout')
  async report(
    @Input() { params }: InputOf<'reportRollout'>,
    @Req() request: ApiRequest,
  ): Promise<AnswerOf<'reportRollout'>> {
    const rollout = await this.commands.find(params.id);
    const report = presentReport(await readReport(this.record, rollout), await this.present(rollout));
    if (request.accepts(['application/json', 'text/markdown']) !== 'text/markdown')
      return { status: 200, body: report };
    return {
      status: 200,
      body: reportMarkdown(report),
      headers: { 'content-type': 'text/markdown; charset=utf-8' },
    };
  }

  @Route('pauseRollout')
  async pause(
    @Input() { params, body }: InputOf<'pauseRollout'>,
    @By() by: Principal,
  ): Promise<AnswerOf<'pauseRollout'>> {
    const { id } = await this.commands.find(params.id);
    return this.settled(await this.commands.pause(id, withoutUndefined(body), by));
  }

  @Route('resumeRollout')
  async resume(
    @Input() { params, body }: InputOf<'resumeRollout'>,
    @By() by: Principal,
  ): Promise<AnswerOf<'resumeRollout'>> {
    const { id } = await this.commands.find(params.id);
    return { status: 200, body: await this.present(await this.commands.resume(id, withoutUndefined(body), by)) };
  }

  @Route('abortRollout')
  async abort(
    @Input() { params, body }: InputOf<'abortRollout'>,
    @By() by: Principal,
  ): Promise<AnswerOf<'abortRollout'>> {
    const { id } = await this.commands.find(params.id);
    return this.settled(await this.commands.abort(id, withoutUndefined(body), by));
  }

  @Route('rollbackRollout')
  async rollback(
    @Input() { params, body }: InputOf<'rollbackRollout'>,
    @By() by: Principal,
  ): Promise<AnswerOf<'rollbackRollout'>> {
    const { id } = await this.commands.find(params.id);
    return { status: 200, body: await this.present(await this.commands.rollback(id, withoutUndefined(body), by)) };
  }

  @Route('approveDeletions')
  async approveDeletions(
    @Input() { params, body }: InputOf<'approveDeletions'>,
    @By() by: Principal,
  ): Promise<AnswerOf<'approveDeletions'>> {
    const { id } = await this.commands.find(params.id);
    const rollout = await this.commands.approveDeletions(id, withoutUndefined(body), by);
    return { status: 200, body: await this.present(rollout) };
  }

  @Route('approveRollout')
  async approve(
    @Input() { params, body }: InputOf<'approveRollout'>,
    @By() by: Principal,
  ): Promise<AnswerOf<'approveRollout'>> {
    const { id } = await this.commands.find(params.id);
    return { status: 200, body: await this.present(await this.commands.approve(id, withoutUndefined(body), by)) };
  }

  @Route('overrideRollout')
  async override(
    @Input() { params, body }: InputOf<'overrideRollout'>,
    @By() by: Principal,
  ): Promise<AnswerOf<'overrideRollout'>> {
    const { id } = await this.commands.find(params.id);
    return { status: 200, body: await this.present(await this.commands.override(id, withoutUndefined(body), by)) };
  }

  @Route('overrideRolloutWindow')
  async overrideWindow(
    @Input() { params, body }: InputOf<'overrideRolloutWindow'>,
    @By() by: Principal,
  ): Promise<AnswerOf<'overrideRolloutWindow'>> {
    const { id } = await this.commands.find(params.id);
    return { status: 200, body: await this.present(await this.commands.overrideWindow(id, body, by)) };
  }

  @Route('retryRollout')
  async retry(
    @Input() { params, body }: InputOf<'retryRollout'>,
    @By() by: Principal,
  ): Promise<AnswerOf<'retryRollout'>> {
    const { id } = await this.commands.find(params.id);
    return { status: 200, body: await this.present(await this.commands.retry(id, withoutUndefined(body), by)) };
  }

  @Route('skipRollout')
  async skip(@Input() { params, body }: InputOf<'skipRollout'>, @By() by: Principal): Promise<AnswerOf<'skipRollout'>> {
    const { id } = await this.commands.find(params.id);
    return { status: 200, body: await this.present(await this.commands.skip(id, withoutUndefined(body), by)) };
  }

  @Route('stopAll')
  async stopAll(@Input() { body }: InputOf<'stopAll'>, @By() by: Principal): Promise<AnswerOf<'stopAll'>> {
    const results = await this.commands.stopAll(withoutUndefined(body), by);
    const items = await Promise.all(results.map((result) => this.presentSettled(result)));
    const answer = { items, nextCursor: null };
    return results.every(({ inForce }) => inForce) ? { status: 200, body: answer } : { status: 202, body: answer };
  }

  @Route('resumeAll')
  async resumeAll(@Input() { body }: InputOf<'resumeAll'>, @By() by: Principal): Promise<AnswerOf<'resumeAll'>> {
    const rollouts = await this.commands.resumeAll(withoutUndefined(body), by);
    const items = await Promise.all(rollouts.map((rollout) => this.present(rollout)));
    return { status: 200, body: { items, nextCursor: null } };
  }

  @Route('previewPlan')
  async plan(@Input() { body }: InputOf<'previewPlan'>): Promise<AnswerOf<'previewPlan'>> {
    return { status: 200, body: presentPlan(await this.commands.plan(withoutUndefined(body))) };
  }

  /** Nothing that has ended waits. */
  private async present(rollout: Rollout): Promise<WireRollout> {
    return presentRollout(rollout, TERMINAL_STATES.has(rollout.state) ? [] : await this.commands.waiting(rollout));
  }

  private async presentSettled({ rollout, unsettled }: PauseResult): Promise<WireSettledRollout> {
    return { ...(await this.present(rollout)), unsettled: [...unsettled] };
  }

  private async settled(result: PauseResult): Promise<AnswerOf<'pauseRollout'>> {
    const body = await this.presentSettled(result);
    return result.inForce ? { status: 200, body } : { status: 202, body };
  }
}
