/* How old the page is by the reader's own clock: it speaks even when every server is silent. */
(function () {
  'use strict';

  const HOUR = 3600000;
  const DAY = 24 * HOUR;
  const AMBER = 36 * HOUR;
  const RED = 7 * DAY;
  const page = document.documentElement;
  const ZONE = page.dataset.zone;
  const isVietnamese = page.lang === 'vi';
  const locale = isVietnamese ? 'vi' : 'en-GB';
  const line = document.getElementById('fresh');

  /**
   * @param {number} count
   * @param {'day' | 'hour'} unit
   */
  function counted(count, unit) {
    return new Intl.NumberFormat(locale, { style: 'unit', unit, unitDisplay: 'long' }).format(count);
  }

  /**
   * Whole hours, from two days on whole days; a clock behind the server's counts as now.
   * @param {number} ms
   */
  function age(ms) {
    if (ms >= 2 * DAY) { return counted(Math.floor(ms / DAY), 'day'); }
    if (ms < HOUR) { return (line && line.getAttribute('data-short')) || counted(0, 'hour'); }
    return counted(Math.floor(ms / HOUR), 'hour');
  }

  /** @param {number} time */
  function day(time) {
    const month = isVietnamese ? '2-digit' : 'long';
    return new Intl.DateTimeFormat(locale, {
      timeZone: ZONE, day: isVietnamese ? '2-digit' : 'numeric', month, year: 'numeric'
    }).format(time);
  }

  /** @param {number} time */
  function minute(time) {
    const clock = new Intl.DateTimeFormat(locale, {
      timeZone: ZONE, hour: '2-digit', minute: '2-digit', hourCycle: 'h23'
    }).format(time);
    return clock + (isVietnamese ? ' ngày ' : ', ') + day(time);
  }

  /** @param {number} ms */
  function colour(ms) {
    if (ms > RED) { return 'red'; }
    return ms > AMBER ? 'amber' : '';
  }

  /**
   * A day as the data write it lasts until midnight by the region's clock.
   * @param {string} text
   */
  function ending(text) {
    return Date.parse(text + 'T00:00:00' + page.dataset.offset) + DAY;
  }

  /**
   * @param {string} key
   * @param {string} tone
   * @param {Record<string, string>} values
   */
  function say(key, tone, values) {
    if (!line) { return; }
    let text = line.getAttribute('data-' + key) || '';
    for (const name of Object.keys(values)) {
      text = text.split('{' + name + '}').join(values[name]);
    }
    line.textContent = text;
    line.className = tone ? 'fresh fresh-' + tone : 'fresh';
    line.hidden = false;
    const main = document.getElementById('main');
    if (tone && main) { main.insertBefore(line, main.firstChild); }
    page.dataset.fresh = tone || 'green';
  }

  function byEdition() {
    const end = ending(page.dataset.asOf || '');
    if (isNaN(end)) { return; }
    const ms = Date.now() - end;
    const tone = colour(ms);
    say(tone ? 'edition-' + tone : 'edition', tone, { when: day(end - DAY), age: age(ms) });
  }

  /** @param {{built_on?: string, run?: string, edition?: string}} run the record of the last run */
  function byRun(run) {
    const built = Date.parse(run.built_on || '');
    if (isNaN(built)) { byEdition(); return; }
    const ms = Date.now() - built;
    const tone = colour(ms);
    if (run.edition && run.edition !== page.dataset.edition) {
      say('newer', 'amber', { edition: String(run.edition) });
    } else if (!tone && run.run !== 'published' && run.run !== 'unchanged') {
      say('failed', 'amber', { when: minute(built) });
    } else {
      say(tone ? 'run-' + tone : 'run', tone, { when: minute(built), age: age(ms) });
    }
  }

  /** Say beside each date of a source how long ago it is, in whole days. */
  function sources() {
    const ago = (line && line.getAttribute('data-ago')) || '';
    for (const spot of document.querySelectorAll('[data-since]')) {
      const begun = ending(spot.getAttribute('data-since') || '') - DAY;
      const days = Math.floor((Date.now() - begun) / DAY);
      if (days >= 1) { spot.textContent = ' (' + ago.split('{age}').join(counted(days, 'day')) + ')'; }
    }
  }

  /** A link from a printed sheet or a citation names the edition that it was made for. */
  function asked() {
    const other = new URLSearchParams(location.search).get('edition') || '';
    const main = document.getElementById('main');
    if (!line || !main || !/^[\w-]{1,60}$/.test(other) || other === page.dataset.edition) { return; }
    const note = document.createElement('p');
    note.className = 'warning asked';
    note.textContent = (line.getAttribute('data-asked') || '')
      .split('{asked}').join(other).split('{edition}').join(page.dataset.edition || '');
    main.insertBefore(note, main.firstChild);
  }

  function begin() {
    asked();
    sources();
    if (!line || !location.protocol.startsWith('http')) { byEdition(); return; }
    fetch(line.getAttribute('data-status') || '', { cache: 'no-store' })
      .then(function (answer) { return answer.ok ? answer.json() : Promise.reject(answer.status); })
      .then(byRun)
      .catch(byEdition);
  }

  if (document.readyState === 'complete') { begin(); } else { addEventListener('load', begin); }
})();
