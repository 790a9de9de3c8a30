import { listMultipartUploads, listObjectsV2, listParts } from './list-requests.ts';
import {
  abortMultipartUpload,
  completeMultipartUpload,
  createMultipartUpload,
  uploadPart,
} from './multipart-requests.ts';
import { deleteObject, deleteObjects, getObject, headObject, putObject } from './object-requests.ts';
import type { Answer, S3Request } from './request.ts';

export const operations: Record<string, (request: S3Request) => Answer | Promise<Answer>> = {
  AbortMultipartUpload: abortMultipartUpload,
  CompleteMultipartUpload: completeMultipartUpload,
  CreateMultipartUpload: createMultipartUpload,
  DeleteObject: deleteObject,
  DeleteObjects: deleteObjects,
  GetObject: getObject,
  HeadBucket: () => ({ status: 200 }),
  HeadObject: headObject,
  ListMultipartUploads: listMultipartUploads,
  ListObjectsV2: listObjectsV2,
  ListParts: listParts,
  PutObject: putObject,
  UploadPart: uploadPart,
};
