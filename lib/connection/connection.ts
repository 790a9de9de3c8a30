/**
 * How TLS is done to a database. `verify` and `rds` verify the certificate and its name: `name`, or the host. `verify`
 * goes by the authorities of Node and the system or by a given one; `verify-ca` by a given one, whatever the name.
 */
export type Tls =
  | { readonly mode: 'verify'; readonly ca?: string; readonly name?: string }
  | { readonly mode: 'verify-ca'; readonly ca: string }
  | { readonly mode: 'rds'; readonly name?: string }
  /** `serverKey`: PEM of the server's RSA key, with which a password may be encrypted for it. */
  | { readonly mode: 'off'; readonly serverKey?: string };

/** How TLS is done to https URLs; `off` is TLS that verifies nothing, as `insecure` and `verify: false` ask for. */
export type ApiTls = { readonly mode: 'verify'; readonly ca?: string } | { readonly mode: 'off' };

/** One Nova cell database. */
export interface CellConnection {
  /** Names the cell in the checkpoint and the manifest: `cell1`, `cell0`. */
  readonly cell: string;
  readonly host: string;
  readonly port: number;
  /** Path of a socket on this machine, instead of host and port. */
  readonly socket?: string;
  readonly user: string;
  readonly password: string;
  readonly database: string;
  readonly tls: Tls;
  /**
   * Whether it was given as options of the command line. Errors then name the options instead of the fields of a
   * secret.
   */
  readonly byOptions?: true;
}

export interface DatabaseConnection {
  readonly kind: 'database';
  readonly cells: readonly CellConnection[];
  /** Databases of other services, each under its own name where a cell has its own. */
  readonly services: ServiceDatabases;
}

/**
 * Placement knows when capacities changed, Ironic which bare metal nodes there are, Blazar who reserved what, and Nova's
 * own API database which reservation a user asked for. Undefined where the secret has none.
 */
export type ServiceDatabases = { readonly [Name in ServiceName]?: CellConnection };

export const SERVICE_NAMES = ['placement', 'ironic', 'blazar', 'nova_api'] as const;
export type ServiceName = (typeof SERVICE_NAMES)[number];

/** A user or a project of Keystone, by its id or by its name within a domain. */
export type Named<Within> = { readonly id: string } | ({ readonly name: string } & Within);
export type InDomain = { readonly domain: { readonly id: string } | { readonly name: string } };

/** How the user proves to Keystone who it is. */
export type OpenStackIdentity =
  | { readonly method: 'password'; readonly user: Named<InDomain>; readonly password: string }
  | {
      readonly method: 'applicationCredential';
      /** A name is unique only within its user. */
      readonly credential: Named<{ readonly user: Named<InDomain> }>;
      readonly secret: string;
    }
  | { readonly method: 'token'; readonly token: string };

/** What the token is valid for; an application credential has its own scope. */
export type OpenStackScope =
  { readonly project: Named<InDomain> } | { readonly system: true } | { readonly ofCredential: true };

/** How to reach Nova's API: through Keystone, whose catalogue has its URL. */
export interface OpenStackConnection {
  readonly kind: 'api';
  /** With or without the version at its end. */
  readonly authUrl: string;
  /** The requested version; by default v3 if Keystone offers it. */
  readonly identityVersion: 'v3' | 'v2.0' | undefined;
  readonly identity: OpenStackIdentity;
  readonly scope: OpenStackScope;
  /** Needed only where the catalogue has several. */
  readonly region: string | undefined;
  readonly interface: 'public' | 'internal' | 'admin';
  /** Nova's URL, instead of the catalogue's. */
  readonly computeUrl?: string;
  readonly tls: ApiTls;
}

/** What a secret opens. */
export type CloudConnection = DatabaseConnection | OpenStackConnection;
