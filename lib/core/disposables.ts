/** What is closed together. Like `AsyncDisposableStack`, which Node.js 22 does not have. */
export interface Disposables extends AsyncDisposable {
  /** Takes one over, and gives it back. */
  use<T extends AsyncDisposable>(one: T): T;
  /** Hands all over to another that is closed later. */
  move(): Disposables;
}

/** Closes them in the opposite order, all of them even if one fails, which is then thrown. */
export function disposables(held: AsyncDisposable[] = []): Disposables {
  let own = held;
  return {
    use(one) {
      own.push(one);
      return one;
    },
    move() {
      const moved = own;
      own = [];
      return disposables(moved);
    },
    async [Symbol.asyncDispose]() {
      const all = own.toReversed();
      own = [];
      const failed: unknown[] = [];
      for (const one of all) {
        try {
          await one[Symbol.asyncDispose]();
        } catch (error) {
          failed.push(error);
        }
      }
      if (failed.length > 0) throw failed[0];
    },
  };
}
