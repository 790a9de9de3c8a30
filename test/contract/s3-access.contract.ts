import { afterAll, describe, expect, test } from 'vitest';
import { failure, openCalls } from './calls.ts';
import { sendRaw } from './raw.ts';

const { target, head } = await openCalls();
afterAll(() => target.close());

function withoutSignature(headers: Record<string, string>): void {
  delete headers['authorization'];
}

function withOtherCondition(headers: Record<string, string>): void {
  headers['if-none-match'] = 'x';
}

function withMoreMetadata(headers: Record<string, string>): void {
  headers['x-amz-meta-added'] = 'later';
}

describe('a request', () => {
  const unknownKey = 'LOCALUNKNOWNUNKNOWN0';

  test('with an unknown key is refused', async () => {
    const credentials = { ...target.credentials, accessKeyId: unknownKey, sessionToken: undefined };
    const answer = await sendRaw(target, { method: 'GET', key: 'x', credentials });
    expect(answer).toMatchObject({ status: 403, code: 'InvalidAccessKeyId' });
  });

  test('signed with another secret is refused', async () => {
    const credentials = { ...target.credentials, secretAccessKey: 'another' };
    const answer = await sendRaw(target, { method: 'PUT', key: 'refused', body: 'x', credentials });
    expect(answer).toMatchObject({ status: 403, code: 'SignatureDoesNotMatch' });
    expect(await failure(head(`${target.prefix}refused`))).toBe('404 NotFound');
  });

  test('without a signature is refused', async () => {
    const answer = await sendRaw(target, { method: 'GET', key: 'x', tamper: withoutSignature });
    expect(answer).toMatchObject({ status: 403, code: 'AccessDenied' });
  });

  test('changed after it was signed is refused', async () => {
    const headers = { 'if-none-match': '*' };
    const answer = await sendRaw(target, {
      method: 'PUT',
      key: 'changed',
      body: 'x',
      headers,
      tamper: withOtherCondition,
    });
    expect(answer).toMatchObject({ status: 403, code: 'SignatureDoesNotMatch' });
  });

  test('with a header of AWS that is not signed is refused', async () => {
    const answer = await sendRaw(target, {
      method: 'PUT',
      key: 'added',
      body: 'x',
      tamper: withMoreMetadata,
    });
    expect(answer).toMatchObject({ status: 403, code: 'AccessDenied' });
  });

  test.each([-20, 20])('signed %i minutes off the clock is refused', async (minutes) => {
    const signedAt = new Date(Date.now() + minutes * 60_000);
    const answer = await sendRaw(target, { method: 'GET', key: 'x', signedAt });
    expect(answer).toMatchObject({ status: 403, code: 'RequestTimeTooSkewed' });
  });
});
