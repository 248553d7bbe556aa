// The sample upstream of the quickstart: a payments API that knows nothing of agents or approvals.
import http from 'node:http';

/** Listens on a free loopback port; `key` is what X-Api-Key must carry. Gives { port, refunds, close }. */
export async function startPaymentsApi(key) {
  const refunds = [];
  const server = http.createServer(async (request, response) => {
    const parts = [];
    for await (const part of request) parts.push(part);
    const answer = (status, value) => {
      const text = JSON.stringify(value);
      response.writeHead(status, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) });
      response.end(text);
    };
    if (request.headers['x-api-key'] !== key) return answer(401, { error: 'no such key' });
    if (request.method === 'GET' && request.url.startsWith('/v1/customers/')) {
      return answer(200, { id: request.url.split('/').pop(), name: 'Emmy Noether', balance: 1290 });
    }
    if (request.method === 'POST' && request.url === '/v1/refunds') {
      const refund = { id: `re_${refunds.length + 1}`, ...JSON.parse(Buffer.concat(parts).toString('utf8')), status: 'succeeded' };
      refunds.push(refund);
      return answer(201, refund);
    }
    return answer(404, { error: 'not here' });
  });
  await new Promise((listening, failed) => {
    server.on('error', failed);
    server.listen(0, '127.0.0.1', listening);
  });
  return {
    port: server.address().port,
    refunds,
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}
