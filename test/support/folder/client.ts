import { readFile, readdir } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { GetObjectCommand, ListObjectsV2Command, type S3Client } from '@aws-sdk/client-s3';

/** Reads a folder as S3 is read, so that what checks drops in a bucket checks those in a folder. */
export function folderClient(folder: string): S3Client {
  const send = async (command: unknown): Promise<object> => {
    if (command instanceof GetObjectCommand) {
      const bytes = await readFile(join(folder, command.input.Key ?? ''));
      return {
        Body: {
          transformToByteArray: () => Promise.resolve(bytes),
          transformToString: () => Promise.resolve(bytes.toString('utf8')),
        },
      };
    }
    if (!(command instanceof ListObjectsV2Command)) throw new Error('a folder is only read');
    const entries = await readdir(folder, { recursive: true, withFileTypes: true });
    const keys = entries
      .filter((entry) => entry.isFile())
      .map((entry) => relative(folder, join(entry.parentPath, entry.name)))
      .filter((key) => !key.startsWith('.star-compactor/') && key.startsWith(command.input.Prefix ?? ''));
    return { Contents: keys.toSorted().map((Key) => ({ Key })) };
  };
  return { send } as unknown as S3Client;
}
