import fastify from 'fastify';
import { givenSetting, serveParent } from '../children.ts';

/** Fastify that looks at nothing: takes a body as bytes and answers with as many bytes as a search would. */
const reply = Buffer.from(givenSetting('BENCH_REPLY'), 'utf8');
const app = fastify({ logger: false });
app.removeAllContentTypeParsers();
app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
app.post('/echo', (_request, response) => {
  response.header('content-type', 'application/json');
  return reply;
});
serveParent(await app.listen({ host: '127.0.0.1', port: 0 }));
