/** A promise that the test settles. */
export interface Gate<Value> {
  readonly opened: Promise<Value>;
  open(value: Value): void;
}

export function createGate<Value = void>(): Gate<Value> {
  let open: (value: Value) => void = () => {};
  const opened = new Promise<Value>((resolve) => {
    open = resolve;
  });
  return { opened, open };
}
