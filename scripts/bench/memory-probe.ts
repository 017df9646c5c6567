/**
 * Loaded into a worker process ahead of its own program (`node --import`): answers each message of whoever started the
 * process with what Node.js knows of its memory. Keeps the process from ending no longer than it would live anyway.
 */
process.on('message', () => process.send?.(process.memoryUsage()));
process.channel?.unref();
