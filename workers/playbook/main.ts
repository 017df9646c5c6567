import { runWorkerProcess } from '../../streams/process.ts';
import { playbookWorker } from './worker.ts';

await runWorkerProcess(playbookWorker);
