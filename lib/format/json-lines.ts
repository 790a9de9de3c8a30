import type { MaskedInstance } from '../mask/masked-event.ts';
import { onceForEach } from '../collections/once-for-each.ts';
import { remember } from '../collections/remember.ts';
import { createClock, secondsSince } from './clock.ts';
import { COLUMNS } from './columns.ts';
import { GZIP } from './gzip.ts';
import type { Format } from './format.ts';
import { joinPieces, rememberNumbers, tellTexts } from './pieces.ts';

/** One JSON object a line; times with `Z`, what is unknown is null. */
export const jsonLines: Format = {
  name: 'jsonl',
  version: '0.2',
  columns: COLUMNS.map((column) => column.jsonl),
  ...GZIP,
  encoder(epoch, onText) {
    const tell = tellTexts(onText);
    const clock = createClock();
    const time = (name: string, seconds: string): ((at: number) => string) =>
      rememberNumbers((at) => tell(`"${name}":"${clock(at)}Z","${seconds}":${secondsSince(epoch, at)},`));
    const start = time('start_time', 'startSec');
    const finish = time('finish_time', 'finishSec');
    const duration = rememberNumbers((length) => tell(`"duration":${length},`));
    const text = remember((value: string | null) => tell(json(value)));
    const result = tell('"result":');
    const ofInstance = onceForEach(
      ({ uuid, memoryMb, rootGb, vcpus, hostname, userId, projectId }: MaskedInstance) => ({
        start: tell(`{"uuid":${json(uuid)},"event":`),
        middle: tell(
          `,"memory_mb":${memoryMb},"root_gb":${rootGb},"vcpus":${vcpus},` +
            `"hostname":${json(hostname)},"user_id":${json(userId)},"project_id":${json(projectId)},"host":`,
        ),
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
        put(result);
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
