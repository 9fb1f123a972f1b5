// Tries a form of the schema while a person types: it sends the form as the button "Try it" does, and shows the outcome
// of the check. Without this file the button does it.
"use strict";
(() => {
  const form = document.querySelector("form[data-schema]");
  const outcome = form?.querySelector("#checks");
  if (!outcome) return;
  let wait = 0;
  let latest = 0;
  const check = async () => {
    const turn = ++latest;
    const body = new URLSearchParams(new FormData(form));
    body.set("do", "check");
    let answer;
    try {
      answer = await fetch(form.action, { method: "POST", body });
    } catch {
      return; // the button still works
    }
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    if (turn !== latest) return;
    const found = page.querySelector("#checks");
    if (found) outcome.replaceChildren(...found.childNodes);
    for (const now of form.querySelectorAll(".error")) {
      const then = page.getElementById(now.id);
      if (then) now.textContent = then.textContent;
    }
  };
  form.addEventListener("input", (event) => {
    if (event.target.type === "hidden") return;
    const tried = form.querySelector("[name=samples], [name=customer]");
    if (!tried) return;
    if (tried.name === "samples" ? !tried.value.trim() : !form.querySelector("[name=when_condition]")?.value.trim()) return;
    clearTimeout(wait);
    wait = setTimeout(check, 400);
  });
})();
