// JSON laid out for reading without changing what it says: numbers stay as they are written (900.0 is not 900), names
// keep their order, and a name that stands twice is told of. Each line knows its JSON pointer (RFC 6901).
import { inert, type Piece } from './inert.ts';

export type PartKind = 'mark' | 'name' | 'string' | 'number' | 'word';

export interface Part {
  kind: PartKind;
  pieces: Piece[];
}

export interface Line {
  depth: number;
  pointer: string;
  parts: Part[];
}

export interface Layout {
  lines: Line[];
  repeated: string[]; // pointers of names that stand more than once in their object
}

const DEEPEST = 512;
const TOKEN = /[\s]*(?:([{}[\],:])|("(?:[^"\\]|\\.)*")|(-?\d[\d.eE+-]*)|(true|false|null))/y;

interface Token {
  kind: 'mark' | 'string' | 'number' | 'word';
  raw: string;
}

function* tokens(text: string): Generator<Token> {
  TOKEN.lastIndex = 0;
  for (;;) {
    const found = TOKEN.exec(text);
    if (!found) return;
    const [, mark, string, number, word] = found;
    if (mark !== undefined) yield { kind: 'mark', raw: mark };
    else if (string !== undefined) yield { kind: 'string', raw: string };
    else if (number !== undefined) yield { kind: 'number', raw: number };
    else yield { kind: 'word', raw: word ?? '' };
  }
}

// A string as JSON would write it, but with letters as letters, and what cannot be seen set apart.
function quoted(value: string): Piece[] {
  const pieces: Piece[] = [{ text: '"', escaped: false }];
  for (const piece of inert(value)) {
    if (piece.escaped) pieces.push(piece);
    else pieces.push({ text: piece.text.replace(/["\\]/g, (c) => `\\${c}`), escaped: false });
  }
  pieces.push({ text: '"', escaped: false });
  return pieces;
}

const mark = (text: string): Part => ({ kind: 'mark', pieces: [{ text, escaped: false }] });
const step = (name: string) => `/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`;

// Null when `text` is not JSON (the exact text is shown then).
export function layOut(text: string): Layout | null {
  try {
    JSON.parse(text);
  } catch {
    return null;
  }
  const source = [...tokens(text)];
  const lines: Line[] = [];
  const repeated: string[] = [];
  let at = 0;
  const next = (): Token => {
    const token = source[at++];
    if (!token) throw new RangeError('the text ended early');
    return token;
  };

  const value = (depth: number, pointer: string, before: Part[]): void => {
    if (depth > DEEPEST) throw new RangeError('too deep');
    const token = next();
    if (token.kind !== 'mark') {
      const pieces = token.kind === 'string' ? quoted(JSON.parse(token.raw) as string) : [{ text: token.raw, escaped: false }];
      lines.push({ depth, pointer, parts: [...before, { kind: token.kind, pieces }] });
      return;
    }
    const object = token.raw === '{';
    const close = object ? '}' : ']';
    if (source[at]?.raw === close) {
      at++;
      lines.push({ depth, pointer, parts: [...before, mark(token.raw + close)] });
      return;
    }
    lines.push({ depth, pointer, parts: [...before, mark(token.raw)] });
    const names = new Set<string>();
    for (let index = 0; ; index++) {
      if (object) {
        const name = JSON.parse(next().raw) as string;
        const inside = pointer + step(name);
        if (names.has(name)) repeated.push(inside);
        names.add(name);
        next(); // the colon
        value(depth + 1, inside, [{ kind: 'name', pieces: quoted(name) }, mark(': ')]);
      } else {
        value(depth + 1, `${pointer}/${index}`, []);
      }
      if (next().raw === close) break;
      lines.at(-1)?.parts.push(mark(','));
    }
    lines.push({ depth, pointer, parts: [mark(close)] });
  };

  try {
    value(0, '', []);
  } catch {
    return null;
  }
  return at === source.length ? { lines, repeated } : null;
}

// Whether a rule that reads `fields` reads this line: the field itself, or something inside it.
export function reads(fields: readonly string[], pointer: string): boolean {
  return fields.some((field) => field === pointer || (field !== '' && pointer.startsWith(`${field}/`)));
}

// A hex dump: offset, bytes in groups of eight, and the printable ASCII among them.
export function hexRows(bytes: Uint8Array, width = 16): string {
  const rows: string[] = [];
  const columns = width * 3 - 1 + (width > 8 ? 1 : 0);
  for (let from = 0; from < bytes.length; from += width) {
    const row = [...bytes.subarray(from, from + width)];
    const hex = row.map((b, i) => (i === 8 ? ' ' : '') + b.toString(16).padStart(2, '0')).join(' ');
    const letters = row.map((b) => (b >= 0x20 && b < 0x7f ? String.fromCharCode(b) : '·')).join('');
    rows.push(`${from.toString(16).padStart(width > 8 ? 8 : 6, '0')}  ${hex.padEnd(columns)}  ${letters}`);
  }
  return rows.join('\n');
}
