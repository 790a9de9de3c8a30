export interface Bundle {
  /** Absolute path of the folder; its content is what the zip holds. */
  readonly outdir: string;
  /** Absolute paths of everything written. */
  readonly files: readonly string[];
  /** Minified bytes by package, the largest first. */
  readonly bytesByPackage: Shares;
  /** What the scheduled handler loads: at its `start`, and on top of it for a source, `database` or `api`. */
  readonly loads: readonly { readonly what: string; readonly bytesByPackage: Shares }[];
}

export type Shares = readonly (readonly [name: string, bytes: number])[];

/**
 * Bundles every handler into `outdir`, replacing what an earlier build left there: `handlers/NAME.js`, the chunks
 * that they share or load later, and a `package.json` that declares ES modules.
 *
 * @param options.handlers the folder of handlers, the project's own by default
 */
export function bundle(options: { readonly outdir: string; readonly handlers?: string }): Promise<Bundle>;
