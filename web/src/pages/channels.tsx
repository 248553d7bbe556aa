import { useState } from 'preact/hooks';
import { api, type Channel, type DeadLetter, type Person } from '../api.ts';
import { Empty, Failure, Skeleton } from '../components/basics.tsx';
import { Outside } from '../components/text.tsx';
import { Moment } from '../components/time.tsx';
import { plural } from '../format.ts';
import { useLoad } from '../load.ts';
import { personPlace } from '../sentences.ts';
import { MySlack } from './slack.tsx';

// How people are told besides the inbox. What could not be delivered is shown to those who may read everything.
export function Channels({ me }: { me: Person }) {
  const channels = useLoad(api.channels, 'channels');
  const letters = useLoad(api.deadLetters, 'dead letters');
  const readsAll = me.roles.includes('operator') || me.roles.includes('auditor');
  const again = () => {
    channels.again();
    letters.again();
  };
  return (
    <div class="page">
      <header class="page-head">
        <h1 tabIndex={-1}>Channels</h1>
        <p class="quiet">The inbox always tells people, and by push whoever has switched it on in their account. The others tell them besides.</p>
      </header>
      {channels.error !== null && <Failure error={channels.error} again={again} />}
      {channels.value === null && channels.error === null && <Skeleton rows={3} label="Loading channels" />}
      {channels.value?.every((channel) => channel.name === 'push') && (
        <Empty icon="channels" title="No other channel is set up.">
          <p class="quiet">
            <code>notifiers</code> in the configuration names Slack, e-mail and webhooks.
          </p>
        </Empty>
      )}
      <ul class="cards" role="list">
        {(channels.value ?? []).map((channel) => (
          <ChannelCard channel={channel} key={channel.name} />
        ))}
      </ul>
      <MySlack />
      {readsAll && letters.error !== null && <Failure error={letters.error} again={again} />}
      {readsAll && letters.value !== null && letters.value.length > 0 && (
        <section class="undelivered" aria-labelledby="undelivered">
          <h2 id="undelivered">Could not be delivered</h2>
          <ul class="cards" role="list">
            {letters.value.map((letter) => (
              <DeadLetterCard letter={letter} mayResend={me.roles.includes('operator')} done={again} key={letter.id} />
            ))}
          </ul>
        </section>
      )}
    </div>
  );
}

function stateOf(channel: Channel): { word: string; tone: string } {
  if (!channel.configured) return { word: 'not set up', tone: 'odd' };
  if (channel.failing_since) return { word: 'failing', tone: 'bad' };
  if (channel.dead > 0) return { word: `${channel.dead} not delivered`, tone: 'bad' };
  if (channel.pending > 0) return { word: 'working', tone: 'none' };
  return { word: 'nothing waits', tone: 'good' };
}

function ChannelCard({ channel }: { channel: Channel }) {
  const { word, tone } = stateOf(channel);
  return (
    <li class="card item">
      <header>
        <h2>{channel.name}</h2>
        <span class={`status ${tone}`}>{word}</span>
      </header>
      <dl class="facts">
        <div>
          <dt>Waiting</dt>
          <dd>{channel.pending === 0 ? <span class="quiet">none</span> : plural(channel.pending, 'message')}</dd>
        </div>
        {channel.oldest && (
          <div>
            <dt>Since</dt>
            <dd>
              <Moment at={channel.oldest} relative />
            </dd>
          </div>
        )}
        {channel.failing_since && (
          <div>
            <dt>Failing since</dt>
            <dd>
              <Moment at={channel.failing_since} relative />
              {channel.why && (
                <span class="quiet small">
                  {' '}
                  <Outside text={channel.why} />
                </span>
              )}
            </dd>
          </div>
        )}
        {channel.last_sent_at && (
          <div>
            <dt>Last delivered</dt>
            <dd>
              <Moment at={channel.last_sent_at} relative />
            </dd>
          </div>
        )}
      </dl>
    </li>
  );
}

function DeadLetterCard({ letter, mayResend, done }: { letter: DeadLetter; mayResend: boolean; done: () => void }) {
  const [state, setState] = useState<'idle' | 'busy' | 'sent'>('idle');
  const [error, setError] = useState<unknown>(null);
  const resend = () => {
    setState('busy');
    setError(null);
    api.resend(letter.id).then(
      () => {
        setState('sent');
        done();
      },
      (why: unknown) => {
        setState('idle');
        setError(why);
      },
    );
  };
  return (
    <li class="card item">
      <header>
        <h3>
          {letter.hold ? (
            <a href={`/holds/${letter.hold}`}>{letter.tells === 'asked' ? 'A request for a decision' : letter.tells === 'reminded' ? 'A reminder' : letter.tells === 'glass-broken' ? 'Word of a broken glass' : 'Word of an outcome'}</a>
          ) : (
            'A message'
          )}
        </h3>
        <span class="status bad">{letter.channel}</span>
      </header>
      <dl class="facts">
        {letter.person && (
          <div>
            <dt>To</dt>
            <dd>
              <a href={personPlace(letter.person.handle)}>
                <Outside text={letter.person.name} />
              </a>
            </dd>
          </div>
        )}
        <div>
          <dt>Why not</dt>
          <dd>
            <Outside text={letter.why} />
          </dd>
        </div>
        <div>
          <dt>Tried</dt>
          <dd>
            {plural(letter.attempts, 'time')}, first <Moment at={letter.created_at} relative />
          </dd>
        </div>
      </dl>
      {error !== null && <Failure error={error} />}
      {mayResend && (
        <button type="button" class="button small" disabled={state !== 'idle'} onClick={resend}>
          {state === 'busy' ? 'Sending…' : state === 'sent' ? 'Tried again' : 'Try again'}
        </button>
      )}
    </li>
  );
}
