import { InputError } from '../core/errors.ts';

/** @throws InputError naming the option */
export function wholeNumber(option: string, text: string, least: number, most: number): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= least && value <= most) return value;
  throw new InputError(`${option}: got "${text}"; accepted: a whole number from ${least} to ${most}`);
}
