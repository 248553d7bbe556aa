// The pages as people use them: enrolling, signing in, approving, denying, looking things up; and what they do when
// something is not as it should be.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { launch, visitor } from './browser.mjs';
import { CALLS } from './scene.mjs';
import { alter, approve, company, deny, row } from './steps.mjs';
import { signedIn, SILENCE, World } from './world.mjs';

let world, browser;
let customers = 0;
const someone = () => `c_${++customers}x`; // a customer of this test's own, by whom its hold is found

before(async () => {
  world = await World.start();
  browser = await launch();
  // Somebody has to be reachable before anything can be held.
  for (const handle of ['ada', 'grace']) await as(handle, () => {});
}, { timeout: 60_000 });
after(async () => {
  await browser?.close();
  await world?.close();
});

const as = company((handle) => signedIn(world, browser, handle));

// The inbox with one hold only: alike ones of other tests would stack with it.
const find = (page, word) => page.goto(`${world.url}/?q=${word}`);
const open = async (page, id) => {
  await page.goto(`${world.url}/holds/${id}`);
  await page.getByText(/Whole, checked here|Not whole/).waitFor();
};

describe('the doors', () => {
  it('an invitation says who one is, makes a passkey and signs in', async () => {
    const v = await visitor(browser);
    const link = await world.invite('ada');
    await v.page.goto(link);
    await v.page.getByRole('heading', { name: 'Welcome, Ada Lovelace' }).waitFor();
    await v.page.getByRole('button', { name: 'Make my passkey' }).click();
    await v.page.getByRole('heading', { name: 'Inbox' }).waitFor();
    assert.equal(new URL(v.page.url()).pathname, '/');

    const again = await visitor(browser);
    await again.page.goto(link);
    await again.page.getByRole('heading', { name: 'This link no longer works' }).waitFor();
    assert.deepEqual([...v.complaints, ...again.complaints], []);
    await again.close();
    await v.close();
  });

  it('a device that cannot confirm who holds it gets words, not an error', async () => {
    const v = await visitor(browser);
    await v.answers(false);
    await v.page.goto(await world.invite('ada'));
    await v.page.getByRole('button', { name: 'Make my passkey' }).click();
    await v.page.getByRole('alert').filter({ hasText: 'try again' }).waitFor();
    await v.answers(true);
    await v.page.getByRole('button', { name: 'Make my passkey' }).click();
    await v.page.getByRole('heading', { name: 'Inbox' }).waitFor();
    await v.close();
  });

  it('signing out and in again leads to where one wanted to go', async () => {
    await as('ada', async (page) => {
      await page.goto(world.url);
      await page.getByRole('button', { name: /your account/ }).click();
      await page.getByRole('button', { name: 'Sign out' }).click();
      await page.getByRole('button', { name: 'Sign in with your passkey' }).waitFor();
      await page.goto(`${world.url}/history?agent=refund-bot`);
      await page.getByRole('button', { name: 'Sign in with your passkey' }).click();
      await page.getByRole('heading', { name: 'History' }).waitFor();
      assert.equal(new URL(page.url()).search, '?agent=refund-bot');
    });
  });

  it('nobody is led elsewhere after signing in', async () => {
    await as('ada', async (page) => {
      for (const next of ['//evil.example/', '/\\evil.example', 'https://evil.example/']) {
        await page.goto(`${world.url}/login?next=${encodeURIComponent(next)}`);
        await page.getByRole('heading', { name: 'Inbox' }).waitFor();
        assert.equal(page.url(), `${world.url}/`);
      }
    });
  });
});

describe('deciding', () => {
  it('approving sends the call and shows what the upstream said', async () => {
    const customer = someone(), id = await world.hold(CALLS.refund(customer));
    await as('ada', async (page) => {
      await find(page, customer);
      await row(page, customer).click();
      await page.getByRole('heading', { name: `Refund 900.00 EUR to ${customer}` }).waitFor();
      assert.equal(new URL(page.url()).pathname, `/holds/${id}`);
      await page.getByText('Whole, checked here').waitFor();
      await approve(page).click();
      await page.getByText(/upstream answered 201/).waitFor();
      await page.getByText('you approved it').waitFor();
    });
  });

  it('denying asks for the reason where the cursor is, and suggests it the next time', async () => {
    const first = await world.hold(CALLS.refund(someone())), second = await world.hold(CALLS.refund(someone()));
    const reason = `Paid back already (${first.slice(-4)})`;
    await as('ada', async (page) => {
      await open(page, first);
      await page.keyboard.press('d');
      await page.keyboard.type(reason);
      await page.getByRole('button', { name: 'Deny', exact: true }).click();
      await page.getByText('Denied; nothing was sent').waitFor();
      await open(page, second);
      await deny(page).click();
      await page.getByRole('button', { name: reason }).click();
      assert.equal(await page.getByRole('textbox', { name: /Why not/ }).inputValue(), reason);
    });
  });

  it('two people are needed for a payment, and the first may take back', async () => {
    const id = await world.hold(CALLS.payout(`${3000 + ++customers}.00`));
    await as('ada', async (ada) => {
      await open(ada, id);
      await approve(ada).click();
      await ada.getByText('1 more is needed before anything is sent').waitFor();
      await ada.getByRole('button', { name: 'Take back' }).click();
      await approve(ada).waitFor();
      await ada.getByText('0 of 2').waitFor();
      await approve(ada).click();
      await ada.getByText('1 of 2').waitFor();
      await as('grace', async (grace) => {
        await open(grace, id);
        await grace.getByRole('complementary', { name: 'Decision' }).getByText('Ada Lovelace').waitFor();
        await approve(grace).click();
        await grace.getByText(/upstream answered 201/).waitFor();
      });
      await ada.getByText(/upstream answered 201/).waitFor(); // by itself
    });
  });

  it('by keys alone: down the list, open, approve, on to the next', async () => {
    const customer = someone();
    await world.hold(CALLS.refund(customer));
    await world.hold(CALLS.refund(someone(), '800.00'));
    await as('ada', async (page) => {
      await page.goto(world.url);
      await page.getByRole('searchbox').waitFor();
      await page.keyboard.press('/');
      await page.keyboard.type(customer);
      await page.keyboard.press('Escape');
      await page.waitForURL(/q=/);
      await page.keyboard.press('j');
      await page.keyboard.press('Enter');
      await page.getByText('Whole, checked here').waitFor();
      await page.keyboard.press('a');
      await page.getByText(/upstream answered 201/).waitFor();
      await page.keyboard.press('n');
      await page.waitForURL((url) => url.pathname.startsWith('/holds/'));
      await approve(page).waitFor();
    });
  });

  it('a from the list opens the page with the button ready, and signs nothing unseen', async () => {
    const customer = someone(), id = await world.hold(CALLS.refund(customer));
    await as('ada', async (page) => {
      await find(page, customer);
      await row(page, customer).focus();
      await page.keyboard.press('a');
      await page.waitForURL(`${world.url}/holds/${id}?do=approve`);
      await page.waitForFunction(() => document.activeElement?.classList.contains('approve'));
      await page.getByText('0 of 1').waitFor();
    });
  });

  it('where the rule asks for the session only, a press decides', async () => {
    const id = await world.hold(CALLS.price(`lamp-${++customers}`));
    await as('ada', async (page, v) => {
      await v.answers(false); // the passkey could not be used
      await open(page, id);
      await page.keyboard.press('a'); // only brings the focus there
      await page.waitForFunction(() => document.activeElement?.classList.contains('approve'));
      await page.keyboard.press('Enter');
      await page.getByText(/upstream answered 200/).waitFor();
    });
  });

  it('the owner is told why somebody else must decide', async () => {
    const id = await world.hold(CALLS.credit());
    await as('ada', async (page) => {
      await open(page, id);
      await page.locator('.outcome', { hasText: /own/i }).waitFor();
      assert.equal(await approve(page).count(), 0);
    });
  });

  it('an auditor reads everything and has no button', async () => {
    const id = await world.hold(CALLS.refund(someone()));
    await as('oscar', async (page) => {
      await open(page, id);
      await page.getByText('Whole, checked here').waitFor();
      assert.equal(await approve(page).count(), 0);
      assert.equal(await deny(page).count(), 0);
    });
  });

  it('a passkey that nobody confirms decides nothing, and the page says so', async () => {
    const id = await world.hold(CALLS.refund(someone()));
    await as('ada', async (page, v) => {
      await open(page, id);
      await v.answers(false);
      await approve(page).click();
      await page.getByRole('alert').filter({ hasText: 'Nothing was sent' }).waitFor();
      await v.answers(true);
      await approve(page).click();
      await page.getByText(/upstream answered 201/).waitFor();
    });
  });

  it('what another decided in between shows at once', async () => {
    const customer = someone(), id = await world.hold(CALLS.refund(customer));
    await as('ada', async (ada) => {
      await find(ada, customer);
      await row(ada, customer).waitFor();
      await as('grace', async (grace) => {
        await open(grace, id);
        await deny(grace).click();
        await grace.getByRole('button', { name: 'Deny without a reason' }).click();
        await grace.getByText('Denied; nothing was sent').waitFor();
      });
      await ada.locator('a.row.settled', { hasText: customer }).filter({ hasText: 'by Grace Hopper' }).waitFor();
      await open(ada, id);
      assert.equal(await approve(ada).count(), 0);
    });
  });
});

describe('nothing is signed that was not shown', () => {
  const lies = {
    'another amount in the body': (hold) => {
      hold.request.body.text = hold.request.body.text.replace('900.00', '009.00');
    },
    'a body that is left out': (hold) => {
      hold.request.body.text = null;
    },
    'a body that cannot be decoded': (hold) => {
      Object.assign(hold.request.body, { text: null, base64: '%%%' });
    },
    'a body cut short': (hold) => {
      hold.request.body.text = hold.request.body.text.slice(0, -1);
    },
  };
  for (const [name, lie] of Object.entries(lies))
    it(`${name}: Approve stays closed`, async () => {
      const id = await world.hold(CALLS.refund(someone()));
      await as('ada', async (page) => {
        await alter(page, `**/api/v1/holds/${id}`, (value) => lie(value.hold));
        await open(page, id);
        await page.getByText('Not whole').waitFor();
        assert.equal(await approve(page).isDisabled(), true);
        assert.equal(await deny(page).isDisabled(), false);
      });
    });

  const forgeries = {
    'an address that was not shown': (hold) => {
      hold.request.target = '/v1/refunds?to=me';
    },
    'a header that was not shown': (hold) => {
      hold.request.headers.pop();
    },
    'another summary': (hold) => {
      hold.reasons[0].summary = 'Refund 1.00 EUR to nobody';
    },
    'another agent': (hold) => {
      hold.agent.name = 'good-bot';
    },
  };
  for (const [name, forge] of Object.entries(forgeries))
    it(`${name}: the passkey is not asked`, async () => {
      const id = await world.hold(CALLS.refund(someone()));
      await as('ada', async (page) => {
        let asked = 0;
        await page.route(`**/api/v1/holds/${id}/decisions`, (route) => {
          asked++;
          return route.abort();
        });
        await alter(page, `**/api/v1/holds/${id}`, (value) => forge(value.hold));
        await open(page, id);
        await approve(page).click();
        await page.getByRole('alert').filter({ hasText: 'Nothing was signed' }).waitFor();
        assert.equal(asked, 0);
      });
    });

  it('a challenge that is not of the statement: the passkey is not asked', async () => {
    const id = await world.hold(CALLS.refund(someone()));
    await as('ada', async (page) => {
      await alter(page, `**/api/v1/holds/${id}/statement`, (value) => {
        value.webauthn.challenge = 'A'.repeat(43);
      });
      await open(page, id);
      await approve(page).click();
      await page.getByRole('alert').filter({ hasText: 'Nothing was signed' }).waitFor();
    });
  });

  it('text of an agent stays text, and what cannot be seen is written out', async () => {
    const id = await world.hold(CALLS.sly());
    await as('ada', async (page) => {
      await open(page, id);
      const body = page.locator('pre.json');
      await body.waitFor();
      assert.match(await body.innerText(), /\\u202Eecnanif\\u202C already\\u200B <b onclick=alert\(1\)>urgent<\/b>/);
      assert.equal(await page.locator('pre b').count(), 0);
      await page.getByRole('radio', { name: 'Exact text' }).check();
      assert.match(await page.locator('pre.exact').innerText(), /\\u202E/);
      assert.equal(await page.locator('#main').evaluate((e) => /[\u202A-\u202E\u2066-\u2069\u200B]/.test(e.textContent)), false);
    });
  });

  it('binary is shown to the last byte', async () => {
    const call = CALLS.picture(), id = await world.hold(call);
    await as('grace', async (page) => {
      await open(page, id);
      const rows = await page.locator('pre.hex').innerText();
      const shown = rows.split('\n').map((line) => line.slice(10, 59).replaceAll(' ', '')).join('');
      assert.equal(shown, call.body.toString('hex'));
      await approve(page).click();
      await page.getByText(/upstream answered 200/).waitFor();
    });
  });

  it('what the rules read is highlighted', async () => {
    const id = await world.hold(CALLS.payout());
    await as('ada', async (page) => {
      await open(page, id);
      const lines = await page.locator('mark.line').allInnerTexts();
      assert.deepEqual(lines.map((l) => l.trim()), ['"amount": 48250.00,', '"currency": "EUR",', '"name": "Nordwind Logistik GmbH",']);
    });
  });
});

describe('when things go wrong', () => {
  it('a session that ends keeps what was typed', async () => {
    const id = await world.hold(CALLS.refund(someone()));
    await as('ada', async (page, v) => {
      await open(page, id);
      await deny(page).click();
      await page.keyboard.type('Half a reason');
      await v.context.clearCookies();
      await page.getByRole('button', { name: 'Deny', exact: true }).click();
      await page.getByRole('dialog', { name: 'Your session has ended' }).waitFor();
      await page.getByRole('button', { name: 'Sign in with your passkey' }).click();
      await page.getByRole('dialog').waitFor({ state: 'detached' });
      assert.equal(await page.getByRole('textbox', { name: /Why not/ }).inputValue(), 'Half a reason');
      await page.getByRole('button', { name: 'Deny', exact: true }).click();
      await page.getByText('Denied; nothing was sent').waitFor();
    });
  });

  it('offline says so and closes deciding, until the connection is back', async () => {
    const id = await world.hold(CALLS.refund(someone()));
    await as('ada', async (page, v) => {
      await open(page, id);
      await approve(page).waitFor();
      await v.context.setOffline(true);
      await page.locator('.banner', { hasText: 'You are offline' }).waitFor();
      assert.equal(await approve(page).isDisabled(), true);
      await v.context.setOffline(false);
      await page.locator('.banner').waitFor({ state: 'detached' });
      await approve(page).click();
      await page.getByText(/upstream answered 201/).waitFor();
    });
  });

  it('without the stream the pages ask by themselves', async () => {
    const customer = someone();
    await as('ada', async (page) => {
      await page.route('**/api/v1/events', (route) => route.fulfill({ status: 503 }));
      await find(page, customer);
      await page.getByText('Nothing that waits matches.').waitFor();
      await world.hold(CALLS.refund(customer));
      await row(page, customer).waitFor();
    });
  });

  const failures = {
    'does not answer': { answer: (route) => route.abort(), words: 'could not be reached' },
    'fails': { answer: (route) => route.fulfill({ status: 500, json: { type: 'urn:sallyport:problem:internal-error', title: 'The gateway failed.', status: 500, detail: '' } }), words: 'The gateway failed.' },
    'has a proxy before it that answers': { answer: (route) => route.fulfill({ status: 502, contentType: 'text/html', body: '<h1>Bad Gateway</h1>' }), words: 'could not be read' },
  };
  for (const [name, { answer, words }] of Object.entries(failures))
    it(`a gateway that ${name} leaves a way to try again`, async () => {
      await as('ada', async (page) => {
        await page.route('**/api/v1/agents*', answer);
        await page.goto(`${world.url}/agents`);
        await page.getByRole('alert').filter({ hasText: words }).waitFor();
        await page.unroute('**/api/v1/agents*');
        await page.getByRole('button', { name: 'Try again' }).click();
        await page.getByRole('link', { name: 'refund-bot' }).waitFor();
      });
    });

  it('a decision whose answer is lost is told as such, and what became of it shows', async () => {
    const id = await world.hold(CALLS.refund(someone()));
    await as('ada', async (page) => {
      await page.route(`**/api/v1/holds/${id}/decisions`, async (route) => {
        await route.fetch();
        await route.abort();
      });
      await open(page, id);
      await approve(page).click();
      await page.getByRole('alert').filter({ hasText: 'no answer came back' }).waitFor();
      await page.getByText(/upstream answered 201/).waitFor();
    });
  });

  it('while a slow gateway answers, pressing again asks for nothing more', async () => {
    const id = await world.hold(CALLS.refund(someone()));
    await as('ada', async (page) => {
      let asked = 0, letGo;
      const slow = new Promise((go) => {
        letGo = go;
      });
      await page.route(`**/api/v1/holds/${id}/statement`, async (route) => {
        asked++;
        await slow;
        await route.continue();
      });
      await open(page, id);
      await approve(page).click();
      await page.getByRole('button', { name: 'Preparing…' }).waitFor();
      await page.keyboard.press('a');
      await page.keyboard.press('d');
      assert.equal(await deny(page).isDisabled(), true);
      letGo();
      await page.getByText(/upstream answered 201/).waitFor();
      assert.equal(asked, 1);
    });
  });

  it('what can no longer be sent says why', async () => {
    const id = await world.hold(CALLS.deploy());
    await as('grace', async (page) => {
      await open(page, id);
      await world.gateway.cli(['agent', 'suspend', 'release-pilot']);
      try {
        await page.locator('.outcome', { hasText: 'Nothing was sent: the agent was suspended' }).waitFor();
      } finally {
        await world.gateway.cli(['agent', 'resume', 'release-pilot']);
      }
    });
  });

  it('an upstream that never answered: the outcome is unknown, and nobody is told otherwise', async () => {
    const id = await world.hold(CALLS.refund(someone(), '900.00', SILENCE));
    await as('ada', async (page) => {
      await open(page, id);
      await approve(page).click();
      await page.locator('.outcome', { hasText: 'no answer was seen' }).waitFor();
      assert.equal(await approve(page).count(), 0);
    });
  });

  it('a gateway that is started anew is found again, by the same session', async () => {
    const id = await world.hold(CALLS.refund(someone()));
    await as('ada', async (page) => {
      await open(page, id);
      await world.gateway.stop();
      await page.locator('.banner', { hasText: 'You are offline' }).waitFor();
      assert.equal(await approve(page).isDisabled(), true);
      await world.gateway.start();
      await page.locator('.banner').waitFor({ state: 'detached' });
      await approve(page).click();
      await page.getByText(/upstream answered 201/).waitFor();
    });
  });

  it('an answer that makes no sense does not take the page down', async () => {
    const id = await world.hold(CALLS.refund(someone()));
    await as('ada', async (page) => {
      await page.route(`**/api/v1/holds/${id}`, (route) => route.fulfill({ json: { hold: { hold: id, reasons: 7 } } }));
      await page.goto(`${world.url}/holds/${id}`);
      await page.getByText('This page could not be shown.').waitFor();
      await page.unroute(`**/api/v1/holds/${id}`);
      await page.getByRole('link', { name: 'History' }).click();
      await page.getByRole('heading', { name: 'History' }).waitFor();
    });
  });

  it('an unknown hold and an unknown page say so', async () => {
    await as('ada', async (page) => {
      await page.goto(`${world.url}/holds/hld_00000000000000000000000000`);
      await page.getByText('There is no such request, or it is not one that you may see.').waitFor();
      await page.getByRole('link', { name: 'To the inbox' }).click();
      await page.getByRole('heading', { name: 'Inbox' }).waitFor();
    });
  });
});

describe('looking things up', () => {
  it('new requests come into the inbox by themselves, in all tabs', async () => {
    const customer = `tabs-${someone()}`;
    await as('ada', async (page, v) => {
      const first = await v.context.newPage(); // so the one that has the stream for both
      await find(first, 'tabs-');
      await first.getByText('Nothing that waits matches.').waitFor();
      await find(page, 'tabs-');
      await page.getByText('Nothing that waits matches.').waitFor();
      await world.hold(CALLS.refund(customer));
      await row(first, customer).waitFor();
      await row(page, customer).waitFor();
      await first.close();
      const later = `tabs-${someone()}`;
      await world.hold(CALLS.refund(later));
      await row(page, later).waitFor();
    });
  });

  it('what expires first stands first, and alike ones stack', async () => {
    const article = `shade-${++customers}`;
    for (const price of ['1.00', '2.00', '3.00']) await world.hold(CALLS.price(article, price));
    await as('ada', async (page) => {
      await page.goto(`${world.url}/?q=${article}`);
      await page.getByRole('button', { name: /2 more like this from inbox-helper/ }).waitFor();
      assert.equal(await page.locator('a.row').count(), 1);
      await page.getByRole('button', { name: /more like this/ }).click();
      assert.equal(await page.locator('a.row').count(), 3);
      const sentences = await page.locator('.row-sentence').allInnerTexts();
      assert.deepEqual(sentences.map((s) => /to (\d)/.exec(s)[1]), ['1', '2', '3']);
    });
  });

  it('filters are in the address', async () => {
    await world.hold(CALLS.deploy('search'));
    await world.hold(CALLS.refund(someone()));
    await as('grace', async (page) => {
      await find(page, '900.00');
      await row(page, 'Refund').first().waitFor();
      await page.getByRole('searchbox').fill('');
      await page.getByLabel('Agent').selectOption('release-pilot');
      await page.waitForURL(/\?agent=release-pilot$/);
      await row(page, 'Refund').waitFor({ state: 'detached' });
      await page.reload();
      await row(page, 'Deploy search').first().waitFor();
      assert.equal(await row(page, 'Refund').count(), 0);
    });
  });

  it('the history finds by word and by outcome', async () => {
    const customer = someone(), id = await world.hold(CALLS.refund(customer)), waits = someone();
    await world.hold(CALLS.refund(waits));
    await as('ada', async (page) => {
      await open(page, id);
      await approve(page).click();
      await page.getByText(/upstream answered 201/).waitFor();
      await page.getByRole('link', { name: 'History' }).click();
      await row(page, waits).waitFor();
      await page.getByRole('searchbox').fill(customer);
      await row(page, waits).waitFor({ state: 'detached' });
      await row(page, customer).filter({ hasText: 'by Ada Lovelace' }).waitFor();
      await page.getByLabel('Status').selectOption('released');
      await row(page, customer).filter({ hasText: '201' }).waitFor();
      await page.getByLabel('Status').selectOption('denied');
      await page.getByText('Nothing matches.').waitFor();
    });
  });

  it('agents, people and the log are there to read', async () => {
    const id = await world.hold(CALLS.refund(someone()));
    await as('oscar', async (page) => {
      await page.goto(world.url);
      await page.getByRole('link', { name: 'Agents' }).click();
      await page.getByRole('heading', { name: 'release-pilot' }).waitFor();
      await page.getByRole('link', { name: 'People' }).click();
      await page.getByRole('heading', { name: /Grace Hopper/ }).waitFor();
      await page.getByRole('link', { name: 'Log' }).click();
      await page.locator('.log-entry', { hasText: id }).filter({ has: page.getByRole('link', { name: 'refund-bot' }) }).first().waitFor();
    });
  });

  it('the keys can be seen and turned off', async () => {
    const customer = someone();
    await world.hold(CALLS.refund(customer));
    await as('ada', async (page) => {
      await find(page, customer);
      await row(page, customer).waitFor();
      await page.keyboard.press('?');
      await page.getByRole('dialog', { name: 'Keys' }).getByRole('checkbox').uncheck();
      await page.keyboard.press('Escape');
      await page.getByRole('dialog').waitFor({ state: 'detached' });
      await page.keyboard.press('j');
      assert.equal(await page.evaluate(() => document.activeElement?.matches('a.row')), false);
    });
  });
});
