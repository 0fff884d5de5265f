const CODES_OF_LOSS = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOENT',
  // admin_shutdown, crash_shutdown, cannot_connect_now, idle_in_transaction_session_timeout
  '57P01',
  '57P02',
  '57P03',
  '25P03',
]);
const MESSAGES_OF_LOSS = [
  'Connection terminated',
  'Client has encountered a connection error',
  'timeout exceeded when trying to connect',
  'Query read timeout',
  'Client was closed and is not queryable',
];
/** serialization_failure, deadlock_detected, too_many_connections */
const CODES_TO_RETRY = new Set(['40001', '40P01', '53300']);

/** SQLSTATE, or the system's name of a network error. */
export const errorCode = (error: unknown): string | null => {
  const code: unknown = typeof error === 'object' && error !== null && 'code' in error ? error.code : null;
  return typeof code === 'string' ? code : null;
};

const messageOf = (error: unknown): string =>
  typeof error === 'object' && error !== null && 'message' in error && typeof error.message === 'string'
    ? error.message
    : '';

/** The connection is gone (or was never there): what was sent last may or may not have been done. */
export const isConnectionLoss = (error: unknown): boolean => {
  const code = errorCode(error);
  if (code !== null) return CODES_OF_LOSS.has(code) || code.startsWith('08');
  return MESSAGES_OF_LOSS.some((part) => messageOf(error).includes(part));
};

/** Another transaction was in the way: running it again is safe and promises something. */
export const isConflict = (error: unknown): boolean => CODES_TO_RETRY.has(errorCode(error) ?? '');
