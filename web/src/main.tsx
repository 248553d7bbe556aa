import { render, Component, type ComponentChildren } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import type { Person } from './api.ts';
import { Empty } from './components/basics.tsx';
import { Logo } from './components/icon.tsx';
import * as events from './events.ts';
import { Agents } from './pages/agents.tsx';
import { Audit } from './pages/audit.tsx';
import { Batch } from './pages/batch.tsx';
import { Channels } from './pages/channels.tsx';
import { Enrol, Login, safeNext } from './pages/entry.tsx';
import { GrantPage, Grants } from './pages/grants.tsx';
import { History } from './pages/history.tsx';
import { Hold } from './pages/hold.tsx';
import { Inbox } from './pages/inbox.tsx';
import { LinkPage } from './pages/link.tsx';
import { MyLoad } from './pages/load.tsx';
import { People } from './pages/people.tsx';
import { SlackPage } from './pages/slack.tsx';
import * as queues from './queue.ts';
import * as push from './push.ts';
import * as router from './router.ts';
import { recall, session } from './session.ts';
import { Shell } from './shell.tsx';
import { useStore } from './store.ts';

const TITLES: Record<string, string> = {
  '/': 'Inbox',
  '/history': 'History',
  '/grants': 'Grants',
  '/agents': 'Agents',
  '/people': 'People',
  '/load': 'My load',
  '/channels': 'Channels',
  '/audit': 'Log',
  '/login': 'Sign in',
};

// A page that fails shows so, and takes no other with it. Nothing can be decided on it.
class Guard extends Component<{ at: string; children: ComponentChildren }, { failedAt: string | null }> {
  override state = { failedAt: null };
  override componentDidCatch(): void {
    this.setState({ failedAt: this.props.at });
  }
  override render() {
    if (this.state.failedAt !== this.props.at) return this.props.children;
    return (
      <div class="page">
        <Empty icon="warning" title="This page could not be shown.">
          <p class="quiet">What the gateway sent could not be laid out, so nothing can be decided here. Reload the page to try again.</p>
          <button type="button" class="button" onClick={() => location.reload()}>
            Reload
          </button>
        </Empty>
      </div>
    );
  }
}

function Page({ path, person }: { path: string; person: Person }) {
  const [, kind, id] = path.split('/');
  switch (path) {
    case '/':
      return <Inbox />;
    case '/history':
      return <History />;
    case '/grants':
      return <Grants />;
    case '/agents':
      return <Agents />;
    case '/people':
      return <People me={person} />;
    case '/load':
      return <MyLoad me={person} />;
    case '/channels':
      return <Channels me={person} />;
    case '/audit':
      return <Audit />;
    default:
      if (kind === 'alike' && id) return <Batch key={id} alike={decoded(id)} me={person} />;
      if (kind === 'holds' && id) return <Hold key={id} id={decoded(id)} me={person} />;
      if (kind === 'grants' && id) return <GrantPage key={id} id={decoded(id)} />;
      return (
        <div class="page">
          <h1 class="hidden" tabIndex={-1}>
            Not found
          </h1>
          <Empty icon="search" title="There is no such page.">
            <a class="button" href="/">
              To the inbox
            </a>
          </Empty>
        </div>
      );
  }
}

function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}

function App() {
  const now = useStore(session);
  const place = useStore(router.place);
  const { path } = place;
  const waiting = queues.forMe(useStore(queues.queue)).length;
  const arrived = useRef(path);
  const [, kind, code] = path.split('/');
  const person = now.state === 'in' || now.state === 'ended' ? now.person : null;

  useEffect(() => {
    const title = TITLES[path] ?? (kind === 'enrol' ? 'Welcome' : kind === 'alike' ? 'Alike requests' : null);
    if (title) document.title = `${path === '/' && waiting > 0 ? `(${waiting}) ` : ''}${title} · Sallyport`;
  }, [path, kind, waiting]);

  // After a navigation the reading starts at the new page's heading; on the first load the browser decides.
  useEffect(() => {
    if (arrived.current === path) return;
    arrived.current = path;
    const asked = place.query.has('do');
    if (!asked) (document.querySelector<HTMLElement>('h1[tabindex]') ?? document.getElementById('main'))?.focus({ preventScroll: true });
  }, [path, place]);

  useEffect(() => {
    if (now.state === 'in') push.renew().catch(() => {}); // the next page tries again
  }, [now.state]);

  useEffect(() => {
    if (now.state === 'out' && path !== '/login' && kind !== 'enrol' && kind !== 'd') {
      const next = path + location.search;
      router.go(next === '/' ? '/login' : `/login?next=${encodeURIComponent(next)}`, { replace: true });
    } else if (now.state === 'in' && path === '/login') {
      router.go(safeNext(place.query.get('next')), { replace: true });
    }
  }, [now.state, path, kind, place]);

  if (kind === 'enrol' && code) return <Enrol code={decoded(code)} />;
  if (kind === 'd' && code) return <LinkPage token={decoded(code)} />;
  if (now.state === 'unreachable')
    return (
      <main class="door" id="main">
        <div class="door-card">
          <Logo />
          <h1 tabIndex={-1}>The gateway cannot be reached</h1>
          <p class="quiet">Check your connection. Nothing that waits is lost by waiting here.</p>
          <button type="button" class="button wide" onClick={() => void recall()}>
            Try again
          </button>
        </div>
      </main>
    );
  if (path === '/login' && person === null) return <Login />;
  if (person === null)
    return (
      <main class="door" id="main" aria-busy="true">
        <Logo />
        <h1 class="hidden">Sallyport</h1>
      </main>
    );
  if (kind === 'slack' && code) return <SlackPage token={decoded(code)} me={person} />;
  return (
    <Shell path={path} person={person}>
      <Guard at={path}>
        <Page path={path} person={person} />
      </Guard>
    </Shell>
  );
}

const root = document.getElementById('app');
if (root) {
  root.replaceChildren();
  router.follow();
  events.follow();
  queues.follow();
  push.follow();
  void recall();
  render(<App />, root);
}
