/*
 * Runs the bundled handler once, alone in a process, and reports what it cost: `run-once.mjs HANDLER EVENT`.
 * The environment is the function's. Plain JavaScript, as on Lambda: to strip types Node loads 15 MB.
 */

const [, , handlerFile = '', event = '{}'] = process.argv;
const ends = Date.now() + 900_000;
const context = { awsRequestId: 'bench', getRemainingTimeInMillis: () => ends - Date.now() };

const { handler } = await import(handlerFile);
const loaded = process.cpuUsage();
const started = performance.now();
const { status, rows, bytes } = await handler(JSON.parse(event), context);
const { user, system } = process.cpuUsage(loaded);

const result = {
  status,
  rows,
  bytes,
  peakMiB: process.resourceUsage().maxRSS / 1024,
  startCpuSeconds: (loaded.user + loaded.system) / 1e6,
  cpuSeconds: (user + system) / 1e6,
  wallSeconds: (performance.now() - started) / 1000,
};
process.stdout.write(`${JSON.stringify(result)}\n`);
