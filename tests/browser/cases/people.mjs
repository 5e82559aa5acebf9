// Accounts: two browsers that meet, compare and talk in a private room; a terminal among them; axe on all that they see.
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { Browser, Program, Relay, Terminal, beside, until } from '../support.mjs';
import { Gallery } from '../axe.mjs';
import { account, ask, becomes, begun, compareWith, contactLink, enter, inRoom, keepWords, reads, say, visit } from '../person.mjs';

const GONE = [/ERR_CONNECTION|WebSocket/];

test('two accounts, a private room, verification, and a terminal in it', async () => {
  const relay = await Relay.start();
  const [ann, bob, cleo] = [await Browser.start(), await Browser.start({ context: { colorScheme: 'dark' } }), await Terminal.start()];
  const gallery = new Gallery('light-wide');
  try {
    const [annPage, bobPage] = [await ann.open(relay.url), await bob.open(relay.url)];
    const annWords = await account(annPage, 'Ann');
    assert.equal(annWords.length, 24);
    await gallery.look(annPage, 'words');
    await keepWords(annPage, annWords);
    await keepWords(bobPage, await account(bobPage, 'Bob'));

    // Contacts: one asks by the other's link, who says yes.
    await ask(bobPage, await contactLink(annPage), 'Bob, from the garden');
    await annPage.getByRole('button', { name: 'Accept Bob' }).waitFor();
    await gallery.look(annPage, 'request');
    await annPage.getByRole('button', { name: 'Accept Bob' }).click();
    await bobPage.getByText('Not compared yet.').waitFor();
    await gallery.look(bobPage, 'contact');

    // Both see the same words; one types them, the other says that they are the same.
    await compareWith(annPage, 'Bob');
    await compareWith(bobPage, 'Ann');
    const words = await bobPage.locator('.phrase').textContent();
    assert.equal(words, await annPage.locator('.phrase').textContent());
    await gallery.look(annPage, 'verify');
    const said = annPage.getByLabel('The words, or the number, that Bob reads out');
    await said.fill('six words that are other ones');
    await annPage.getByRole('button', { name: 'Compare', exact: true }).click();
    await annPage.getByText('If it differs').waitFor();
    await gallery.look(annPage, 'differs');
    await said.fill(words);
    await annPage.getByRole('button', { name: 'Compare', exact: true }).click();
    await annPage.getByText('You compared with Bob').waitFor();
    await bobPage.getByRole('button', { name: 'I compared both screens, they are the same' }).click();
    await bobPage.getByText('You compared with Ann').waitFor();

    // A private room, and both in it.
    await annPage.getByRole('button', { name: 'Make a private room' }).click();
    await annPage.getByLabel("The room's name").waitFor();
    await gallery.look(annPage, 'new-private');
    await annPage.getByLabel("The room's name").fill('Orchard');
    await annPage.getByRole('button', { name: 'Make the room' }).click();
    await annPage.getByRole('button', { name: 'Invite Bob' }).click();
    await annPage.getByText('Bob is invited.').waitFor();
    await enter(bobPage, 'Orchard');
    await enter(annPage, 'Orchard');
    await say(annPage, 'The pears are ripe.');
    await reads(bobPage, 'The pears are ripe.');
    await say(bobPage, 'I bring the ladder.');
    await reads(annPage, 'I bring the ladder.');
    await becomes(annPage, 'The pears', 'seen');

    // Somebody at a terminal becomes a contact, and one of the room.
    await cleo.run(['account', 'new', '--as', 'Cleo', '--relay', relay.url]);
    await ask(annPage, (await cleo.run(['contact', 'link'])).trim(), 'Ann, with the pears');
    await cleo.run(['contact', 'accept', 'Ann']);
    await enter(annPage, 'Orchard');
    await annPage.getByRole('button', { name: 'Members and roles' }).click();
    await annPage.getByRole('button', { name: 'Invite Cleo' }).click();
    await annPage.getByText('Cleo is invited.').waitFor();
    await gallery.look(annPage, 'members');
    await enter(annPage, 'Orchard');
    await cleo.run(['send', 'Orchard', 'I have baskets, says the terminal.']);
    await reads(annPage, 'says the terminal');
    await reads(bobPage, 'says the terminal');
    const screen = await cleo.screen([], 'Then at four.', () => say(annPage, 'Then at four.'));
    if (!screen) await say(annPage, 'Then at four.');
    await becomes(annPage, 'Then at four.', 'kept');
    const told = await cleo.run(['tail', 'Orchard', '--all', '--json', '--count', '2', '--for', '30s']);
    assert.match(told, /I have baskets/);
    assert.match(told, /Then at four\./);
    if (screen) await beside(annPage, screen, 'beside-private');
    await gallery.look(annPage, 'private-room');
    await gallery.look(bobPage, 'private-room-dark');
    await annPage.getByRole('button', { name: 'About this room' }).click();
    await annPage.getByRole('button', { name: 'Members and links' }).waitFor();
    await gallery.look(annPage, 'private-settings');
    await visit(annPage, 'People');
    await gallery.look(annPage, 'contacts');
  } finally {
    await Promise.allSettled([relay.end(), cleo.end()]);
    await Promise.all([ann.end({ expect: GONE }), bob.end({ expect: GONE })]);
  }
  assert.deepEqual(gallery.wrong, []);
});

test('a terminal and a browser in one quick room, side by side', async () => {
  const relay = await Relay.start();
  const [ann, bob] = [await Browser.start(), await Terminal.start()];
  try {
    const link = await relay.room('Tea');
    const page = await ann.open(link);
    await page.getByLabel('Your name here').fill('Ann');
    await page.getByRole('button', { name: 'Join' }).click();
    await inRoom(page);
    await bob.run(['send', link, '--as', 'Bob', 'I sit at a terminal, and it reads *the same*.']);
    await reads(page, 'it reads the same');
    const question = 'Is anybody at a terminal?';
    const screen = await bob.screen([link, '--as', 'Bob'], question, () => say(page, question));
    if (!screen) await say(page, question);
    await becomes(page, question, 'kept');
    const tail = new Program(['tail', link, '--json', '--all']);
    await tail.line((line) => line.includes('Is anybody'));
    await tail.line((line) => line.includes('it reads'));
    await tail.stop();
    if (screen) await beside(page, screen, 'beside-quick');
  } finally {
    await Promise.allSettled([relay.end(), bob.end()]);
    await ann.end({ expect: GONE });
  }
});

test('devices, recovery and settings by keyboard, on a phone, and under axe', async () => {
  const relay = await Relay.start();
  const ann = await Browser.start({ context: { colorScheme: 'dark', viewport: { width: 390, height: 844 }, hasTouch: true, reducedMotion: 'reduce' } });
  const gallery = new Gallery('dark-phone');
  try {
    const page = await ann.open(relay.url);
    await begun(page);
    // By keyboard alone: what has the focus is pressed, and Tab goes on until it is what is wanted.
    const press = async (name, role = 'button') => {
      const wanted = page.getByRole(role, { name, exact: true }).and(page.locator(':visible')).first();
      await wanted.waitFor();
      for (let step = 0; step < 80 && !(await wanted.evaluate((e) => e === document.activeElement)); step += 1) {
        await page.keyboard.press('Tab');
      }
      assert.ok(await wanted.evaluate((e) => e === document.activeElement), `Tab reaches ${name}`);
    };
    const go = async (words) => {
      await page.keyboard.press('Control+k');
      await page.getByRole('combobox', { name: 'Where to' }).waitFor();
      await page.keyboard.type(words);
      await page.keyboard.press('Enter');
      await page.getByRole('combobox', { name: 'Where to' }).waitFor({ state: 'detached' });
    };
    await go('people');
    await page.getByRole('heading', { level: 1, name: 'People' }).waitFor();
    await press('Make an account For private rooms, contacts and several devices. It asks for no number and no address.');
    await page.keyboard.press('Enter');
    await press('Your name', 'textbox');
    await page.keyboard.type('Ann');
    await page.keyboard.press('Enter');
    await page.getByRole('list', { name: 'Recovery words' }).waitFor();
    const words = await page.getByRole('list', { name: 'Recovery words' }).locator('li > span:last-child').allTextContents();
    await gallery.look(page, 'words');
    await press('I have written them down');
    await page.keyboard.press('Enter');
    for (const field of await page.getByLabel(/^Word \d+$/).all()) {
      const label = await field.evaluate((input) => input.labels[0].textContent);
      await press(label, 'textbox');
      await page.keyboard.type(words[Number(label.replace(/\D/g, '')) - 1]);
    }
    await gallery.look(page, 'quiz');
    await page.keyboard.press('Enter');
    await page.getByRole('button', { name: 'My contact link' }).waitFor();
    await gallery.look(page, 'own-people');
    await press('My contact link');
    await page.keyboard.press('Enter');
    await page.getByRole('dialog').locator('.qr').waitFor();
    await gallery.look(page, 'contact-link');
    await page.keyboard.press('Escape');
    await until(async () => (await page.getByRole('dialog').count()) === 0, 'the dialog is gone');
    await go('devices');
    await press('Link a new device');
    await page.keyboard.press('Enter');
    await page.getByRole('img', { name: 'The link as a QR code' }).waitFor();
    await gallery.look(page, 'devices');
    await go('people');
    await press('Recovery words');
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { level: 1, name: 'Recovery words' }).waitFor();
    await gallery.look(page, 'recovery');
    await go('settings');
    await page.getByRole('heading', { level: 1, name: 'Settings' }).waitFor();
    await press('As the system says', 'radio');
    await page.keyboard.press('ArrowRight');
    await until(() => page.evaluate(() => document.documentElement.dataset.theme === 'light'), 'the page is light');
    await gallery.look(page, 'settings-light');
    await press('Set a passphrase');
    await page.keyboard.press('Enter');
    await page.getByRole('dialog').getByLabel('New passphrase').waitFor();
    await gallery.look(page, 'passphrase');
    await press('New passphrase', 'textbox');
    await page.keyboard.type('copper lantern orbit velvet harbour');
    await press('The same again', 'textbox');
    await page.keyboard.type('copper lantern orbit velvet harbour');
    await page.keyboard.press('Enter');
    await page.getByText('The passphrase is set.').waitFor();
    await page.reload();
    await page.getByRole('heading', { level: 1, name: 'Open your rooms' }).waitFor();
    await gallery.look(page, 'locked');
    await press('Passphrase', 'textbox');
    await page.keyboard.type('not the one');
    await page.keyboard.press('Enter');
    await page.locator('.complaint p').waitFor();
    await page.getByLabel('Passphrase').fill('');
    await page.keyboard.type('copper lantern orbit velvet harbour');
    await page.keyboard.press('Enter');
    await begun(page);
    await go('settings');
    await press('Erase everything');
    await page.keyboard.press('Enter');
    await page.getByRole('dialog').getByLabel('Type erase').waitFor();
    await gallery.look(page, 'erase');
    await press('Type erase', 'textbox');
    await page.keyboard.type('erase');
    await page.keyboard.press('Enter');
    await begun(page);
    await go('people');
    await page.getByText('There is no account here yet.').waitFor();
  } finally {
    await Promise.allSettled([relay.end()]);
    await ann.end({ expect: GONE });
  }
  assert.deepEqual(gallery.wrong, []);
});
