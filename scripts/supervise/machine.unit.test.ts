import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { supervisorLimits } from './limits.ts';
import {
  advance,
  backoffMs,
  initialState,
  nextWakeMs,
  type Phase,
  type SupervisorAction,
  type SupervisorInput,
  type SupervisorState,
} from './machine.ts';

const limits = { ...supervisorLimits, backoffBaseMs: 100, backoffMaxMs: 1_000, healthyResetMs: 5_000, drainMs: 2_000 };
const specs = [
  { name: 'nats', dependsOn: [] },
  { name: 'index', dependsOn: ['nats'] },
  { name: 'gateway', dependsOn: ['index', 'nats'] },
];

const started: SupervisorInput = { type: 'started' };
const woken: SupervisorInput = { type: 'woken' };
const stopAsked: SupervisorInput = { type: 'stop-asked' };
const killAsked: SupervisorInput = { type: 'kill-asked' };
const ready = (name: string): SupervisorInput => ({ type: 'probed', name, ready: true });
const silent = (name: string): SupervisorInput => ({ type: 'probed', name, ready: false });
const exited = (name: string): SupervisorInput => ({ type: 'exited', name });

type Timed = readonly [atMs: number, input: SupervisorInput];

/** Given what happened, when the last of it comes in: the actions of that last step, and the phases then. */
function given(...history: readonly Timed[]) {
  let state: SupervisorState = initialState(specs);
  let actions: readonly SupervisorAction[] = [];
  for (const [atMs, input] of history) ({ state, actions } = advance(state, input, atMs, limits));
  const phases = Object.fromEntries(state.processes.map(({ name, phase }) => [name, phase])) as Record<string, Phase>;
  return {
    state,
    phases,
    actions: actions.map((action) => ('name' in action ? `${action.type} ${action.name}` : `exit ${action.exitCode}`)),
  };
}

const allReady: readonly Timed[] = [
  [0, started],
  [10, ready('nats')],
  [20, ready('index')],
  [30, ready('gateway')],
];

describe('starting', () => {
  it('starts at first only what depends on nothing', () => {
    expect(given([0, started]).actions).toEqual(['start nats']);
  });

  it('starts the next when its dependency is ready, not when it merely runs', () => {
    expect(given([0, started], [5, silent('nats')]).actions).toEqual([]);
    expect(given([0, started], [5, ready('nats')]).actions).toEqual(['start index']);
  });

  it('waits for all dependencies', () => {
    expect(given([0, started], [1, ready('nats')], [2, ready('index')]).actions).toEqual(['start gateway']);
  });
});

describe('crashing', () => {
  it('restarts after the backoff, not before', () => {
    const crashed = [...allReady, [40, exited('index')]] as const;
    expect(given(...crashed).phases.index).toBe('backoff');
    expect(nextWakeMs(given(...crashed).state)).toBe(140);
    expect(given(...crashed, [139, woken]).actions).toEqual([]);
    expect(given(...crashed, [140, woken]).actions).toEqual(['start index']);
  });

  it('leaves those that depend on a crashed process running', () => {
    expect(given(...allReady, [40, exited('nats')]).phases).toEqual({
      nats: 'backoff',
      index: 'ready',
      gateway: 'ready',
    });
  });

  it('restarts a crashed process only when its dependency is ready again', () => {
    const both = [...allReady, [40, exited('nats')], [40, exited('index')], [140, woken]] as const;
    expect(given(...both).actions).toEqual(['start nats']);
    expect(given(...both, [150, ready('nats')]).actions).toEqual(['start index']);
  });

  it('doubles the backoff with every crash, up to its limit', () => {
    expect([1, 2, 3, 4, 5, 60].map((crashes) => backoffMs(crashes, limits))).toEqual([
      100, 200, 400, 800, 1_000, 1_000,
    ]);
    const twice = given(...allReady, [40, exited('index')], [140, woken], [150, exited('index')]);
    expect(nextWakeMs(twice.state)).toBe(350);
  });

  it('counts anew after a period of health, and only then', () => {
    const again = [...allReady, [40, exited('index')], [140, woken], [200, ready('index')]] as const;
    const soon = given(...again, [5_199, exited('index')]);
    const late = given(...again, [5_200, exited('index')]);
    expect(nextWakeMs(soon.state)).toBe(5_199 + 200);
    expect(nextWakeMs(late.state)).toBe(5_200 + 100);
  });

  it('gives the stack up when a process ends again and again before it was ever ready', () => {
    const history: Timed[] = [
      [0, started],
      [1, ready('nats')],
    ];
    for (let attempt = 1; attempt < limits.startAttemptsMax; attempt += 1) {
      history.push([attempt * 10_000, exited('index')], [attempt * 10_000 + 9_000, woken]);
      expect(given(...history).actions).toEqual(['start index']);
    }
    const last = given(...history, [90_000, exited('index')]);
    expect(last.state.failed).toBe('index');
    expect(last.actions).toEqual(['terminate nats']);
    expect(given(...history, [90_000, exited('index')], [90_100, exited('nats')]).actions).toEqual(['exit 1']);
  });

  it('does not give up one that was ready before', () => {
    const history: Timed[] = [...allReady];
    for (let attempt = 1; attempt <= 20; attempt += 1) {
      history.push([attempt * 10_000, exited('index')], [attempt * 10_000 + 9_000, woken]);
    }
    expect(given(...history).actions).toEqual(['start index']);
  });
});

describe('health', () => {
  it('calls a ready process unready after several unanswered probes, and ready again at the first answer', () => {
    const probes: Timed[] = Array.from({ length: limits.unansweredProbesMax }, (_, i) => [100 + i, silent('index')]);
    expect(given(...allReady, ...probes.slice(1)).phases.index).toBe('ready');
    expect(given(...allReady, ...probes).phases.index).toBe('unready');
    expect(given(...allReady, ...probes).actions).toEqual([]);
    expect(given(...allReady, ...probes, [200, ready('index')]).phases.index).toBe('ready');
  });

  it('ignores an answer that comes after the end', () => {
    expect(given(...allReady, [40, exited('index')], [41, ready('index')]).phases.index).toBe('backoff');
  });
});

describe('stopping', () => {
  it('ends in reverse order, each when those before it have ended', () => {
    const stopping = [...allReady, [100, stopAsked]] as const;
    expect(given(...stopping).actions).toEqual(['terminate gateway']);
    expect(given(...stopping, [110, exited('gateway')]).actions).toEqual(['terminate index']);
    expect(given(...stopping, [110, exited('gateway')], [120, exited('index')]).actions).toEqual(['terminate nats']);
    const last = given(...stopping, [110, exited('gateway')], [120, exited('index')], [130, exited('nats')]);
    expect(last.actions).toEqual(['exit 0']);
  });

  it('kills what does not end in time, and nothing sooner', () => {
    const stopping = [...allReady, [100, stopAsked]] as const;
    expect(nextWakeMs(given(...stopping).state)).toBe(2_100);
    expect(given(...stopping, [2_099, woken]).actions).toEqual([]);
    expect(given(...stopping, [2_100, woken]).actions).toEqual(['kill gateway']);
    expect(given(...stopping, [2_100, woken], [2_110, exited('gateway')]).actions).toEqual(['terminate index']);
  });

  it('starts nothing any more', () => {
    expect(given([0, started], [1, stopAsked]).actions).toEqual(['terminate nats']);
    expect(given([0, started], [1, stopAsked], [2, ready('nats')]).actions).toEqual([]);
    expect(given(...allReady, [40, exited('gateway')], [50, stopAsked], [140, woken]).actions).toEqual([]);
  });

  it('asks twice changes nothing; asking to kill ends all at once', () => {
    expect(given(...allReady, [100, stopAsked], [101, stopAsked]).actions).toEqual([]);
    expect(given(...allReady, [100, stopAsked], [101, killAsked]).actions).toEqual([
      'kill gateway',
      'kill index',
      'kill nats',
    ]);
  });
});

describe('any history', () => {
  const names = fc.constantFrom('nats', 'index', 'gateway');
  const inputs = fc.oneof(
    fc.record({ type: fc.constant('probed' as const), name: names, ready: fc.boolean() }),
    fc.record({ type: fc.constant('exited' as const), name: names }),
    fc.constant(woken),
    fc.record({ type: fc.constantFrom('stop-asked' as const, 'kill-asked' as const) }),
  );

  it('never runs a process twice, never signals one that does not run, and ends when asked', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat({ max: 3_000 }), inputs), { maxLength: 60 }), (history) => {
        const running = new Set<string>();
        let state = initialState(specs);
        let nowMs = 0;
        let finishes = 0;
        const feed = (input: SupervisorInput) => {
          if (input.type === 'exited' && !running.delete(input.name)) return;
          const step = advance(state, input, nowMs, limits);
          state = step.state;
          for (const action of step.actions) {
            if (action.type === 'finish') {
              finishes += 1;
              expect([...running]).toEqual([]);
            } else if (action.type === 'start') {
              expect(running.has(action.name)).toBe(false);
              running.add(action.name);
            } else expect(running.has(action.name)).toBe(true);
          }
        };
        feed(started);
        for (const [waitMs, input] of history) {
          nowMs += waitMs;
          feed(input);
        }
        feed(stopAsked);
        for (const name of ['gateway', 'index', 'nats']) feed(exited(name));
        expect(finishes).toBe(1);
      }),
    );
  });
});

describe('a process that needs two of three', () => {
  const nodes = ['nats-1', 'nats-2', 'nats-3'];
  const cluster = [
    ...nodes.map((name) => ({ name, dependsOn: [] })),
    { name: 'index', dependsOn: nodes, dependenciesMin: 2 },
  ];
  const actionsOf = (...history: readonly Timed[]) => {
    let step = { state: initialState(cluster), actions: [] as readonly SupervisorAction[] };
    for (const [atMs, input] of history) step = { ...step, ...advance(step.state, input, atMs, limits) };
    return step.actions;
  };
  const two: readonly Timed[] = [
    [0, started],
    [10, ready('nats-1')],
    [20, ready('nats-3')],
  ];

  it('starts with the second, not with the first', () => {
    expect(actionsOf(...two.slice(0, 2))).toEqual([]);
    expect(actionsOf(...two)).toEqual([{ type: 'start', name: 'index' }]);
  });

  it('is started again while the third is away, and ends before all of them', () => {
    const again = actionsOf(
      ...two,
      [30, ready('index')],
      [40, exited('nats-2')],
      [50, exited('index')],
      [1_000, woken],
    );
    expect(again).toContainEqual({ type: 'start', name: 'index' });
    expect(actionsOf(...two, [30, ready('index')], [40, stopAsked])).toEqual([{ type: 'terminate', name: 'index' }]);
  });
});
