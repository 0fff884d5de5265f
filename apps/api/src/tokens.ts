/** What Nest injects, by explicit token. */
export const RECORD = Symbol('RecordPort');
export const COMMANDS = Symbol('RolloutCommands');
export const FLEET = Symbol('FleetCommands');
export const LOG = Symbol('Log');
export const READINESS = Symbol('Readiness');
export const METRICS = Symbol('Registry');
export const VERSION = Symbol('Version');
export const GATE_ANSWERS = Symbol('AnswersToGates');
export const HOOKS = Symbol('Hooks');
