import type { DeadLetters } from '../../streams/rejections.ts';
import { type Metrics, readGauge } from '../../streams/telemetry/metrics.ts';

/** `lakehouse_dead_letters`: what lies in REJECTED, by reason and by what became of it. */
export function tellOfDeadLetters(metrics: Metrics, letters: DeadLetters): void {
  readGauge(metrics, {
    name: 'lakehouse_dead_letters',
    help: 'Messages that were set aside, by reason and by what became of them',
    labelNames: ['reason', 'state'],
    read: () =>
      Object.entries(letters.counts()).flatMap(([reason, states]) =>
        Object.entries(states).map(([state, value]) => ({ labels: { reason, state }, value })),
      ),
  });
}
