// Chromium with a passkey: Debian's browser, driven by playwright-core, with the virtual authenticator of its
// DevTools protocol in place of a person's finger.
import { createRequire } from 'node:module';

// The packages are installed beside the pages that they build and test.
const require = createRequire(new URL('../../web/package.json', import.meta.url));
const { chromium } = require('playwright-core');
const { HtmlValidate, StaticConfigLoader } = require('html-validate');
const { source: AXE } = createRequire(require.resolve('@axe-core/playwright'))('axe-core');

const EXECUTABLE = process.env.CHROMIUM ?? '/usr/bin/chromium';
const FLAGS = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--disable-background-networking'];

export async function launch() {
  return chromium.launch({ executablePath: EXECUTABLE, headless: true, args: FLAGS });
}

/** A browser of somebody's own: its cookies, its passkey. Errors of the pages are collected in `complaints`. */
export async function visitor(browser, { width = 1440, height = 900, phone = false } = {}) {
  const context = await browser.newContext({
    viewport: { width, height },
    locale: 'en-GB',
    timezoneId: 'Europe/Berlin',
    reducedMotion: 'reduce',
    hasTouch: phone,
    isMobile: phone,
    deviceScaleFactor: phone ? 2 : 1,
  });
  const page = await context.newPage();
  page.setDefaultTimeout(20_000);
  const complaints = [];
  page.on('pageerror', (e) => complaints.push(`error: ${e.message}`));
  page.on('console', (m) => {
    // A refused answer is no fault of the page; a broken policy (CSP, Trusted Types) or a warning is.
    if (['error', 'warning'].includes(m.type()) && !/Failed to load resource/.test(m.text())) complaints.push(`${m.type()}: ${m.text()}`);
  });
  const devtools = await context.newCDPSession(page);
  await devtools.send('WebAuthn.enable');
  const { authenticatorId } = await devtools.send('WebAuthn.addVirtualAuthenticator', {
    options: { protocol: 'ctap2', transport: 'internal', hasResidentKey: true, hasUserVerification: true, isUserVerified: true, automaticPresenceSimulation: true },
  });
  const answers = (yes) => devtools.send('WebAuthn.setUserVerified', { authenticatorId, isUserVerified: yes });
  // Undoes what a test did to this browser, but for its passkey and session.
  const settle = async () => {
    await page.unrouteAll({ behavior: 'ignoreErrors' }); // a page may still be asking; its answer has nowhere to go
    await context.setOffline(false);
    await answers(true);
    await page.evaluate(() => localStorage.clear());
    await page.goto('about:blank');
  };
  const close = async () => {
    await page.unrouteAll({ behavior: 'ignoreErrors' });
    await context.close();
  };
  return { context, page, complaints, answers, settle, close };
}

/**
 * What axe finds wrong with the page as it stands, in lines. Run in the page itself: AxeBuilder puts axe in anew and opens
 * another page for each look, which takes longer than the looking.
 */
export async function axe(page) {
  if (!(await page.evaluate(() => 'axe' in globalThis))) await page.evaluate(AXE);
  return page.evaluate(async () => {
    const runOnly = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];
    const { violations } = await globalThis.axe.run({ runOnly, resultTypes: ['violations'] });
    return violations.flatMap((v) => v.nodes.map((n) => `${v.id}: ${v.help}: ${n.target} ${n.failureSummary}`));
  });
}

const validator = new HtmlValidate(new StaticConfigLoader({ extends: ['html-validate:standard'] }));

/** What html-validate finds wrong with the page as it stands, in lines. */
export async function markup(page) {
  return markupOf(await page.content());
}

/** The same of HTML as it is served. */
export async function markupOf(html) {
  const { results } = await validator.validateString(html);
  return results.flatMap((r) => r.messages.map((m) => `${m.ruleId}: ${m.message}: ${m.selector}`));
}
