import { processIo } from './cli-io.ts';
import { runCli } from './program.ts';

const io = processIo();
const status = await runCli(process.argv.slice(2), io);
process.exitCode = io.signal.aborted ? 130 : status;
