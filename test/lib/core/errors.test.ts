import { expect, test } from 'vitest';
import {
  BackfillIncompleteError,
  ClockError,
  DeadlineError,
  HistoryGoneError,
  InputError,
  MaskingSecretGoneError,
  PrivacyError,
  SourceError,
  StoreError,
  UnexpectedError,
  retryMayHelp,
  tellable,
} from '../../../lib/core/errors.ts';

test('Of an error of somebody else its kind, its code and its places are told', () => {
  const told = tellable(Object.assign(new TypeError('with hunter2'), { code: 'ECONNRESET' }));
  expect(told).toBeInstanceOf(UnexpectedError);
  expect(told.message).toBe('unexpected TypeError (ECONNRESET)');
  expect(told.stack).toMatch(
    /^UnexpectedError: unexpected TypeError \(ECONNRESET\)\n\s+at .*errors\.test\.ts:\d+:\d+/,
  );
  expect(told.stack).not.toContain('hunter2');
});

test.each(['ER_ACCESS_DENIED_ERROR', 'EAI_AGAIN', 'PROTOCOL_CONNECTION_LOST'])(
  'A code such as %s is told',
  (code) => {
    expect(tellable(Object.assign(new Error('x'), { code })).message).toBe(`unexpected Error (${code})`);
  },
);

test('What only looks like a place, a code or a kind is not told', () => {
  const message = 'could not parse\n    at password=hunter2 of db\n    at hunter2 (file:1:2)';
  const error = Object.assign(new Error(message), { code: 'AKIAXHUNTER2EXAMPLE', name: 'hunter2' });
  const { message: text, stack } = tellable(error);
  expect(text).toBe('unexpected Error');
  expect(stack).not.toContain('hunter2');
});

test('Trying the same again may help only where nobody has to change anything before', () => {
  const lasting = [
    new InputError('x'),
    new PrivacyError('x'),
    new ClockError('x'),
    new HistoryGoneError('x'),
    new MaskingSecretGoneError('x'),
    new SourceError('x', { transient: false }),
  ];
  const passing = [
    new SourceError('x', { transient: true }),
    new StoreError('x'),
    new DeadlineError('x'),
    new BackfillIncompleteError('x'),
  ];
  expect(lasting.filter(retryMayHelp)).toEqual([]);
  expect(passing.filter(retryMayHelp)).toEqual(passing);
});
