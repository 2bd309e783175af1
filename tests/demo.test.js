// The demo, started as a person starts it, and used as people use it: two side by side, a third in a tab of their own.

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { logging } from 'selenium-webdriver';
import { axe } from './support/axe.js';
import { startBrowser } from './support/browsers.js';
import { startDemo } from './support/demo.js';
import { are, Key, Stage } from './support/demo-page.js';
import { startFonts } from './support/fonts.js';
import { FOLDER, takePicture, takeReadmePictures, takeWindow } from './support/pictures.js';
import { until } from './support/wait.js';

/** The demo is built first. */
const BUILD = 300_000;
const SCENES = ['vote', 'chain', 'form'];
const TOPICS = ['vote', 'days', 'chain', 'form', 'place'];

let demo;
let fonts;

beforeAll(async () => {
  fonts = await startFonts();
  demo = await startDemo();
}, BUILD);
afterAll(async () => {
  await demo?.stop();
  await fonts?.stop();
  console.log(`screenshots: ${FOLDER}`);
});

/** What an option shows that these have chosen, of so many voters. */
const option = (voters, total) => ({ result: `${voters.length} · ${total ? Math.round((100 * voters.length) / total) : 0} %`, voters });
/** What a vote shows, from who has chosen each option. */
const votes = (...options) => {
  const total = new Set(options.flat()).size;
  return options.map((voters) => option(voters, total));
};
const EMPTY = { vote: votes([], [], [], []), days: votes([], [], [], []), seats: ['free', 'free'], place: 'Not decided yet' };
const sits = (who, note, status = 'confirmed') => ({ who, note, status });

describe.each(['Chromium', 'Firefox'])('in %s', (browser) => {
  let driver;
  let stage;
  let alice;
  let bob;

  beforeAll(async () => {
    driver = await startBrowser(browser);
    stage = await Stage.open(driver, demo.url, ['alice', 'bob']);
    [alice, bob] = stage.panels;
    await stage.shows('not connected', are({ state: 'live' }));
  });
  afterAll(() => driver?.quit());

  /** New messages, without anything on them. */
  async function startAnew(...topics) {
    for (const topic of topics) {
      const [{ messages }] = await stage.shows('not connected', are({ state: 'live' }));
      if (topic !== 'place') await stage.scene(topic === 'days' ? 'vote' : topic);
      await alice.click(`${topic}-again`);
      const isNew = (one) => one.messages[topic] && one.messages[topic] !== messages[topic];
      await stage.shows(`there is no new ${topic}`, (...shown) => shown.every(isNew));
    }
  }

  describe('a vote', () => {
    beforeAll(async () => {
      await startAnew(...TOPICS);
      await stage.shows('something is there already', are(EMPTY));
      await stage.scene('vote');
    });

    test('with one choice is counted in both panels, with its bar and who has voted', async () => {
      await alice.click('vote-1');
      await bob.click('vote-2');
      const bars = [0, 50, 50, 0];
      const both = votes([], ['alice'], ['bob'], []).map((one, i) => ({ ...one, bar: bars[i], status: 'confirmed' }));
      const [ours, theirs] = await stage.shows('the votes', are({ vote: both }));
      expect(ours.vote.map(({ mine }) => mine)).toEqual([false, true, false, false]);
      expect(theirs.vote.map(({ mine }) => mine)).toEqual([false, false, true, false]);
    });

    test('that is changed moves, and one that is withdrawn is gone', async () => {
      await alice.click('vote-2');
      await stage.shows('the change', are({ vote: votes([], [], ['bob', 'alice'], []) }));
      await bob.click('vote-withdraw');
      await stage.shows('the withdrawal', are({ vote: votes([], [], ['alice'], []) }));
    });

    test('with several choices counts each of them, shares are of all voters', async () => {
      await alice.click('days-0');
      await alice.click('days-2');
      await bob.click('days-2');
      await stage.shows('the votes', are({ days: votes(['alice'], [], ['alice', 'bob'], []) }));
      await alice.click('days-2');
      await alice.click('days-0');
      await stage.shows('without choices there is no vote', are({ days: votes([], [], ['bob'], []) }));
    });

    test('can be cast with the keyboard alone', async () => {
      await alice.focus('network');
      expect(await alice.press(Key.TAB)).toBe('reload');
      // Where one is chosen, that is where the group is entered.
      expect(await alice.press(Key.TAB)).toBe('vote-2');
      expect(await alice.press(Key.ARROW_DOWN)).toBe('vote-3');
      await stage.shows('the vote', are({ vote: votes([], [], [], ['alice']) }));
      for (let i = 0; (await alice.press(Key.TAB)) !== 'days-0'; i += 1) expect(i).toBeLessThan(6);
      await alice.press(Key.SPACE);
      await stage.shows('the choice', are({ days: votes(['alice'], [], ['bob'], []) }));
    });

    test('is shown as pending until the server has answered', async () => {
      // What is there for a moment only is written down by the page itself.
      await bob.inside((inner) => inner.executeScript(`
        window.statuses = [];
        const write = () => statuses.push(document.querySelector('#vote [data-status]')?.dataset.status ?? 'confirmed');
        new MutationObserver(write).observe(document.getElementById('vote'), { childList: true, subtree: true });`));
      await bob.click('slow');
      await bob.click('vote-1');
      await stage.shows('the vote', are({ vote: votes([], ['bob'], [], ['alice']) }));
      await stage.shows('not confirmed', (ours, theirs) => theirs.vote[1].status === 'confirmed');
      expect(new Set(await bob.inside((inner) => inner.executeScript('return statuses')))).toEqual(new Set(['pending', 'confirmed']));
      await bob.click('slow');
      await bob.click('vote-withdraw');
      await stage.shows('the withdrawal', are({ vote: votes([], [], [], ['alice']) }));
    });

    test('crosses the wire with its Seq, as the inspector shows', async () => {
      const last = await alice.shown();
      await alice.click('vote-0');
      await stage.shows('the vote', are({ vote: votes(['alice'], [], [], []) }));
      let packets;
      await until(
        () => JSON.stringify(packets, null, 1),
        async () => {
          packets = await stage.packets();
          const [pushed] = packets.filter(({ user, what }) => user === 'bob' && what === 'push');
          const set = packets.find(({ user, what }) => user === 'alice' && what === 'set');
          const result = packets.find(({ user, what }) => user === 'alice' && what === 'result');
          return (
            pushed?.text === 'alice set alice_0 = 0' && set?.text === 'alice_0 = 0' && set.direction === 'out' &&
            result?.seq === pushed.seq && Number(pushed.seq) > Number(set.seq) && Number(set.seq) > 0
          );
        },
      );
      expect(packets.length).toBeLessThanOrEqual(60);
      expect(last.notices.vote).toBe('');
    });
  });

  describe('without network', () => {
    beforeAll(async () => {
      await startAnew('vote', 'place');
      await stage.scene('vote');
      await alice.click('network');
    });

    test('a vote waits, over a reload too, and is counted by all when the network is back', async () => {
      await stage.shows('not offline', are({ state: 'offline' }, { state: 'live' }));
      await alice.click('vote-1');
      const waits = { ...option(['alice'], 1), mine: true, status: 'queued' };
      await stage.shows('not queued', are({ vote: [{}, waits, {}, {}] }, { vote: votes([], [], [], []) }));
      await bob.click('vote-3');
      await stage.shows('bob does not vote', are({ vote: [{}, waits, {}, {}] }, { vote: votes([], [], [], ['bob']) }));

      await alice.click('reload');
      await stage.shows('what was kept', are({ state: 'offline', vote: [{}, waits, {}, option([], 1)] }, { state: 'live' }));

      await alice.click('network');
      const all = votes([], ['alice'], [], ['bob']).map((one) => ({ ...one, status: 'confirmed' }));
      await stage.shows('not sent', are({ state: 'live', vote: all }));
    });

    test('who wrote too late is shown both values when they are back, and may be content', async () => {
      await alice.click('network');
      await stage.shows('not offline', are({ state: 'offline' }, { state: 'live' }));
      await alice.type('place-input', `Alice's roof${Key.ENTER}`);
      await bob.type('place-input', `Bob's boat${Key.ENTER}`);
      await stage.shows('not written', are({ place: "Alice's roof", placeStatus: 'queued' }, { place: "Bob's boat", placeStatus: 'confirmed' }));

      await alice.click('network');
      await stage.shows('no conflict', are({ place: "Bob's boat", placeStatus: 'conflict' }, { place: "Bob's boat", placeStatus: 'confirmed' }));
      await stage.shows('no notice', (ours) => ["Alice's roof", "Bob's boat", '23001'].every((part) => ours.notices.place.includes(part)));
      await alice.click('keep');
      await stage.shows('the conflict stays', are({ place: "Bob's boat", placeStatus: 'confirmed', notices: { place: '' } }));
    });
  });

  describe('two at once', () => {
    beforeAll(() => startAnew('place', 'chain'));

    test('who write the same key: one is first, the other is told both values and can write again', async () => {
      await stage.click('provoke');
      await until('nobody says how it ended', async () => / was first\. .* can try again/.test(await stage.outcome()));
      const shown = await stage.shows('not the same', (ours, theirs) => ours.place !== EMPTY.place && ours.place === theirs.place);
      expect(shown.map(({ placeStatus }) => placeStatus).sort()).toEqual(['confirmed', 'conflict']);
      const isLoser = ({ placeStatus }) => placeStatus === 'conflict';
      const [{ place: first }] = shown;
      const { notices } = shown.find(isLoser);
      const wishes = ['The old bridge', 'The fountain'];
      for (const wish of wishes) expect(notices.place).toContain(wish);

      await stage.panels[shown.findIndex(isLoser)].click('retry');
      const [second] = wishes.filter((wish) => wish !== first);
      await stage.shows('not written again', are({ place: second, placeStatus: 'confirmed', notices: { place: '' } }));
    });

    test('who want the last seat: one of them gets it', async () => {
      await stage.scene('chain');
      await stage.click('race');
      await until('nobody says how it ended', async () => /got the last seat/.test(await stage.outcome()));
      const isOneSeat = (one) => one.seats.length === 1 && one.seats[0].status === 'confirmed';
      const shown = await stage.shows('not one seat', (...all) => all.every(isOneSeat));
      expect(shown[0].seats).toEqual(shown[1].seats);
      const told = shown.map(({ notices }) => notices.chain.includes('23105'));
      expect(told).toEqual(shown[0].seats[0].who === 'alice' ? [false, true] : [true, false]);
    });
  });

  describe('a sign-up chain', () => {
    let guest;

    beforeAll(async () => {
      await startAnew('chain');
      await stage.scene('chain');
    });

    test('is in the order of those who came, with their notes', async () => {
      await bob.type('note', 'brings salad');
      await bob.click('sign-up');
      await stage.shows('no seat', are({ seats: [sits('bob', 'brings salad'), 'free'] }));
      await alice.click('sign-up');
      await stage.shows('no seat', are({ seats: [sits('bob', 'brings salad'), sits('alice', '+1')] }));
      await bob.click('sign-off');
      await stage.shows('still there', are({ seats: [sits('alice', '+1'), 'free'] }));
      await alice.click('sign-off');
      await stage.shows('still there', are({ seats: ['free', 'free'] }));
    });

    test('a third user who follows the link sees the same, takes a seat, and everybody sees it', async () => {
      guest = await stage.invite('carol');
      await guest.scene('chain');
      const [carol] = guest.panels;
      await carol.type('note', 'with a guitar');
      await carol.click('sign-up');
      await guest.shows('no seat', are({ seats: [sits('carol', 'with a guitar'), 'free'] }));
      await stage.shows('no seat', are({ seats: [sits('carol', 'with a guitar'), 'free'] }));
      if (browser === 'Chromium') await takePicture(guest, fonts, 'guest', 'desktop');
    });

    test('of two who want the last seat one gets it, and all three see who', async () => {
      const { chain } = (await alice.shown()).messages;
      await stage.click('race');
      await until('nobody says how it ended', async () => /got the last seat/.test(await stage.outcome()));
      const hasTwo = (one) => one.seats.length === 2 && one.seats[1].status === 'confirmed';
      const [ours, theirs] = await stage.shows('not two seats', (...all) => all.every(hasTwo));
      const [hers] = await guest.shows('not two seats', hasTwo);
      expect(ours.seats.map(({ who }) => who)).toEqual(['carol', expect.stringMatching(/^(alice|bob)$/)]);
      expect(theirs.seats).toEqual(ours.seats);
      expect(hers.seats).toEqual(ours.seats);
      expect(ours.messages.chain).toBe(chain);
      await guest.close();
    });
  });

  describe('a questionnaire', () => {
    beforeAll(async () => {
      await startAnew('form');
      await stage.scene('form');
    });

    test('is summed up live', async () => {
      await alice.click('question-0-1');
      await alice.click('question-1-3');
      await alice.type('question-2', 'No peanuts, please');
      await alice.click('send');
      await bob.click('question-0-1');
      await bob.click('question-1-4');
      await bob.click('send');
      const both = (shown) =>
        /By bikealicey?.*2/.test(shown.summaries[0].replaceAll('you', 'alice')) || /By bike.*2/.test(shown.summaries[0]);
      const shown = await stage.shows('the answers', (...all) => all.every((one) => both(one) && one.summaries[1].includes('Mean 4.5')));
      for (const { summaries } of shown) expect(summaries[2]).toContain('No peanuts, please');
    });

    test('sends what was answered as one operation with one Seq', async () => {
      const sets = (await stage.packets()).filter(({ user, what }) => user === 'alice' && what === 'set');
      expect(sets[0].text).toBe('alice_0 = 1, alice_1 = 3, alice_2 = No peanuts, please');
    });

    test('shows what one has answered after a reload, and it can be changed', async () => {
      await alice.click('reload');
      await stage.shows('not connected', are({ state: 'live' }));
      await until('the answers are not there', () =>
        alice.inside((inner) => inner.executeScript('return Boolean(document.querySelector("#question-2")?.value)')));
      await alice.click('question-1-1');
      await alice.click('send');
      await stage.shows('not changed', (...all) => all.every(({ summaries }) => summaries[1].includes('Mean 3.5')));
    });
  });

  describe('a clear', () => {
    test('is for who asked; for others it is refused, kindly', async () => {
      await startAnew('vote');
      await stage.scene('vote');
      await bob.click('vote-1');
      await stage.shows('the vote', are({ vote: votes([], ['bob'], [], []) }));
      await bob.click('vote-clear');
      await stage.shows('no answer', (ours, theirs) => theirs.notices.vote.includes('(23107)'));
      await alice.click('vote-clear');
      await stage.shows('not cleared', are({ vote: votes([], [], [], []) }));
    });
  });

  describe('the page', () => {
    beforeAll(async () => {
      await startAnew('vote', 'days', 'place');
      await stage.scene('vote');
      await alice.click('vote-1');
      await bob.click('vote-2');
      await alice.click('days-0');
      await alice.click('days-2');
      await bob.click('days-2');
      await alice.type('place-input', `The old bridge${Key.ENTER}`);
    });
    const there = { vote: votes([], ['alice'], ['bob'], []), days: votes(['alice'], [], ['alice', 'bob'], []), place: 'The old bridge' };

    test('shows the same after a reload', async () => {
      await stage.shows('the votes', are(there));
      await driver.navigate().refresh();
      await stage.shows('not the same', are({ ...there, state: 'live' }));
    });

    test('speaks Chinese too, and remembers it', async () => {
      await stage.click('language');
      await stage.shows('not Chinese', are({ lang: 'zh-CN', stateText: '已连接' }));
      expect(await stage.run('return [document.documentElement.lang, document.querySelector("h1").textContent]')).toEqual([
        'zh-CN',
        '一条消息，众人作答，实时同步。',
      ]);
      await driver.navigate().refresh();
      await stage.shows('not remembered', are({ lang: 'zh-CN', stateText: '已连接', ...there }));
      await bob.click('vote-clear');
      await stage.shows('no text', (ours, theirs) => theirs.notices.vote === '只有发起人可以清空。 (23107)');
    });

    describe.each(['zh', 'en'])('in %s', (language) => {
      // With all that can be seen: a conflict, what waits, a packet that is open.
      beforeAll(async () => {
        await stage.click('provoke');
        await stage.shows('no conflict', (...all) => all.some(({ notices }) => notices.place.includes('23001')));
        await bob.click('network');
        await bob.click('days-1');
        await stage.shows('nothing waits', (ours, theirs) => theirs.days[1].status === 'queued');
        await stage.run('document.querySelector("#wire details").open = true');
      });
      afterAll(async () => {
        await stage.scene('vote');
        await bob.click('days-1');
        await bob.click('network');
        await stage.shows('still waiting', are({ vote: there.vote, days: there.days, state: 'live' }));
      });

      test.each(['light', 'dark'])('%s: axe finds nothing', async (theme) => {
        const buttons = { language: language === 'zh' ? 'English' : '中文', theme: theme === 'dark' ? /^(Light|浅色)$/ : /^(Dark|深色)$/ };
        for (const [name, text] of Object.entries(buttons)) {
          const now = await stage.run(`return document.getElementById('${name}').textContent`);
          if (!now.match(text)) await stage.click(name);
        }
        await stage.shows('not that language', are({ lang: language === 'zh' ? 'zh-CN' : 'en' }));
        for (const scene of SCENES) {
          await stage.scene(scene);
          expect(await stage.everywhere(() => axe(driver)), scene).toEqual([[], [], []]);
        }
      });
    });
  });

  describe('pictures', () => {
    // A theme that was chosen would win over the system's.
    beforeAll(() => stage.run('localStorage.removeItem("theme")'));

    test.runIf(browser === 'Chromium')('desktop, phone, dark and Chinese', async () => {
      await driver.navigate().refresh();
      await stage.scene('vote');
      await stage.shows('not connected', are({ state: 'live', lang: 'en' }));
      await alice.type('place-input', `The old bridge${Key.ENTER}`);
      await stage.shows('no place', are({ place: 'The old bridge', placeStatus: 'confirmed' }));
      await takeReadmePictures(stage, fonts);
      await stage.scene('form');
      await bob.type('question-2', 'I come a little later');
      await bob.click('send');
      await stage.scene('chain');
      await bob.click('network');
      await stage.click('provoke');
      for (const language of ['en', 'zh']) {
        for (const scene of SCENES) {
          await stage.scene(scene);
          await takePicture(stage, fonts, `${scene}-${language}`, 'desktop');
          await takePicture(stage, fonts, `${scene}-${language}`, 'phone');
          await takePicture(stage, fonts, `${scene}-${language}-dark`, 'desktop', { scheme: 'dark' });
        }
        await stage.click('language');
      }
    });

    test.runIf(browser === 'Firefox')('of the window', async () => {
      await driver.navigate().refresh();
      await stage.shows('not connected', are({ state: 'live' }));
      await stage.scene('vote');
      await takeWindow(stage, fonts, 'vote-firefox');
    });
  });

  test.runIf(browser === 'Chromium')('the page has reported no mistake', async () => {
    const entries = await driver.manage().logs().get(logging.Type.BROWSER);
    expect(entries.map(({ message }) => message)).toEqual([]);
  });
});

test('the demo ends when it is asked to, and its server with it', async () => {
  expect(await demo.stop()).toBe(0);
  await expect(fetch(demo.url)).rejects.toThrow();
  demo = undefined;
});
