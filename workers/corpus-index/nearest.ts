/** The k nearest of what is offered, kept in order. */
export interface Nearest {
  /** What a distance has to be below to get in. */
  readonly bound: () => number;
  offer(slot: number, distance: number): void;
  /** Nearest first. */
  readonly slots: () => number[];
}

export function createNearest(k: number): Nearest {
  const slots: number[] = [];
  const distances: number[] = [];
  let bound = Number.POSITIVE_INFINITY;
  return {
    bound: () => bound,
    offer: (slot, distance) => {
      if (distance >= bound) return;
      let place = slots.length;
      while (place > 0 && (distances[place - 1] ?? 0) > distance) place--;
      slots.splice(place, 0, slot);
      distances.splice(place, 0, distance);
      if (slots.length > k) {
        slots.pop();
        distances.pop();
      }
      if (slots.length === k) bound = distances[k - 1] ?? bound;
    },
    slots: () => slots,
  };
}
