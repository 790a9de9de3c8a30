/**
 * Bytes that may wait for the upload. At 65 bytes an event a busy pipeline makes 10 MB a second, and uploading a part
 * takes about a tenth of a second, so this keeps the pipeline busy meanwhile.
 */
export const QUEUED_BYTES = 1024 * 1024;
