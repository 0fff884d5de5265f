export interface Migration {
  readonly version: number;
  readonly name: string;
  readonly sql: string;
}

/**
 * Applied in order, each in a transaction, under an advisory lock. Never changed once released: a mistake is mended by a later one.
 * All times are epoch milliseconds. Documents are `json`, not `jsonb`: they come back as they were written, and only columns are queried.
 */
export const MIGRATIONS: readonly Migration[] = [
  {
    version: 1,
    name: 'the record',
    sql: `
create function now_ms() returns bigint language sql volatile parallel safe
  as $$ select floor(extract(epoch from clock_timestamp()) * 1000)::bigint $$;

create table settings (key text primary key, value json not null);
insert into settings values ('installation', to_json(gen_random_uuid()::text));

create table sequences (application text primary key, value bigint not null);

create table rollouts (
  id text primary key,
  ordinal bigint generated always as identity,
  application text not null,
  sequence bigint not null,
  state text not null,
  terminal boolean not null,
  started boolean not null,
  gate_generation bigint not null,
  gate_forward boolean not null,
  gate_backward boolean not null,
  due_at bigint,
  plan json not null,
  doc json not null,
  unique (application, sequence)
) with (fillfactor = 80);
create unique index rollouts_ordinal on rollouts (ordinal);
create index rollouts_application on rollouts (application, ordinal);
create index rollouts_unfinished on rollouts (application, sequence) where not terminal;
create index rollouts_started on rollouts (application, sequence) where started;
create index rollouts_due on rollouts (due_at) where due_at is not null;

create table targets (
  rollout text not null references rollouts (id),
  cluster text not null,
  region text not null,
  wave integer not null,
  position integer not null,
  state text not null,
  touched boolean not null,
  degraded boolean not null,
  owes text,
  cut_off boolean not null,
  due_at bigint,
  revision json not null,
  doc json not null,
  primary key (rollout, cluster)
) with (fillfactor = 80);
create index targets_place on targets (rollout, wave, position);
create index targets_pending on targets (rollout, wave, position) where state = 'Pending';
create index targets_to_return on targets (rollout, wave, position)
  where touched and state not in ('RollingBack', 'RolledBack', 'RollbackFailed');
create index targets_failed_to_return on targets (rollout, wave, position) where touched and state = 'Failed';
create index targets_state on targets (rollout, state, wave, position);
create index targets_owing on targets (rollout, wave, position) where owes is not null;
create index targets_due on targets (due_at) where due_at is not null;
create index targets_waiting on targets (cluster)
  where owes is not null or cut_off or state in ('Prefetching', 'Applying', 'Verifying', 'Unreachable', 'RollingBack');

create table locks (
  application text not null,
  cluster text not null,
  rollout text not null,
  primary key (application, cluster)
);
create index locks_rollout on locks (rollout);
create index locks_cluster on locks (cluster);

create table domain_slots (
  domain text not null,
  slot integer not null,
  rollout text not null,
  cluster text not null,
  primary key (domain, slot),
  unique (rollout, cluster)
);

create table clusters (
  name text primary key,
  uid text,
  seen_uid text,
  version text,
  state text not null,
  reason text not null,
  message text not null,
  last_seen bigint
);
create unique index clusters_uid on clusters (uid) where uid is not null;

create table application_on_cluster (
  application text not null,
  cluster text not null,
  running json,
  last_good json,
  owed_revision json,
  owed_rollout text,
  epoch bigint not null default 0,
  inventory_expected boolean not null default false,
  primary key (application, cluster)
);
create index application_on_cluster_cluster on application_on_cluster (cluster);

create table proven (application text primary key, revision json not null);

create sequence release_sequence;
create table releases (
  application text not null,
  commit text not null,
  digest text not null,
  bundles json not null,
  spec json not null,
  state text not null,
  reason text not null,
  errors json not null,
  created_at bigint not null,
  sequence bigint not null,
  primary key (application, commit)
);
create unique index releases_sequence on releases (application, sequence);

create table bundles (digest text primary key, sealed bytea not null);
alter table bundles alter column sealed set storage external;

create table baselines (rollout text not null, cluster text not null, baseline json not null, primary key (rollout, cluster));
create table before_images (
  rollout text not null,
  cluster text not null,
  ordinal bigint generated always as identity,
  key text not null,
  sealed bytea not null,
  primary key (rollout, cluster, key)
);

create table claims (
  rollout text not null,
  cluster text not null,
  worker text not null,
  token text not null unique,
  expires_at bigint not null,
  primary key (rollout, cluster)
);
create index claims_worker on claims (worker);

create table permits (
  permit text primary key,
  rollout text not null,
  cluster text not null,
  worker text not null,
  claim text not null,
  direction text not null,
  generation bigint not null,
  expires_at bigint not null,
  unanswered boolean not null default false
);
create index permits_rollout on permits (rollout, generation);
create index permits_worker on permits (worker);

create table repositories (name text primary key, doc json not null);
create table snapshots (repository text primary key, doc json not null);
create table leases (name text primary key, worker text not null, expires_at bigint not null);
create table sync_requests (
  id text primary key,
  ordinal bigint generated always as identity,
  doc json not null,
  answer json,
  created_at bigint not null default now_ms()
);
create index sync_requests_open on sync_requests (ordinal) where answer is null;

create table audit_pending (
  id bigint generated always as identity primary key,
  at bigint not null default now_ms(),
  event json not null
);
create table audit_events (
  sequence bigint primary key,
  at bigint not null,
  actor text not null,
  rollout text,
  cluster text,
  hash text not null,
  event json not null
);
create index audit_events_rollout on audit_events (rollout, sequence) where rollout is not null;
create index audit_events_cluster on audit_events (cluster, sequence) where cluster is not null;
create index audit_events_actor on audit_events (actor, sequence);
create index audit_events_at on audit_events (at);
create table audit_head (one boolean primary key default true check (one), sequence bigint not null, hash text not null);

create table tokens (hash text primary key, name text not null, role text not null, created_at bigint not null default now_ms());
create sequence credential_version;
create table credentials (name text primary key, sealed bytea not null, version bigint not null);

create table idempotency_keys (
  actor text not null,
  key text not null,
  body_digest text not null,
  result text not null,
  created_at bigint not null default now_ms(),
  primary key (actor, key)
);
`,
  },
  {
    version: 2,
    name: 'targets by failure domain',
    sql: `
alter table targets add column failure_domain text not null default '';
update targets set failure_domain =
  coalesce(regexp_replace(doc::text, '\\\\u(0000|d[89a-f][0-9a-f]{2})', '?', 'gi')::json ->> 'failureDomain', '');
create index targets_startable on targets (rollout, wave, failure_domain, position) where state = 'Pending';

-- Always there, so that permits for debts can hold a share of it.
insert into settings values ('emergency-stop', 'null') on conflict do nothing;
`,
  },
  {
    version: 3,
    name: 'quarantined clusters',
    sql: `
alter table clusters add column quarantine json;
create index clusters_quarantined on clusters (name) where quarantine is not null;
`,
  },
  {
    version: 4,
    name: 'looks at clusters',
    sql: `
create table looks (
  id text primary key,
  cluster text not null,
  since bigint not null,
  answer json,
  taken_until bigint not null default 0,
  created_at bigint not null default now_ms()
);
create index looks_open on looks (created_at) where answer is null;
create index audit_events_nowhere on audit_events (at, sequence) where cluster is null;
`,
  },
];
