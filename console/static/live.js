// Loads lists again when something in the tenant changed. It never takes away what a person types, selects or reads: a
// page with an edited form, an open detail or the focus in its content stays, and says that there is something new.
// Nothing is asked for while nobody looks.
"use strict";
(() => {
  const find = () => document.querySelector("main [data-live]");
  if (!find() || !window.EventSource) return;
  const hint = document.querySelector("[data-news]");
  let source = null;
  let known = "";
  let edited = false;
  let loading = false;
  document.querySelector("main").addEventListener("input", () => { edited = true; });
  const busy = () => edited || find().contains(document.activeElement) || !getSelection().isCollapsed ||
    find().querySelector("details[open]");
  const load = async () => {
    if (loading) return;
    loading = true;
    try {
      const response = await fetch(location.href, { headers: { Accept: "text/html" } });
      if (!response.ok || response.redirected) return;
      const next = new DOMParser().parseFromString(await response.text(), "text/html").querySelector("main [data-live]");
      if (!next || busy()) return;
      find().replaceWith(next);
      document.dispatchEvent(new Event("vault:loaded"));
    } finally {
      loading = false;
    }
  };
  const changed = () => { if (busy()) { if (hint) hint.hidden = false; } else load(); };
  const look = () => {
    if (document.hidden) { source?.close(); source = null; return; }
    if (source) return;
    source = new EventSource("/console/live");
    source.addEventListener("state", (event) => {
      if (known && known !== event.data) changed();
      known = document.body.dataset.live = event.data;
    });
  };
  document.addEventListener("visibilitychange", look);
  window.addEventListener("pagehide", () => { source?.close(); source = null; });
  look();
})();
