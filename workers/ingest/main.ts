import { runWorkerProcess } from '../../streams/process.ts';
import { ingestWorker } from './worker.ts';

await runWorkerProcess(ingestWorker);
