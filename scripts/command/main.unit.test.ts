import { describe, expect, it } from 'vitest';
import { GatewayError, GatewayUnreachableError } from '../../gateway/client/errors.ts';
import { problem } from '../../schemas/problems.ts';
import { commands as realCommands } from '../commands/index.ts';
import { exitCodes } from '../exit-codes.ts';
import { type Command, command } from './define.ts';
import { CommandError } from './errors.ts';
import { runMain } from './main.ts';

const seen: unknown[] = [];

const greet = command({
  summary: 'Greets.',
  examples: ['greet Ann --times 2'],
  args: {
    name: { type: 'positional', required: true, description: 'Who.' },
    times: { type: 'string', default: '1', description: 'How often.' },
    'all-day': { type: 'boolean', description: 'Without an end.' },
    tag: { type: 'string', description: 'May be repeated.' },
  },
  run: async ({ args, every }) => {
    seen.push({ name: args.name, times: args.times, allDay: args['all-day'] ?? false, tags: every('tag') });
    return exitCodes.done;
  },
});

function failing(error: unknown): Command {
  const run = () => Promise.reject(error);
  return command({ summary: 'Fails.', examples: ['fail'], args: {}, run });
}

async function lakehouse(argv: string[], commands: Record<string, Command> = { greet }) {
  const written = { stdout: '', stderr: '' };
  const sink = (name: 'stdout' | 'stderr') => ({ write: (text: string) => (written[name] += text) });
  const exitCode = await runMain({
    argv,
    commands: Object.fromEntries(
      Object.entries(commands).map(([name, loaded]) => [name, () => Promise.resolve({ default: loaded })]),
    ),
    version: '1.2.3',
    stdout: sink('stdout'),
    stderr: sink('stderr'),
  });
  return { exitCode, ...written };
}

describe('a command line', () => {
  it('reaches its command with flags in any order', async () => {
    seen.length = 0;
    const { exitCode } = await lakehouse(['greet', '--tag', 'a,b', '--times=3', 'Ann', '--all-day', '--tag=c']);
    expect(exitCode).toBe(0);
    expect(seen).toEqual([{ name: 'Ann', times: '3', allDay: true, tags: ['a', 'b', 'c'] }]);
  });

  it.each([
    { argv: ['greet', 'Ann', '--time', '2'], says: 'Did you mean --times?' },
    { argv: ['greet', 'Ann', '--all-dya'], says: 'Did you mean --all-day?' },
    { argv: ['greet', 'Ann', '-t', '2'], says: '"-t" is not a flag of it.' },
    { argv: ['greet', 'Ann', '--times'], says: '--times needs a value' },
    { argv: ['greet', 'Ann', '--times', '--all-day'], says: '--times needs a value' },
    { argv: ['greet', 'Ann', '--all-day=yes'], says: '--all-day takes no value' },
    { argv: ['greet', 'Ann', 'Bob'], says: '"Bob" is one word too many' },
    { argv: ['greet'], says: 'NAME is missing' },
    { argv: ['grete', 'Ann'], says: 'Did you mean "greet"?' },
    { argv: ['constructor'], says: 'there is no such command' },
  ])('refuses $argv and says what to do', async ({ argv, says }) => {
    seen.length = 0;
    const { exitCode, stderr, stdout } = await lakehouse(argv);
    expect({ exitCode, stdout, ran: seen.length }).toEqual({ exitCode: exitCodes.usage, stdout: '', ran: 0 });
    expect(stderr).toContain(says);
    expect(stderr).toContain('What it means:');
    expect(stderr).toContain('What to do:');
  });

  it('shows the list of commands, without one as an error', async () => {
    expect(await lakehouse(['--help'])).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('Greets.') });
    expect(await lakehouse([])).toMatchObject({ exitCode: 2, stdout: expect.stringContaining('Greets.') });
  });

  it('shows the help of a command with flags, an example and the exit codes', async () => {
    for (const argv of [
      ['greet', '--help'],
      ['help', 'greet'],
      ['greet', 'Ann', '-h'],
    ]) {
      const { exitCode, stdout } = await lakehouse(argv);
      expect(exitCode).toBe(0);
      for (const part of ['How often.', '--json', 'greet Ann --times 2', 'EXIT CODES']) expect(stdout).toContain(part);
    }
  });

  it('says its version', async () => {
    expect(await lakehouse(['--version'])).toMatchObject({ exitCode: 0, stdout: '1.2.3\n' });
  });
});

describe('an error of a command', () => {
  it.each([
    { error: new CommandError(exitCodes.differs, { happened: 'A', means: 'B', remedy: 'C' }), exitCode: 5 },
    { error: new GatewayError(problem('corpus_not_found', 'no corpus')), exitCode: 3 },
    { error: new GatewayError(problem('bad_request', 'no field')), exitCode: 2 },
    { error: new GatewayError(problem('unauthorized', 'no token')), exitCode: 2 },
    { error: new GatewayError(problem('unavailable', 'nobody')), exitCode: 4 },
    { error: new GatewayError(problem('upstream_failed', 'broke')), exitCode: 1 },
    { error: new GatewayUnreachableError('http://x', 'refused', 'nothing listens'), exitCode: 4 },
    { error: new Error('unforeseen'), exitCode: 1 },
  ])('ends with exit code $exitCode for $error', async ({ error, exitCode }) => {
    const result = await lakehouse(['fail'], { fail: failing(error) });
    expect(result).toMatchObject({ exitCode, stdout: '' });
    expect(result.stderr).toContain(error.message);
  });

  it('is a document under --json', async () => {
    const refused = new GatewayError(problem('not_found', 'no such index'));
    const { stdout, exitCode } = await lakehouse(['fail', '--json'], { fail: failing(refused) });
    expect(exitCode).toBe(exitCodes.absent);
    expect(JSON.parse(stdout)).toMatchObject({
      error: { happened: 'no such index', exit_code: exitCodes.absent, problem: { code: 'not_found', status: 404 } },
    });
  });
});

describe('every command', () => {
  it.each(Object.keys(realCommands))(
    '%s has help with an example of itself and a sentence for each flag',
    async (name) => {
      const loaded = await realCommands[name]?.();
      const help = (await loaded?.default.help(name)) ?? '';
      expect(help).toContain(`npm run -s lakehouse -- ${name}`);
      const options = help.slice(help.indexOf('OPTIONS'), help.indexOf('EXAMPLES')).split('\n').slice(2);
      const flags = options.filter((line) => line.trim().startsWith('--'));
      expect(flags.length).toBeGreaterThan(0);
      for (const line of flags) expect(line).toMatch(/--\S+\s{2,}\S.{8,}/);
    },
  );
});
