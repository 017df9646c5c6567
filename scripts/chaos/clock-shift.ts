// Given to a process with `--import`: its wall clock is off by LAKEHOUSE_CLOCK_SHIFT milliseconds, and where a second number
// stands behind a colon it jumps to be off by that many, some seconds after the start. Monotonic clocks are left alone.
const jumpAfterMs = 3_000;
const [first = 0, second = first] = (process.env.LAKEHOUSE_CLOCK_SHIFT ?? '0').split(':').map(Number);
const RealDate = Date;
const shiftMs = () => (performance.now() < jumpAfterMs ? first : second);
const nowMs = () => RealDate.now() + shiftMs();

globalThis.Date = new Proxy(RealDate, {
  construct: (target, parameters) => Reflect.construct(target, parameters.length === 0 ? [nowMs()] : parameters),
  apply: () => new RealDate(nowMs()).toString(),
  get: (target, property, receiver) => (property === 'now' ? nowMs : Reflect.get(target, property, receiver)),
});
