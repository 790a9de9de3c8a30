import type { Command } from 'commander';
import { SETTING_OPTIONS, optionOf } from '../config/setting-options.ts';
import { PLACE_OPTIONS } from './place-options.ts';
import type { GivenOptions } from './settings.ts';

/** What the commands do that write a trace into a store, or look at it there. */
export interface PublishCommands {
  publish(options: GivenOptions): Promise<void>;
  backfill(options: GivenOptions): Promise<void>;
  verify(options: GivenOptions): Promise<void>;
}

/** @param withCloud adds the options by which a cloud is found */
export function addPublishing(
  program: Command,
  commands: PublishCommands,
  withCloud: (command: Command) => Command,
): Command[] {
  const publish = withPlace(program.command('publish'))
    .summary('publish all windows that are due into a bucket or a folder')
    .description(
      'Publishes all windows that are due, as the scheduled function does: masked, each event once, with a checkpoint ' +
        'in the store. Run it every day by cron or a systemd timer. Several may run at once.',
    )
    .usage('[options]\n\n  star-compactor publish --to ./traces --cloud prod --osrc admin.rc')
    .option('--until <time>', 'publish what is settled at that time, ISO 8601 (now)')
    .option('--status', 'publish nothing; tell how far the trace is published')
    .option('--metrics <file>', 'write that for Prometheus into a text file, too; - for standard output')
    .option('--json', 'JSON lines on standard output')
    .action((options: GivenOptions) => commands.publish(options))
    .addHelpText(
      'after',
      '\nExit status: 0 published, or nothing is due; 1 the cloud or the store failed; 2 bad input; 4 another run has ' +
        'taken over a window and publishes it, or (with --status) windows are due.',
    );
  withSettings(withCloud(publish));

  const backfill = withPlace(program.command('backfill'))
    .summary('publish past windows, or a release')
    .description(
      'Publishes past windows into a trace, up to where its schedule began; or, with --release, a range into a trace of ' +
        'its own, in which all drops join. What is published is left alone, so a broken-off run is finished by running ' +
        'it again.',
    )
    .usage(
      '[options]\n\n  star-compactor backfill --to ./traces --cloud prod --osrc admin.rc --start 2025-01-01 --end 2025-02-01',
    )
    .option('--start <time>', 'start of the range, ISO 8601, at the edge of a window')
    .option('--end <time>', 'its end')
    .option('--release <name>', 'publish into a trace of its own, cloud=CLOUD-NAME')
    .option(
      '--salt-file <file>',
      'secret of a release, at least 32 random bytes; the same file goes on with it',
    )
    .option('--cut', 'end a range that reaches too far where it may end')
    .option('--dry-run', 'write nothing; tell what would be published')
    .option('--json', 'JSON lines on standard output')
    .action((options: GivenOptions) => commands.backfill(options))
    .addHelpText(
      'after',
      '\nExit status: 0 all is published; 1 the cloud or the store failed; 2 bad input; 4 windows are left.',
    );
  withSettings(withCloud(backfill));

  const verify = withPlace(program.command('verify'))
    .summary('prove that a published trace is whole')
    .description(
      'Reads all manifests of a trace and every file that they list, and tells each fault in a line: sizes, hashes, rows ' +
        'and columns, the chain of manifests, gaps and overlaps, files that no manifest lists, claims that nobody ' +
        'decides. It changes nothing, and needs no way to the cloud.',
    )
    .usage('[options]\n\n  star-compactor verify --to ./traces --cloud prod')
    .option('--cloud <name>', 'name of the trace; all traces there without it')
    .option('--since <time>', 'only windows that end after that time, ISO 8601')
    .option('--settings <file>', 'file with lines such as STAR_TO=./traces')
    .action((options: GivenOptions) => commands.verify(options))
    .addHelpText(
      'after',
      '\nExit status: 0 the trace is whole; 1 the store failed; 2 bad input; 5 the trace has faults.',
    );
  return [publish, backfill, verify];
}

/** Adds the options by which the store is found. */
export function withPlace(command: Command, heading = 'Where the trace is:'): Command {
  command.optionsGroup(heading);
  return withOptions(command, PLACE_OPTIONS).optionsGroup('What to do:');
}

/** Each of them also as a variable of the environment, or a line of a file. */
function withSettings(command: Command): Command {
  command
    .optionsGroup('Settings, also as STAR_… variables (--window-minutes is STAR_WINDOW_MINUTES):')
    .option(
      '--settings <file>',
      'file with lines such as STAR_CLOUD=prod; options and variables come before it',
    );
  return withOptions(command, SETTING_OPTIONS);
}

function withOptions(
  command: Command,
  options: Readonly<Record<string, readonly [value: string, help: string]>>,
): Command {
  for (const [name, [value, help]] of Object.entries(options))
    command.option(`${optionOf(name)} ${value}`, help);
  return command;
}
