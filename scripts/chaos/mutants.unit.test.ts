import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { projectDirectory } from '../bench/project.ts';
import { editsOf, mutantEnvironment, mutants, mutate } from './mutants.ts';

describe('mutants', () => {
  it.each(mutants.map((mutant) => [mutant.name, mutant] as const))(
    '%s changes its sources, each in one place',
    (_, mutant) => {
      for (const edit of editsOf(mutant)) {
        const source = readFileSync(join(projectDirectory(), edit.file), 'utf8');
        const mutated = mutate(source, edit);
        expect(mutated).not.toBe(source);
        expect(mutated).toContain(edit.replace);
      }
    },
  );

  it('have names of their own', () => {
    expect(new Set(mutants.map(({ name }) => name)).size).toBe(mutants.length);
  });

  it('are refused where what they look for is gone, or there twice', () => {
    const mutant = { file: 'a.ts', find: 'if (x) return;', replace: '' } as const;
    expect(mutate('a;\nif (x)\n    return;\nb;', mutant)).toBe('a;\n\nb;');
    expect(() => mutate('if (y) return;', mutant)).toThrow('was found 0 times');
    expect(() => mutate('if (x) return; if (x) return;', mutant)).toThrow('was found 2 times');
  });

  it('are in the environment only where one is asked for', () => {
    expect(mutantEnvironment(undefined)).toEqual({});
    expect(() => mutantEnvironment('nobody knows this one')).toThrow('there is no mutant');
  });
});
