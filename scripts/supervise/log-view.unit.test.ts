import { describe, expect, it } from 'vitest';
import { renderLogLine } from './log-view.ts';

const time = Date.UTC(2026, 0, 2, 3, 4, 5, 6);

describe('renderLogLine', () => {
  it.each([
    [{ level: 30, time, msg: 'caught up' }, '03:04:05.006 index   INFO  caught up'],
    [
      { level: 50, time, msg: 'cannot write', err: { message: 'disk full' } },
      '03:04:05.006 index   ERROR cannot write: disk full',
    ],
    [{ level: 60, time, msg: 'disk full', err: { message: 'disk full' } }, '03:04:05.006 index   FATAL disk full'],
    [{ level: 35, time, msg: 'own level' }, '03:04:05.006 index   INFO  own level'],
    [{ level: 30, msg: 'no time' }, '             index   INFO  no time'],
    [{ level: 30, time: 1e300, msg: 'no such time' }, '             index   INFO  no such time'],
  ])('renders %j', (line, rendered) => {
    expect(renderLogLine('index', 7, JSON.stringify(line))).toBe(rendered);
  });

  it.each(['[17] [INF] Server is ready', '{not json', '{"level":"info"}', '[1]', ''])('leaves %j as it is', (line) => {
    expect(renderLogLine('nats', 4, line)).toBe(`             nats ${line}`);
  });

  it('does not let a log steer the terminal', () => {
    expect(renderLogLine('a', 1, '\u001b[2Jgone\r')).toBe('             a \\x1b[2Jgone\\x0d');
    const spoofed = JSON.stringify({ level: 30, time, msg: 'one\n03:04:05.007 b INFO  two' });
    expect(renderLogLine('a', 1, spoofed)).toBe('03:04:05.006 a INFO  one\\x0a03:04:05.007 b INFO  two');
  });
});
