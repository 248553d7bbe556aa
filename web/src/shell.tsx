// What surrounds every page: navigation, connection, keys, and signing in over a page whose session has ended.
import type { ComponentChildren } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { api, type LoginSession, type Person } from './api.ts';
import { Absence } from './components/absence.tsx';
import { Announcer, Avatar, Dialog } from './components/basics.tsx';
import { Icon, Logo, type IconName } from './components/icon.tsx';
import { Telling } from './components/telling.tsx';
import { Outside } from './components/text.tsx';
import { Moment } from './components/time.tsx';
import { link } from './events.ts';
import { browserName } from './format.ts';
import { setShortcuts, shortcuts, useKeys } from './keys.ts';
import { useLoad } from './load.ts';
import { ProviderLink, SignInButton } from './pages/entry.tsx';
import { forMe, queue } from './queue.ts';
import { inWords, session, signOut } from './session.ts';
import { useStore } from './store.ts';

const PLACES: { path: string; word: string; icon: IconName }[] = [
  { path: '/', word: 'Inbox', icon: 'inbox' },
  { path: '/history', word: 'History', icon: 'history' },
  { path: '/grants', word: 'Grants', icon: 'grants' },
  { path: '/agents', word: 'Agents', icon: 'agents' },
  { path: '/people', word: 'People', icon: 'people' },
  { path: '/channels', word: 'Channels', icon: 'channels' },
  { path: '/audit', word: 'Log', icon: 'log' },
];

export function Shell({ path, person, children }: { path: string; person: Person; children: ComponentChildren }) {
  const [help, setHelp] = useState(false);
  const [self, setSelf] = useState(false);
  const { state } = useStore(session);
  useKeys({ '?': () => setHelp(true) });
  return (
    <div class={`shell ${path.startsWith('/holds/') ? 'reading' : ''}`}>
      <a class="skip" href="#main">
        Skip to the content
      </a>
      <nav class="side" aria-label="Pages">
        <a class="brand" href="/">
          <Logo />
          <span>Sallyport</span>
        </a>
        <Places path={path} />
        <div class="side-foot">
          <button type="button" class="side-button keys-button" aria-label="Keys" onClick={() => setHelp(true)}>
            <kbd aria-hidden="true">?</kbd> <span>Keys</span>
          </button>
          <button type="button" class="side-button me-button" onClick={() => setSelf(true)} aria-label={`${person.name}: your account`}>
            <Avatar name={person.name} />
            <span>{person.name}</span>
          </button>
        </div>
      </nav>
      <main id="main" tabIndex={-1}>
        <Connection />
        {children}
      </main>
      <Announcer />
      {help && <Keys onClose={() => setHelp(false)} />}
      {self && <Self person={person} onClose={() => setSelf(false)} />}
      {state === 'ended' && (
        <Dialog title="Your session has ended" onClose={null}>
          <p>
            Sign in again, <Outside text={person.name} />, to go on where you were. What you typed is kept.
          </p>
          <SignInButton />
          <ProviderLink next="/" over />
        </Dialog>
      )}
    </div>
  );
}

function Places({ path }: { path: string }) {
  const count = forMe(useStore(queue)).length;
  return (
    <ul class="places" role="list">
      {PLACES.map(({ path: to, word, icon }) => {
        const current = path === to || (to === '/' && path.startsWith('/holds/')) || (to === '/grants' && path.startsWith('/grants/'));
        return (
          <li>
            <a href={to} aria-current={current ? 'page' : undefined}>
              <Icon name={icon} />
              <span>{word}</span>
              {to === '/' && count > 0 && (
                <span class="count">
                  {count}
                  <span class="hidden"> waiting</span>
                </span>
              )}
            </a>
          </li>
        );
      })}
    </ul>
  );
}

function Connection() {
  const state = useStore(link);
  return (
    <div role="status">
      {state === 'offline' && (
        <p class="banner bad">
          <Icon name="offline" />
          <span>
            <b>You are offline.</b> What stands here may be out of date, and nothing can be decided until the connection is back.
          </span>
        </p>
      )}
    </div>
  );
}

const KEYS: [string[], string][] = [
  [['j', 'k'], 'next and previous request'],
  [['Enter'], 'open it'],
  [['a'], 'approve: in the list, opens it with the button ready'],
  [['d'], 'deny, and say why'],
  [['s'], 'approve similar calls too: shows which'],
  [['n'], 'the next one, after a decision'],
  [['u'], 'back to the inbox'],
  [['/'], 'search'],
  [['?'], 'these keys'],
];

function Keys({ onClose }: { onClose: () => void }) {
  const on = useStore(shortcuts);
  return (
    <Dialog title="Keys" onClose={onClose}>
      <dl class="keys">
        {KEYS.map(([keys, does]) => (
          <div>
            <dt>
              {keys.map((key) => (
                <kbd>{key}</kbd>
              ))}
            </dt>
            <dd>{does}</dd>
          </div>
        ))}
      </dl>
      <label class="switch">
        <input type="checkbox" checked={on} onChange={(event) => setShortcuts(event.currentTarget.checked)} />
        <span>Single-key shortcuts are on</span>
      </label>
    </Dialog>
  );
}

function Sessions() {
  const all = useLoad(api.sessions, 'sessions');
  const [error, setError] = useState<unknown>(null);
  const end = (session: LoginSession) => void api.endSession(session.id).then(all.again, setError);
  if (all.value === null) return null;
  return (
    <section class="sessions" aria-labelledby="sessions">
      <h3 id="sessions">Sessions</h3>
      <ul role="list">
        {all.value.map((session) => (
          <li key={session.id}>
            <span>
              <Outside text={browserName(session.user_agent)} />
              {session.current && <b> (this one)</b>}
              <span class="quiet small">
                since <Moment at={session.created_at} />, by {session.how === 'oidc' ? 'your provider' : 'passkey'}
              </span>
            </span>
            {!session.current && (
              <button type="button" class="button" aria-label={`End the session of ${browserName(session.user_agent)}`} onClick={() => end(session)}>
                End
              </button>
            )}
          </li>
        ))}
      </ul>
      {error !== null && (
        <p class="note bad" role="alert">
          <Icon name="warning" />
          <span>{inWords(error)}</span>
        </p>
      )}
    </section>
  );
}

function Self({ person: signedIn, onClose }: { person: Person; onClose: () => void }) {
  const [person, setPerson] = useState(signedIn);
  useEffect(() => {
    void api.me().then(setPerson, () => {}); // what was known when the page was opened, where it cannot be had anew
  }, []);
  const [error, setError] = useState<unknown>(null);
  return (
    <Dialog title={person.name} onClose={onClose}>
      <dl class="facts">
        <div>
          <dt>Handle</dt>
          <dd>@{person.handle}</dd>
        </div>
        <div>
          <dt>Role</dt>
          <dd>{person.roles.join(', ') || 'none'}</dd>
        </div>
        <div>
          <dt>Teams</dt>
          <dd>{person.teams.join(', ') || 'none'}</dd>
        </div>
      </dl>
      {error !== null && (
        <p class="note bad" role="alert">
          <Icon name="warning" />
          <span>{inWords(error)}</span>
        </p>
      )}
      <Telling />
      {person.roles.includes('approver') && <Absence person={person} onChange={setPerson} />}
      <a class="button wide" href="/load" onClick={onClose}>
        <Icon name="clock" />
        My load
      </a>
      <Sessions />
      <button type="button" class="button wide" onClick={() => void signOut().catch(setError)}>
        <Icon name="out" />
        Sign out
      </button>
    </Dialog>
  );
}
