/**
 * What may wait for the upload. At 65 bytes an event a busy pipeline makes 10 MB a second, and a part takes about a
 * tenth of a second to S3, so this keeps it going meanwhile.
 */
export const QUEUED_BYTES = 1024 * 1024;
