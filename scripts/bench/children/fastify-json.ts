import fastify from 'fastify';
import { givenSetting, serveParent } from '../children.ts';

/** Fastify alone, as one writes it: reads the query as JSON and answers with ten hits as an object. */
const reply = JSON.parse(givenSetting('BENCH_REPLY')) as object;
const app = fastify({ logger: false });
app.post('/echo', () => reply);
serveParent(await app.listen({ host: '127.0.0.1', port: 0 }));
