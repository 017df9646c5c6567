import fastify from 'fastify';
import { connectEchoRequester } from '../../../streams/testing/echo.ts';
import { givenSetting, serveParent } from '../children.ts';

/** Fastify and one `request()` a call: bytes there, bytes back, nothing else. */
const request = await connectEchoRequester({
  url: givenSetting('LAKEHOUSE_NATS_URL'),
  user: givenSetting('LAKEHOUSE_NATS_USER'),
  password: givenSetting('LAKEHOUSE_NATS_PASSWORD'),
  subject: givenSetting('BENCH_SUBJECT'),
  traces: givenSetting('BENCH_TRACES') === 'on',
});
const app = fastify({ logger: false });
app.removeAllContentTypeParsers();
app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
app.post('/echo', async (asked, response) => {
  const bytes = await request(asked.body as Buffer);
  response.header('content-type', 'application/json');
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
});
serveParent(await app.listen({ host: '127.0.0.1', port: 0 }));
