/** What has arrived and was not read yet, for one reader. */
export interface Inbox<Item> extends AsyncIterable<Item> {
  readonly waiting: () => number;
  push(item: Item): void;
  /** Ends the iteration behind what is here already, or at once with an error. */
  end(error?: Error): void;
}

/** @param onRead told whenever one was taken out */
export function createInbox<Item>(onRead: () => void): Inbox<Item> {
  const items: Item[] = [];
  let over = false;
  let failure: Error | undefined;
  let wake = () => {};
  const next = async (): Promise<IteratorResult<Item, undefined>> => {
    for (;;) {
      if (failure !== undefined) throw failure;
      const item = items.shift();
      if (item !== undefined) {
        onRead();
        return { done: false, value: item };
      }
      if (over) return { done: true, value: undefined };
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
  };
  const end = (error?: Error) => {
    if (over) return;
    over = true;
    failure = error;
    wake();
  };
  return {
    waiting: () => items.length,
    push: (item) => {
      if (over) return;
      items.push(item);
      wake();
    },
    end,
    [Symbol.asyncIterator]: () => ({
      next,
      return: async () => {
        end();
        return { done: true, value: undefined };
      },
    }),
  };
}
