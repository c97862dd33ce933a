// Opens pages in headless Chromium, wide and narrow, light and dark, and says what is wrong as JSON: what axe-core finds, what the console
// says, what is asked from elsewhere, and whether anything is wider than the window.
//   node look.mjs CHROMIUM PAGE.html …     or addresses of a server on this machine
import fs from 'node:fs';
import {createRequire} from 'node:module';
import puppeteer from 'puppeteer-core';

const axe = fs.readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const [chromium, ...pages] = process.argv.slice(2);
const flags = ['no-sandbox', 'disable-gpu', 'disable-quic', 'no-first-run', 'disable-background-networking', 'disable-component-update', 'disable-sync'];
const browser = await puppeteer.launch({executablePath: chromium, headless: true, args: flags.map((flag) => `--${flag}`)});
const wrong = [];
for (const file of pages) {
  for (const [width, scheme] of [[1100, 'light'], [390, 'dark']]) {
    const page = await browser.newPage();
    const address = file.startsWith('http') ? file : `file://${file}`;
    const say = (what) => wrong.push(`${file.split('/').pop()} ${width} ${scheme}: ${what}`);
    const ours = (asked) => /^(file|data):/.test(asked) || (file.startsWith('http') && asked.startsWith(new URL(file).origin + '/'));
    page.on('console', (message) => say(`console: ${message.text()}`));
    page.on('pageerror', (error) => say(`error: ${error}`));
    page.on('request', (request) => ours(request.url()) || say(`asks for ${request.url()}`));
    await page.setViewport({width, height: 900});
    await page.emulateMediaFeatures([{name: 'prefers-color-scheme', value: scheme}]);
    await page.goto(address, {waitUntil: 'load'});
    await page.evaluate(() => document.querySelectorAll('details').forEach((details) => { details.open = true; }));
    const beyond = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    if (beyond > 0) say(`${beyond} pixels wider than the window`);
    await page.evaluate(axe);
    const found = await page.evaluate(async () => (await axe.run(document, {resultTypes: ['violations']})).violations);
    for (const one of found) say(`${one.id}: ${one.nodes.length} times, such as ${one.nodes[0].html.slice(0, 200)}`);
    await page.close();
  }
}
await browser.close();
console.log(JSON.stringify(wrong));
