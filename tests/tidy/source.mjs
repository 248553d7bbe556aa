// A file as the rules see it: its lines, and for C++ the same text with what the compiler does not read as code blanked
// out, character for character, so that lines and columns stay.

// Comments, and what stands in strings and characters, become spaces; the quotes stay.
const CPP_TOKENS = /\/\/[^\n]*|\/\*[^]*?\*\/|R"([^()\\\s]{0,16})\([^]*?\)\1"|"(?:[^"\\\n]|\\[^])*"|(?<![\w])(?:u8|[uUL])?'(?:[^'\\\n]|\\[^])+'/g;

const blank = (text) => text.replace(/[^\n]/g, ' ');

function masked(text, keepStrings) {
  return text.replace(CPP_TOKENS, (token) => {
    if (token.startsWith('/')) return blank(token);
    return keepStrings ? token : token[0] + blank(token.slice(1, -1)) + token.at(-1);
  });
}

export class Source {
  #code;
  #uncommented;

  constructor(path, text) {
    this.path = path; // from the project's top
    this.text = text;
  }

  get isCpp() { return /\.[ch]pp$/.test(this.path); }
  get isHeader() { return this.path.endsWith('.hpp'); }
  get isScript() { return /\.(mjs|tsx?)$/.test(this.path); }
  get isTest() { return this.path.startsWith('tests/'); }

  // Without comments and without what stands in strings.
  get code() { return (this.#code ??= this.isCpp ? masked(this.text, false) : this.text); }
  // Without comments.
  get uncommented() { return (this.#uncommented ??= this.isCpp ? masked(this.text, true) : this.text); }

  lineOf(offset) {
    let line = 1;
    for (let at = this.text.indexOf('\n'); at !== -1 && at < offset; at = this.text.indexOf('\n', at + 1)) ++line;
    return line;
  }

  // Every include: { name, own: written in quotes, line }.
  get includes() {
    return [...this.uncommented.matchAll(/^[ \t]*#[ \t]*include[ \t]*(["<])([^">\n]+)[">]/gm)].map((found) => ({
      name: found[2],
      own: found[1] === '"',
      line: this.lineOf(found.index),
    }));
  }

  // Every place where `pattern` (global) matches in `text`, one of the three views: { match, line }.
  *matches(pattern, text = this.code) {
    for (const match of text.matchAll(pattern)) yield { match, line: this.lineOf(match.index) };
  }
}
