// How times, durations, amounts and names are written, everywhere. Times are shown in the reader's zone; the UTC form
// goes along for hovering and for programs.

const clock = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit', second: '2-digit' });
const day = new Intl.DateTimeFormat(undefined, { day: 'numeric', month: 'short' });
const dayOfYear = new Intl.DateTimeFormat(undefined, { day: 'numeric', month: 'short', year: 'numeric' });
const weekday = new Intl.DateTimeFormat(undefined, { weekday: 'long', day: 'numeric', month: 'long' });
const relative = new Intl.RelativeTimeFormat('en', { numeric: 'auto' });

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

export function parseTime(text: string | null | undefined): number | null {
  const time = Date.parse(text ?? '');
  return Number.isNaN(time) ? null : time;
}

const dayStart = (time: number) => new Date(time).setHours(0, 0, 0, 0);

// "14:02:11" today, else with the day: "3 Feb, 14:02:11".
export function timeOfDay(time: number, now: number): string {
  if (dayStart(time) === dayStart(now)) return clock.format(time);
  const sameYear = new Date(time).getFullYear() === new Date(now).getFullYear();
  return `${(sameYear ? day : dayOfYear).format(time)}, ${clock.format(time)}`;
}

export const utc = (time: number) => `${new Date(time).toISOString().slice(0, 19).replace('T', ' ')} UTC`;

// "Today", "Yesterday", or the day's name: for lists that are grouped by day.
export function dayName(time: number, now: number): string {
  const apart = Math.round((dayStart(now) - dayStart(time)) / DAY);
  if (apart === 0) return 'Today';
  if (apart === 1) return 'Yesterday';
  return new Date(time).getFullYear() === new Date(now).getFullYear() ? weekday.format(time) : dayOfYear.format(time);
}

// "12 min ago", "3 days ago".
export function ago(time: number, now: number): string {
  const passed = Math.max(0, now - time);
  if (passed < 45 * SECOND) return 'just now';
  if (passed < HOUR) return `${Math.max(1, Math.round(passed / MINUTE))} min ago`;
  if (passed < DAY) return `${Math.round(passed / HOUR)} h ago`;
  return relative.format(-Math.round(passed / DAY), 'day');
}

// A duration to come, to the unit that matters: "45 s", "4 min 10 s", "12 min", "3 h 20 min", "2 days".
export function duration(ms: number): string {
  const left = Math.max(0, Math.ceil(ms / SECOND) * SECOND);
  if (left < MINUTE) return `${left / SECOND} s`;
  if (left < 5 * MINUTE) {
    const seconds = Math.floor((left % MINUTE) / SECOND);
    return `${Math.floor(left / MINUTE)} min${seconds ? ` ${seconds} s` : ''}`;
  }
  if (left < HOUR) return `${Math.floor(left / MINUTE)} min`;
  if (left < DAY) {
    const minutes = Math.floor((left % HOUR) / MINUTE);
    return `${Math.floor(left / HOUR)} h${minutes ? ` ${minutes} min` : ''}`;
  }
  const days = Math.floor(left / DAY);
  return `${days} day${days === 1 ? '' : 's'}`;
}

export function bytes(count: number): string {
  if (count < 1024) return `${count} byte${count === 1 ? '' : 's'}`;
  if (count < 1024 * 1024) return `${(count / 1024).toFixed(1)} KiB (${count} bytes)`;
  return `${(count / 1024 / 1024).toFixed(1)} MiB (${count} bytes)`;
}

export interface Run {
  text: string;
  amount: boolean;
}

const CURRENCIES = new Set(Intl.supportedValuesOf('currency'));
const SIGNS = '€$£¥₹₩₽₺₴₪฿';
const NUMBER = '-?\\d+(?:[.,]\\d+)*';
const AMOUNT = new RegExp(`(?<![\\p{L}\\d.,_-])(?:${NUMBER} ?(?:[${SIGNS}]|[A-Z]{3}(?![\\p{L}\\d_-]))|(?:[${SIGNS}]|[A-Z]{3} ) ?${NUMBER})(?![\\p{L}\\d_])`, 'gu');

// Parts a sentence into amounts of money and the rest, without changing a character of it.
export function amounts(sentence: string): Run[] {
  const runs: Run[] = [];
  let from = 0;
  for (const found of sentence.matchAll(AMOUNT)) {
    const code = /[A-Z]{3}/.exec(found[0])?.[0];
    if (code !== undefined && !CURRENCIES.has(code)) continue;
    if (found.index > from) runs.push({ text: sentence.slice(from, found.index), amount: false });
    runs.push({ text: found[0], amount: true });
    from = found.index + found[0].length;
  }
  if (from < sentence.length || runs.length === 0) runs.push({ text: sentence.slice(from), amount: false });
  return runs;
}

// "1234567.50 EUR" → ["1", "234", "567.50 EUR"]: set a little apart by the style sheet, so that a million is seen as
// one while the text stays what the rule wrote.
export function thousands(amount: string): string[] {
  const digits = /\d+/.exec(amount);
  if (!digits || digits[0].length < 4 || /\d[.,]\d{3}[.,]/.test(amount)) return [amount];
  const before = amount.slice(0, digits.index);
  const after = amount.slice(digits.index + digits[0].length);
  const groups = digits[0].replace(/\B(?=(\d{3})+$)/g, ' ').split(' ');
  return groups.map((g, i) => (i === 0 ? before : '') + g + (i === groups.length - 1 ? after : ''));
}

export function initials(name: string): string {
  const words = name.split(/\s+/).filter(Boolean);
  const letters = [words[0], words.length > 1 ? words.at(-1) : undefined].map((w) => (w ? ([...w][0] ?? '') : ''));
  return letters.join('').toUpperCase() || '?';
}

export function plural(count: number, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`;
}

export const list = (words: string[]) => new Intl.ListFormat('en', { type: 'conjunction' }).format(words);

// "Firefox on Linux", as far as a browser's own words tell it.
export function browserName(userAgent: string | null): string {
  if (!userAgent) return 'Unknown browser';
  const first = (words: [RegExp, string][]) => words.find(([pattern]) => pattern.test(userAgent))?.[1];
  const browser = first([[/Edg\//, 'Edge'], [/OPR\//, 'Opera'], [/Firefox\//, 'Firefox'], [/Chrom(e|ium)\//, 'Chrome'], [/Safari\//, 'Safari']]);
  const system = first([[/Android/, 'Android'], [/iPhone|iPad/, 'iOS'], [/Windows/, 'Windows'], [/Mac OS X/, 'macOS'], [/Linux/, 'Linux']]);
  if (!browser) return userAgent.slice(0, 40);
  return system ? `${browser} on ${system}` : browser;
}
