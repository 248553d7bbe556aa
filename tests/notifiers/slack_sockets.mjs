// The other end of Slack's Socket Mode: WebSockets (RFC 6455) as a server, as much of them as is needed, and envelopes.
import crypto from 'node:crypto';
import http from 'node:http';
import https from 'node:https';

const GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';
const TEXT = 1, CLOSE = 8, PING = 9, PONG = 10;

function frame(opcode, payload, last = true) {
  const head = payload.length < 126 ? Buffer.from([0, payload.length]) : Buffer.from([0, 126, payload.length >> 8, payload.length & 0xff]);
  head[0] = (last ? 0x80 : 0) | opcode;
  return Buffer.concat([head, payload]);
}

/** One connection: what came is in `messages` and `pongs`. */
class Socket {
  messages = [];
  pongs = [];
  closed = false;
  #bytes = Buffer.alloc(0);

  constructor(stream) {
    this.stream = stream;
    stream.on('data', (bytes) => this.#take(bytes));
    stream.on('close', () => (this.closed = true));
    stream.on('end', () => stream.end());
    stream.on('error', () => {});
  }

  #take(bytes) {
    this.#bytes = Buffer.concat([this.#bytes, bytes]);
    for (;;) {
      const b = this.#bytes;
      if (b.length < 2) return;
      let length = b[1] & 0x7f, at = 2;
      if (length === 126) {
        if (b.length < 4) return;
        length = b.readUInt16BE(2);
        at = 4;
      }
      if (!(b[1] & 0x80)) throw new Error('a client masks (RFC 6455 §5.1)');
      if (b.length < at + 4 + length) return;
      const mask = b.subarray(at, at + 4), payload = Buffer.from(b.subarray(at + 4, at + 4 + length));
      payload.forEach((byte, i) => (payload[i] = byte ^ mask[i % 4]));
      this.#bytes = b.subarray(at + 4 + length);
      const opcode = b[0] & 0x0f;
      if (opcode === TEXT) this.messages.push(JSON.parse(payload.toString()));
      if (opcode === PING) this.stream.write(frame(PONG, payload));
      if (opcode === PONG) this.pongs.push(payload.toString());
      if (opcode === CLOSE) this.stream.end(frame(CLOSE, payload));
    }
  }

  /** In `pieces` frames, a ping between them. */
  send(message, pieces = 1) {
    const bytes = Buffer.from(typeof message === 'string' ? message : JSON.stringify(message));
    const size = Math.ceil(bytes.length / pieces);
    for (let i = 0; i < pieces; ++i) {
      if (i > 0) this.stream.write(frame(PING, Buffer.from(`${i}`)));
      this.stream.write(frame(i === 0 ? TEXT : 0, bytes.subarray(i * size, (i + 1) * size), i === pieces - 1));
    }
  }
  acknowledged(envelope) {
    return this.messages.find((m) => m.envelope_id === envelope);
  }
  cut() {
    this.stream.destroy();
  }
}

export class SlackSockets {
  sockets = [];
  hello = true;

  async start(tls) {
    this.server = tls ? https.createServer(tls) : http.createServer();
    this.server.on('upgrade', (request, stream) => {
      const accept = crypto.createHash('sha1').update(request.headers['sec-websocket-key'] + GUID).digest('base64');
      stream.write(`HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`);
      const socket = new Socket(stream);
      socket.target = request.url;
      this.sockets.push(socket);
      if (this.hello) socket.send({ type: 'hello', num_connections: 1 });
    });
    await new Promise((on) => this.server.listen(0, '127.0.0.1', on));
    this.url = `${tls ? 'wss' : 'ws'}://127.0.0.1:${this.server.address().port}/link/?ticket=t`;
    return this;
  }

  get last() {
    return this.sockets.at(-1);
  }
  stop() {
    for (const each of this.sockets) each.cut();
    this.server.close();
  }
}
