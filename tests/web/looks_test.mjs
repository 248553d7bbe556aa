// How the pages look: axe finds nothing on any of them, in light and dark, from a small telephone to a large screen;
// nothing is cut at the side; what is pressed is large enough; pictures go to SALLYPORT_SCREENSHOTS when that is set.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { AxeBuilder, launch, visitor } from './browser.mjs';
import { CALLS } from './scene.mjs';
import { createWorld, signedIn } from './world.mjs';

const PICTURES = process.env.SALLYPORT_SCREENSHOTS;
const WIDTHS = [320, 768, 1440];

let world, browser;
const holds = {};
before(async () => {
  world = await createWorld();
  browser = await launch();
  // Somebody has to be reachable before anything can be held.
  for (const handle of ['ada', 'grace']) await (await signedIn(world, browser, handle)).close();
  for (const [name, call] of Object.entries({ refund: CALLS.refund(), payout: CALLS.payout(), sly: CALLS.sly(), picture: CALLS.picture(), credit: CALLS.credit(), deploy: CALLS.deploy() }))
    holds[name] = await world.hold(call);
  for (const price of ['39.90', '41.50', '44.00']) await world.hold(CALLS.price('lamp-2', price));
  const v = await signedIn(world, browser, 'ada');
  const denied = await world.hold(CALLS.refund('c_8', '2300.00'));
  await v.page.goto(`${world.url}/holds/${denied}?do=deny`);
  await v.page.getByRole('textbox', { name: /Why not/ }).fill('The customer was refunded last week already; see ticket 8790.');
  await v.page.getByRole('button', { name: 'Deny', exact: true }).click();
  await v.page.getByText('Denied; nothing was sent').waitFor();
  holds.denied = denied;
  await v.close();
}, { timeout: 180_000 });
after(async () => {
  await browser?.close();
  await world?.close();
});

// Each page, and how one knows that it is there.
const PAGES = {
  inbox: { at: () => '/', ready: (p) => p.locator('a.row').first() },
  'hold refund': { at: () => `/holds/${holds.refund}`, ready: whole },
  'hold two people': { at: () => `/holds/${holds.payout}`, ready: whole },
  'hold sly': { at: () => `/holds/${holds.sly}`, ready: whole },
  'hold binary': { at: () => `/holds/${holds.picture}`, ready: whole },
  'hold denied': { at: () => `/holds/${holds.denied}`, ready: whole },
  'hold denying': { at: () => `/holds/${holds.refund}?do=deny`, ready: (p) => p.locator('.suggestion').first() },
  'hold missing': { at: () => '/holds/hld_00000000000000000000000000', ready: (p) => p.getByText('There is no such request') },
  history: { at: () => '/history', ready: (p) => p.locator('a.row').first() },
  agents: { at: () => '/agents', ready: (p) => p.locator('.item').first() },
  people: { at: () => '/people', ready: (p) => p.locator('.item').first() },
  log: { at: () => '/audit', ready: (p) => p.locator('.log-entry, .empty').first() } /* an approver may have nothing to read there */,
  'nothing found': { at: () => '/?q=nothing-is-called-so', ready: (p) => p.getByText('Nothing that waits matches.') },
};
function whole(page) {
  return page.getByText('Whole, checked here');
}

async function inspect(page, name, look) {
  const found = await new AxeBuilder({ page }).withTags(['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']).analyze();
  const said = found.violations.map((v) => `${v.id}: ${v.help}: ${v.nodes.map((n) => `${n.target} ${n.failureSummary}`).join(' | ')}`);
  assert.deepEqual(said, [], `${name}, ${look}`);
  const over = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  assert.ok(over <= 0, `${name}, ${look}: the page is ${over} px wider than the screen`);
  if (PICTURES) {
    fs.mkdirSync(PICTURES, { recursive: true });
    await page.screenshot({ path: path.join(PICTURES, `${name.replaceAll(' ', '-')}-${look.replaceAll(' ', '-')}.png`) });
  }
}

// WCAG 2.2 SC 2.5.8 asks for 24 px; our own measure for what is pressed on a telephone is 44.
async function smallTargets(page) {
  return page.evaluate(() =>
    [...document.querySelectorAll('button, select, input, textarea, a.row, .places a, a.button, .back, .segments label')]
      .filter((e) => e.checkVisibility() && !e.closest('.hidden') && !e.matches('.skip, .segments input'))
      .map((e) => ({ e, r: e.getBoundingClientRect() }))
      .filter(({ r }) => r.height < 43.5 || r.width < 43.5)
      .map(({ e, r }) => `${e.tagName} ${e.className} ${e.textContent.slice(0, 20)} ${Math.round(r.width)}×${Math.round(r.height)}`),
  );
}

for (const dark of [false, true])
  for (const width of WIDTHS) {
    const look = `${dark ? 'dark' : 'light'} ${width}`;
    describe(look, () => {
      let v;
      before(async () => {
        v = await signedIn(world, browser, 'ada', { width, height: width < 500 ? 640 : 900, dark });
      });
      after(() => v?.close());
      for (const [name, { at, ready }] of Object.entries(PAGES))
        it(name, async (t) => {
          await v.page.goto(world.url + at());
          if (name === 'hold binary' && (await v.page.getByText('There is no such request').or(whole(v.page)).first().innerText()).startsWith('There'))
            return t.skip('ada may not see it here'); // only those whom a step names may read
          await ready(v.page).waitFor();
          await inspect(v.page, name, look);
          if (width === 320) assert.deepEqual(await smallTargets(v.page), []);
          return undefined;
        });
      it('keys and account', async () => {
        await v.page.goto(world.url);
        await v.page.locator('a.row').first().waitFor();
        await v.page.keyboard.press('?');
        await v.page.getByRole('dialog').waitFor();
        await inspect(v.page, 'keys', look);
        await v.page.keyboard.press('Escape');
        await v.page.getByRole('button', { name: /your account/ }).click();
        await inspect(v.page, 'account', look);
      });
      it('doors', async () => {
        const stranger = await visitor(browser, { width, height: 900, dark });
        await stranger.page.goto(world.url);
        await stranger.page.getByRole('button', { name: 'Sign in with your passkey' }).waitFor();
        await inspect(stranger.page, 'sign in', look);
        await stranger.page.goto(await world.invite('edsger'));
        await stranger.page.getByRole('button', { name: 'Make my passkey' }).waitFor();
        await inspect(stranger.page, 'enrol', look);
        assert.deepEqual(stranger.complaints, []);
        await stranger.close();
      });
      it('no complaint of the browser', () => assert.deepEqual(v.complaints, []));
    });
  }

describe('besides', () => {
  it('2560 px wide: nothing is cut, lines stay short enough to read', async () => {
    const v = await signedIn(world, browser, 'ada', { width: 2560, height: 1440 });
    await v.page.goto(`${world.url}/holds/${holds.refund}`);
    await whole(v.page).waitFor();
    await inspect(v.page, 'hold refund', 'light 2560');
    const width = await v.page.locator('.hold-page').evaluate((e) => e.getBoundingClientRect().width);
    assert.ok(width < 1600, `${width}`);
    await v.close();
  });

  it('text at twice its size fits', async () => {
    const v = await signedIn(world, browser, 'ada', { width: 1280, height: 900 });
    for (const at of ['/', `/holds/${holds.refund}`, '/history']) {
      await v.page.goto(world.url + at);
      await v.page.locator('h1').first().waitFor();
      await v.page.evaluate(() => {
        document.documentElement.style.fontSize = '200%';
      });
      const over = await v.page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
      assert.ok(over <= 0, `${at}: ${over} px too wide`);
    }
    await v.close();
  });

  it('no request goes elsewhere, and the policy is strict', async () => {
    const v = await visitor(browser);
    const elsewhere = [];
    v.page.on('request', (q) => {
      if (!q.url().startsWith(world.url) && !q.url().startsWith('data:')) elsewhere.push(q.url());
    });
    const answer = await v.page.goto(world.url);
    await v.page.getByRole('button', { name: 'Sign in with your passkey' }).waitFor();
    assert.deepEqual(elsewhere, []);
    const policy = answer.headers()['content-security-policy'];
    for (const part of ["default-src 'none'", "frame-ancestors 'none'"]) assert.ok(policy.includes(part), policy);
    assert.ok(!/unsafe|https?:|\*/.test(policy), policy);
    await v.close();
  });

  it('every tab stop is seen', async () => {
    const v = await signedIn(world, browser, 'ada');
    await v.page.goto(`${world.url}/holds/${holds.refund}`);
    await whole(v.page).waitFor();
    const seen = [];
    for (let i = 0; i < 30; i++) {
      await v.page.keyboard.press('Tab');
      const stop = await v.page.evaluate(() => {
        const e = document.activeElement;
        if (!e || e === document.body) return null;
        // A radio button is drawn by the words beside it.
        const drawn = e.matches('.segments input') ? e.nextElementSibling : e;
        const style = getComputedStyle(drawn), box = drawn.getBoundingClientRect();
        const at = document.elementFromPoint(box.left + box.width / 2, box.top + Math.min(box.height / 2, 20));
        return { what: `${e.tagName} ${e.textContent.slice(0, 20)}`, ring: style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2, covered: !(at && (drawn.contains(at) || at.contains(drawn) || e.contains(at))) };
      });
      if (stop === null) break;
      seen.push(stop);
    }
    assert.ok(seen.length >= 8, `${seen.length} stops`);
    assert.deepEqual(seen.filter((s) => !s.ring || s.covered), []);
    await v.close();
  });
});
