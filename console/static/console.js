// Keys for the inbox. They work only while an item has the focus, so that they never take a key from other software
// (WCAG 2.1.4). Without this file everything works by Tab, Space and Enter.
"use strict";
(() => {
  const items = () => [...document.querySelectorAll("[data-inbox] [data-item]")];
  const prepare = () => {
    if (!items().length) return;
    for (const hint of document.querySelectorAll(".keys")) hint.hidden = false;
    items().forEach((item) => { item.tabIndex = 0; });
  };
  prepare();
  document.addEventListener("vault:loaded", prepare);
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    const field = event.target.closest("input:not([type=checkbox]), select, textarea");
    const item = event.target.closest("[data-inbox] [data-item]");
    if (field || !item) return;
    const all = items();
    const at = all.indexOf(item);
    const keys = {
      j: () => (all[at + 1] || item).focus(),
      k: () => (all[at - 1] || item).focus(),
      x: () => { const box = item.querySelector("input[name=pick]"); if (box) box.checked = !box.checked; },
      a: () => item.querySelector("[data-approve]")?.click(),
      r: () => item.querySelector("[data-reject]")?.click(),
      e: () => {
        const edit = item.querySelector("[data-edit]");
        if (!edit) return;
        edit.open = true;
        edit.querySelector("select, input:not([type=hidden])")?.focus();
      },
    };
    if (!keys[event.key]) return;
    event.preventDefault();
    keys[event.key]();
  });
})();
