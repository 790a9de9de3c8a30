import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { promisify } from 'node:util';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseSecret } from '../../../lib/connection/secret.ts';
import { refusal } from './refusal.ts';

const [password, user, project, id] = Array.from({ length: 4 }, () => randomUUID());
const url = `https://${randomUUID()}.example:5000/v3`;
const hidden = [password, user, project, id, new URL(url).hostname] as string[];

/** Everything but the password, to which a file may say more. */
const others = `export OS_AUTH_URL=${url}\nexport OS_USERNAME=${user}\nexport OS_PROJECT_NAME=${project}\n`;

async function passwordOf(text: string): Promise<unknown> {
  const connection = await parseSecret(text);
  return 'identity' in connection && connection.identity.method === 'password'
    ? connection.identity.password
    : undefined;
}

/** As Horizon's template comes out, with a line for the password. */
const horizon = (passwordLines: string): string => `#!/usr/bin/env bash
# To use an OpenStack cloud you need to authenticate against the Identity
# service named keystone, which returns a **Token** and **Service Catalog**.
# *NOTE*: Using the 3 *Identity API* doesn't necessarily mean any other
export OS_AUTH_URL=${url}
export OS_PROJECT_ID=${id}
export OS_PROJECT_NAME="${project}"
export OS_USER_DOMAIN_NAME="Default"
if [ -z "$OS_USER_DOMAIN_NAME" ]; then unset OS_USER_DOMAIN_NAME; fi
export OS_PROJECT_DOMAIN_ID="default"
if [ -z "$OS_PROJECT_DOMAIN_ID" ]; then unset OS_PROJECT_DOMAIN_ID; fi
# unset v2.0 items in case set
unset OS_TENANT_ID
unset OS_TENANT_NAME
export OS_USERNAME="${user}"
echo "Please enter your OpenStack Password for project $OS_PROJECT_NAME as user $OS_USERNAME: "
${passwordLines}
export OS_REGION_NAME=""
# Don't leave a blank variable, unset it if it was empty
if [ -z "$OS_REGION_NAME" ]; then unset OS_REGION_NAME; fi
export OS_INTERFACE=public
export OS_IDENTITY_API_VERSION=3
`;
const asking = 'read -sr OS_PASSWORD_INPUT\nexport OS_PASSWORD=$OS_PASSWORD_INPUT';

describe('an openrc file', () => {
  test('may be Horizon’s, once it holds the password; what is empty there is not given', async () => {
    const expected = {
      authUrl: url,
      identity: { method: 'password', user: { name: user, domain: { name: 'Default' } }, password },
      scope: { project: { id } },
      region: undefined,
    };
    expect(await parseSecret(horizon(`export OS_PASSWORD='${password}'`))).toMatchObject(expected);
    // Whichever of its two lines was replaced.
    expect(
      await parseSecret(horizon(`read -sr OS_PASSWORD_INPUT\nexport OS_PASSWORD='${password}'`)),
    ).toMatchObject(expected);
    expect(
      await parseSecret(horizon(`OS_PASSWORD_INPUT='${password}'\nexport OS_PASSWORD=$OS_PASSWORD_INPUT`)),
    ).toMatchObject(expected);
  });

  test('may be Horizon’s for an application credential', async () => {
    const text = `#!/usr/bin/env bash
export OS_AUTH_TYPE=v3applicationcredential
export OS_AUTH_URL=${url}
export OS_IDENTITY_API_VERSION=3
export OS_REGION_NAME="RegionOne"
export OS_INTERFACE=public
export OS_APPLICATION_CREDENTIAL_ID=${id}
export OS_APPLICATION_CREDENTIAL_SECRET=${password}`;
    expect(await parseSecret(text)).toMatchObject({
      identity: { method: 'applicationCredential', credential: { id }, secret: password },
      scope: { ofCredential: true },
      region: 'RegionOne',
    });
  });

  test('may be kolla’s', async () => {
    const text = `# Ansible managed

# Clear any old environment that may conflict.
for key in $( set | awk '{FS="="}  /^OS_/ {print $1}' ); do unset $key ; done
export OS_PROJECT_DOMAIN_NAME='Default'
export OS_USER_DOMAIN_NAME='Default'
export OS_PROJECT_NAME='${project}'
export OS_TENANT_NAME='${project}'
export OS_USERNAME='${user}'
export OS_PASSWORD='${password}'
export OS_AUTH_URL='${url}'
export OS_INTERFACE='internal'
export OS_ENDPOINT_TYPE='internalURL'
export OS_MANILA_ENDPOINT_TYPE='internalURL'
export OS_IDENTITY_API_VERSION='3'
export OS_REGION_NAME='RegionOne'
export OS_AUTH_PLUGIN='password'`;
    expect(await parseSecret(text)).toMatchObject({
      identity: { user: { name: user, domain: { name: 'Default' } }, password },
      scope: { project: { name: project, domain: { name: 'Default' } } },
      region: 'RegionOne',
      interface: 'internal',
    });
  });

  test('may be TripleO’s, with a prompt at its end', async () => {
    const text = `export OS_AUTH_TYPE=password
export NOVA_VERSION=1.1
export OS_NO_CACHE=True
export OS_CLOUDNAME=undercloud
export OS_IDENTITY_API_VERSION='3'
${others}export OS_PASSWORD=${password}
export PYTHONWARNINGS="ignore:Certificate has no, ignore:A true SSLContext object is not available"
# Add OS_CLOUDNAME to PS1
if [ -z "\${CLOUDPROMPT_ENABLED:-}" ]; then
    export PS1=\${PS1:-""}
    export PS1=\\\${OS_CLOUDNAME:+"(\\$OS_CLOUDNAME)"}\\ $PS1
    export CLOUDPROMPT_ENABLED=1
fi`;
    expect(await passwordOf(text)).toBe(password);
  });

  test('may be the output of export -p', async () => {
    const text = `declare -x LESSOPEN="| /usr/bin/lesspipe %s"\ndeclare -x IFS=$' \\t\\n\\''\ndeclare -x OS_TOKEN\n${others.replaceAll(
      /export (\w+)=(.*)/g,
      'declare -x $1="$2"',
    )}declare -rx OS_PASSWORD="\\"${password}\\$"\n`;
    expect(await passwordOf(text)).toBe(`"${password}$`);
  });

  test.each([
    [`export OS_PASSWORD=${password}`, password],
    [`OS_PASSWORD=${password}; export OS_PASSWORD`, password],
    [`OS_PASSWORD=${password} && export OS_PASSWORD`, password],
    [`export FOO=1 OS_PASSWORD=${password} BAR=$(hostname)`, password],
    [`\texport   OS_PASSWORD='${password}'   # not "this`, password],
    [`export OS_PASSWORD='${password}'# `, `${password}#`],
    [`export OS_PASSWORD=${password}#1`, `${password}#1`],
    [`export OS_PASSWORD=\\#${password}\\ \\$x`, `#${password} $x`],
    [`export OS_PASSWORD="a\\"b\\\\c\\$d\\\`e\\f"`, 'a"b\\c$d`e\\f'],
    [`export OS_PASSWORD="a$ b$"`, 'a$ b$'],
    [`export OS_PASSWORD='a"b\\c$d\`e'"'"f`, `a"b\\c$d\`e'f`],
    [`export OS_PASSWORD=a\\\nb"c\\\nd"`, 'abcd'],
    [`export OS_PASSWORD=a=b~c{d,e}*?[f]!%@`, 'a=b~c{d,e}*?[f]!%@'],
    [`export OS_PASSWORD="$OS_USERNAME-\${OS_USERNAME}"`, `${user}-${user}`],
    [`SALT=x-\nexport OS_PASSWORD=\${SALT}${password}`, `x-${password}`],
    [`OS_HELP=${password}\nexport OS_PASSWORD=\${OS_HELP}`, password],
    [`export OS_PASSWORD=old\nunset OS_PASSWORD FOO\nOS_PASSWORD=${password}`, password],
    [`export OS_PASSWORD=${password}\nif [ -z "$OS_PASSWORD" ]; then read -s OS_PASSWORD; fi`, password],
    [`export OS_PASSWORD=${password}\nf() { export FOO=1; }\nfunction g {\n  OS=2\n}\n(cd /)`, password],
    [`case $- in\n*i*) echo hi ;;\nesac\nexport OS_PASSWORD=${password}`, password],
    [`[ -n "$X" ] &&\n  echo x\nexport OS_PASSWORD=${password}`, password],
    [`set -a; umask 077 > /dev/null 2>&1\nOS_PASSWORD=${password}`, password],
    [`export OS_PASSWORD=${password}\r`, password],
  ])('keeps a value as a shell would (%#)', async (text, expected) => {
    expect(await passwordOf(`${others}${text}\n`)).toBe(expected);
    expect(await passwordOf(`${others}${text}\n`.replaceAll(/(?<!\r)\n/g, '\r\n'))).toBe(expected);
  });

  test('may hold a certificate on lines of its own, or in one line', async () => {
    const pem = `-----BEGIN CERTIFICATE-----\n${randomUUID()}\n-----END CERTIFICATE-----`;
    for (const written of [pem, pem.replaceAll('\n', '\\n')]) {
      const text = `${others}export OS_PASSWORD=x\nexport OS_CACERT="${written}"`;
      expect(await parseSecret(text)).toMatchObject({ tls: { mode: 'verify', ca: pem } });
    }
  });
});

const REFUSED: [text: string, message: RegExp][] = [
  [horizon(asking), /^secret: OS_PASSWORD: is asked for at a terminal; accepted: the value itself, instead/],
  [`${others}read -s OS_PASSWORD`, /^secret: OS_PASSWORD: is asked for at a terminal/],
  [`${others}IFS= read -rs OS_PASSWORD`, /^secret: OS_PASSWORD: is asked for at a terminal/],
  [`${others}if [ -z x ]; then\n  ${asking}\nfi`, /^secret: OS_PASSWORD: is asked for at a terminal/],
  [others, /^secret: OS_PASSWORD: got nothing; accepted: a password/],
  [`${others}export OS_PASSWORD=`, /^secret: OS_PASSWORD: got nothing/],
  [`${others}export OS_PASSWORD=${password}\nunset OS_PASSWORD`, /^secret: OS_PASSWORD: got nothing/],
  [
    `${others}export OS_PASSWORD=$(pass show ${project})`,
    /^secret: OS_PASSWORD: needs a shell; accepted: the/,
  ],
  [`${others}export OS_PASSWORD="\`pass show ${project}\`"`, /^secret: OS_PASSWORD: needs a shell/],
  [`${others}export OS_PASSWORD=$CLOUD_PASSWORD`, /^secret: OS_PASSWORD: needs a shell/],
  [`${others}export OS_PASSWORD=\${OS_PASSWORD:-${password}}`, /^secret: OS_PASSWORD: needs a shell/],
  [`${others}export OS_PASSWORD="${password}$$"`, /^secret: OS_PASSWORD: needs a shell/],
  [`${others}export OS_PASSWORD="${password}$1"`, /^secret: OS_PASSWORD: needs a shell/],
  [`${others}export OS_PASSWORD=$'${password}\\n'`, /^secret: OS_PASSWORD: needs a shell/],
  [`${others}export OS_PASSWORD=$"${password}"`, /^secret: OS_PASSWORD: needs a shell/],
  [`${others}export OS_PASSWORD=~${password}`, /^secret: OS_PASSWORD: needs a shell/],
  [`${others}OS_PASSWORD+=${password}`, /^secret: OS_PASSWORD: needs a shell/],
  [`HOST=$(hostname)\n${others}export OS_AUTH_URL=http://$HOST:5000`, /^secret: OS_AUTH_URL: needs a shell/],
  [`${others}if true; then export OS_PASSWORD=${password}; fi`, /^secret: OS_PASSWORD: is set within if/],
  [`${others}case $1 in\n2) OS_PASSWORD=${password};;\nesac`, /^secret: OS_PASSWORD: is set within if, case/],
  [
    `${others}f() {\n  export OS_PASSWORD=${password}\n}`,
    /^secret: OS_PASSWORD: is set within if, case, a loop/,
  ],
  [
    `${others}function f {\n  export OS_PASSWORD=${password}\n}`,
    /^secret: OS_PASSWORD: is set within if, case/,
  ],
  [
    `${others}[ -n "$X" ] && export OS_PASSWORD=${password}`,
    /^secret: OS_PASSWORD: is set within .*after &&/,
  ],
  [`${others}false ||\n\nexport OS_PASSWORD=${password}`, /^secret: OS_PASSWORD: is set within/],
  [`${others}export OS_PASSWORD=${password} horse`, /^secret: OS_PASSWORD: has text after its value; acc/],
  [`${others}OS_PASSWORD=${password} horse`, /^secret: OS_PASSWORD: has text after its value/],
  [`${others}OS_PASSWORD= ${password}`, /^secret: OS_PASSWORD: has text after its value/],
  [`${others}export OS_PASSWORD=${password}&b`, /^secret: OS_PASSWORD: has text after its value/],
  [`${others}export OS_PASSWORD=${password}|b`, /^secret: OS_PASSWORD: has text after its value/],
  [`${others}export OS_PASSWORD=${password}>b`, /^secret: OS_PASSWORD: has text after its value/],
  [`${others}export OS_PASSWORD=${password}(b`, /^secret: OS_PASSWORD: has text after its value/],
  [`${others}export OS_PASSWORD=${password})b`, /^secret: OS_PASSWORD: has text after its value/],
  [`${others}export OS_PASSWORD = ${password}`, /^secret: OS_PASSWORD: got nothing/],
  [`${others}export OS_PASSWORD='${password}`, /^secret: OS_PASSWORD: accepted: every ' closed by another$/],
  [
    `${others}export OS_PASSWORD="${password}\\"`,
    /^secret: OS_PASSWORD: accepted: every " closed by another$/,
  ],
  [`${others}export OS_PASSWORD=\`${password}`, /^secret: OS_PASSWORD: accepted: every ` closed by another$/],
  [`${others}export OS_PASSWORD=$(${password}`, /^secret: OS_PASSWORD: accepted: every bracket closed$/],
  [
    `${others}export OS_PASSWORD="${password}\nexport OS_REGION_NAME=a"`,
    /^secret: OS_PASSWORD: accepted: a text on one/,
  ],
  [`${others}echo it’s ${password}'s`, /^secret: line 4: accepted: every ' closed by another$/],
  [`${others}cat <<END\nOS_PASSWORD=${password}\nEND`, /^secret: line 4: accepted: no here-document/],
  [
    `${others}export OS_PASSWRD=${password}`,
    /^secret: OS_PASSWRD: unknown; accepted: OS_AUTH_TYPE, OS_AUTH_URL,/,
  ],
  [`${others}export OS_CACERT=/etc/ssl/${id}.pem`, /^secret: OS_CACERT: accepted: the text of a PEM certif/],
  [
    `A=${password}\n${'A=$A$A\n'.repeat(60)}${others}export OS_PASSWORD=$A`,
    /^secret: OS_PASSWORD: is longer than a secret can be; accepted: the value itself$/,
  ],
  [`${others}export OS_PASSWORD=a;${password}`, /^secret: OS_PASSWORD: has text after its value; acc/],
  [`${others}OS_PASSWORD=a;${password}\nexport OS_PASSWORD`, /^secret: OS_PASSWORD: has text after its/],
  [`${others}export OS_PASSWORD=a; ${password}`, /^secret: OS_PASSWORD: has text after its value; acc/],
  [`${others}export OS_PASSWORD='a'b;${password};c`, /^secret: OS_PASSWORD: has text after its value/],
  [`${others}export OS_CLOUD=${project}`, /^secret: OS_CLOUD: it points to what is not in the secret;/],
];

describe('an openrc file that cannot be used', () => {
  test.each(REFUSED)('is refused in one line that names the variable (%#)', async (text, message) => {
    expect(await refusal(text, hidden)).toMatch(message);
    expect(await refusal(text.replaceAll('\n', '\r\n'), hidden)).toMatch(message);
  });
});

test('what is read from a file is what sh makes of it', async () => {
  // No operators and no backticks: nothing that sh could run here but a or b, which are not there.
  const risky = fc.constantFrom('\\\n', ...Array.from('ab\'\'""\\\\$#~:={}!*-\t '));
  let compared = 0;
  const property = fc.asyncProperty(fc.array(risky, { maxLength: 8 }), async (characters) => {
    const line = `OS_PASSWORD=${characters.join('')}`;
    const ours = await passwordOf(`${others}${line}\n\n:`).catch(() => undefined);
    if (ours === undefined) return;
    const script = `${line}\n\nprintf %s "$OS_PASSWORD"`;
    const options = { env: { HOME: '/h', PATH: '/none' } };
    const theirs = await promisify(execFile)('/bin/sh', ['-c', script], options).catch(() => undefined);
    if (theirs === undefined) return; // a syntax error in what follows
    expect(ours).toBe(theirs.stdout);
    compared += 1;
  });
  await fc.assert(property, { numRuns: 500 });
  expect(compared).toBeGreaterThan(50);
});
