import type { OpenStackConnection, OpenStackIdentity } from '../../connection/connection.ts';
import type { Http } from '../../source/nova-api/http.ts';
import { type Token, openKeystone } from '../../source/nova-api/keystone.ts';
import { iso } from '../../core/time.ts';
import { duration } from '../amounts.ts';
import { asSourceError, codeOf } from '../codes.ts';
import { type Finding, teller } from '../finding.ts';

const tell = teller();

const METHODS: Readonly<Record<OpenStackIdentity['method'], string>> = {
  password: 'with a password',
  applicationCredential: 'with an application credential',
  token: 'with the token in the secret',
};

const REFUSED: Readonly<Record<OpenStackIdentity['method'], string>> = {
  password:
    'check user, password, project and the domains of both; a user without a role in the project is refused the same way',
  applicationCredential:
    'check id and secret, or make a new one: openstack application credential create; it is lost when its user loses the role',
  token: 'issue a new one, or better use an application credential, which need not expire',
};

/** Whether Keystone issues a token, for how long, and with which roles. */
export async function* examineToken(
  http: Http,
  connection: OpenStackConnection,
  signal: AbortSignal,
): AsyncGenerator<Finding, Token | undefined, void> {
  const { method } = connection.identity;
  let token: Token;
  try {
    token = await openKeystone(http, connection).issue(signal);
  } catch (error) {
    const source = asSourceError(error, signal);
    const isRefused = ['401', '404'].includes(codeOf(source));
    const found = source.message.replace(/; accepted: .*/, '');
    yield tell.fatal('token', found, 'no trace can be made', isRefused ? REFUSED[method] : undefined);
    return undefined;
  }
  if (method === 'token') {
    const until = token.expires === undefined ? '' : `, valid until ${iso(token.expires)}`;
    yield tell.lacking(
      'token',
      `issued ${METHODS[method]}${until}`,
      'everything that is read after that',
      'use an application credential: openstack application credential create',
    );
  } else {
    const renewed =
      token.seconds === undefined ? '' : `, valid for ${duration(token.seconds)} and then renewed`;
    yield tell.fine('token', `issued ${METHODS[method]}${renewed}`);
  }
  yield rolesFinding(token);
  return token;
}

/** Roles decide nothing by themselves: Nova's policy does, and the checks below ask what Nova shows. */
function rolesFinding({ roles, scope }: Token): Finding {
  const where =
    scope === undefined
      ? 'no scope'
      : scope === 'system'
        ? 'the whole system'
        : `the project ${scope.project}`;
  const held = roles.length === 0 ? 'none' : roles.toSorted().join(', ');
  const note = roles.includes('admin')
    ? scope === 'system'
      ? 'Novas that enforce scopes (the default from 2023.1 on) refuse a system scope: then take a project'
      : undefined
    : 'by Nova’s default policies a trace needs admin; see below whether this Nova agrees';
  return tell.fine('roles', `${held}, in ${where}`, note);
}
