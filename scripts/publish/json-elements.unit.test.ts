import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ElementError, type JsonElement, jsonElements } from './json-elements.ts';

async function* inChunks(text: string, size: number): AsyncGenerator<string, void, void> {
  for (let at = 0; at < text.length; at += size) yield text.slice(at, at + size);
}

async function elementsOf(text: string, size = text.length): Promise<JsonElement[]> {
  const elements: JsonElement[] = [];
  for await (const element of jsonElements(inChunks(text, Math.max(size, 1)))) elements.push(element);
  return elements;
}

describe('cutting a file into JSON elements', () => {
  it('takes a value a line, and leaves empty lines out but counts them', async () => {
    expect(await elementsOf('{"id":"a"}\n\n  {"id":"b"}\r\n{"id":"c"}')).toEqual([
      { text: '{"id":"a"}', line: 1 },
      { text: '{"id":"b"}', line: 3 },
      { text: '{"id":"c"}', line: 4 },
    ]);
  });

  it('takes an array whose elements stand on several lines', async () => {
    expect(await elementsOf('[\n {"id":"a",\n  "text":"], ["},\n {"id":"b"}\n]\n')).toEqual([
      { text: '{"id":"a",\n  "text":"], ["}', line: 2 },
      { text: '{"id":"b"}', line: 4 },
    ]);
  });

  it('takes an empty array for no elements', async () => {
    expect(await elementsOf(' [ ] ')).toEqual([]);
  });

  it('leaves a byte order mark out', async () => {
    expect(await elementsOf('\uFEFF{"id":"a"}\n')).toEqual([{ text: '{"id":"a"}', line: 1 }]);
    expect(await elementsOf('\uFEFF[1]')).toEqual([{ text: '1', line: 1 }]);
  });

  it.each([
    ['[{"id":"a"}', 1],
    ['[{"id":"a"}\n,,{"id":"b"}]', 2],
    ['[1]\n[2]', 2],
    ['["a', 1],
  ])('refuses %j at line %i', async (text, line) => {
    await expect(elementsOf(text)).rejects.toSatisfy(
      (error: unknown) => error instanceof ElementError && error.line === line,
    );
  });

  it('cuts any array of JSON values in chunks of any size as JSON.parse reads it', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.jsonValue()),
        fc.integer({ min: 1, max: 9 }),
        fc.boolean(),
        async (values, size, indented) => {
          const text = indented ? JSON.stringify(values, null, 1) : JSON.stringify(values);
          const elements = await elementsOf(text, size);
          expect(elements.map((element) => JSON.parse(element.text))).toEqual(JSON.parse(text));
        },
      ),
    );
  });

  it('cuts any values written a line each in chunks of any size', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.jsonValue(), { minLength: 1 }),
        fc.integer({ min: 1, max: 9 }),
        async (values, size) => {
          // A file that begins with "[" is an array.
          const lines = ['{}', ...values.map((value) => JSON.stringify(value))];
          const elements = await elementsOf(lines.join('\n'), size);
          expect(elements.map(({ text, line }) => ({ text, line }))).toEqual(
            lines.map((text, at) => ({ text, line: at + 1 })),
          );
        },
      ),
    );
  });
});
