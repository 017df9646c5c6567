import { describe, expect, it } from 'vitest';
import { runIngestSoak } from './ingest-soak.ts';

/** The soak in small: what it shows of memory needs the whole of it. */
describe('lines without end', () => {
  it('are all in the log in their order, and end in the right state, though the embedder stood still', async () => {
    const lines = 4_000;
    const result = await runIngestSoak({
      lines,
      ids: 600,
      texts: 60,
      seed: 20_261,
      markLine: 1_000,
      pauseEmbedMs: 1_500,
      backlogMax: 500,
      restMs: 0,
      deadlineMs: 120_000,
      note: () => {},
    });
    expect(result).toMatchObject({ accepted: lines, refused: 0, logMessages: lines, logIsWhatWasSent: true });
    expect(result.verified).toMatchObject({ equal: true, ingest: { differing: 0, rejected: 0 } });
    expect(result.verified.ingest.documents).toBe(600);
    // What was on its way when the gateway began to hold the stream up comes on top.
    expect(result.embedPendingMax).toBeGreaterThan(100);
    expect(result.embedPendingMax).toBeLessThan(lines);
    expect(result.rates.every(({ elapsedMs }) => elapsedMs > 0)).toBe(true);
  });
});
