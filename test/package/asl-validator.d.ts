// The package has no types of its own.
declare module 'asl-validator' {
  interface Finding {
    readonly 'Error code': string;
    readonly Message?: string;
  }
  export default function validate(
    definition: object,
    options?: { readonly checkPaths?: boolean; readonly checkArn?: boolean },
  ): { readonly isValid: boolean; readonly errors: readonly Finding[] };
}
