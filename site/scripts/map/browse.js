/* One change, everything in step: map, list, counts, filters, year and link. */
'use strict';
Atlas.browse = (() => {
  const { make, button, byId, input, say, number, find } = Atlas.base;
  const { records } = Atlas.draw;
  let isAsked = false;
  let asks = 0;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let counting;

  /** @param {string} id */
  function inView(id) {
    const feature = records[id];
    const { map } = Atlas.page;
    return Boolean(feature) && map.hasLayer(feature.layer) && map.getBounds().contains(feature.at);
  }

  /* What stood at a year's end; a promise is called one. */
  /** @param {string} mark */
  function yearText(mark) {
    if (mark === '-') { return say('not_yet'); }
    const text = say(`group_${Atlas.narrow.group(mark)}`);
    return mark === mark.toLowerCase() ? text : say('promised', { stage: text });
  }

  /* By kind and stage as drawn at first, by a year's stage, or by the schedule. */
  /** @param {string} id @param {string} mark @returns {Look} */
  function lookOf(id, mark) {
    const { year, colour } = Atlas.page.state;
    const { cells, is } = find().records[id];
    const kind = cells.kind[0];
    if (year !== null) {
      return { sign: Atlas.narrow.group(mark), dim: mark === '-', says: `${kind} · ${year}: ${yearText(mark)}` };
    }
    if (colour) {
      const state = is.schedule[0];
      return { sign: `state-${state}`, tone: `tone-${state}`, says: `${kind} · ${cells.schedule[0]}` };
    }
    return { sign: records[id].stage, says: records[id].says };
  }

  /** @param {Record<string, Verdict>} verdicts */
  function showMap(verdicts) {
    const { colour } = Atlas.page.state;
    Object.entries(records).forEach(([id, feature]) => {
      const verdict = verdicts[id];
      if (!verdict) { return; }
      Atlas.draw.hide(feature, !verdict.shown);
      Atlas.draw.look(feature, lookOf(id, verdict.mark));
    });
    Atlas.draw.stack(Atlas.page.map);
    document.documentElement.dataset.colour = colour || 'stage';
    document.querySelectorAll('[name="colour"]').forEach((one) => {
      const dot = /** @type {HTMLInputElement} */ (one);
      dot.checked = dot.value === colour;
    });
  }

  /** @param {Record<string, Verdict>} verdicts */
  function tally(verdicts) {
    const ids = Atlas.browse.shown;
    const sums = Atlas.narrow.sums(ids);
    const big = Atlas.columns?.sums() || { shown: 0, places: 0, all: 0, inside: 0, hectares: 0, withArea: 0 };
    const [all, shown] = [Object.keys(verdicts).length + big.all, ids.length + big.shown];
    const text = say(shown === all ? 'tally_all' : 'tally', { shown: number(shown), all: number(all), excluded: number(all - shown) });
    byId('tally').textContent = text;
    document.documentElement.dataset.shown = String(shown);
    const unknown = sums.withoutArea + big.places - big.withArea;
    const area = say('hectares', { ha: number(sums.hectares + big.hectares), known: number(sums.withArea + big.withArea), unknown: number(unknown) });
    const inner = sums.inside + big.inside;
    byId('hectares').textContent = area + (inner ? ` ${say('inside', { count: number(inner) })}` : '');
    money(sums);
  }

  /* The money of tiled records is fetched once somebody asks for it. */
  /** @param {Sums} sums */
  async function money(sums) {
    const mine = asks += 1;
    const box = /** @type {HTMLDetailsElement} */ (byId('money').parentElement);
    if (!Atlas.columns) { showMoney(sums.money, sums.withoutMoney); }
    if (!Atlas.columns || (!box.open && Atlas.columns.isNarrowed())) { return; }
    const more = await Atlas.order.money().catch(() => null);
    if (!more) { Atlas.base.tell(Atlas.big.say('not_loaded')); }
    if (!more || mine !== asks) { return; }
    /** @type {Map<string, [string, string, number, number]>} */
    const told = new Map();
    [...sums.money, ...more.money].forEach(([kind, unit, sum, count]) => {
      const [, , had, many] = told.get(`${kind}\n${unit}`) || [kind, unit, 0, 0];
      told.set(`${kind}\n${unit}`, [kind, unit, had + sum, many + count]);
    });
    showMoney([...told.values()], sums.withoutMoney + more.without);
  }

  /** @param {Sums['money']} money @param {number} without */
  function showMoney(money, without) {
    byId('money').replaceChildren(...money.map(([kind, unit, sum, count]) => {
      return make('li', '', say('money_sum', { kind: say(`money_${kind}`), sum: number(sum, 3), unit: say(`unit_${unit}`), count: number(count) }));
    }), make('li', '', say('money_unknown', { count: number(without) })));
  }

  /* Which filter took how many out, and how many it alone. */
  /** @param {Record<string, Verdict>} verdicts */
  function knocked(verdicts) {
    const told = Atlas.narrow.knocked(verdicts);
    const box = byId('knocked');
    const lost = new Map(told.map(([name, out, alone]) => [name, [out, alone]]));
    box.replaceChildren(...Atlas.narrow.active(Atlas.page.state).map((name) => {
      const [out, alone] = (lost.get(name) || [0, 0]).map((one, i) => number(one + (Atlas.columns?.lost(name)[i] || 0)));
      const item = make('li');
      const away = button('×', () => {
        Atlas.facets.drop(name);
        byId('tally').focus();
      }, 'remove');
      away.setAttribute('aria-label', `${say('drop')}: ${Atlas.facets.describe(name)}`);
      item.append(away, make('span', '', Atlas.facets.describe(name)), ' ', make('span', 'count', say('excludes', { out, alone })));
      return item;
    }));
    byId('reset').hidden = !box.childElementCount;
  }

  /** @param {Record<string, Verdict>} verdicts */
  function years(verdicts) {
    const { year } = Atlas.page.state;
    const slider = input('year');
    input('by-year').checked = year !== null;
    if (year !== null) { slider.value = String(year); }
    slider.setAttribute('aria-valuetext', year === null ? say('all_years') : String(year));
    byId('year-said').textContent = year === null ? say('all_years') : String(year);
    const note = byId('year-note');
    note.hidden = year === null;
    if (year === null) { return; }
    /** @type {Record<string, number>} */
    const counts = {};
    Atlas.browse.shown.forEach((id) => {
      const text = yearText(verdicts[id].mark);
      counts[text] = (counts[text] || 0) + 1;
    });
    Object.entries(Atlas.columns?.marks(year) || {}).forEach(([mark, count]) => {
      if (count) { counts[yearText(mark)] = (counts[yearText(mark)] || 0) + count; }
    });
    const told = Object.entries(counts).map(([text, count]) => `${text}: ${number(count)}`).join(' · ');
    const isAhead = `${year}-12-31` > find().as_of;
    note.textContent = [say('year_end', { year }), told, isAhead ? say('year_ahead') : ''].filter(Boolean).join(' ');
  }

  function apply() {
    Atlas.point.show();
    const verdicts = Atlas.narrow.judge(Atlas.page.state, inView);
    Atlas.browse.shown = Object.keys(verdicts).filter((id) => verdicts[id].shown);
    showMap(verdicts);
    Atlas.list.show(verdicts);
    tell(verdicts);
    // tiled records are judged beside; what they add is told when it is known
    Atlas.columns?.judge(Atlas.page.state).then((isNew) => { if (isNew) { tell(verdicts); } });
  }

  /** @param {Record<string, Verdict>} verdicts */
  function tell(verdicts) {
    tally(verdicts);
    knocked(verdicts);
    years(verdicts);
    Atlas.shortlist.show();
    // the counts in the filters are a task of their own, so that no task is felt
    clearTimeout(counting);
    counting = setTimeout(() => Atlas.facets.show(verdicts));
  }

  /* Sliders fire often: one drawing a frame is enough. */
  function changed() {
    Atlas.page.save();
    if (isAsked) { return; }
    isAsked = true;
    requestAnimationFrame(() => {
      isAsked = false;
      Atlas.facets.read();
      apply();
      Atlas.compare.show(Atlas.page.state.compare, false);
    });
  }

  /* The schedule is that of the data's date: a year and the schedule exclude each other. */
  function listenLook() {
    const set = () => {
      const { state } = Atlas.page;
      state.year = input('by-year').checked ? Number(input('year').value) : null;
      if (state.year !== null) { state.colour = ''; }
      changed();
    };
    byId('colours').addEventListener('change', (event) => {
      const { state } = Atlas.page;
      state.colour = /** @type {HTMLInputElement} */ (event.target).value;
      if (state.colour) { state.year = null; }
      changed();
      Atlas.base.tell(say(state.colour ? 'by_schedule' : 'by_stage', { as_of: find().as_of_text }));
    });
    input('by-year').addEventListener('change', set);
    input('year').addEventListener('input', () => {
      input('by-year').checked = true;
      set();
    });
  }

  function reset() {
    const { state } = Atlas.page;
    Object.assign(state, { choose: {}, range: {}, view: false });
    changed();
    byId('tally').focus();
  }

  function start() {
    Atlas.facets.build();
    Atlas.list.build();
    Atlas.search.build();
    Atlas.shortlist.build();
    Atlas.carry.build();
    Atlas.hand.build();
    listenLook();
    byId('reset').addEventListener('click', reset);
    byId('money').parentElement?.addEventListener('toggle', () => money(Atlas.narrow.sums(Atlas.browse.shown)));
    Atlas.page.map.on('moveend overlayadd overlayremove', () => { if (Atlas.page.state.view) { changed(); } });
    Atlas.draw.onLight = (id, on) => {
      Atlas.draw.light(id, on);
      Atlas.list.light(id, on);
    };
    Atlas.facets.read();
    apply();
    Atlas.compare.show(Atlas.page.state.compare, false);
    Atlas.panel.refresh();
    document.documentElement.dataset.browseReady = 'true';
  }

  return { apply, start, changed, yearText, shown: [] };
})();
