/** One request as the API server recorded it, when it had answered. */
export interface AuditEntry {
  readonly auditID: string;
  readonly stage: 'ResponseComplete' | 'Panic';
  readonly verb: string;
  readonly user: string;
  readonly userAgent: string;
  readonly requestURI: string;
  /** RFC 3339 with microseconds, by the API server's clock. */
  readonly requestReceivedTimestamp: string;
  /** The same in epoch milliseconds, with fractions. */
  readonly receivedAt: number;
  readonly completedAt: number;
  readonly code: number;
  readonly apiGroup: string;
  readonly resource: string;
  readonly subresource: string;
  readonly namespace: string;
  readonly name: string;
  readonly dryRun: boolean;
  /** Bodies of writes; never of secrets. */
  readonly requestObject?: unknown;
}

export interface AuditFilter {
  readonly user?: string;
  /** Only requests that were meant to change something: create, update, patch, delete; dry runs and access reviews are left out. */
  readonly writesOnly?: boolean;
}

interface RawEvent {
  auditID: string;
  stage: AuditEntry['stage'];
  verb: string;
  user: { username: string };
  userAgent?: string;
  requestURI: string;
  requestReceivedTimestamp: string;
  stageTimestamp: string;
  responseStatus?: { code?: number };
  objectRef?: { apiGroup?: string; resource?: string; subresource?: string; namespace?: string; name?: string };
  requestObject?: { metadata?: { name?: string } };
}

const WRITES = new Set(['create', 'update', 'patch', 'delete', 'deletecollection']);
/** Created to be answered; nothing is stored. */
const REVIEWS = new Set(['selfsubjectaccessreviews', 'selfsubjectrulesreviews']);

/** `Date` knows milliseconds; the order of two requests within one is worth keeping. */
function epochMs(timestamp: string): number {
  const fraction = /\.(\d+)Z$/.exec(timestamp)?.[1] ?? '';
  const seconds = Date.parse(timestamp.replace(/\.\d+Z$/, 'Z'));
  return seconds + Number(`0.${fraction || '0'}`) * 1000;
}

function toEntry(event: RawEvent): AuditEntry {
  const ref = event.objectRef ?? {};
  return {
    auditID: event.auditID,
    stage: event.stage,
    verb: event.verb,
    user: event.user.username,
    userAgent: event.userAgent ?? '',
    requestURI: event.requestURI,
    requestReceivedTimestamp: event.requestReceivedTimestamp,
    receivedAt: epochMs(event.requestReceivedTimestamp),
    completedAt: epochMs(event.stageTimestamp),
    code: event.responseStatus?.code ?? 0,
    apiGroup: ref.apiGroup ?? '',
    resource: ref.resource ?? '',
    subresource: ref.subresource ?? '',
    namespace: ref.namespace ?? '',
    name: ref.name ?? event.requestObject?.metadata?.name ?? '',
    dryRun: new URL(event.requestURI, 'https://cluster').searchParams.has('dryRun'),
    ...(event.requestObject === undefined ? {} : { requestObject: event.requestObject }),
  };
}

/** Reads the lines of an audit log, in the order of receipt. A last line that is not whole yet is left out. */
export function parseAuditLog(text: string, filter: AuditFilter = {}): AuditEntry[] {
  const whole = text.slice(0, text.lastIndexOf('\n') + 1);
  return whole
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => toEntry(JSON.parse(line) as RawEvent))
    .filter((entry) => filter.user === undefined || entry.user === filter.user)
    .filter(
      (entry) =>
        filter.writesOnly !== true || (WRITES.has(entry.verb) && !entry.dryRun && !REVIEWS.has(entry.resource)),
    )
    .sort((left, right) => left.receivedAt - right.receivedAt);
}
