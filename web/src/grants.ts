// A grant's terms: reading and changing them, exactly. Amounts are decimal texts and are never made numbers of.
import type { FieldRule, GrantTerms } from './api.ts';

const PLACES = 9;
const PLAIN = /^-?(0|[1-9]\d{0,19})(\.\d{1,9})?$/;

// In units of 10^-9; null for what is no plain decimal.
export function units(text: string): bigint | null {
  if (!PLAIN.test(text) || /^-0(\.0+)?$/.test(text)) return null;
  const minus = text.startsWith('-');
  const [whole = '0', behind = ''] = text.replace('-', '').split('.');
  const all = BigInt(whole + behind.padEnd(PLACES, '0'));
  return minus ? -all : all;
}

export function decimalText(value: bigint): string {
  const digits = (value < 0n ? -value : value).toString().padStart(PLACES + 1, '0');
  const behind = digits.slice(-PLACES).replace(/0+$/, '');
  return `${value < 0n ? '-' : ''}${digits.slice(0, -PLACES)}${behind && `.${behind}`}`;
}

// The text, that many times; null where it is no amount.
export function times(text: string, count: number): string | null {
  const amount = units(text);
  return amount === null ? null : decimalText(amount * BigInt(count));
}

// "/beneficiary/name" → ["beneficiary", "name"]
export const steps = (pointer: string): string[] =>
  pointer
    .split('/')
    .slice(1)
    .map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'));

export type Way = 'fixed' | 'upto' | 'any';

export const wayOf = (rule: FieldRule): Way => (rule.any ? 'any' : rule.at_most !== undefined ? 'upto' : 'fixed');

// What a field of the held call may be loosened to.
export function ways(held: FieldRule): Way[] {
  const all: Way[] = ['fixed'];
  const amount = held.type === 'number' ? units(held.equals ?? '') : null;
  if (amount !== null && amount >= 0n) all.push('upto');
  if (['number', 'string', 'boolean'].includes(held.type)) all.push('any');
  return all;
}

export function loosened(held: FieldRule, way: Way, atMost?: string): FieldRule {
  const { pointer, type } = held;
  if (way === 'any') return { pointer, type, any: true };
  if (way === 'upto') return { pointer, type, at_least: '0', at_most: atMost ?? held.equals ?? '' };
  return held;
}

// The largest amount that one call may have of what is added up.
function largestOf(terms: GrantTerms, pointer: string): string | null {
  const rule = terms.shape.fields?.find((f) => f.pointer === pointer);
  return rule?.at_most ?? rule?.equals ?? null;
}

// With one field changed. A sum needs bounds under it; without them it goes, and comes back with them.
export function withField(terms: GrantTerms, rule: FieldRule): GrantTerms {
  const fields = terms.shape.fields?.map((f) => (f.pointer === rule.pointer ? rule : f)) ?? null;
  const next = { ...terms, shape: { ...terms.shape, fields } };
  return rule.any && terms.sum?.pointer === rule.pointer ? { ...next, sum: null } : next;
}

// With the sum that so many of the largest calls come to.
export function withWholeSum(terms: GrantTerms, pointer: string | null): GrantTerms {
  const largest = pointer === null ? null : largestOf(terms, pointer);
  const all = largest === null ? null : times(largest, terms.count);
  return { ...terms, sum: pointer === null || all === null ? null : { pointer, at_most: all } };
}

export const LENGTHS: [seconds: number, words: string][] = [
  [10 * 60, '10 minutes'],
  [30 * 60, '30 minutes'],
  [60 * 60, 'an hour'],
  [4 * 60 * 60, '4 hours'],
  [8 * 60 * 60, '8 hours'],
  [24 * 60 * 60, 'a day'],
  [7 * 24 * 60 * 60, '7 days'],
  [30 * 24 * 60 * 60, '30 days'],
];

export const lengthInWords = (seconds: number) => LENGTHS.find(([s]) => s === seconds)?.[1] ?? `${Math.round(seconds / 60)} minutes`;

// The fields that may differ from the held call's.
export const loose = (terms: GrantTerms): FieldRule[] => terms.shape.fields?.filter((f) => wayOf(f) !== 'fixed') ?? [];
