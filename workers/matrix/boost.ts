import { boostStrength, distanceDecimals } from './limits.ts';

/**
 * What a recorded score makes of a distance: `1 - 0.5 * score`, so 1 for score 0 and 0.5 for score 1.
 * A score outside 0..1 counts as the nearest bound and one that is no number as 0: no entry, however it came into
 * the log, lifts by more than half or pushes an answer away.
 * @param strength what stands for 0.5, 0 to 1
 */
export function boostFactor(score: number, strength = boostStrength): number {
  return 1 - strength * (score > 0 ? Math.min(score, 1) : 0);
}

/**
 * `distance * factor`. A distance of zero or below (cosine distances come out at -1e-8 through rounding) cannot get
 * nearer and stays: multiplying it would move it away.
 */
export function applyBoost(distance: number, factor: number): number {
  return distance > 0 ? distance * factor : distance;
}

/**
 * A distance as people see it: four decimals, a half rounded to the even digit, so that 0.22245 (which is 0.4449
 * halved) prints as 0.2224. `toFixed` gives 0.2225 here, because the double lies 1e-18 above the half.
 */
export function formatDistance(distance: number): string {
  const scale = 10 ** distanceDecimals;
  const scaled = distance * scale;
  const below = Math.floor(scaled);
  const isHalf = scaled - below === 0.5;
  const rounded = isHalf ? below + (below % 2 === 0 ? 0 : 1) : Math.round(scaled);
  return (rounded / scale).toFixed(distanceDecimals);
}
