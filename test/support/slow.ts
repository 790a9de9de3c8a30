/** Whether `npm run test:slow` asks for every step and long histories; `npm test` takes a part of them. */
export const IS_SLOW = process.env['TEST_SLOW'] === 'true';
