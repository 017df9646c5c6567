import { runWorkerProcess } from '../../streams/process.ts';
import { embedWorker } from './worker.ts';

await runWorkerProcess(embedWorker);
