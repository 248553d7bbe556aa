// What Slack posts when somebody presses, answers or writes there, signed as Slack signs.
import crypto from 'node:crypto';

export const form = (fields) => new URLSearchParams(fields).toString();

export class SlackPerson {
  constructor({ url, secret, user, team = 'T1', name = 'somebody', domain = 'example' }) {
    Object.assign(this, { url, secret, user, team, name, domain });
  }

  /** A body and the fields that say whose it is; `at` in seconds. */
  signed(body, { at = Math.floor(Date.now() / 1000), secret = this.secret } = {}) {
    const mac = crypto.createHmac('sha256', secret).update(`v0:${at}:${body}`).digest('hex');
    return { body, headers: { 'Content-Type': 'application/x-www-form-urlencoded', 'X-Slack-Request-Timestamp': String(at), 'X-Slack-Signature': `v0=${mac}` } };
  }

  post({ body, headers }) {
    return fetch(this.url, { method: 'POST', headers, body });
  }

  #payload(more) {
    const user = { id: this.user, username: this.name, team_id: this.team };
    return form({ payload: JSON.stringify({ user, team: { id: this.team, domain: this.domain }, trigger_id: `1.2.${crypto.randomUUID()}`, ...more }) });
  }

  /** Of a message as the stand-in keeps it, at `CHANNEL/TS`. */
  click(message, place, action) {
    const button = message.blocks.flatMap((b) => b.elements ?? []).find((e) => e.action_id === action);
    if (!button) throw new Error(`the message has no ${action}`);
    const [channel, ts] = place.split('/');
    const { action_id, value } = button;
    return this.#payload({ type: 'block_actions', channel: { id: channel }, message: { ts }, actions: [{ type: 'button', action_id, value, action_ts: '1767603605.000001' }] });
  }

  /** Of a dialog as `views.open` had it. */
  submit(view, reason) {
    const input = view.blocks.find((b) => b.type === 'input');
    const state = { values: { [input.block_id]: { [input.element.action_id]: { type: 'plain_text_input', value: reason } } } };
    return this.#payload({ type: 'view_submission', view: { id: 'V1', callback_id: view.callback_id, private_metadata: view.private_metadata, state } });
  }

  command(text = '') {
    return form({ command: '/sallyport', text, user_id: this.user, user_name: this.name, team_id: this.team, team_domain: this.domain, channel_id: 'D1', trigger_id: '1.2.3' });
  }

  press(message, place, action, how) {
    return this.post(this.signed(this.click(message, place, action), how));
  }
  answer(view, reason) {
    return this.post(this.signed(this.submit(view, reason)));
  }
  write(text) {
    return this.post(this.signed(this.command(text)));
  }
}
