// Who and what, in words that several pages share.
import type { Agent, Hold } from './api.ts';

// "team:finance" → "team finance"; a person's handle stays.
export const ownerName = (owner: string) => owner.replace(/^team:/, 'team ');
export const ownerPlace = (owner: string) => personPlace(owner.replace(/^team:/, ''));

// Where one finds out who that is.
export const personPlace = (handleOrTeam: string) => `/people?q=${encodeURIComponent(handleOrTeam)}`;
export const agentPlace = (name: string) => `/history?agent=${encodeURIComponent(name)}`;

const CLASSES: Record<string, string> = {
  personal: 'personal agent',
  consumer: 'consumer agent',
  workforce: 'workforce agent',
  'digital-worker': 'digital worker',
};
export const className = (agent: Agent) => CLASSES[agent.class] ?? agent.class;

export const sentenceOf = (hold: Hold) =>
  hold.reasons.find((r) => r.summary)?.summary ?? `${hold.request.method} ${hold.request.target}`;

// Everything about a hold that a search in the list looks at.
export function matches(hold: Hold, text: string): boolean {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  if (words.length === 0) return true;
  const { request } = hold;
  const all = [
    ...hold.reasons.flatMap((r) => [r.rule, r.summary ?? '']),
    hold.hold,
    hold.agent.name,
    hold.agent.owner,
    hold.route,
    hold.task?.intent ?? '',
    request.method,
    request.authority,
    request.target,
    request.body?.text ?? '',
  ]
    .join('\n')
    .toLowerCase();
  return words.every((word) => all.includes(word));
}

// What stands together in a list: those that the gateway calls alike, apart from those of which this person may decide only others.
export const kind = (hold: Hold) => [hold.alike ?? hold.hold, hold.may_decide].join('\n');
