// The one client of the people's API, and its types: the shapes of /api/v1/openapi.json.
import type { AssertionJSON, CreationOptionsJSON, RegistrationJSON, RequestOptionsJSON } from './passkey.ts';

export type HoldStatus =
  | 'held'
  | 'approved'
  | 'releasing'
  | 'released'
  | 'denied'
  | 'expired'
  | 'withdrawn'
  | 'undeliverable'
  | 'void'
  | 'unknown';

export type Verb = 'approve' | 'deny';
export type Assurance = 'click' | 'session' | 'passkey';

export interface Person {
  id: string;
  handle: string;
  name: string;
  email: string | null;
  roles: string[];
  teams: string[];
  status: string;
  labels?: Record<string, string>;
  away?: { from: string; until: string; deputy: string | null } | null; // now, or next
}

// Somebody who is away, in whose place another decides.
export interface Represented {
  handle: string;
  name: string;
  until: string | null;
}

export interface Step {
  step: number;
  state: 'over' | 'skipped' | 'now' | 'waits' | 'later' | 'never';
  begins_at: string;
  ends_at: string;
  within: string | null;
  notify: string[];
  people: { handle: string; name: string; in_place_of: Represented[] }[];
  via: string[];
  reminders: string[];
  reminded: number;
}

export interface Agent {
  id: string;
  name: string;
  class: string;
  owner: string;
  status: string;
  purpose: string | null;
  scopes: string[];
  created_at: string;
  last_seen_at: string | null;
}

export interface Reason {
  rule: string;
  summary: string | null;
}

export interface Rule extends Reason {
  team: string | null;
  verdict: 'allow' | 'hold' | 'deny';
  matched: boolean;
}

export interface Body {
  length: number;
  content_digest: string;
  media_type: string | null;
  text: string | null;
  base64: string | null;
}

export interface HeldRequest {
  method: string;
  authority: string;
  target: string;
  headers: [name: string, value: string][];
  body: Body | null;
}

export interface Task {
  id: string;
  intent: string | null;
  expires_at?: string | null;
}

export interface Workflow {
  name: string;
  step: number;
  steps: number;
  assurance: Assurance;
  next_step_at: string | null;
  control?: 'confirm' | 'four-eyes' | null;
  places?: { of: string; needed: number; given: number }[];
  missing?: string[]; // "one more of team legal"
  break_glass?: string[];
  ladder?: Step[]; // of one hold, not in lists
  passed_over?: { handle: string; name: string; step: number; asked: number }[];
}

// What a field of a similar call may be: as it is, within bounds, or any of its type.
export interface FieldRule {
  pointer: string;
  type: 'null' | 'boolean' | 'number' | 'string' | 'array' | 'object';
  equals?: string;
  at_least?: string;
  at_most?: string;
  any?: true;
}

export interface GrantTerms {
  shape: {
    route: string;
    scheme: string;
    authority: string;
    method: string;
    target: string;
    task: { id: string | null; intent: string } | null;
    headers: [name: string, value: string][];
    fields: FieldRule[] | null;
    content_digest: string | null;
  };
  count: number;
  sum: { pointer: string; at_most: string } | null;
  seconds: number;
}

// What an approval does beyond itself: never both.
export interface Besides {
  breakGlass?: boolean;
  grant?: GrantTerms | null;
}

export interface GrantPreview {
  grant: GrantTerms;
  week: {
    since: string;
    looked_at: number;
    complete: boolean;
    covered: number;
    denied: number;
    sum: string | null;
    largest: string | null;
    passed: number;
    beyond: number;
  };
}

export type GrantStatus = 'active' | 'exhausted' | 'expired' | 'revoked';

interface Signer {
  id: string;
  handle: string;
  name: string;
  status: string;
}

export interface Grant {
  id: string;
  hold: string; // whose approvals left it behind
  summary: string | null;
  agent: Agent;
  by: (Signer | null)[];
  terms: GrantTerms;
  status: GrantStatus;
  count: number;
  used: number;
  sum: string | null;
  sum_used: string | null;
  created_at: string;
  expires_at: string;
  revoked_at: string | null;
  revoked_by: Signer | null;
  revoked_why: string | null;
  may_revoke: boolean;
}

export interface GrantedCall {
  hold: string;
  status: HoldStatus;
  summary: string;
  at: string;
}

export interface Decision {
  id: string;
  decision: Verb;
  by: Person;
  reason: string | null;
  assurance: Assurance;
  at: string;
  fast?: boolean | null; // decided sooner than it can be read; null: when it was shown is not known
  in_place_of?: Represented[];
  break_glass?: boolean;
  grant?: GrantTerms | null; // that it signed besides
}

export interface Hold {
  hold: string;
  alike?: string | null; // the same for those that are alike
  action: string;
  status: HoldStatus;
  reasons: Reason[];
  approvals: { needed: number; given: number };
  created_at: string;
  expires_at: string;
  decided_at: string | null;
  reason: string | null;
  outcome: { status: number; at: string } | null;
  agent: Agent;
  task: Task | null;
  route: string;
  policy: string;
  rules: Rule[];
  request: HeldRequest;
  workflow: Workflow;
  workflows: Workflow[];
  decisions: Decision[];
  may_decide: boolean;
  why_not: string | null;
  in_place_of?: Represented[]; // whose place the reader would take
  may_break_glass?: boolean;
  detail?: string | null; // why it is void, or what is not known
  body_fields?: string[]; // JSON pointers into the body: what the rules read
  grant?: string | null; // that approved it, in place of decisions
  left_grant?: string | null; // that its approvals left behind
}

export interface Statement {
  statement: string;
  sha256: string;
  webauthn: RequestOptionsJSON;
}

export interface AuditEntry {
  index: number;
  at: string;
  kind: string;
  action: string | null;
  hold: string | null;
  agent: string | null;
  person: string | null;
  data: unknown;
}

// What a link in a mail asks. `hold` is there until the link was used or its time is over.
export interface Link {
  hold: Hold | null;
  id: string;
  name: string; // of the person whom it was sent to
  over: boolean;
}

export interface SlackAccount {
  team: string;
  user: string;
  team_domain: string | null;
  user_name: string | null;
}

export interface SlackConnection {
  team: string;
  user: string;
  created_at: string;
}

// Which account such a link would connect, to whom, and which one they have.
export interface SlackLink {
  account: SlackAccount;
  person: Person;
  connected: SlackConnection | null;
}

// A browser in which somebody is told.
export interface Browser {
  id: string;
  service: string; // the host of its push service
  user_agent: string | null;
  created_at: string;
}

export interface Channel {
  name: string;
  configured: boolean;
  pending: number;
  dead: number;
  oldest: string | null; // of those that wait
  failing_since?: string | null; // none of its messages could be delivered since
  why?: string | null; // to those who may read everything
  last_sent_at?: string | null;
}

export interface DeadLetter {
  id: string;
  channel: string;
  tells: 'asked' | 'reminded' | 'ended' | 'glass-broken';
  hold: string | null;
  person: Person | null;
  attempts: number;
  why: string;
  created_at: string;
}

export interface LoginMethods {
  passkey: boolean;
  oidc: { name: string } | null;
}

export interface LoginSession {
  id: string;
  created_at: string;
  expires_at: string;
  how: 'passkey' | 'oidc';
  user_agent: string | null;
  current: boolean;
}

export interface Page<T> {
  items: T[];
  next: string | null;
}

export interface Load {
  person: Person;
  days: number;
  asked: number;
  asked_within_hour: number;
  asks_per_hour: number | null;
  passed_over: number;
  decided: number;
  approved: number;
  denied: number;
  timed: number;
  fast: number;
  seconds_to_decide: { median: number | null; p90: number | null };
  by_day?: { day: string; asked: number; decided: number }[];
}

export interface HoldFilter {
  alike?: string;
  status?: string;
  agent?: string;
  route?: string;
  q?: string;
  cursor?: string;
  limit?: number;
}

// The gateway answered, and the answer is no. `name` is the problem's, as in the contract.
export class Refusal extends Error {
  constructor(
    readonly status: number,
    readonly problem: string,
    readonly title: string,
    readonly detail: string,
  ) {
    super(detail || title);
  }
}

// No answer came, or none that can be read. Whether the request was carried out is not known.
export class Unreachable extends Error {}

const TIMEOUT_MS = 20_000;
const OPEN_PATHS = ['/login', '/enrolments/', '/links/']; // a 401 there is about the attempt, not about the session

let onSignedOut: () => void = () => {};
let clockOffset = 0; // server minus here, milliseconds

// Called whenever the gateway says that there is no session (any more).
export function whenSignedOut(listener: () => void): void {
  onSignedOut = listener;
}

// The gateway's time. A telephone that is minutes off would otherwise show a wrong deadline.
export function now(): number {
  return Date.now() + clockOffset;
}

function learnClock(answer: Response, sentAt: number): void {
  const stated = Date.parse(answer.headers.get('date') ?? '');
  if (Number.isNaN(stated)) return;
  const offset = stated + 500 - (sentAt + Date.now()) / 2; // Date has whole seconds: on average half of one is cut
  clockOffset = Math.abs(offset) > 2_000 ? offset : 0;
}

async function request<T>(method: string, path: string, body?: unknown): Promise<T> {
  const sentAt = Date.now();
  const init: RequestInit = {
    method,
    headers: { accept: 'application/json', ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
    credentials: 'same-origin',
    cache: 'no-store',
    redirect: 'error',
    signal: AbortSignal.timeout(TIMEOUT_MS),
  };
  if (body !== undefined) init.body = JSON.stringify(body);
  let answer: Response, text: string;
  try {
    answer = await fetch(`/api/v1${path}`, init);
    text = await answer.text();
  } catch {
    throw new Unreachable('The gateway could not be reached.');
  }
  learnClock(answer, sentAt);
  if (answer.status === 204) return undefined as T;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new Unreachable(`The gateway's answer (${answer.status}) could not be read.`);
  }
  if (answer.ok) return value as T;
  const problem = (value ?? {}) as { type?: string; title?: string; detail?: string };
  const name = String(problem.type ?? '').replace(/^urn:sallyport:problem:/, '');
  if (answer.status === 401 && !OPEN_PATHS.some((open) => path.startsWith(open))) onSignedOut();
  throw new Refusal(answer.status, name, problem.title ?? '', problem.detail ?? '');
}

function query(values: object): string {
  const set = Object.entries(values).filter(([, v]) => v !== undefined && v !== '' && v !== null);
  return set.length === 0 ? '' : `?${new URLSearchParams(set.map(([k, v]) => [k, String(v)]))}`;
}

async function list<T>(name: string, values: object = {}): Promise<Page<T>> {
  const answer = await request<Record<string, unknown>>('GET', `/${name}${query(values)}`);
  const items = answer[name];
  return { items: Array.isArray(items) ? (items as T[]) : [], next: (answer['next'] as string | null | undefined) ?? null };
}

const id = encodeURIComponent;

export const api = {
  me: async () => (await request<{ person: Person }>('GET', '/me')).person,
  loginOptions: () => request<RequestOptionsJSON>('POST', '/login/options', {}),
  login: async (assertion: AssertionJSON) => (await request<{ person: Person }>('POST', '/login', assertion)).person,
  loginMethods: () => request<LoginMethods>('GET', '/login/methods'),
  sessions: async () => (await request<{ sessions: LoginSession[] }>('GET', '/sessions')).sessions,
  endSession: (session: string) => request<void>('DELETE', `/sessions/${id(session)}`),
  logout: () => request<void>('POST', '/logout', {}),

  enrolmentOptions: (code: string) => request<CreationOptionsJSON>('POST', `/enrolments/${id(code)}/options`, {}),
  enrol: async (code: string, made: RegistrationJSON) =>
    (await request<{ person: Person }>('POST', `/enrolments/${id(code)}`, made)).person,

  holds: (filter: HoldFilter) => list<Hold>('holds', filter),
  hold: async (hold: string) => (await request<{ hold: Hold }>('GET', `/holds/${id(hold)}`)).hold,
  // For the list's sake: nobody is shown it by that.
  peek: async (hold: string) => (await request<{ hold: Hold }>('GET', `/holds/${id(hold)}?shown=false`)).hold,
  statement: (hold: string, decision: Verb, reason: string | null, besides: Besides = {}) =>
    request<Statement>('POST', `/holds/${id(hold)}/statement`, {
      decision,
      ...(reason === null ? {} : { reason }),
      ...(besides.breakGlass ? { break_glass: true } : {}),
      ...(besides.grant ? { grant: besides.grant } : {}),
    }),
  grantProposal: (hold: string) => request<GrantPreview>('GET', `/holds/${id(hold)}/grant`),
  grantPreview: (hold: string, grant: GrantTerms) => request<GrantPreview>('POST', `/holds/${id(hold)}/grant`, { grant }),
  decide: (hold: string, statement: string, assertion: AssertionJSON | null) =>
    request<{ decision: Decision; hold: Hold }>(
      'POST',
      `/holds/${id(hold)}/decisions`,
      assertion === null ? { statement } : { statement, assertion },
    ),
  takeBack: async (hold: string, decision: string) =>
    (await request<{ hold: Hold }>('DELETE', `/holds/${id(hold)}/decisions/${id(decision)}`)).hold,

  link: (token: string) => request<Link>('GET', `/links/${id(token)}`),
  decideByLink: (token: string, decision: Verb, reason: string | null) =>
    request<{ decision: Decision; hold: Hold }>('POST', `/links/${id(token)}`, reason === null ? { decision } : { decision, reason }),

  slackLink: (token: string) => request<SlackLink>('GET', `/slack-links/${id(token)}`),
  connectSlack: (token: string) => request<{ slack: SlackConnection }>('POST', `/slack-links/${id(token)}`, {}),
  mySlack: () => request<{ slack: SlackConnection | null }>('GET', '/me/slack'),
  push: () => request<{ key: string; browsers: Browser[] }>('GET', '/me/push'),
  pushOn: (subscription: PushSubscriptionJSON) => request<{ browser: Browser }>('POST', '/me/push', subscription),
  pushOff: (browser: string) => request<void>('DELETE', `/me/push/${id(browser)}`),
  disconnectSlack: () => request<{ slack: null }>('DELETE', '/me/slack'),

  away: async (absence: { from?: string; until: string; deputy?: string }) =>
    (await request<{ person: Person }>('PUT', '/me/absence', absence)).person,
  back: async () => (await request<{ person: Person }>('DELETE', '/me/absence')).person,
  grants: (filter: { status?: string; limit?: number; cursor?: string } = {}) => list<Grant>('grants', filter),
  grant: (grant: string) => request<{ grant: Grant; calls: GrantedCall[] }>('GET', `/grants/${id(grant)}`),
  revokeGrant: async (grant: string) => (await request<{ grant: Grant }>('DELETE', `/grants/${id(grant)}`)).grant,

  agents: (filter: { cursor?: string } = {}) => list<Agent>('agents', filter),
  people: (filter: { cursor?: string } = {}) => list<Person>('people', filter),
  load: async (person: string, days: number) => (await request<{ load: Load }>('GET', `/people/${id(person)}/load${query({ days })}`)).load,
  loads: (filter: { cursor?: string; days?: number } = {}) => list<Load>('loads', filter),
  audit: (filter: { cursor?: string } = {}) => list<AuditEntry>('audit', filter),

  channels: async () => (await list<Channel>('channels')).items,
  deadLetters: async () => (await request<{ dead_letters: DeadLetter[] }>('GET', '/dead-letters')).dead_letters,
  resend: (letter: string) => request<{ id: string }>('POST', `/dead-letters/${id(letter)}/resend`, {}),
};
