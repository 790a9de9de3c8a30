import { element, xmlDocument } from './xml.ts';

/** An answer other than success, as S3 words it. Source: "Error responses", Amazon S3 API reference. */
export class S3Error extends Error {
  override name = 'S3Error';
  readonly status: number;
  readonly code: string;
  /** Further elements of the error document, such as `ActualObjectSize`. */
  readonly details: Record<string, string>;
  readonly headers: Record<string, string>;

  constructor(
    status: number,
    code: string,
    message: string,
    details: Record<string, string> = {},
    headers: Record<string, string> = {},
  ) {
    super(message);
    this.status = status;
    this.code = code;
    this.details = details;
    this.headers = headers;
  }
}

export function errorDocument(error: S3Error, resource: string, requestId: string): string {
  const details = Object.entries({
    ...error.details,
    Resource: resource,
    RequestId: requestId,
    HostId: 'local',
  });
  return xmlDocument(
    element(
      'Error',
      element('Code', error.code),
      element('Message', error.message),
      ...details.map(([name, value]) => element(name, value)),
    ),
  );
}

/** What this server does not do it refuses, so that a test cannot lean on something silently ignored. */
export function notImplemented(what: string): S3Error {
  return new S3Error(501, 'NotImplemented', `The local S3 server does not implement ${what}`);
}

export function noSuchBucket(bucket: string): S3Error {
  return new S3Error(404, 'NoSuchBucket', 'The specified bucket does not exist', { BucketName: bucket });
}

export function noSuchKey(key: string): S3Error {
  return new S3Error(404, 'NoSuchKey', 'The specified key does not exist.', { Key: key });
}

export function noSuchUpload(uploadId: string): S3Error {
  const message =
    'The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or completed.';
  return new S3Error(404, 'NoSuchUpload', message, { UploadId: uploadId });
}

export function invalidArgument(message: string, name: string, value: string): S3Error {
  return new S3Error(400, 'InvalidArgument', message, { ArgumentName: name, ArgumentValue: value });
}

export function invalidRequest(message: string): S3Error {
  return new S3Error(400, 'InvalidRequest', message);
}

export function malformedXml(): S3Error {
  const message = 'The XML you provided was not well-formed or did not validate against our published schema';
  return new S3Error(400, 'MalformedXML', message);
}

export function preconditionFailed(condition: string): S3Error {
  const message = 'At least one of the pre-conditions you specified did not hold';
  return new S3Error(412, 'PreconditionFailed', message, { Condition: condition });
}

export function conditionalConflict(condition: string, key: string): S3Error {
  const message =
    'The conditional request cannot succeed due to a conflicting operation against this resource.';
  return new S3Error(409, 'ConditionalRequestConflict', message, { Condition: condition, Key: key });
}

/** What a Ceph gateway answers the loser of two writes at once. */
export function concurrentModification(key: string): S3Error {
  return new S3Error(409, 'ConcurrentModification', 'UnknownError', { Key: key });
}
