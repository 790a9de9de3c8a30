import type { MaskedInstance } from '../mask/masked-event.ts';
import { onceForEach } from '../once-for-each.ts';
import { remember } from '../remember.ts';
import { createClock, secondsSince } from './clock.ts';
import { COLUMNS } from './columns.ts';
import { GZIP } from './gzip.ts';
import type { Format } from './format.ts';
import { joinPieces, rememberNumbers } from './pieces.ts';

/** One JSON object a line; times with `Z`, what is unknown is null. */
export const jsonLines: Format = {
  name: 'jsonl',
  version: '0.2',
  columns: COLUMNS.map((column) => column.jsonl),
  ...GZIP,
  encoder(epoch) {
    const clock = createClock();
    const time = (name: string, seconds: string): ((at: number) => string) =>
      rememberNumbers((at) => `"${name}":"${clock(at)}Z","${seconds}":${secondsSince(epoch, at)},`);
    const start = time('start_time', 'startSec');
    const finish = time('finish_time', 'finishSec');
    const duration = rememberNumbers((length) => `"duration":${length},`);
    const text = remember(json);
    const ofInstance = onceForEach(
      ({ uuid, memoryMb, rootGb, vcpus, hostname, userId, projectId }: MaskedInstance) => ({
        start: `{"uuid":${json(uuid)},"event":`,
        middle:
          `,"memory_mb":${memoryMb},"root_gb":${rootGb},"vcpus":${vcpus},` +
          `"hostname":${json(hostname)},"user_id":${json(userId)},"project_id":${json(projectId)},"host":`,
      }),
    );
    return {
      head: '',
      rows: joinPieces((event, put) => {
        const instance = ofInstance(event.instance);
        put(instance.start);
        put(text(event.event));
        put(',');
        put(start(event.start));
        put(finish(event.finish));
        put(duration(event.finish - event.start));
        put('"result":');
        put(text(event.result));
        put(instance.middle);
        put(text(event.host));
        put('}\n');
      }),
      tail: () => '',
    };
  },
};

const json = (value: string | null): string => JSON.stringify(value);
