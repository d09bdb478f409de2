/* One change, everything in step: map, list, counts, filters, year and link. */
'use strict';
Atlas.browse = (() => {
  const { make, button, byId, input, say, number, find } = Atlas.base;
  const { records } = Atlas.draw;
  let isAsked = false;

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

  /** @param {Record<string, Verdict>} verdicts */
  function showMap(verdicts) {
    const { year } = Atlas.page.state;
    Object.entries(records).forEach(([id, feature]) => {
      const verdict = verdicts[id];
      if (!verdict) { return; }
      Atlas.draw.hide(feature, !verdict.shown);
      const kind = find().records[id].cells.kind[0];
      const group = year === null ? feature.stage : Atlas.narrow.group(verdict.mark);
      const says = year === null ? feature.says : `${kind} · ${year}: ${yearText(verdict.mark)}`;
      Atlas.draw.stage(feature, group, verdict.mark === '-', says);
    });
  }

  /** @param {Record<string, Verdict>} verdicts */
  function tally(verdicts) {
    const all = Object.keys(verdicts).length;
    const ids = Atlas.browse.shown;
    const sums = Atlas.narrow.sums(ids);
    const text = say(ids.length === all ? 'tally_all' : 'tally', { shown: ids.length, all, excluded: all - ids.length });
    byId('tally').textContent = text;
    const area = say('hectares', { ha: number(sums.hectares), known: sums.withArea, unknown: sums.withoutArea });
    const inside = sums.inside ? ` ${say('inside', { count: sums.inside })}` : '';
    byId('hectares').textContent = area + inside;
    byId('money').replaceChildren(...sums.money.map(([kind, unit, sum, count]) => {
      return make('li', '', say('money_sum', { kind: say(`money_${kind}`), sum: number(sum, 3), unit: say(`unit_${unit}`), count }));
    }), make('li', '', say('money_unknown', { count: sums.withoutMoney })));
  }

  /* Which filter took how many out, and how many it alone. */
  /** @param {Record<string, Verdict>} verdicts */
  function knocked(verdicts) {
    const told = Atlas.narrow.knocked(verdicts);
    const box = byId('knocked');
    const lost = new Map(told.map(([name, out, alone]) => [name, [out, alone]]));
    box.replaceChildren(...Atlas.narrow.active(Atlas.page.state).map((name) => {
      const [out, alone] = lost.get(name) || [0, 0];
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
    const told = Object.entries(counts).map(([text, count]) => `${text}: ${count}`).join(' · ');
    const isAhead = `${year}-12-31` > find().as_of;
    note.textContent = [say('year_end', { year }), told, isAhead ? say('year_ahead') : ''].filter(Boolean).join(' ');
  }

  function apply() {
    const verdicts = Atlas.narrow.judge(Atlas.page.state, inView);
    Atlas.browse.shown = Object.keys(verdicts).filter((id) => verdicts[id].shown);
    showMap(verdicts);
    Atlas.list.show(verdicts);
    tally(verdicts);
    knocked(verdicts);
    years(verdicts);
    Atlas.facets.show(verdicts);
    Atlas.shortlist.show();
    document.documentElement.dataset.shown = String(Atlas.browse.shown.length);
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

  function listenYears() {
    const set = () => {
      Atlas.page.state.year = input('by-year').checked ? Number(input('year').value) : null;
      changed();
    };
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
    listenYears();
    byId('reset').addEventListener('click', reset);
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
