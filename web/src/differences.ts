// What alike requests share, and where they differ: everything of a request as named fields, so that a table of the differences and
// one list of what is shared leave nothing out.
import type { Hold } from './api.ts';
import { layOut } from './json_text.ts';
import { sentenceOf } from './sentences.ts';

export interface Compared {
  shared: [name: string, value: string][];
  columns: string[]; // the names of what differs
  cells: Map<string, Map<string, string>>; // by hold, by column; nothing where it has none
}

const LONGEST_CELL = 500;
const BODY = 'body ';

// By name, in the order of the request. JSON by its pointers; any other text is one field.
export function fieldsOf(hold: Hold): Map<string, string> {
  const { request, task } = hold;
  const fields = new Map<string, string>([['request', sentenceOf(hold)]]);
  if (task?.intent) fields.set('the agent says', task.intent);
  fields.set('method', request.method).set('address', request.authority).set('target', request.target);
  const seen = new Map<string, number>();
  for (const [name, value] of request.headers) {
    const nth = (seen.get(name) ?? 0) + 1;
    seen.set(name, nth);
    fields.set(`header ${name}${nth > 1 ? ` (${nth})` : ''}`, value);
  }
  const { body } = request;
  if (body === null) return fields;
  if (body.text === null) return fields.set('body', `${body.length} bytes that are not text`);
  const layout = layOut(body.text);
  if (layout === null || layout.repeated.length > 0) return fields.set('body', body.text);
  for (const line of layout.lines) {
    const value = line.parts.findLast((part) => part.kind !== 'mark' && part.kind !== 'name');
    const text = (value?.pieces ?? line.parts.find((part) => /^(\{\}|\[\])$/.test(part.pieces[0]?.text ?? ''))?.pieces)?.map((p) => p.text).join('');
    if (text !== undefined) fields.set(BODY + (line.pointer || '(all of it)'), text);
  }
  return fields;
}

export function compare(holds: Hold[]): Compared {
  const all = holds.map((hold) => ({ hold, fields: fieldsOf(hold) }));
  const names = [...new Set(all.flatMap(({ fields }) => [...fields.keys()]))];
  const first = all[0]?.fields;
  const same = (name: string) => all.every(({ fields }) => fields.has(name) && fields.get(name) === first?.get(name));
  const columns = names.filter((name) => !same(name));
  return {
    shared: names.filter(same).map((name) => [name, first?.get(name) ?? '']),
    columns,
    cells: new Map(all.map(({ hold, fields }) => [hold.hold, new Map([...fields].filter(([name]) => columns.includes(name)))])),
  };
}

// Why a row of such a table is not enough to approve what it stands for; null: every byte of it is there to be read.
export function whyNotWhole(hold: Hold): string | null {
  const { body } = hold.request;
  if (body !== null && body.text === null) return 'Its body is not text.';
  if (body !== null && layOut(body.text ?? '')?.repeated.length) return 'A name stands twice in its body.';
  if ([...fieldsOf(hold).values()].some((value) => value.length > LONGEST_CELL)) return 'A part of it is too long for a table.';
  return null;
}

export interface Sum {
  column: string;
  total: string;
  of: string; // the currency, where there is one
}

const DECIMAL = /^-?\d{1,30}(\.\d{1,12})?$/;
const SUMMED = /amount|total|sum|price|cost|fee|quantity/i;
const plain = (text: string | undefined) => (text ?? '').replace(/^"|"$/g, '');

function add(decimals: string[]): string {
  const places = Math.max(...decimals.map((d) => d.split('.')[1]?.length ?? 0));
  const units = decimals.reduce((sum, d) => {
    const [whole = '0', rest = ''] = d.split('.');
    return sum + BigInt(whole + rest.padEnd(places, '0'));
  }, 0n);
  if (places === 0) return String(units);
  const digits = String(units < 0n ? -units : units).padStart(places + 1, '0');
  return `${units < 0n ? '-' : ''}${digits.slice(0, -places)}.${digits.slice(-places)}`;
}

// Of body fields that are amounts by their name and decimal in every one of the holds, exactly: by the currency beside them.
export function sums(holds: Hold[]): Sum[] {
  const all = holds.map(fieldsOf);
  const names = [...new Set(all.flatMap((fields) => [...fields.keys()]))];
  const found: Sum[] = [];
  for (const column of names) {
    const name = column.slice(column.lastIndexOf('/') + 1);
    if (!column.startsWith(BODY) || !SUMMED.test(name) || !all.every((fields) => DECIMAL.test(plain(fields.get(column))))) continue;
    const beside = column.slice(0, column.lastIndexOf('/') + 1) + 'currency';
    const byCurrency = new Map<string, string[]>();
    for (const fields of all) {
      const currency = plain(fields.get(beside));
      byCurrency.set(currency, [...(byCurrency.get(currency) ?? []), plain(fields.get(column))]);
    }
    for (const [of, amounts] of byCurrency) found.push({ column, total: add(amounts), of });
  }
  return found;
}
