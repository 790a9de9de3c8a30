import { describe, expect, test, vi } from 'vitest';
import { SourceError } from '../../../../lib/core/errors.ts';
import { TransientAnswer, retryAfter, withRetries } from '../../../../lib/source/nova-api/retry.ts';

describe('What failed for a transient reason', () => {
  test('is tried again until it succeeds', async () => {
    vi.spyOn(Math, 'random').mockReturnValue(0);
    const attempt = vi
      .fn<() => Promise<string>>()
      .mockRejectedValueOnce(new TransientAnswer('busy', undefined))
      .mockRejectedValueOnce(new SourceError('reset', { transient: true }))
      .mockResolvedValueOnce('answer');
    expect(await withRetries(attempt, new AbortController().signal)).toBe('answer');
    expect(attempt).toHaveBeenCalledTimes(3);
    vi.restoreAllMocks();
  });

  test('fails after eight times in a row, and says so', async () => {
    vi.spyOn(Math, 'random').mockReturnValue(0);
    const attempt = vi.fn<() => Promise<never>>(() =>
      Promise.reject(new TransientAnswer('Nova: busy', undefined)),
    );
    await expect(withRetries(attempt, new AbortController().signal)).rejects.toThrow(
      'Nova: busy, 8 times in a row',
    );
    expect(attempt).toHaveBeenCalledTimes(8);
    vi.restoreAllMocks();
  });

  test('is not tried again by those around, once it was tried often enough', async () => {
    vi.spyOn(Math, 'random').mockReturnValue(0);
    const { signal } = new AbortController();
    const attempt = vi.fn<() => Promise<never>>(() => Promise.reject(new TransientAnswer('busy', undefined)));
    await expect(withRetries(() => withRetries(attempt, signal), signal)).rejects.toThrow(
      /busy, 8 times in a row$/,
    );
    expect(attempt).toHaveBeenCalledTimes(8);
    vi.restoreAllMocks();
  });

  test('is not tried again where trying cannot help', async () => {
    const attempt = vi.fn<() => Promise<never>>(() =>
      Promise.reject(new SourceError('refused', { transient: false })),
    );
    await expect(withRetries(attempt, new AbortController().signal)).rejects.toThrow('refused');
    expect(attempt).toHaveBeenCalledTimes(1);
  });

  test('waits no longer than the deadline, whatever the server asks for', async () => {
    const controller = new AbortController();
    const waiting = withRetries(() => Promise.reject(new TransientAnswer('busy', 3600)), controller.signal);
    setTimeout(() => controller.abort(new Error('time is over')), 10);
    await expect(waiting).rejects.toThrow('time is over');
  });
});

describe('Retry-After', () => {
  test('is read as seconds or as a date, and passed over where it is neither', () => {
    const now = Date.parse('2026-11-25T00:00:00Z');
    expect(retryAfter('17', now)).toBe(17);
    expect(retryAfter('Wed, 25 Nov 2026 00:01:00 GMT', now)).toBe(60);
    expect(retryAfter('Wed, 25 Nov 2026 00:00:00 GMT', now + 5000)).toBe(0);
    expect(retryAfter('soon', now)).toBeUndefined();
    expect(retryAfter('Fri, 25 Dec 2099 00:00:00 GMT', now)).toBe(3600);
    expect(retryAfter('999999999', now)).toBe(3600);
    expect(retryAfter(undefined, now)).toBeUndefined();
  });
});
