import { runWorkerProcess } from '../../streams/process.ts';
import { observerWorker } from './worker.ts';

await runWorkerProcess(observerWorker);
