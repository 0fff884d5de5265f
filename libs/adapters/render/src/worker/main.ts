import { parentPort } from 'node:worker_threads';
import type { Question } from './work.ts';
import { answerTo } from './work.ts';

parentPort?.on('message', (question: Question) => parentPort?.postMessage(answerTo(question)));
