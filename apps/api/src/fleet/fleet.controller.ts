import type { FleetCommands, RecordPort, RolloutCommands } from '@breakwater/application';
import { API_PREFIX, Problem } from '@breakwater/platform';
import { Controller, Inject } from '@nestjs/common';
import type { Principal } from '../http/api-request.ts';
import { By, Input, Route } from '../http/route.decorator.ts';
import type { AnswerOf, InputOf } from '../http/route.decorator.ts';
import { presentExplanation } from '../rollouts/rollout.presenter.ts';
import { withoutUndefined } from '../http/without-undefined.ts';
import { COMMANDS, FLEET, RECORD } from '../tokens.ts';
import { findApplication, knownApplications, viewApplication } from './application-view.ts';
import { presentChanges } from './changes.presenter.ts';
import { viewCluster } from './cluster-view.ts';
import { FleetCatalog } from './fleet-catalog.ts';
import { presentFleet, presentRelease, presentStrategy } from './fleet.presenter.ts';
import { pageByName } from './name-page.ts';

const LISTS = {
  Cluster: '`breakwater cluster list`',
  Application: '`breakwater application list`',
  Fleet: '`breakwater fleet list`',
  Strategy: `GET ${API_PREFIX}/strategies`,
} as const;

const notFound = (kind: keyof typeof LISTS, name: string): Problem =>
  new Problem(404, `${kind}NotFound`, `there is no ${kind.toLowerCase()} "${name}"`, {
    remedy: `List them with ${LISTS[kind]}.`,
  });

@Controller()
export class FleetController {
  private readonly record: RecordPort;
  private readonly commands: RolloutCommands;
  private readonly fleet: FleetCommands;

  constructor(
    @Inject(RECORD) record: RecordPort,
    @Inject(COMMANDS) commands: RolloutCommands,
    @Inject(FLEET) fleet: FleetCommands,
  ) {
    this.record = record;
    this.commands = commands;
    this.fleet = fleet;
  }

  @Route('listClusters')
  async clusters(@Input() { query }: InputOf<'listClusters'>): Promise<AnswerOf<'listClusters'>> {
    const [catalog, records] = await Promise.all([FleetCatalog.read(this.record), this.record.cluster.list()]);
    const documents = new Map(catalog.clusters().map(({ document }) => [document.name, document]));
    const contacts = new Map(records.map((contact) => [contact.name, contact]));
    const names = [...new Set([...documents.keys(), ...contacts.keys()])].sort();
    const page = pageByName(names, (name) => name, query);
    const items = await Promise.all(
      page.items.map((name) =>
        viewCluster(this.record, name, { document: documents.get(name) ?? null, record: contacts.get(name) ?? null }),
      ),
    );
    return { status: 200, body: { items, nextCursor: page.nextCursor } };
  }

  @Route('getCluster')
  async cluster(@Input() { params }: InputOf<'getCluster'>): Promise<AnswerOf<'getCluster'>> {
    return { status: 200, body: await this.oneCluster(params.name) };
  }

  @Route('explainCluster')
  async explain(@Input() { params }: InputOf<'explainCluster'>): Promise<AnswerOf<'explainCluster'>> {
    await this.oneCluster(params.name);
    return { status: 200, body: presentExplanation(await this.commands.explainCluster(params.name)) };
  }

  @Route('listChanges')
  async changes(@Input() { params, query }: InputOf<'listChanges'>): Promise<AnswerOf<'listChanges'>> {
    const since = query.since === undefined ? {} : { since: Date.parse(query.since) };
    return { status: 200, body: presentChanges(await this.fleet.changesOn(params.name, since)) };
  }

  @Route('acceptCluster')
  async accept(
    @Input() { params, body }: InputOf<'acceptCluster'>,
    @By() by: Principal,
  ): Promise<AnswerOf<'acceptCluster'>> {
    await this.fleet.acceptCluster(params.name, withoutUndefined(body), by);
    return { status: 200, body: await this.oneCluster(params.name) };
  }

  @Route('quarantineCluster')
  async quarantine(
    @Input() { params, body }: InputOf<'quarantineCluster'>,
    @By() by: Principal,
  ): Promise<AnswerOf<'quarantineCluster'>> {
    await this.fleet.quarantineCluster(params.name, body, by);
    return { status: 200, body: await this.oneCluster(params.name) };
  }

  @Route('releaseCluster')
  async release(
    @Input() { params, body }: InputOf<'releaseCluster'>,
    @By() by: Principal,
  ): Promise<AnswerOf<'releaseCluster'>> {
    await this.fleet.releaseCluster(params.name, withoutUndefined(body), by);
    return { status: 200, body: await this.oneCluster(params.name) };
  }

  @Route('listFleets')
  async fleets(@Input() { query }: InputOf<'listFleets'>): Promise<AnswerOf<'listFleets'>> {
    const catalog = await FleetCatalog.read(this.record);
    const page = pageByName(catalog.fleets(), ({ document }) => document.name, query);
    return { status: 200, body: { items: page.items.map(presentFleet), nextCursor: page.nextCursor } };
  }

  @Route('getFleet')
  async oneFleet(@Input() { params }: InputOf<'getFleet'>): Promise<AnswerOf<'getFleet'>> {
    const catalog = await FleetCatalog.read(this.record);
    const fleet = catalog.fleets().find(({ document }) => document.name === params.name);
    if (fleet === undefined) throw notFound('Fleet', params.name);
    return { status: 200, body: presentFleet(fleet) };
  }

  @Route('listStrategies')
  async strategies(@Input() { query }: InputOf<'listStrategies'>): Promise<AnswerOf<'listStrategies'>> {
    const catalog = await FleetCatalog.read(this.record);
    const page = pageByName(catalog.strategies(), ({ document }) => document.name, query);
    return { status: 200, body: { items: page.items.map(presentStrategy), nextCursor: page.nextCursor } };
  }

  @Route('getStrategy')
  async strategy(@Input() { params }: InputOf<'getStrategy'>): Promise<AnswerOf<'getStrategy'>> {
    const catalog = await FleetCatalog.read(this.record);
    const strategy = catalog.strategies().find(({ document }) => document.name === params.name);
    if (strategy === undefined) throw notFound('Strategy', params.name);
    return { status: 200, body: presentStrategy(strategy) };
  }

  @Route('listApplications')
  async applications(@Input() { query }: InputOf<'listApplications'>): Promise<AnswerOf<'listApplications'>> {
    const known = await knownApplications(this.record, await FleetCatalog.read(this.record));
    const page = pageByName(known, ({ name }) => name, query);
    const items = await Promise.all(page.items.map((one) => viewApplication(this.record, one)));
    return { status: 200, body: { items, nextCursor: page.nextCursor } };
  }

  @Route('getApplication')
  async application(@Input() { params }: InputOf<'getApplication'>): Promise<AnswerOf<'getApplication'>> {
    const known = await findApplication(this.record, await FleetCatalog.read(this.record), params.name);
    if (known === null) throw notFound('Application', params.name);
    return { status: 200, body: await viewApplication(this.record, known) };
  }

  @Route('explainApplication')
  async explainApplication(
    @Input() { params }: InputOf<'explainApplication'>,
  ): Promise<AnswerOf<'explainApplication'>> {
    return { status: 200, body: presentExplanation(await this.commands.explainApplication(params.name)) };
  }

  @Route('listReleases')
  async releases(@Input() { query }: InputOf<'listReleases'>): Promise<AnswerOf<'listReleases'>> {
    const { application, cursor = null, limit } = query;
    const of = application === undefined ? {} : { application };
    const page = await this.record.sync.releases({ ...of, cursor, limit });
    return { status: 200, body: { items: page.items.map(presentRelease), nextCursor: page.nextCursor } };
  }

  @Route('listBaselines')
  baselines(): Promise<AnswerOf<'listBaselines'>> {
    return Promise.reject(new Problem(422, 'NotSupportedYet', 'baseline policies are not supported yet'));
  }

  private async oneCluster(name: string) {
    const [catalog, contact] = await Promise.all([FleetCatalog.read(this.record), this.record.cluster.get(name)]);
    const document = catalog.clusters().find((candidate) => candidate.document.name === name)?.document ?? null;
    if (document === null && contact === null) throw notFound('Cluster', name);
    return viewCluster(this.record, name, { document, record: contact });
  }
}
