// Text of an agent, made so that it looks like what it is: characters that a reader cannot see, or that move other
// characters about (Unicode TR36, "Trojan Source"), become visible escapes.

export interface Piece {
  text: string;
  escaped: boolean; // `text` is a written-out character, to be set apart from what stands there literally
}

// Controls, format characters (bidirectional marks, joiners, tags), separators, surrogates, private use and
// unassigned characters, fillers that draw nothing, and the variation selectors that can carry hidden text.
// Line breaks and tabs are up to the view. U+FE0E and U+FE0F stay: they only choose how an emoji is drawn.
const HIDDEN =
  /[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Cn}\p{Zl}\p{Zp}\u034F\u115F\u1160\u17B4\u17B5\u180B-\u180F\u2800\u3164\uFFA0\uFE00-\uFE0D\u{E0100}-\u{E01EF}]/u;
const SPACES = /[^\S \n\t\r\u000b\f\u2028\u2029\ufeff]/u; // a no-break or wide space passes for an ordinary one

export function escapeCharacter(char: string): string {
  switch (char) {
    case '\n':
      return '\\n';
    case '\r':
      return '\\r';
    case '\t':
      return '\\t';
    default:
      break;
  }
  const code = char.codePointAt(0) ?? 0;
  const hex = code.toString(16).toUpperCase();
  return code > 0xffff ? `\\u{${hex}}` : `\\u${hex.padStart(4, '0')}`;
}

// `keep`: characters shown as they are although they are controls, such as line breaks in a view that has lines.
export function inert(text: string, keep = ''): Piece[] {
  const pieces: Piece[] = [];
  let plain = '';
  for (const char of text) {
    if (keep.includes(char) || !(HIDDEN.test(char) || SPACES.test(char))) {
      plain += char;
      continue;
    }
    if (plain) pieces.push({ text: plain, escaped: false });
    plain = '';
    const last = pieces.at(-1);
    const escape = escapeCharacter(char);
    if (last?.escaped) last.text += escape;
    else pieces.push({ text: escape, escaped: true });
  }
  if (plain || pieces.length === 0) pieces.push({ text: plain, escaped: false });
  return pieces;
}

export function hasHidden(text: string, keep = ''): boolean {
  return inert(text, keep).some((piece) => piece.escaped);
}
