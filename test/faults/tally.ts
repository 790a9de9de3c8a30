/** What a suite has done, for its summary. */
export interface Tally {
  schedules: number;
  reruns: number;
  /** Uploads left because the answer that named them was lost, or their abortion was. */
  orphans: number;
  ran(outcome: string): void;
  met(where: string, fault: string): void;
  /** How many faults were met. */
  faults(): number;
  text(title: string): string;
}

export function createTally(): Tally {
  const outcomes = new Map<string, number>();
  const faults = new Map<string, number>();
  const add = (map: Map<string, number>, name: string): void => void map.set(name, (map.get(name) ?? 0) + 1);
  const lines = (map: Map<string, number>): string[] =>
    [...map]
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, count]) => `  ${String(count).padStart(6)}  ${name}`);
  const sum = (map: Map<string, number>): number =>
    [...map.values()].reduce((total, count) => total + count, 0);
  const tally: Tally = {
    schedules: 0,
    reruns: 0,
    orphans: 0,
    ran: (outcome) => add(outcomes, outcome),
    met: (where, fault) => add(faults, `${where}: ${fault}`),
    faults: () => sum(faults),
    text: (title) =>
      [
        `${title}: ${tally.schedules} schedules, ${sum(outcomes)} runs, ${sum(faults)} faults injected, ` +
          `${tally.reruns} reruns without faults, ${tally.orphans} uploads left to the lifecycle rule`,
        ' runs by what they answered or failed with',
        ...lines(outcomes),
        ' faults by kind',
        ...lines(faults),
      ].join('\n'),
  };
  return tally;
}
