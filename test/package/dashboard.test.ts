import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Packaged, packaged } from './packaged.ts';
import { type Stack, resolveTemplate, string } from './resolve.ts';

let built: Packaged;
let stack: Stack;

beforeAll(async () => {
  built = await packaged({ cloud: 'prod' });
  stack = resolveTemplate(built.template);
});
afterAll(() => built[Symbol.asyncDispose]());

interface Widget {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
  readonly properties: { readonly region: string; readonly metrics: readonly (readonly unknown[])[] };
}

describe('The dashboard', () => {
  const widgets = (): Widget[] => {
    const body = string(stack.resources.get('Dashboard')?.properties['DashboardBody']);
    expect(body).not.toMatch(/SERVICE|CLOUD|\$\{/);
    return (JSON.parse(body) as { widgets: Widget[] }).widgets;
  };
  /** With what stands for "as above" filled in. */
  const metrics = (): string[][] =>
    widgets().flatMap(({ properties }) => {
      let above: string[] = [];
      return properties.metrics.map((metric) => {
        const names = metric.filter((name) => typeof name === 'string');
        above = names.map((name, at) => (name === '.' ? (above[at] ?? '') : name));
        return above;
      });
    });

  test('shows every metric that the function publishes, of this cloud', async () => {
    const telemetry = await readFile(new URL('../../lib/schedule/metrics.ts', import.meta.url), 'utf8');
    const published = [...telemetry.matchAll(/addMetric\(\s*'(\w+)'/g)].map(([, name]) => name);
    const own = metrics().filter(([namespace]) => namespace === 'StarCompactor');
    expect(new Set(own.map(([, name]) => name))).toEqual(new Set(published));
    for (const [, , ...dimensions] of own) {
      expect(dimensions).toEqual(['service', 'star-compactor', 'cloud', 'prod']);
    }
  });

  test('shows runs and errors of functions, executions and dead letters of this stack', () => {
    const others = metrics().filter(([namespace]) => namespace !== 'StarCompactor');
    expect(others.map(([, name, , of]) => `${name} ${of}`).toSorted()).toEqual([
      'ApproximateNumberOfMessagesVisible DeadLetters.QueueName',
      'Errors BackfillWindowsLambdaFunction',
      'Errors ScheduledLambdaFunction',
      'ExecutionsFailed BackfillMachine',
      'ExecutionsSucceeded BackfillMachine',
      'Invocations ScheduledLambdaFunction',
    ]);
  });

  test('has no widget upon another', () => {
    const cells = widgets().flatMap(({ x, y, width, height }) =>
      Array.from({ length: width * height }, (_, at) => `${x + (at % width)} ${y + Math.floor(at / width)}`),
    );
    expect(new Set(cells).size).toBe(cells.length);
  });
});
