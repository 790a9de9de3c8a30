/**
 * Limits the number of requests at once, and adapts the limit by additive increase and multiplicative decrease, as TCP
 * does. An API that begins to refuse or to stall gets half as many at once.
 */
export interface Throttle {
  /** Runs a task when a place is free. */
  run<T>(task: () => Promise<T>): Promise<T>;
  /**
   * Reports that a task that began at `started` (of `performance.now()`) found the server overloaded. The server may
   * have requested a pause of some seconds.
   */
  slowDown(started: number, seconds?: number): void;
}

const FIRST_WIDTH = 4;

/** @param signal lets all waiting tasks continue when it aborts, so that they notice */
export function openThrottle(widest: number, signal: AbortSignal): Throttle {
  let width = Math.min(FIRST_WIDTH, widest);
  let running = 0;
  let lastDecrease = -Infinity;
  let resumesAt = -Infinity;
  let timer: NodeJS.Timeout | undefined;
  const waiting: (() => void)[] = [];

  const admit = (): void => {
    if (signal.aborted) clearTimeout(timer);
    const pause = signal.aborted ? 0 : resumesAt - performance.now();
    if (pause > 0) {
      timer ??= setTimeout(() => {
        timer = undefined;
        admit();
      }, pause);
      return;
    }
    while ((running < Math.floor(width) || signal.aborted) && waiting.length > 0) {
      running++;
      waiting.shift()?.();
    }
  };
  signal.addEventListener('abort', admit, { once: true });
  return {
    async run(task) {
      await new Promise<void>((resolve) => {
        waiting.push(resolve);
        admit();
      });
      const decreases = lastDecrease;
      try {
        const result = await task();
        // One more after every round of good answers.
        if (decreases === lastDecrease) width = Math.min(widest, width + 1 / width);
        return result;
      } finally {
        running--;
        admit();
      }
    },
    slowDown(started, seconds = 0) {
      resumesAt = Math.max(resumesAt, performance.now() + seconds * 1000);
      // All requests at that time meet the same overload, which counts once.
      if (started < lastDecrease) return;
      lastDecrease = performance.now();
      width = Math.max(1, width / 2);
    },
  };
}
