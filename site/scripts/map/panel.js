/* The open record: a column beside the map on wide screens, a sheet from below on phones. */
'use strict';
Atlas.panel = (() => {
  const { make, svg, use, button, byId, say, find } = Atlas.base;
  const { records } = Atlas.draw;

  /** @type {HTMLElement | null} */
  let back = null;

  /** @param {string} id @param {boolean} on */
  function mark(id, on) {
    const element = records[id]?.marker.getElement();
    if (element) { element.classList.toggle('is-open', on); }
  }

  /** @param {HTMLElement} list @param {Told} told */
  function fact(list, [name, text, date, sources, trust, others]) {
    list.append(make('dt', '', name));
    const value = make('dd');
    value.append(make('span', 'value', text), make('span', 'proof', `${date} · ${say('source')} ${sources} · ${trust}`));
    if (others) { value.append(make('span', 'note', `${say('disputed')} ${others}`)); }
    list.append(value);
  }

  /* Signs that hide each other are reached from whichever of them was hit. */
  /** @param {Feature} feature */
  function neighbours(feature) {
    const near = feature.members;
    if (!near.length) { return []; }
    const box = make('details', 'here');
    box.append(make('summary', '', say('here', { count: near.length })));
    const list = make('ul');
    near.forEach((other) => {
      const item = make('li');
      item.append(button(other.name, () => Atlas.page.pick(other.id, true, back)));
      list.append(item);
    });
    box.append(list);
    return [box];
  }

  /* The shortlist comes with the filters; the button fetches them. */
  /** @param {string} id */
  function starButton(id) {
    const has = Boolean(Atlas.shortlist?.has(id));
    const star = button(say(has ? 'unlist' : 'enlist'), async () => {
      if (await Atlas.page.later()) { Atlas.shortlist.toggle(id); }
    }, 'star');
    star.setAttribute('aria-pressed', String(has));
    return star;
  }

  /* The schedule comes with the filters. */
  /** @param {string} id */
  function schedule(id) {
    const found = find()?.records[id];
    if (!found) { return []; }
    const line = make('p', 'against');
    const [text, promised, documents, trust] = found.cells.schedule;
    line.append(sign(`state-${found.is.schedule[0]}`), say('against', { text }));
    if (promised) {
      const sources = (documents || []).map((i) => find().documents[i]).join('; ');
      line.append(make('span', 'proof', `${promised} · ${say('source')} ${sources} · ${trust}`));
    }
    return [line];
  }

  /** @param {string} name */
  function sign(name) {
    const picture = svg('svg', { class: 'sign', viewBox: '0 0 16 16', width: 16, height: 16, 'aria-hidden': 'true' });
    picture.append(use(`sign-${name}`, '', [0, 0, 16, 16]));
    return picture;
  }

  /** @param {Feature} feature */
  function fill(feature) {
    const panel = byId('panel');
    panel.textContent = '';
    const head = make('h2', '', feature.name);
    head.id = 'panel-name';
    head.tabIndex = -1;
    const list = make('dl');
    feature.facts.forEach((told) => fact(list, told));
    list.append(make('dt', '', say('where')), make('dd', '', feature.where));
    const link = make('a', '', say('open'));
    link.href = `../${feature.table}/${encodeURIComponent(feature.id)}/index.html`;
    if (document.documentElement.classList.contains('is-embed')) {
      link.target = '_blank';
      link.rel = 'noopener';
    }
    const foot = make('p', 'acts');
    foot.append(link, ' ', starButton(feature.id));
    panel.append(button(say('close'), close, 'close'), head, make('p', '', feature.says), ...schedule(feature.id), foot);
    panel.append(...neighbours(feature));
    if (!feature.facts.length) { panel.append(make('p', '', say('no_facts'))); }
    panel.append(list);
    panel.scrollTop = 0;
    return head;
  }

  /** @type {AtlasScripts['panel']['show']} */
  function show(id, focus, opener) {
    const feature = records[id];
    if (!feature) { return false; }
    if (Atlas.panel.open) { mark(Atlas.panel.open, false); }
    Atlas.panel.open = id;
    Atlas.draw.stack(Atlas.page.map);
    const head = fill(feature);
    byId('panel').hidden = false;
    byId('map-page').classList.add('has-panel');
    mark(id, true);
    if (opener !== undefined) { back = opener; }
    if (focus) { head.focus({ preventScroll: Atlas.base.wide() }); }
    return true;
  }

  function close() {
    const id = Atlas.panel.open;
    if (!id) { return; }
    mark(id, false);
    const had = byId('panel').contains(document.activeElement);
    byId('panel').hidden = true;
    byId('map-page').classList.remove('has-panel');
    Atlas.panel.open = '';
    const marker = records[id].marker.getElement();
    const target = back && back.isConnected && back.offsetParent ? back : marker;
    if (had && target) { target.focus({ preventScroll: true }); }
    Atlas.draw.stack(Atlas.page.map);
    back = null;
    Atlas.page.state.id = '';
    Atlas.page.save();
  }

  /* Draws the open panel anew with what has come or changed, the focus where it was. */
  function refresh() {
    if (!Atlas.panel.open) { return; }
    const panel = byId('panel');
    const was = panel.contains(document.activeElement) ? document.activeElement : null;
    const name = ['.star', '.close', 'h2', 'a', 'summary'].find((one) => was?.matches(one));
    const isOpen = panel.querySelector('.here')?.hasAttribute('open');
    fill(records[Atlas.panel.open]);
    panel.querySelector('.here')?.toggleAttribute('open', isOpen);
    if (name) { /** @type {HTMLElement | null} */ (panel.querySelector(name))?.focus({ preventScroll: true }); }
  }

  return { open: '', show, close, refresh };
})();
