// Tabs as the ARIA Authoring Practices have them: one is in the order of the Tab key, arrows go from one to the next.

/**
 * Makes the buttons of a list show their panels, one at a time.
 *
 * @param {HTMLElement} list with role "tablist", of buttons with role "tab" and the id of a panel as `aria-controls`; hidden ones are left out.
 */
export function makeTabs(list) {
  const tabs = () => [...list.querySelectorAll('[role=tab]:not([hidden])')];
  const choose = (chosen) => tabs().forEach((tab) => {
    const isChosen = tab === chosen;
    tab.setAttribute('aria-selected', isChosen);
    tab.tabIndex = isChosen ? 0 : -1;
    document.getElementById(tab.getAttribute('aria-controls')).hidden = !isChosen;
  });
  list.addEventListener('click', ({ target }) => target.role === 'tab' && choose(target));
  list.addEventListener('keydown', (event) => {
    const all = tabs();
    const at = all.indexOf(event.target);
    const to = { ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: -1 }[event.key];
    if (to === undefined || at < 0) return;
    event.preventDefault();
    const next = all.at(to % all.length);
    choose(next);
    next.focus();
  });
  choose(tabs()[0]);
}
