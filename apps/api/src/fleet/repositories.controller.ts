import type { FleetCommands, RecordPort } from '@breakwater/application';
import { Problem } from '@breakwater/platform';
import { Controller, Inject } from '@nestjs/common';
import type { Principal } from '../http/api-request.ts';
import { By, Input, Route } from '../http/route.decorator.ts';
import type { AnswerOf, InputOf } from '../http/route.decorator.ts';
import { withoutUndefined } from '../http/without-undefined.ts';
import { FLEET, RECORD } from '../tokens.ts';
import { presentRepository } from './fleet.presenter.ts';
import { pageByName } from './name-page.ts';

@Controller()
export class RepositoriesController {
  private readonly record: RecordPort;
  private readonly fleet: FleetCommands;

  constructor(@Inject(RECORD) record: RecordPort, @Inject(FLEET) fleet: FleetCommands) {
    this.record = record;
    this.fleet = fleet;
  }

  @Route('listRepositories')
  async list(@Input() { query }: InputOf<'listRepositories'>): Promise<AnswerOf<'listRepositories'>> {
    const repositories = [...(await this.record.sync.repositories())].sort((a, b) => (a.name < b.name ? -1 : 1));
    const page = pageByName(repositories, ({ name }) => name, query);
    return { status: 200, body: { items: page.items.map(presentRepository), nextCursor: page.nextCursor } };
  }

  @Route('getRepository')
  async get(@Input() { params }: InputOf<'getRepository'>): Promise<AnswerOf<'getRepository'>> {
    const repository = await this.record.sync.repository(params.name);
    if (repository === null)
      throw new Problem(404, 'RepositoryNotFound', `there is no repository "${params.name}"`, {
        remedy: 'List them with `breakwater repository get`.',
      });
    return { status: 200, body: presentRepository(repository) };
  }

  @Route('syncRepository')
  async sync(
    @Input() { params, body }: InputOf<'syncRepository'>,
    @By() by: Principal,
  ): Promise<AnswerOf<'syncRepository'>> {
    const repository = await this.fleet.syncRepository(params.name, withoutUndefined(body), by);
    return { status: 200, body: presentRepository(repository) };
  }

  @Route('approveRepository')
  async approve(
    @Input() { params, body }: InputOf<'approveRepository'>,
    @By() by: Principal,
  ): Promise<AnswerOf<'approveRepository'>> {
    const repository = await this.fleet.approveRepository(params.name, withoutUndefined(body), by);
    return { status: 200, body: presentRepository(repository) };
  }
}
