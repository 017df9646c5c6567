import { expect, it } from 'vitest';
import { type CollectedSpan, startTestCollector } from '../streams/testing/collector.ts';
import { eventually } from '../streams/testing/eventually.ts';
import { startTestStack } from './testing/stack.ts';

const traceId = '4bf92f3577b34da6a3ce929d0e0e4736';
const headers = { 'content-type': 'application/json', traceparent: `00-${traceId}-00f067aa0ba902b7-01` };

it('a document is one trace from its request to its vector, and so is a search with the vector of its query', async () => {
  await using collector = await startTestCollector();
  const spans = () => collector.spans.filter((span) => span.traceId === traceId);
  const named = (name: string): CollectedSpan | undefined => spans().find((span) => span.name === name);
  await using stack = await startTestStack({
    environment: { OTEL_EXPORTER_OTLP_ENDPOINT: collector.endpoint },
    workers: ['ingest', 'embed', 'index'],
  });
  const post = async (path: string, body: object) => {
    const response = await fetch(`${stack.url}${path}`, { method: 'POST', headers, body: JSON.stringify(body) });
    await response.body?.cancel();
    return response.status;
  };
  expect(await post('/v1/ingest/workers?wait=searchable', { id: 'w-1', text: 'Forklift operator' })).toBe(200);
  expect(await post('/v1/matrix/search', { query_text: 'forklift', corpora: ['workers'] })).toBe(200);

  await eventually('every process has told its spans', () =>
    ['POST /v1/matrix/search', 'svc.matrix.search', 'svc.embed.vectors', 'ingest process', 'embed process'].every(
      named,
    ),
  );
  const search = named('svc.matrix.search');
  expect(search).toMatchObject({ service: 'lakehouse-index', parentSpanId: named('POST /v1/matrix/search')?.spanId });
  expect(named('svc.embed.vectors')).toMatchObject({ service: 'lakehouse-embed', parentSpanId: search?.spanId });
  const request = named('POST /v1/ingest/:corpus');
  expect(request).toMatchObject({ service: 'lakehouse-gateway', parentSpanId: '00f067aa0ba902b7' });
  const ingest = named('ingest process');
  expect(ingest?.links).toMatchObject([{ traceId, spanId: request?.spanId }]);
  // What the ingest worker appended carries its own span on.
  expect(named('embed process')?.links).toMatchObject([{ traceId, spanId: ingest?.spanId }]);
});
