// Exactly what will be sent: method, address, headers and body, whole, with nothing folded away.
import { useMemo, useState } from 'preact/hooks';
import type { Body, HeldRequest } from '../api.ts';
import { bodyBytes, type Evidence } from '../evidence.ts';
import { bytes as byteCount } from '../format.ts';
import { hasHidden, inert } from '../inert.ts';
import { hexRows, layOut, reads, type Layout } from '../json_text.ts';
import { Icon } from './icon.tsx';
import { NamedTexts, Outside, Pieces } from './text.tsx';

const LAID_OUT_LINES = 4_000; // beyond, laying out costs more patience than it saves; the exact text is shown

export function RequestView({ request, fields, evidence }: { request: HeldRequest; fields: string[]; evidence: Evidence }) {
  return (
    <section class="card request" aria-labelledby="request-title">
      <header class="card-head">
        <h2 id="request-title">Exactly what will be sent</h2>
        <Checked evidence={evidence} />
      </header>
      <p class="request-line">
        <b class="method">{request.method}</b>{' '}
        <span class="address">
          <Outside text={request.authority} />
          <wbr />
          <b>
            <Outside text={request.target} />
          </b>
        </span>
      </p>
      <h3>Headers</h3>
      {request.headers.length === 0 ? (
        <p class="quiet">None besides what the gateway adds.</p>
      ) : (
        <dl class="headers">
          <NamedTexts all={request.headers} />
        </dl>
      )}
      <h3>Body</h3>
      {request.body === null ? <p class="quiet">None: the request ends with its headers.</p> : <BodyView body={request.body} fields={fields} />}
    </section>
  );
}

function Checked({ evidence }: { evidence: Evidence }) {
  if (evidence.state === 'checking') return <span class="checked quiet">Checking…</span>;
  if (evidence.state === 'unsound')
    return (
      <span class="checked bad">
        <Icon name="warning" />
        Not whole
      </span>
    );
  return (
    <span class="checked good" title={`Your browser computed the digest of what stands here: ${evidence.digest}`}>
      <Icon name="check" />
      Whole, checked here
    </span>
  );
}

type Shape = 'laid out' | 'exact';

function BodyView({ body, fields }: { body: Body; fields: string[] }) {
  const [shape, setShape] = useState<Shape>('laid out');
  const looksJson = /[/+]json\b/i.test(body.media_type ?? '') || /^\s*[[{]/.test(body.text ?? '');
  const layout = useMemo(() => {
    const found = body.text !== null && looksJson ? layOut(body.text) : null;
    return found !== null && found.lines.length <= LAID_OUT_LINES ? found : null;
  }, [body.text, looksJson]);
  const marked = layout !== null && layout.lines.some((line) => reads(fields, line.pointer));
  return (
    <div class="body">
      <div class="body-head">
        <p>
          <Outside text={body.media_type ?? 'no media type'} /> · {byteCount(body.length)}
          {body.text === null && body.base64 !== null && ' · binary'}
        </p>
        {layout && (
          <fieldset class="segments">
            <legend class="hidden">How the body is shown</legend>
            {(['laid out', 'exact'] as const).map((choice) => (
              <label>
                <input type="radio" name="body-shape" checked={shape === choice} onChange={() => setShape(choice)} />
                <span>{choice === 'laid out' ? 'Laid out' : 'Exact text'}</span>
              </label>
            ))}
          </fieldset>
        )}
      </div>
      {layout !== null && layout.repeated.length > 0 && (
        <p class="note odd">
          <Icon name="warning" />
          <span>
            A name stands more than once: <Outside text={layout.repeated.join(', ')} />. Programs differ in which one they take.
          </span>
        </p>
      )}
      {body.text !== null && hasHidden(body.text, '\n\r\t') && (
        <p class="note odd">
          <Icon name="warning" />
          <span>
            Characters that cannot be seen, or that reorder others, are written out: <span class="escape">\u202E</span>
          </span>
        </p>
      )}
      {body.text === null && body.base64 === null ? (
        <p class="note bad">
          <Icon name="warning" />
          <span>The body is not in what the gateway sent to this page, so it cannot be approved here.</span>
        </p>
      ) : layout && shape === 'laid out' ? (
        <LaidOut layout={layout} fields={fields} />
      ) : body.text !== null ? (
        <pre class="exact">{body.text === '' ? <span class="quiet">(empty)</span> : <Pieces pieces={inert(body.text, '\n\t')} />}</pre>
      ) : (
        <Binary body={body} />
      )}
      <p class="body-foot quiet">
        {marked && (
          <span class="legend">
            <mark>Highlighted</mark> is what the rules read.
          </span>
        )}
        <span class="digest">{body.content_digest}</span>
      </p>
    </div>
  );
}

function LaidOut({ layout, fields }: { layout: Layout; fields: string[] }) {
  return (
    <pre class="json">
      {layout.lines.map((line) => {
        const inside = (
          <>
            {'  '.repeat(line.depth)}
            {line.parts.map((part) => (
              <span class={part.kind}>
                <bdi>
                  <Pieces pieces={part.pieces} />
                </bdi>
              </span>
            ))}
            {'\n'}
          </>
        );
        return reads(fields, line.pointer) ? <mark class="line">{inside}</mark> : <span class="line">{inside}</span>;
      })}
    </pre>
  );
}

function Binary({ body }: { body: Body }) {
  const rows = useMemo(() => {
    try {
      const bytes = bodyBytes(body);
      return bytes === null ? null : hexRows(bytes, matchMedia('(max-width: 700px)').matches ? 8 : 16);
    } catch {
      return null;
    }
  }, [body]);
  if (rows === null)
    return (
      <p class="note bad">
        <Icon name="warning" />
        <span>The body could not be decoded, so it cannot be approved here.</span>
      </p>
    );
  return (
    <pre class="hex" tabIndex={0} role="region" aria-label="The body's bytes">
      {rows}
    </pre>
  );
}
