import { parseArgs } from 'node:util';
import closeWithGrace from 'close-with-grace';
import { startProxy } from './proxy.ts';

const usage = 'Usage: node dist/scripts/proxy/main.js [--target http://127.0.0.1:3110] [--port 3700]';

const { values } = parseArgs({
  options: {
    target: { type: 'string', default: 'http://127.0.0.1:3110' },
    port: { type: 'string', default: '3700' },
    help: { type: 'boolean', default: false },
  },
});

if (values.help) {
  process.stdout.write(`${usage}\n`);
} else {
  const proxy = await startProxy({ target: values.target, port: Number(values.port) });
  // One line of JSON, so that whoever started this process learns the port.
  process.stdout.write(`${JSON.stringify({ url: proxy.url, target: values.target })}\n`);
  closeWithGrace(() => proxy[Symbol.asyncDispose]());
}
