import { systemClock } from '../../../streams/clock.ts';
import { connectLog } from '../../../streams/connection.ts';
import { startEchoResponder } from '../../../streams/testing/echo.ts';
import { givenSetting, serveParent } from '../children.ts';

/** Answers every request with as many bytes as a search would. */
const connection = await connectLog({
  url: givenSetting('LAKEHOUSE_NATS_URL'),
  user: givenSetting('LAKEHOUSE_NATS_USER'),
  password: givenSetting('LAKEHOUSE_NATS_PASSWORD'),
  name: 'bench-echo-service',
  clock: systemClock,
});
await startEchoResponder(connection, givenSetting('BENCH_SUBJECT'), Buffer.from(givenSetting('BENCH_REPLY'), 'utf8'));
serveParent(null);
