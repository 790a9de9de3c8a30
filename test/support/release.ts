import type { Stage } from './stage.ts';

/** What an execution's plan answers, as far as the next steps need it. */
export interface Planned {
  readonly request: object;
  readonly groups: readonly Group[];
}

export interface Group {
  readonly start: string;
  readonly end: string;
}

/**
 * The way of an execution through its steps, without the retries of a state machine: Plan, all groups at once, Verify.
 * Step Functions knows of it, and how it ends.
 *
 * @param planned of an execution that is redriven after its plan
 * @param onPlanned told what was planned, for a redrive
 * @throws the first error of a step, once all groups have ended
 */
export async function execute(
  stage: Stage,
  execution: string,
  event: object,
  options: ExecuteOptions = {},
): Promise<void> {
  const known = stage.machine.enter(execution, event);
  try {
    await takeSteps(stage, execution, event, options);
    known.status = 'SUCCEEDED';
  } catch (error) {
    known.status = 'FAILED';
    throw error;
  }
}

async function takeSteps(
  stage: Stage,
  execution: string,
  event: object,
  { planned, onPlanned, lifetimeMs }: ExecuteOptions,
): Promise<void> {
  const step = (name: 'plan' | 'windows' | 'end', input: object): Promise<object> =>
    stage.step(name, input, lifetimeMs);
  const { request, groups } = planned ?? ((await step('plan', { plan: event, execution })) as Planned);
  onPlanned?.({ request, groups });
  const ended = await Promise.allSettled(
    groups.map((group) => step('windows', { group, request, execution })),
  );
  for (const result of ended) if (result.status === 'rejected') throw result.reason;
  await step('end', { verify: { request, execution, groups } });
}

export interface ExecuteOptions {
  readonly planned?: Planned | undefined;
  readonly onPlanned?: (planned: Planned) => void;
  /** Of each step. */
  readonly lifetimeMs?: number;
}
