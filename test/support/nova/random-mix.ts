/** How often what happens; each a probability per event unless it says otherwise. */
export interface Mix {
  /** Starts shortly before midnight (UTC) and finishes after it. */
  straddle: number;
  /** Takes one to six days. */
  lasting: number;
  neverFinishes: number;
  /** The finish shows up to 25 minutes after the time it carries: before its day is settled. */
  lateFinish: number;
  /** The finish shows 1 to 20 hours after the time it carries, mostly when its day has been extracted. */
  veryLateFinish: number;
  /** The row shows up to 25 minutes after its start_time, when higher ids have long been seen. */
  lateInsert: number;
  error: number;
  nullHost: number;
  /** Per server: the build is rescheduled, and its first event's finish rewritten by the second's. */
  rescheduled: number;
  /** Per rescheduled build: the first finish before midnight, the rewriting after it. */
  rescheduledAtMidnight: number;
  /** Per rescheduled build: rewritten only 1 to 20 hours later, mostly when the first finish was extracted. */
  rescheduledLate: number;
  /** Per operation: a migration or resize, which changes the server's host and flavour under its old events too. */
  moves: number;
  /** Per server: no valid host, so it stands in cell0. */
  noValidHost: number;
  awkwardName: number;
}

export const MIX: Mix = {
  straddle: 0.02,
  lasting: 0.01,
  neverFinishes: 0.007,
  lateFinish: 0.03,
  veryLateFinish: 0.02,
  lateInsert: 0.03,
  error: 0.04,
  nullHost: 0.02,
  rescheduled: 0.06,
  rescheduledAtMidnight: 0.3,
  rescheduledLate: 0.2,
  moves: 0.04,
  noValidHost: 0.04,
  awkwardName: 0.1,
};
