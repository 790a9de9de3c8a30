import { constants, generateKeyPairSync, privateDecrypt, randomBytes } from 'node:crypto';
import { type Server, type Socket, createServer } from 'node:net';
import { TLSSocket } from 'node:tls';
import { listenOnLoopback } from '../listen-on-loopback.ts';

export interface FakeOptions {
  /** The plugin by which every user has to log in. */
  readonly plugin: string;
  /** `8.4.0` unless told otherwise. */
  readonly version?: string;
  /** Offers TLS with this certificate. */
  readonly tls?: { readonly cert: string; readonly key: string };
  /** Listens at this path in place of a port. */
  readonly socket?: string;
  /** Answers a login with this error in place of asking for more. */
  readonly error?: { readonly number: number; readonly message: string };
}

/** A server in the middle, between a client and the database that it means. */
export interface FakeInBetween {
  readonly port: number;
  /** All that clients have sent so far, as it came out of TLS. */
  received(): Buffer;
  /** How often it has asked for a login by its plugin. */
  readonly asked: number;
  /** What it could make out as passwords. */
  readonly passwords: readonly string[];
  stop(): Promise<void>;
}

const SSL = 0x800;
/** LONG_PASSWORD, CONNECT_WITH_DB, PROTOCOL_41, SECURE_CONNECTION, PLUGIN_AUTH */
const CAPABILITIES = 0x1 | 0x8 | 0x200 | 0x8000 | 0x80000;
/** Of what is encrypted with a key of 2048 bits. */
const RSA_BYTES = 256;
const MORE_DATA = 1;
const FULL_AUTHENTICATION = 4;

/**
 * Speaks MySQL's handshake up to the full exchange of caching_sha2_password and sha256_password, in which it sends an
 * RSA key of its own and reads the password that it gets ("Caching_sha2_password information" and
 * "Authentication Phase" of MySQL's internals). It never lets anybody in.
 */
export async function startFakeInBetween(options: FakeOptions): Promise<FakeInBetween> {
  const keys = generateKeyPairSync('rsa', {
    modulusLength: 2048,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  });
  const state = { received: [] as Buffer[], asked: 0, passwords: [] as string[] };
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    serve(socket, options, keys, state);
  });
  const port = options.socket === undefined ? await listenOnLoopback(server) : 0;
  if (options.socket !== undefined) await listenAt(server, options.socket);
  return {
    port,
    received: () => Buffer.concat(state.received),
    get asked() {
      return state.asked;
    },
    passwords: state.passwords,
    async stop() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function listenAt(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(path, resolve);
  });
}

function serve(
  raw: Socket,
  { plugin, version = '8.4.0', tls, error }: FakeOptions,
  keys: { publicKey: string; privateKey: string },
  state: { received: Buffer[]; asked: number; passwords: string[] },
): void {
  // Without a 0, which would end it.
  const scramble = Buffer.from(randomBytes(20).map((byte) => (byte % 127) + 1));
  let socket = raw;
  let sequence = 0;
  let rest: Buffer = Buffer.alloc(0);
  let waitsFor: 'response' | 'token' | 'key request' | 'password' | 'nothing' = 'response';

  const send = (payload: Buffer): void => {
    const header = Buffer.alloc(4);
    header.writeUIntLE(payload.length, 0, 3);
    header[3] = sequence++;
    socket.write(Buffer.concat([header, payload]));
  };
  const end = (): void => {
    waitsFor = 'nothing';
    const { number, message } = error ?? { number: 1045, message: 'Access denied' };
    const code = Buffer.alloc(2);
    code.writeUInt16LE(number);
    send(Buffer.concat([Buffer.from([0xff]), code, Buffer.from(`#28000${message}`)]));
    socket.end();
  };
  const noteClear = (packet: Buffer): void => {
    const text = packet.toString('utf8').replace(/\0$/, '');
    if (text !== '') state.passwords.push(text);
    end();
  };
  const onPacket = (packet: Buffer): void => {
    if (waitsFor === 'response' && packet.length === 32 && tls !== undefined && socket === raw) {
      upgrade();
    } else if (waitsFor === 'response') {
      if (error !== undefined) return end();
      state.asked++;
      waitsFor = plugin === 'caching_sha2_password' ? 'token' : 'key request';
      send(Buffer.concat([Buffer.from([0xfe]), Buffer.from(`${plugin}\0`), scramble, Buffer.from([0])]));
    } else if (waitsFor === 'token') {
      waitsFor = 'key request';
      send(Buffer.from([MORE_DATA, FULL_AUTHENTICATION]));
    } else if (waitsFor === 'key request') {
      if (packet.length === RSA_BYTES) noteEncrypted(packet);
      else if (packet.length > 1) noteClear(packet);
      else {
        waitsFor = 'password';
        send(Buffer.concat([Buffer.from([MORE_DATA]), Buffer.from(keys.publicKey)]));
      }
    } else if (waitsFor === 'password') noteEncrypted(packet);
  };
  const noteEncrypted = (packet: Buffer): void => {
    try {
      const padding = constants.RSA_PKCS1_OAEP_PADDING;
      const plain = privateDecrypt({ key: keys.privateKey, padding, oaepHash: 'sha1' }, packet);
      const text = Buffer.from(plain.map((byte, at) => byte ^ (scramble[at % 20] ?? 0)));
      state.passwords.push(text.toString('utf8').replace(/\0$/, ''));
    } catch {
      // For another key.
    }
    end();
  };
  const listen = (on: Socket): void => {
    on.on('error', () => undefined);
    on.on('data', (chunk: Buffer) => {
      if (on === socket) state.received.push(chunk);
      rest = Buffer.concat([rest, chunk]);
      for (;;) {
        // What came behind a request for TLS is no packet.
        const length = rest.length < 4 || on !== socket ? Infinity : rest.readUIntLE(0, 3);
        if (rest.length < 4 + length) return;
        sequence = (rest[3] ?? 0) + 1;
        const packet = rest.subarray(4, 4 + length);
        rest = rest.subarray(4 + length);
        onPacket(packet);
      }
    });
  };
  const upgrade = (): void => {
    raw.removeAllListeners('data');
    raw.pause();
    // The client's next bytes may have come with the request.
    if (rest.length > 0) raw.unshift(rest);
    rest = Buffer.alloc(0);
    socket = new TLSSocket(raw, { isServer: true, ...tls });
    listen(socket);
  };

  listen(raw);
  send(greeting(version, scramble, plugin, tls !== undefined));
}

/** "Protocol::HandshakeV10" */
function greeting(version: string, scramble: Buffer, plugin: string, offersTls: boolean): Buffer {
  const capabilities = CAPABILITIES | (offersTls ? SSL : 0);
  const fixed = Buffer.alloc(18);
  fixed.writeUInt16LE(capabilities & 0xffff, 0);
  fixed[2] = 45;
  fixed.writeUInt16LE(2, 3);
  fixed.writeUInt16LE(capabilities >>> 16, 5);
  fixed[7] = 21;
  return Buffer.concat([
    Buffer.from([10]),
    Buffer.from(`${version}\0`),
    Buffer.from([1, 0, 0, 0]),
    scramble.subarray(0, 8),
    Buffer.from([0]),
    fixed,
    scramble.subarray(8),
    Buffer.from(`\0${plugin}\0`),
  ]);
}
