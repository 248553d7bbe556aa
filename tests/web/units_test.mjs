// The pure parts of the pages: canonical JSON, hidden characters, JSON laid out, money, durations, safe addresses.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import { createRequire } from 'node:module';
import os from 'node:os';
import path from 'node:path';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';

const web = fileURLToPath(new URL('../../web', import.meta.url));
const require = createRequire(path.join(web, 'package.json'));
const { build } = require('esbuild');
const VECTORS = process.env.SALLYPORT_VECTORS_DIR ?? fileURLToPath(new URL('../../../shared/vectors', import.meta.url));

// Canonical JSON once more, enough for what is stated here: plain names, text and null.
const canonicalHere = (value) =>
  Array.isArray(value) ? `[${value.map(canonicalHere)}]`
  : value && typeof value === 'object' ? `{${Object.keys(value).sort().map((name) => `${JSON.stringify(name)}:${canonicalHere(value[name])}`)}}`
  : JSON.stringify(value);

const entry = ['canonical', 'deciding_many', 'differences', 'api', 'evidence', 'format', 'grants', 'inert', 'json_text', 'passkey'].map((m) => `export * from './src/${m}.ts';`).join('\n');
const bundle = await build({ stdin: { contents: entry, resolveDir: web, loader: 'ts' }, bundle: true, format: 'esm', platform: 'browser', write: false, logLevel: 'silent' });
const at = path.join(fs.mkdtempSync(path.join(os.tmpdir(), 'sallyport-units-')), 'units.mjs');
fs.writeFileSync(at, bundle.outputFiles[0].contents);
const units = await import(at);
fs.rmSync(path.dirname(at), { recursive: true });

describe('canonical JSON (RFC 8785)', () => {
  const inputs = fs.existsSync(path.join(VECTORS, 'jcs')) ? fs.readdirSync(path.join(VECTORS, 'jcs')).filter((f) => f.endsWith('.input.json')) : [];
  it('the vectors', { skip: inputs.length === 0 && 'the test vectors are not there (SALLYPORT_VECTORS_DIR)' }, () => {
    for (const input of inputs) {
      const read = (name) => fs.readFileSync(path.join(VECTORS, 'jcs', name), 'utf8');
      assert.equal(units.canonical(JSON.parse(read(input))), read(input.replace('.input.', '.output.')).trimEnd(), input);
    }
  });
  it('what has no canonical form is refused', () => {
    for (const value of ['\ud800', NaN, Infinity, { '\udc00': 1 }]) assert.throws(() => units.canonical(value), RangeError);
  });
});

describe('digests', () => {
  it('content digest of exact bytes', async () => {
    const bytes = new Uint8Array([0, 255, 10]);
    assert.equal(await units.contentDigest(bytes), `sha-256=:${createHash('sha256').update(bytes).digest('base64')}:`);
  });
  it('base64url there and back', () => {
    for (let length = 0; length < 40; length++) {
      const bytes = Uint8Array.from({ length }, (_, i) => (i * 37 + length) & 255);
      const text = units.toBase64url(bytes);
      assert.equal(text, Buffer.from(bytes).toString('base64url'));
      assert.deepEqual(units.fromBase64url(text), bytes);
    }
  });
});

describe('terms of a grant', () => {
  const field = (pointer, type, equals) => ({ pointer, type, equals });
  const terms = { shape: { fields: [field('/amount', 'number', '900.10'), field('/note', 'string', 'x'), field('/lines', 'array', '[]')] }, count: 10, sum: { pointer: '/amount', at_most: '9001' }, seconds: 1800 };

  it('amounts are exact, and nothing but plain decimals', () => {
    for (const [text, count, then] of [['0.1', 3, '0.3'], ['900.10', 10, '9001'], ['9007199254740993', 3, '27021597764222979'], ['0', 5, '0'], ['-1.5', 2, '-3']]) assert.equal(units.times(text, count), then, text);
    for (const text of ['', '1e2', '01', '-0', '1.', '.5', '1.0000000001', '+1', ' 1', '100000000000000000000']) assert.equal(units.units(text), null, text);
  });
  it('what a field may be loosened to', () => {
    assert.deepEqual(terms.shape.fields.map(units.ways), [['fixed', 'upto', 'any'], ['fixed', 'any'], ['fixed']]);
    for (const odd of ['-1', '1e2']) assert.deepEqual(units.ways(field('/a', 'number', odd)), ['fixed', 'any'], odd);
    const [held] = terms.shape.fields;
    assert.deepEqual(units.loosened(held, 'upto'), { pointer: '/amount', type: 'number', at_least: '0', at_most: '900.10' });
    assert.deepEqual(units.loosened(held, 'any'), { pointer: '/amount', type: 'number', any: true });
    assert.equal(units.loosened(held, 'fixed'), held);
  });
  it('a sum needs bounds under it', () => {
    const any = units.withField(terms, units.loosened(terms.shape.fields[0], 'any'));
    assert.equal(any.sum, null);
    const dearer = units.withWholeSum(units.withField(any, units.loosened(terms.shape.fields[0], 'upto', '1000.5')), '/amount');
    assert.deepEqual(dearer.sum, { pointer: '/amount', at_most: '10005' });
    assert.deepEqual(units.loose(dearer).map((f) => f.pointer), ['/amount']);
    assert.equal(units.withWholeSum(units.withField(terms, units.loosened(terms.shape.fields[0], 'upto', '1e9')), '/amount').sum, null);
    assert.equal(terms.sum.at_most, '9001'); // what was there is not changed
  });
  it('pointers in words', () => {
    assert.deepEqual(units.steps('/a~1b/~0/c'), ['a/b', '~', 'c']);
    assert.deepEqual(units.steps(''), []);
  });
});

describe('a statement is checked against the page', () => {
  const me = { id: 'per_1', name: 'Ada' };
  const request = { method: 'POST', authority: 'api.example', target: '/v1/refunds', headers: [['accept', '*/*']], body: null };
  const hold = { hold: 'hld_1', action: 'act_1', agent: { id: 'agt_1', name: 'bot', owner: 'ada' }, task: null, policy: 'p', reasons: [{ rule: 'r', summary: 's' }], request };
  const sha = (text) => createHash('sha256').update(text).digest('base64url');
  const stated = () => ({
    type: 'sallyport.statement.v1', hold: 'hld_1', decision: 'deny', reason: 'no',
    action: { id: 'act_1', method: 'POST', authority: 'api.example', target: '/v1/refunds', content_digest: null, digest: sha(canonicalHere({ method: 'POST', authority: 'api.example', target: '/v1/refunds', headers: request.headers, content_digest: null })) },
    agent: hold.agent, task: null, approver: { id: 'per_1', name: 'Ada' }, rules: ['r'], policy: 'p', summary_digest: sha(canonicalHere(hold.reasons)),
    slot: null, grant: null, nonce: 'n', issued_at: new Date().toISOString(), expires_at: new Date(Date.now() + 60_000).toISOString(),
  });
  const answer = (s, text = canonicalHere(s)) => ({ statement: text, sha256: sha(text), webauthn: { challenge: sha(text) } });
  const check = (a) => units.verify(a, hold, 'deny', 'no', me);

  it('the right one passes', () => check(answer(stated())));
  const wrong = {
    'another decision': (s) => { s.decision = 'approve'; },
    'another reason': (s) => { s.reason = 'yes'; },
    'another hold': (s) => { s.hold = 'hld_2'; },
    'another kind of statement': (s) => { s.type = 'sallyport.statement.v2'; },
    'another method': (s) => { s.action.method = 'DELETE'; },
    'another target': (s) => { s.action.target = '/v1/all'; },
    'another digest': (s) => { s.action.digest = sha('x'); },
    'a body where none is shown': (s) => { s.action.content_digest = 'sha-256=:AA==:'; },
    'another agent': (s) => { s.agent = { ...s.agent, id: 'agt_2' }; },
    'another owner': (s) => { s.agent = { ...s.agent, owner: 'eve' }; },
    'a task that is not shown': (s) => { s.task = { id: 'tsk_1', intent: 'x' }; },
    'another approver': (s) => { s.approver.id = 'per_2'; },
    'other rules': (s) => { s.rules = ['r', 'q']; },
    'another policy': (s) => { s.policy = 'q'; },
    'another summary': (s) => { s.summary_digest = sha('x'); },
    'a grant': (s) => { s.grant = { minutes: 30 }; },
    'a time that has passed': (s) => { s.expires_at = '2020-01-01T00:00:00Z'; },
    'no time': (s) => { delete s.expires_at; },
    'no action': (s) => { s.action = null; },
  };
  for (const [name, change] of Object.entries(wrong))
    it(name, async () => {
      const s = stated();
      change(s);
      await assert.rejects(check(answer(s)), units.Mismatch);
    });
  it('another challenge than its SHA-256', async () => {
    const a = answer(stated());
    a.webauthn.challenge = sha('x');
    await assert.rejects(check(a), units.Mismatch);
  });
  it('text that is not canonical, or not JSON', async () => {
    const text = canonicalHere(stated());
    for (const other of [` ${text}`, text.replace('{', '{"type":"x",'), text.slice(1), 'null', '']) await assert.rejects(check(answer(null, other)), units.Mismatch);
  });
});

describe('characters that cannot be seen', () => {
  const rows = [
    ['plain', 'Müller – 東京 👍🏽 "x"', null],
    ['right-to-left override', 'a\u202Eb', 'a\\u202Eb'],
    ['isolates', '\u2066a\u2069', '\\u2066a\\u2069'],
    ['zero width', 'pay\u200Bpal', 'pay\\u200Bpal'],
    ['joiner', 'a\u200Db', 'a\\u200Db'],
    ['soft hyphen', 'a\u00ADb', 'a\\u00ADb'],
    ['no-break space', 'a\u00A0b', 'a\\u00A0b'],
    ['ideographic space', 'a\u3000b', 'a\\u3000b'],
    ['byte order mark', '\uFEFFa', '\\uFEFFa'],
    ['null and escape', '\0\x1b[2J', '\\u0000\\u001B[2J'],
    ['line breaks', 'a\r\nb', 'a\\r\\nb'],
    ['separators', 'a\u2028b\u2029', 'a\\u2028b\\u2029'],
    ['tags', 'a\u{E0041}b', 'a\\u{E0041}b'],
    ['variation selectors that carry text', 'a\u{E0101}', 'a\\u{E0101}'],
    ['lone surrogate', 'a\uD800b', 'a\\uD800b'],
    ['Hangul filler', 'a\u3164b', 'a\\u3164b'],
    ['Braille blank', 'a\u2800b', 'a\\u2800b'],
    ['private use', '\uE000', '\\uE000'],
  ];
  for (const [name, text, shown] of rows)
    it(name, () => {
      assert.equal(units.inert(text).map((p) => p.text).join(''), shown ?? text);
      assert.equal(units.hasHidden(text), shown !== null);
    });
  it('line breaks stay where the view has lines', () => assert.equal(units.hasHidden('a\n\tb', '\n\t'), false));
});

describe('JSON laid out', () => {
  const text = (layout) => layout.lines.map((l) => '  '.repeat(l.depth) + l.parts.flatMap((p) => p.pieces).map((p) => p.text).join('')).join('\n');
  it('keeps numbers, order and names as written', () => {
    const source = '{"b":900.00,"a":[1e3,-0,12345678901234567890],"":{},"x/y":{"m~n":[]},"t":true,"n":null}';
    const layout = units.layOut(source);
    assert.equal(text(layout), '{\n  "b": 900.00,\n  "a": [\n    1e3,\n    -0,\n    12345678901234567890\n  ],\n  "": {},\n  "x/y": {\n    "m~n": []\n  },\n  "t": true,\n  "n": null\n}');
    assert.deepEqual(layout.lines.map((l) => l.pointer), ['', '/b', '/a', '/a/0', '/a/1', '/a/2', '/a', '/', '/x~1y', '/x~1y/m~0n', '/x~1y', '/t', '/n', '']);
    assert.equal(JSON.stringify(JSON.parse(text(layout))), JSON.stringify(JSON.parse(source)));
  });
  it('an escape written out cannot be told from nothing else: backslashes stay doubled', () => {
    assert.equal(text(units.layOut('"a\\\\u202E"')), '"a\\\\u202E"'); // a backslash and letters
    assert.equal(text(units.layOut('"a\\u202E"')), '"a\\u202E"'); // the character
  });
  it('tells of a name that stands twice', () => assert.deepEqual(units.layOut('{"a":1,"b":{"a":2,"a":3},"a":4}').repeated, ['/b/a', '/a']));
  it('what is not JSON is not laid out', () => {
    for (const source of ['', '{', '{"a":1,}', '01', 'nul', '{"a":1} x', '\u00a01', '[1 2]', "{'a':1}"]) assert.equal(units.layOut(source), null, source);
  });
  it('very deep is left to the exact text', () => assert.equal(units.layOut('['.repeat(3000) + ']'.repeat(3000)), null));
  it('a long one takes no long time', () => {
    const source = JSON.stringify(Array.from({ length: 60_000 }, (_, i) => ({ i })));
    const before = process.cpuUsage(); // what else the machine does is not counted
    assert.equal(units.layOut(source).lines.length, 180_002);
    assert.ok(process.cpuUsage(before).user < 5e6);
  });
  it('what a rule reads: the field and what is in it', () => {
    const rows = [['/a', '/a', true], ['/a', '/a/b', true], ['/a', '/ab', false], ['/a/b', '/a', false], ['', '', true], ['', '/a', false]];
    for (const [field, pointer, yes] of rows) assert.equal(units.reads([field], pointer), yes, `${field} ${pointer}`);
  });
  it('bytes as hex', () => {
    assert.equal(units.hexRows(new Uint8Array([0, 1, 65, 255])), `00000000  ${'00 01 41 ff'.padEnd(48)}  ··A·`);
    assert.equal(units.hexRows(new Uint8Array(17)).split('\n').length, 2);
  });
});

describe('money', () => {
  const found = (text) => units.amounts(text).filter((r) => r.amount).map((r) => r.text);
  const rows = [
    ['Refund 900.00 EUR to c_17', ['900.00 EUR']],
    ['Pay EUR 12500 to X', ['EUR 12500']],
    ['Pay €5 or 7 € or $1,200.50', ['€5', '7 €', '$1,200.50']],
    ['Deploy checkout 2026.11.24-3 to production', []],
    ['Set 5 ABC of 7 GPUs', []],
    ['order 4711', []],
    ['Move 5 EURO', []],
    ['c_900 EUR', []],
  ];
  for (const [text, amounts] of rows)
    it(text, () => {
      assert.deepEqual(found(text), amounts);
      assert.equal(units.amounts(text).map((r) => r.text).join(''), text);
    });
  it('thousands are set apart without changing the text', () => {
    for (const [amount, groups] of [['1234567.50 EUR', ['1', '234', '567.50 EUR']], ['900 EUR', ['900 EUR']], ['EUR 12500', ['EUR 12', '500']], ['1,200.50 USD', ['1,200.50 USD']], ['0.12345 BTC', ['0.12345 BTC']]]) {
      assert.deepEqual(units.thousands(amount), groups);
      assert.equal(groups.join(''), amount);
    }
  });
});

describe('times', () => {
  const rows = [[0, '0 s'], [1, '1 s'], [59_000, '59 s'], [60_000, '1 min'], [190_000, '3 min 10 s'], [300_000, '5 min'], [3_599_000, '59 min'], [3_600_000, '1 h'], [12_000_000, '3 h 20 min'], [86_400_000, '1 day'], [200_000_000, '2 days'], [-5, '0 s']];
  for (const [ms, text] of rows) it(text, () => assert.equal(units.duration(ms), text));
  it('UTC on hover', () => assert.equal(units.utc(Date.UTC(2026, 0, 2, 3, 4, 5)), '2026-01-02 03:04:05 UTC'));
  it('ago', () => assert.deepEqual([10_000, 120_000, 7_200_000, 172_800_000].map((ms) => units.ago(0, ms)), ['just now', '2 min ago', '2 h ago', '2 days ago']));
  it('no time', () => assert.deepEqual([null, undefined, '', 'soon'].map(units.parseTime), [null, null, null, null]));
});

describe('browsers by their own words', () => {
  const rows = [
    ['Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36', 'Chrome on Linux'],
    ['Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36 Edg/140.0.0.0', 'Edge on Windows'],
    ['Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Mobile/15E148 Safari/604.1', 'Safari on iOS'],
    ['Mozilla/5.0 (Macintosh; Intel Mac OS X 10.15; rv:140.0) Gecko/20100101 Firefox/140.0', 'Firefox on macOS'],
    ['curl/8.0', 'curl/8.0'],
    ['x'.repeat(80), 'x'.repeat(40)],
    [null, 'Unknown browser'],
  ];
  for (const [words, name] of rows) it(name, () => assert.equal(units.browserName(words), name));
});

describe('alike requests', () => {
  const held = (hold, body, headers = [['content-type', 'application/json']], target = '/v1/refunds') => ({
    hold,
    agent: { id: 'agt_1', name: 'bot', owner: 'ada' },
    reasons: [{ rule: 'refunds', summary: 'Refund' }],
    task: null,
    request: { method: 'POST', authority: 'api.example', target, headers, body: body === null ? null : { length: 1, content_digest: '', media_type: null, base64: null, ...body } },
  });
  const text = (value) => ({ text: value });

  it('everything of a request is either shared or a column', () => {
    const all = [held('a', text('{"amount":900.00,"to":{"id":"c_1"},"tags":[]}')), held('b', text('{"amount":1.5,"to":{"id":"c_1"},"more":null}'), [['content-type', 'application/json'], ['x-id', '7']])];
    const { shared, columns, cells } = units.compare(all);
    assert.deepEqual(Object.fromEntries(shared), {
      request: 'Refund', method: 'POST', address: 'api.example', target: '/v1/refunds', 'header content-type': 'application/json', 'body /to/id': '"c_1"',
    });
    assert.deepEqual(columns, ['body /amount', 'body /tags', 'header x-id', 'body /more']);
    assert.deepEqual(Object.fromEntries(cells.get('a')), { 'body /amount': '900.00', 'body /tags': '[]' });
    assert.deepEqual(Object.fromEntries(cells.get('b')), { 'body /amount': '1.5', 'header x-id': '7', 'body /more': 'null' });
  });
  it('a header that stands twice is two fields, and a name that does makes the body one', () => {
    const fields = units.fieldsOf(held('a', text('{"a":1,"a":2}'), [['x', '1'], ['x', '2']]));
    assert.deepEqual([fields.get('header x'), fields.get('header x (2)'), fields.get('body')], ['1', '2', '{"a":1,"a":2}']);
  });
  it('one alone differs in nothing', () => assert.deepEqual(units.compare([held('a', null)]).columns, []));
  it('what a table cannot show whole is not approved from it', () => {
    assert.equal(units.whyNotWhole(held('a', text('{"a":1}'))), null);
    assert.equal(units.whyNotWhole(held('a', null)), null);
    assert.match(units.whyNotWhole(held('a', { text: null, base64: 'AAAA' })), /not text/);
    assert.match(units.whyNotWhole(held('a', text('{"a":1,"a":2}'))), /twice/);
    assert.match(units.whyNotWhole(held('a', text(`"${'x'.repeat(600)}"`))), /too long/);
    assert.match(units.whyNotWhole(held('a', null, [['x', 'y'.repeat(501)]])), /too long/);
  });
  it('amounts are summed exactly, by currency, and nothing else is', () => {
    const of = (...bodies) => units.sums(bodies.map((b, i) => held(String(i), text(JSON.stringify(b)))));
    assert.deepEqual(of({ amount: 0.1, currency: 'EUR' }, { amount: 0.2, currency: 'EUR' }), [{ column: 'body /amount', total: '0.3', of: 'EUR' }]);
    assert.deepEqual(of({ amount: '10.05', currency: 'EUR' }, { amount: '-0.06', currency: 'USD' }), [{ column: 'body /amount', total: '10.05', of: 'EUR' }, { column: 'body /amount', total: '-0.06', of: 'USD' }]);
    assert.deepEqual(of({ amount: '-1.50' }, { amount: '1' }), [{ column: 'body /amount', total: '-0.50', of: '' }]);
    assert.deepEqual(of({ amount: '9007199254740993' }, { amount: '2' }), [{ column: 'body /amount', total: '9007199254740995', of: '' }]);
    assert.deepEqual(of({ amount: 1 }, { amount: 'lots' }), []);
    assert.deepEqual(of({ amount: 1 }, {}), []);
    assert.deepEqual(of({ customer: 1 }, { customer: 2 }), []);
  });

  const run = async (outcomes, stopAfter = Infinity) => {
    const rows = {}, told = [];
    let asked = 0;
    const ended = await units.decideMany(
      Object.keys(outcomes).map((hold) => held(hold, null)), 'approve', 'fine', { id: 'per_1' },
      (hold, now) => (rows[hold] = now.state), (p) => told.push(`${p.done}/${p.of}`), () => asked < stopAfter,
      async (hold, verb, reason) => {
        asked++;
        assert.deepEqual([verb, reason], ['approve', 'fine']);
        if (outcomes[hold.hold] !== 'ok') throw outcomes[hold.hold];
        return { decision: {}, hold };
      },
    );
    return { rows, told, ended, asked };
  };
  it('one that is closed meanwhile stops no other', async () => {
    const { rows, ended, told } = await run({ a: 'ok', b: new units.Refusal(409, 'hold-closed', '', ''), c: new units.Refusal(409, 'statement-stale', '', ''), d: 'ok' });
    assert.deepEqual(rows, { a: 'decided', b: 'failed', c: 'failed', d: 'decided' });
    assert.deepEqual([ended.done, ended.of, ended.stopped], [2, 4, null]);
    assert.deepEqual(told, ['0/4', '1/4', '1/4', '1/4', '2/4']);
  });
  it('what is not about that one alone ends it: no answer, an ended session, a closed prompt, a statement that does not fit', async () => {
    for (const why of [new units.Unreachable('x'), new units.Refusal(401, 'unauthenticated', '', ''), new units.PasskeyError('closed'), new units.Mismatch('another'), new Error('?')]) {
      const { rows, ended, asked } = await run({ a: 'ok', b: why, c: 'ok' });
      assert.deepEqual([rows, asked], [{ a: 'decided', b: 'failed' }, 2]);
      assert.notEqual(ended.stopped, null);
    }
  });
  it('it is stopped between two', async () => {
    const { rows, ended } = await run({ a: 'ok', b: 'ok', c: 'ok' }, 1);
    assert.deepEqual(rows, { a: 'decided' });
    assert.match(ended.stopped, /You stopped it/);
  });
});
