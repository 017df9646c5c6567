/** A stream of pseudo-random numbers. The same seed, stream and row always give the same numbers. */
export interface Random {
  /** A uniform integer, 0 to 2^32 - 1. */
  readonly uint32: () => number;
  /** A uniform number in [0, 1), in steps of 2^-32. */
  readonly unit: () => number;
}

const warmUpRounds = 15;

/**
 * Chris Doty-Humphrey's sfc32 (PractRand, public domain): 128 bits of state, of which one word is a counter, so
 * that no cycle is shorter than 2^32. The other three words are the seed, the stream and the row: every row has
 * numbers of its own and can be made without the rows before it.
 *
 * All three are taken modulo 2^32.
 */
export function createRandom(seed: number, stream = 0, row = 0): Random {
  let a = seed | 0;
  let b = stream | 0;
  let c = row | 0;
  let counter = 1;
  const uint32 = (): number => {
    const sum = (((a + b) | 0) + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (((c << 21) | (c >>> 11)) + sum) | 0;
    return sum >>> 0;
  };
  for (let round = 0; round < warmUpRounds; round++) uint32();
  return { uint32, unit: () => uint32() / 2 ** 32 };
}

/** A uniform integer, 0 to `limit` - 1. */
export function below(random: Random, limit: number): number {
  return Math.floor(random.unit() * limit);
}

/** True with the given probability. */
export function chance(random: Random, probability: number): boolean {
  return random.unit() < probability;
}

/** One of a list that is not empty. */
export function pick<T>(random: Random, list: readonly T[]): T {
  const chosen = list[below(random, list.length)];
  if (chosen === undefined) throw new RangeError('cannot pick from an empty list');
  return chosen;
}

/** `count` different places of a list (all of them where it is shorter), in random order: a Fisher-Yates shuffle cut short. */
export function sample<T>(random: Random, list: readonly T[], count: number): T[] {
  const order = Uint32Array.from({ length: list.length }, (_, place) => place);
  const size = Math.min(count, list.length);
  for (let place = 0; place < size; place++) {
    const from = place + below(random, list.length - place);
    const chosen = order[from] ?? 0;
    order[from] = order[place] ?? 0;
    order[place] = chosen;
  }
  return [...order.subarray(0, size)].flatMap((place) => list.slice(place, place + 1));
}

/** A normally distributed number with mean 0 and deviation 1 (Box and Muller, 1958; one of the pair is used). */
export function gaussian(random: Random): number {
  const radius = Math.sqrt(-2 * Math.log(1 - random.unit()));
  return radius * Math.cos(2 * Math.PI * random.unit());
}
