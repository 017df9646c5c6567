import { runWorkerProcess } from '../../streams/process.ts';
import { indexWorker } from './worker.ts';

await runWorkerProcess(indexWorker);
