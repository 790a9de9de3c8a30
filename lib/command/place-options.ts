/** Where drops go, as options of a command or variables. They are no settings of a trace. */
export const PLACE_OPTIONS = {
  STAR_TO: ['<place>', 's3://BUCKET/PREFIX, or a folder on a local disk'],
  STAR_ENDPOINT: ['<url>', 'of a store that is not Amazon’s: https://rgw.example.org'],
  STAR_PATH_STYLE: [
    '<bool>',
    'whether the bucket is in the path of URLs (true with an endpoint that is not Amazon’s)',
  ],
  STAR_REGION: ['<name>', 'region of the bucket (AWS_REGION; us-east-1 with an endpoint)'],
  STAR_CA: ['<file>', 'PEM file of the authority that signed the store’s certificate (AWS_CA_BUNDLE)'],
} as const satisfies Record<string, readonly [value: string, help: string]>;

export type PlaceName = keyof typeof PLACE_OPTIONS;
export type PlaceValues = Readonly<Partial<Record<PlaceName, string>>>;
