// The small company that the tests of the pages play in: people, agents, rules, and calls that need people.

export const PEOPLE = [
  { handle: 'ada', name: 'Ada Lovelace', role: 'approver', teams: ['finance'] },
  { handle: 'grace', name: 'Grace Hopper', role: 'approver', teams: ['finance', 'platform'] },
  { handle: 'edsger', name: 'Edsger Dijkstra', role: 'approver', teams: ['platform'] },
  { handle: 'oscar', name: 'Oscar Wilde', role: 'auditor', teams: [] },
];

export const AGENTS = [
  { name: 'refund-bot', class: 'digital-worker', owner: 'ada', scopes: ['payments', 'shop:read'], purpose: 'Settles refunds that support has agreed to' },
  { name: 'payroll-run', class: 'digital-worker', owner: 'team:finance', scopes: ['payments'], purpose: 'Prepares supplier payments on Thursdays' },
  { name: 'release-pilot', class: 'workforce', owner: 'team:platform', scopes: ['deploys'], purpose: 'Rolls out builds that passed their checks' },
  { name: 'inbox-helper', class: 'personal', owner: 'grace', scopes: ['shop'], purpose: 'Answers customers and keeps the shop tidy' },
];

export const WORKFLOWS = [
  { name: 'finance', approvals: 1, assurance: 'passkey', not: [], notify: ['team:finance'], minutes: 25 },
  { name: 'two-people', approvals: 2, assurance: 'passkey', not: [], notify: ['team:finance'], minutes: 55 },
  { name: 'platform', approvals: 1, assurance: 'passkey', not: [], notify: ['team:platform'], minutes: 90 },
  { name: 'signed-in', approvals: 1, assurance: 'session', not: [], notify: ['team:finance', 'team:platform'], minutes: 180 },
  // Two steps, one approval of each team, and glass.
  { name: 'both-teams', approvals: '{ "team:finance": 1, "team:platform": 1 }', assurance: 'passkey', not: [], notify: ['team:finance'], minutes: 45, later: ['team:platform'], glass: ['person:ada'] },
  { name: 'four-eyes', approvals: 1, assurance: 'passkey', not: ['owner'], notify: ['owner', 'team:finance'], minutes: 40 },
];

export const ROUTES = [
  { id: 'payments', prefix: '/payments' },
  { id: 'deploys', prefix: '/deploys' },
  { id: 'shop', prefix: '/shop' },
];

export const RULES = [
  { id: 'refunds-over-500', team: 'finance', route: 'payments', method: 'POST', path: '/v1/refunds', and: 'body.amount > 500', workflow: 'finance', summary: 'Refund {body.amount} {body.currency} to {body.customer}' },
  { id: 'supplier-payouts', team: 'finance', route: 'payments', method: 'POST', path: '/v1/payouts', workflow: 'two-people', summary: 'Pay {body.amount} {body.currency} to {body.beneficiary.name}' },
  { id: 'credit-notes', team: 'finance', route: 'payments', method: 'POST', path: '/v1/credits', workflow: 'four-eyes', summary: 'Credit {body.amount} {body.currency} to {body.customer}' },
  { id: 'ledger-closing', team: 'finance', route: 'payments', method: 'POST', path: '/v1/closings', workflow: 'both-teams', summary: 'Close the ledger of {body.month}' },
  { id: 'production-deploys', team: 'platform', route: 'deploys', method: 'POST', path: '/v2/rollouts', workflow: 'platform', summary: 'Deploy {body.service} {body.version} to {body.environment}' },
  { id: 'shop-pictures', team: 'platform', route: 'shop', method: 'PUT', path: '/pictures/front', workflow: 'platform', summary: 'Replace the picture on the front page' },
  { id: 'price-changes', team: 'platform', route: 'shop', method: 'PATCH', path: '/prices', workflow: 'signed-in', summary: 'Set the price of {body.article} to {body.price} {body.currency}' },
];

const json = (value) => JSON.stringify(value);

// A call that some rule holds; `body` is text or bytes.
export const CALLS = {
  refund: (customer = 'c_17', amount = '900.00', note = 'Parcel lost by the carrier, second complaint') => ({
    agent: 'refund-bot',
    rule: 'refunds-over-500',
    type: 'application/json',
    intent: 'Refund order 4711: the parcel was lost twice, and support agreed to it in ticket 8812.',
    headers: [['x-request-source', 'support/8812']],
    // Amounts stay as they are written: 900.00 is what the upstream reads.
    body: `{"amount":${amount},"currency":"EUR","customer":${json(customer)},"order":"4711","lines":[{"sku":"lamp-2","quantity":1},{"sku":"bulb-e27","quantity":3}],"notify_customer":true,"note":${json(note)}}`,
  }),
  payout: (amount = '48250.00') => ({
    agent: 'payroll-run',
    rule: 'supplier-payouts',
    type: 'application/json',
    intent: 'Weekly supplier payments, batch 2026-47.',
    headers: [],
    body: `{"amount":${amount},"currency":"EUR","beneficiary":{"name":"Nordwind Logistik GmbH","iban":"DE89370400440532013000"},"reference":"INV-2026-1182","execution_date":"2026-11-26"}`,
  }),
  credit: () => ({ agent: 'refund-bot', rule: 'credit-notes', type: 'application/json', intent: null, headers: [], body: '{"amount":120,"currency":"EUR","customer":"c_204"}' }),
  closing: (month = '2026-10') => ({ agent: 'payroll-run', rule: 'ledger-closing', type: 'application/json', intent: null, headers: [], body: json({ month }) }),
  deploy: (service = 'checkout', version = '2026.11.24-3') => ({
    agent: 'release-pilot',
    rule: 'production-deploys',
    type: 'application/json',
    intent: `Roll out ${service} ${version}; staging has been green for two hours.`,
    headers: [['x-pipeline', 'main/7741']],
    body: json({ service, version, environment: 'production', strategy: { kind: 'canary', first: 5, step_minutes: 10 } }),
  }),
  picture: () => ({ agent: 'inbox-helper', rule: 'shop-pictures', type: 'image/png', intent: null, headers: [], body: Buffer.from('89504e470d0a1a0a0000000d4948445200000001000000010806000000', 'hex') }),
  price: (article = 'lamp-2', price = '39.90') => ({ agent: 'inbox-helper', rule: 'price-changes', type: 'application/json', intent: null, headers: [], body: `{"article":${json(article)},"price":${price},"currency":"EUR"}` }),
  // What an agent might write to mislead: a right-to-left override, an invisible joiner, markup.
  sly: () => CALLS.refund('c_99', '650.00', 'Approved by \u202Eecnanif\u202C already\u200B <b onclick=alert(1)>urgent</b>'),
};

export const ruleOf = (call) => RULES.find((rule) => rule.id === call.rule);
export const routeOf = (rule) => ROUTES.find((route) => route.id === rule.route);

/** Its part of the configuration: routes, workflows and rules. */
export function configuration(upstream) {
  const lines = [
    'routes:',
    ...ROUTES.flatMap((r) => [`  - id: ${r.id}`, `    prefix: ${r.prefix}`, `    upstream: ${upstream}`]),
    'workflows:',
    ...WORKFLOWS.flatMap((w) => [
      `  ${w.name}:`,
      `    approvals: ${w.approvals}`,
      `    assurance: ${w.assurance}`,
      ...(w.not.length ? [`    not: [${w.not.join(', ')}]`] : []),
      `    steps: [ { notify: [${w.notify.map((n) => `"${n}"`).join(', ')}], for: ${w.minutes}m, remind: 15m }${w.later ? `, { notify: [${w.later.map((n) => `"${n}"`).join(', ')}], for: 3h }` : ''} ]`,
      ...(w.glass ? [`    break_glass: [${w.glass.map((n) => `"${n}"`).join(', ')}]`] : []),
      '    otherwise: deny',
    ]),
    'policies:',
    ...RULES.flatMap((r) => [
      `  - id: ${r.id}`,
      `    team: ${r.team}`,
      `    route: ${r.route}`,
      `    when: 'request.method == "${r.method}" && request.path == "${r.path}"${r.and ? ` && ${r.and}` : ''}'`,
      '    verdict: hold',
      `    workflow: ${r.workflow}`,
      `    summary: '${r.summary}'`,
    ]),
  ];
  return `${lines.join('\n')}\n`;
}
